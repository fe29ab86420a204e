//! What every record starts with: when, where, and who.

use crate::Kind;

/// Bytes of a task's command name, NUL included (`TASK_COMM_LEN`).
pub const COMM_LEN: usize = 16;
/// Bytes kept of the last component of an ancestor's executable.
pub const EXE_NAME_LEN: usize = 32;
/// Ancestors walked per event.
pub const ANCESTORS: usize = 6;
/// A login uid or audit session that was never set (`AUDIT_UID_UNSET`).
pub const UNSET: u32 = u32::MAX;

/// Start of every record.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "user", derive(bytemuck::Pod, bytemuck::Zeroable))]
pub struct Header {
    /// [`crate::ABI_VERSION`] of the probe.
    pub abi: u16,
    /// Payload that follows.
    pub kind: Kind,
    /// Bytes of the whole record.
    pub len: u32,
    /// `CLOCK_BOOTTIME` nanoseconds.
    pub time: u64,
    /// Cgroup of the task.
    pub cgroup: u64,
    /// Outermost cgroup of the task's container, by cgroup or by namespace; 0 outside containers.
    pub container: u64,
    /// The task that did it.
    pub task: Task,
}

/// Identity and rights of a task at the time of the event.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "user", derive(bytemuck::Pod, bytemuck::Zeroable))]
pub struct Task {
    /// Start of the process (not the thread), `CLOCK_BOOTTIME` nanoseconds; with `tgid`, its identity.
    pub start_time: u64,
    /// Inode of the running executable.
    pub exe_ino: u64,
    /// Device of the running executable, in the kernel's encoding.
    pub exe_dev: u32,
    /// Process id in the host's pid namespace.
    pub tgid: u32,
    /// Thread id in the host's pid namespace.
    pub tid: u32,
    /// Login uid, or [`UNSET`].
    pub login_uid: u32,
    /// Audit session, or [`UNSET`].
    pub session_id: u32,
    /// `TASK_*`.
    pub flags: u32,
    /// 0 off, 1 strict, 2 filter; [`UNSET`] where the kernel has no seccomp.
    pub seccomp: u32,
    /// Filled entries of `ancestors`.
    pub ancestor_count: u32,
    /// Credentials.
    pub creds: Credentials,
    /// Namespaces.
    pub ns: Namespaces,
    /// Command name.
    pub comm: [u8; COMM_LEN],
    /// Parent first.
    pub ancestors: [Ancestor; ANCESTORS],
}

/// Flag of [`Task::flags`]: the task can gain no privilege by exec.
pub const TASK_NO_NEW_PRIVS: u32 = 1;
/// Flag of [`Task::flags`]: the task's cgroup is no container's, but its mount or pid namespace is; the
/// header names the container that owns it.
pub const TASK_CONTAINER_BY_NAMESPACE: u32 = 2;

/// `struct cred`, ids in the initial user namespace.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "user", derive(bytemuck::Pod, bytemuck::Zeroable))]
#[allow(missing_docs, reason = "the names are the kernel's own")]
pub struct Credentials {
    pub cap_inheritable: u64,
    pub cap_permitted: u64,
    pub cap_effective: u64,
    pub cap_bounding: u64,
    pub cap_ambient: u64,
    pub uid: u32,
    pub gid: u32,
    pub euid: u32,
    pub egid: u32,
    pub suid: u32,
    pub sgid: u32,
    pub fsuid: u32,
    pub fsgid: u32,
}

/// Inode numbers of a task's namespaces, as in `/proc/PID/ns`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "user", derive(bytemuck::Pod, bytemuck::Zeroable))]
#[allow(missing_docs, reason = "the names are those of /proc/PID/ns")]
pub struct Namespaces {
    pub mnt: u32,
    /// The namespace of the task's children, as `setns` changes it.
    pub pid: u32,
    pub net: u32,
    pub ipc: u32,
    pub uts: u32,
    pub user: u32,
    pub cgroup: u32,
    pub pad: u32,
}

/// Facts of the file behind an event, from its inode.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "user", derive(bytemuck::Pod, bytemuck::Zeroable))]
pub struct FileFacts {
    /// Inode number.
    pub ino: u64,
    /// Device in the kernel's encoding.
    pub dev: u32,
    /// `i_mode`.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Links; 0 for a memfd or a deleted file.
    pub nlink: u32,
    /// `vfsmount.mnt_flags` of the mount it was reached through (`MNT_NOSUID` 0x01).
    pub mount_flags: u32,
}

/// One ancestor of a task.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "user", derive(bytemuck::Pod, bytemuck::Zeroable))]
pub struct Ancestor {
    /// Start of the process, `CLOCK_BOOTTIME` nanoseconds.
    pub start_time: u64,
    /// Inode of its executable; 0 for a kernel thread.
    pub exe_ino: u64,
    /// Device of its executable.
    pub exe_dev: u32,
    /// Process id.
    pub tgid: u32,
    /// Command name.
    pub comm: [u8; COMM_LEN],
    /// Last component of its executable's path, NUL-padded.
    pub exe_name: [u8; EXE_NAME_LEN],
}

const _: () = {
    assert!(size_of::<Credentials>() == 72);
    assert!(size_of::<Namespaces>() == 32);
    assert!(size_of::<FileFacts>() == 32);
    assert!(size_of::<Ancestor>() == 72);
    assert!(size_of::<Task>() == 48 + 72 + 32 + 16 + ANCESTORS * 72);
    assert!(size_of::<Header>() == 32 + size_of::<Task>());
    assert!(align_of::<Header>() == 8);
};
