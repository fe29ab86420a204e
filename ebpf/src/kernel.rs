//! The only place that reads kernel structures, one accessor per question.
//!
//! Addresses travel as [`Addr`]: a kernel pointer that is never dereferenced, only handed to
//! `bpf_probe_read_kernel`, which fails on a bad one. A field that cannot be read is zero.

use aya_ebpf::{
    Global,
    helpers::{
        bpf_get_current_task,
        generated::{bpf_probe_read_kernel, bpf_skc_to_unix_sock},
    },
};
use hullwatch_common::{Credentials, FileFacts, Namespaces, OFFSET_MISSING, UNSET};

use crate::offset;

/// An address in kernel memory; 0 is none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Addr(pub u64);

impl Addr {
    /// The field at the offset; zero where the kernel lacks it or the address is bad. Without a branch:
    /// the helper zeroes what it cannot read, and every branch here would double what the verifier walks.
    #[inline(always)]
    pub fn value<T: Copy + Default>(self, field: &Global<u32>) -> T {
        let at = field.load();
        if at == OFFSET_MISSING {
            return T::default();
        }
        read(self.0.wrapping_add(u64::from(at)))
    }

    /// The pointer in a field.
    #[inline(always)]
    pub fn follow(self, field: &Global<u32>) -> Self {
        Self(self.value(field))
    }

    /// The address of a field.
    #[inline(always)]
    pub fn field(self, field: &Global<u32>) -> Self {
        Self(self.0.wrapping_add(u64::from(field.load())))
    }

    /// A one-bit field, by its offset in bits.
    #[inline(always)]
    pub fn bit(self, field: &Global<u32>) -> bool {
        let at = field.load();
        if at == OFFSET_MISSING {
            return false;
        }
        let byte: u8 = read(self.0.wrapping_add(u64::from(at >> 3)));
        (byte >> (at & 7)) & 1 == 1
    }
}

/// A pointer whose type the verifier knows, as the arguments of BTF tracepoints are: read without a
/// helper, for a fraction of its cost. Following one that is null reads zeroes (`PROBE_MEM`, since 5.5).
#[derive(Clone, Copy)]
pub struct Typed(*const u8);

impl Typed {
    /// # Safety
    /// The pointer is one that the verifier tracks by type; every field read from it is of that type, or
    /// the program does not load.
    #[inline(always)]
    pub const unsafe fn new(pointer: *const u8) -> Self {
        Self(pointer)
    }

    /// The field at the offset.
    #[inline(always)]
    pub fn value<T: Copy>(self, field: &Global<u32>) -> T {
        // SAFETY: the verifier holds the offset, a constant to it, against the type.
        unsafe { self.0.add(field.load() as usize).cast::<T>().read_volatile() }
    }

    /// The pointer in a field.
    #[inline(always)]
    pub fn follow(self, field: &Global<u32>) -> Self {
        Self(self.value(field))
    }

    /// Without its type.
    #[inline(always)]
    pub fn address(self) -> Addr {
        Addr(self.0 as u64)
    }

    /// As a unix socket; none where it is another.
    #[inline(always)]
    pub fn unix_sock(self) -> Option<Self> {
        // SAFETY: the helper takes any socket and checks it.
        let unix = unsafe { bpf_skc_to_unix_sock(self.0.cast_mut().cast()) };
        (!unix.is_null()).then_some(Self(unix.cast_const().cast()))
    }
}

/// What is at the address, or zero.
#[inline(always)]
fn read<T: Copy + Default>(address: u64) -> T {
    let mut value = T::default();
    // SAFETY: the helper checks the address, writes no more than the value, and zeroes it on failure.
    unsafe {
        bpf_probe_read_kernel(
            (&raw mut value).cast(),
            size_of::<T>() as u32,
            address as *const _,
        )
    };
    value
}

/// A field that some kernels lack, or the given value.
#[inline(always)]
fn optional(at: Addr, field: &Global<u32>, without: u32) -> u32 {
    if field.load() == OFFSET_MISSING {
        without
    } else {
        at.value(field)
    }
}

/// `struct task_struct` of the running thread.
#[inline(always)]
pub fn current() -> Addr {
    // SAFETY: always valid in program context; the pointer is not dereferenced.
    Addr(unsafe { bpf_get_current_task() })
}

/// Id of a task's cgroup in the hierarchy that tells containers apart.
#[inline(always)]
pub fn cgroup_of(task: Addr) -> u64 {
    let set = task.follow(&offset::TASK_CGROUPS);
    let subsys = offset::CGROUP_V1_SUBSYS.load();
    let cgroup = if subsys == OFFSET_MISSING {
        set.follow(&offset::CSS_SET_DFL_CGRP)
    } else {
        let slot = set
            .field(&offset::CSS_SET_SUBSYS)
            .0
            .wrapping_add(u64::from(subsys & 31) * 8);
        Addr(read(slot)).follow(&offset::CSS_CGROUP)
    };
    cgroup_id(cgroup)
}

/// Id of a `struct cgroup`.
#[inline(always)]
pub fn cgroup_id(cgroup: Addr) -> u64 {
    cgroup.follow(&offset::CGROUP_KN).value(&offset::KERNFS_ID)
}

/// Whether a `struct cgroup` lies in the hierarchy that tells containers apart.
#[inline(always)]
pub fn in_hierarchy(cgroup: Addr) -> bool {
    cgroup
        .follow(&offset::CGROUP_ROOT)
        .value::<u32>(&offset::CGROUP_ROOT_HIERARCHY)
        == offset::CGROUP_HIERARCHY.load()
}

/// `struct cred` in our words.
#[inline(always)]
pub fn credentials(cred: Addr) -> Credentials {
    Credentials {
        cap_inheritable: cred.value(&offset::CRED_CAP_INHERITABLE),
        cap_permitted: cred.value(&offset::CRED_CAP_PERMITTED),
        cap_effective: cred.value(&offset::CRED_CAP_EFFECTIVE),
        cap_bounding: cred.value(&offset::CRED_CAP_BOUNDING),
        cap_ambient: cred.value(&offset::CRED_CAP_AMBIENT),
        uid: cred.value(&offset::CRED_UID),
        gid: cred.value(&offset::CRED_GID),
        euid: cred.value(&offset::CRED_EUID),
        egid: cred.value(&offset::CRED_EGID),
        suid: cred.value(&offset::CRED_SUID),
        sgid: cred.value(&offset::CRED_SGID),
        fsuid: cred.value(&offset::CRED_FSUID),
        fsgid: cred.value(&offset::CRED_FSGID),
    }
}

/// Namespaces of a task.
#[inline(always)]
pub fn namespaces(task: Addr) -> Namespaces {
    let proxy = task.follow(&offset::TASK_NSPROXY);
    Namespaces {
        mnt: proxy.follow(&offset::NSPROXY_MNT).value(&offset::MNT_NS_INUM),
        pid: proxy.follow(&offset::NSPROXY_PID).value(&offset::PID_NS_INUM),
        net: proxy.follow(&offset::NSPROXY_NET).value(&offset::NET_NS_INUM),
        ipc: proxy.follow(&offset::NSPROXY_IPC).value(&offset::IPC_NS_INUM),
        uts: proxy.follow(&offset::NSPROXY_UTS).value(&offset::UTS_NS_INUM),
        user: task
            .follow(&offset::TASK_CRED)
            .follow(&offset::CRED_USER_NS)
            .value(&offset::USER_NS_INUM),
        cgroup: proxy
            .follow(&offset::NSPROXY_CGROUP)
            .value(&offset::CGROUP_NS_INUM),
        pad: 0,
    }
}

/// Mount and pid namespace of a task: enough to tell whether it is at home on the host.
#[inline(always)]
pub fn mount_and_pid_namespace(task: Addr) -> (u32, u32) {
    let proxy = task.follow(&offset::TASK_NSPROXY);
    (
        proxy.follow(&offset::NSPROXY_MNT).value(&offset::MNT_NS_INUM),
        proxy.follow(&offset::NSPROXY_PID).value(&offset::PID_NS_INUM),
    )
}

/// Device and number of an inode.
#[inline(always)]
pub fn inode_id(inode: Addr) -> (u32, u64) {
    (
        inode.follow(&offset::INODE_SB).value(&offset::SUPER_BLOCK_DEV),
        inode.value(&offset::INODE_INO),
    )
}

/// Mode of an inode.
#[inline(always)]
pub fn inode_mode(inode: Addr) -> u32 {
    u32::from(inode.value::<u16>(&offset::INODE_MODE))
}

/// Facts of a `struct file`.
#[inline(always)]
pub fn file_facts(file: Addr) -> FileFacts {
    let inode = file.follow(&offset::FILE_INODE);
    let (dev, ino) = inode_id(inode);
    FileFacts {
        ino,
        dev,
        mode: inode_mode(inode),
        uid: inode.value(&offset::INODE_UID),
        gid: inode.value(&offset::INODE_GID),
        nlink: inode.value(&offset::INODE_NLINK),
        mount_flags: file.follow(&offset::FILE_MNT).value(&offset::VFSMOUNT_FLAGS),
    }
}

/// Executable of a task: its `struct file`, none for a kernel thread.
#[inline(always)]
pub fn exe_file(task: Addr) -> Addr {
    task.follow(&offset::TASK_MM).follow(&offset::MM_EXE_FILE)
}

/// Login uid and audit session of a task.
#[inline(always)]
pub fn login(task: Addr) -> (u32, u32) {
    (
        optional(task, &offset::TASK_LOGINUID, UNSET),
        optional(task, &offset::TASK_SESSIONID, UNSET),
    )
}

/// Seccomp mode of a task, [`UNSET`] where the kernel has none.
#[inline(always)]
pub fn seccomp(task: Addr) -> u32 {
    optional(task, &offset::TASK_SECCOMP_MODE, UNSET)
}
