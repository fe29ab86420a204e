//! Who did it: the task part of a record, and which container it is in.

use aya_ebpf::helpers::{bpf_ktime_get_boot_ns, generated::bpf_probe_read_kernel_str};
use hullwatch_common::{
    ABI_VERSION, ANCESTORS, Ancestor, COMM_LEN, EXE_NAME_LEN, Header, Kind, TASK_CONTAINER_BY_NAMESPACE,
    TASK_NO_NEW_PRIVS, Task,
};

use crate::{
    kernel::{self, Addr},
    map, offset,
};

/// Where a task is.
#[derive(Clone, Copy)]
pub struct Place {
    /// Its cgroup.
    pub cgroup: u64,
    /// Outermost cgroup of its container; 0 outside containers.
    pub container: u64,
    /// Whether only a namespace, not the cgroup, ties it to the container.
    pub by_namespace: bool,
}

/// Outermost cgroup of the container that a cgroup belongs to; 0 for none.
#[inline(always)]
pub fn container_of_cgroup(cgroup: u64) -> u64 {
    // SAFETY: entries are written whole, by insertion; a stale one only outlives its container.
    unsafe { map::CONTAINERS.get(cgroup) }.map_or(0, |entry| entry.root)
}

/// Outermost cgroup of the living container that owns a namespace; 0 for none.
#[inline(always)]
pub fn container_of_namespace(inum: u32) -> u64 {
    // SAFETY: as above.
    let Some(&owner) = (unsafe { map::NAMESPACES.get(inum) }) else {
        return 0;
    };
    // Numbers are used again: an owner that is gone owns nothing.
    if container_of_cgroup(owner) == owner {
        owner
    } else {
        0
    }
}

/// Where a task is: by cgroup, else by mount or pid namespace.
#[inline(always)]
pub fn place(task: Addr) -> Place {
    let cgroup = kernel::cgroup_of(task);
    let container = container_of_cgroup(cgroup);
    if container != 0 {
        return Place {
            cgroup,
            container,
            by_namespace: false,
        };
    }
    let (mnt, pid) = kernel::mount_and_pid_namespace(task);
    let container = container_of_either(mnt, pid);
    Place {
        cgroup,
        container,
        by_namespace: container != 0,
    }
}

/// Outermost cgroup of the container that owns a mount namespace, or else a pid namespace; 0 for none.
#[inline(always)]
pub fn container_of_either(mnt: u32, pid: u32) -> u64 {
    let host = offset::HOST_NAMESPACES.load();
    let mut container = 0;
    if mnt != host[0] {
        container = container_of_namespace(mnt);
    }
    if container == 0 && pid != host[1] {
        container = container_of_namespace(pid);
    }
    container
}

/// Writes the start of a record: what, when, where, who.
///
/// # Safety
/// `header` points to writable memory of a header's size, aligned to 8.
#[inline(always)]
pub unsafe fn write_header(header: *mut Header, kind: Kind, task: Addr, place: Place) {
    // SAFETY: as promised by the caller.
    let header = unsafe { &mut *header };
    header.abi = ABI_VERSION;
    header.kind = kind;
    header.len = 0;
    // SAFETY: a helper without arguments.
    header.time = unsafe { bpf_ktime_get_boot_ns() };
    header.cgroup = place.cgroup;
    header.container = place.container;
    write_task(&mut header.task, task);
    if place.by_namespace {
        header.task.flags |= TASK_CONTAINER_BY_NAMESPACE;
    }
}

#[inline(always)]
fn write_task(out: &mut Task, task: Addr) {
    let (dev, ino) = kernel::inode_id(kernel::exe_file(task).follow(&offset::FILE_INODE));
    let (login_uid, session_id) = kernel::login(task);
    out.start_time = task
        .follow(&offset::TASK_GROUP_LEADER)
        .value(&offset::TASK_START_TIME);
    out.exe_ino = ino;
    out.exe_dev = dev;
    out.tgid = task.value(&offset::TASK_TGID);
    out.tid = task.value(&offset::TASK_PID);
    out.login_uid = login_uid;
    out.session_id = session_id;
    // Bit 0 of the atomic flags is PFA_NO_NEW_PRIVS since 3.18.
    out.flags = if task.value::<u64>(&offset::TASK_ATOMIC_FLAGS) & 1 == 1 {
        TASK_NO_NEW_PRIVS
    } else {
        0
    };
    out.seccomp = kernel::seccomp(task);
    out.creds = kernel::credentials(task.follow(&offset::TASK_CRED));
    out.ns = kernel::namespaces(task);
    out.comm = comm(task);
    out.ancestor_count = write_ancestors(&mut out.ancestors, task);
}

#[inline(always)]
fn comm(task: Addr) -> [u8; COMM_LEN] {
    task.value(&offset::TASK_COMM)
}

/// Fills the list, parent first, and says how many there are. Entries beyond are zeroed.
#[inline(always)]
fn write_ancestors(out: &mut [Ancestor; ANCESTORS], task: Addr) -> u32 {
    let mut at = task;
    let mut count = 0;
    for slot in out.iter_mut() {
        // The first process is the swapper's child, and that has itself for a parent: its id is 0, and
        // so is that of whatever is read from there on.
        at = at
            .follow(&offset::TASK_REAL_PARENT)
            .follow(&offset::TASK_GROUP_LEADER);
        let tgid: u32 = at.value(&offset::TASK_TGID);
        count += u32::from(tgid != 0);
        let file = kernel::exe_file(at);
        let (dev, ino) = kernel::inode_id(file.follow(&offset::FILE_INODE));
        slot.start_time = at.value(&offset::TASK_START_TIME);
        slot.exe_ino = ino;
        slot.exe_dev = dev;
        slot.tgid = tgid;
        slot.comm = comm(at);
        slot.exe_name = [0; EXE_NAME_LEN];
        let name = file.follow(&offset::FILE_DENTRY).follow(&offset::DENTRY_NAME);
        // SAFETY: the destination is the slot's own array, and its length is given; a bad address
        // leaves it empty.
        unsafe {
            bpf_probe_read_kernel_str(
                slot.exe_name.as_mut_ptr().cast(),
                EXE_NAME_LEN as u32,
                name.0 as *const _,
            )
        };
    }
    count
}
