//! A program image was committed.
//!
//! Hooks, as raw tracepoints:
//! * `sched_prepare_exec(struct task_struct *task, struct linux_binprm *bprm)`, kernel 6.11 and later:
//!   the new credentials are computed, the old ones still in place. Keeps the old ones of an exec that
//!   may be worth an event.
//! * `sched_process_exec(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm)`: the new
//!   image runs. Sends.

use aya_ebpf::{
    helpers::{
        bpf_ktime_get_boot_ns,
        generated::{bpf_probe_read_kernel_str, bpf_probe_read_user},
    },
    macros::raw_tracepoint,
    programs::RawTracePointContext,
};
use hullwatch_common::{
    Credentials, Header, Inode, Kind, Loss, RECENT_ARGS, RECENT_NAME, Recent, Source,
    event::{
        ARGS_MAX, EXEC_ARGS_TRUNCATED, EXEC_HAS_BEFORE, EXEC_PATH_TRUNCATED, EXEC_SECURE, Exec, PATH_MAX,
        REASON_CONTAINER, REASON_ENTRY, REASON_GAINED, REASON_SETID_FILE, REQUESTED_MAX,
    },
};

use crate::{
    emit::{self, Class},
    kernel::{self, Addr},
    map::{self, Scratch},
    offset, path,
    task::{self, Place},
};

/// Setuid bit, setgid bit, and the group-execute bit without which setgid only means locking.
const S_ISUID: u32 = 0o4000;
const S_ISGID: u32 = 0o2000;
const S_IXGRP: u32 = 0o0010;

/// Where the tail starts, and the furthest it can reach.
const TAIL: usize = size_of::<Header>() + size_of::<Exec>();
const END: usize = TAIL + PATH_MAX + REQUESTED_MAX + ARGS_MAX;
/// Where the walk along the path keeps its place.
const WORK: usize = map::RECORD_MAX - path::WALK_LEN;
const _: () = assert!(END + 256 <= WORK && WORK % 8 == 0);

#[raw_tracepoint(tracepoint = "sched_prepare_exec")]
pub fn exec_prepare(ctx: RawTracePointContext) -> i32 {
    let task = Addr(ctx.arg::<u64>(0));
    let bprm = Addr(ctx.arg::<u64>(1));
    let before = task.follow(&offset::TASK_CRED);
    let after = bprm.follow(&offset::BINPRM_CRED);
    let caps: u64 = before.value(&offset::CRED_CAP_PERMITTED);
    let caps_after: u64 = after.value(&offset::CRED_CAP_PERMITTED);
    let gained = caps_after & !caps != 0
        || before.value::<u32>(&offset::CRED_EUID) != after.value::<u32>(&offset::CRED_EUID)
        || before.value::<u32>(&offset::CRED_EGID) != after.value::<u32>(&offset::CRED_EGID);
    if gained || is_setid(bprm) || task::place(task).container != 0 {
        let pid: u32 = task.value(&offset::TASK_PID);
        if map::BEFORE.insert(pid, kernel::credentials(before), 0).is_err() {
            emit::lose(Source::Exec, Loss::MapFull);
        }
    }
    0
}

#[raw_tracepoint(tracepoint = "sched_process_exec")]
pub fn exec_commit(ctx: RawTracePointContext) -> i32 {
    let task = Addr(ctx.arg::<u64>(0));
    let old_pid = ctx.arg::<u32>(1);
    let bprm = Addr(ctx.arg::<u64>(2));
    remember(task, bprm);
    commit(task, bprm, old_pid);
    // Not there for most: only what may be worth an event is kept.
    let _ = map::BEFORE.remove(old_pid);
    0
}

/// Keeps who this process is: what it does to a watched file may be noticed when it is gone.
#[inline(always)]
fn remember(task: Addr, bprm: Addr) {
    let Some(record) = emit::scratch(Source::Exec) else {
        return;
    };
    // SAFETY: the scratch record is this CPU's own, aligned to 8 and larger; it is written anew by whoever uses it next.
    let recent = unsafe { &mut *record.cast::<Recent>() };
    let parent = task
        .follow(&offset::TASK_REAL_PARENT)
        .follow(&offset::TASK_GROUP_LEADER);
    let cred = task.follow(&offset::TASK_CRED);
    let file = bprm.follow(&offset::BINPRM_FILE).follow(&offset::FILE_INODE);
    let (dev, ino) = kernel::inode_id(file);
    // SAFETY: a helper without arguments.
    recent.time = unsafe { bpf_ktime_get_boot_ns() };
    recent.start_time = task
        .follow(&offset::TASK_GROUP_LEADER)
        .value(&offset::TASK_START_TIME);
    recent.parent_start = parent.value(&offset::TASK_START_TIME);
    recent.container = task::container_of_cgroup(kernel::cgroup_of(task));
    recent.exe = Inode { ino, dev, pad: 0 };
    recent.parent = parent.value(&offset::TASK_TGID);
    recent.uid = cred.value(&offset::CRED_UID);
    recent.euid = cred.value(&offset::CRED_EUID);
    recent.login_uid = kernel::login(task).0;
    recent.comm = task.value(&offset::TASK_COMM);
    recent.parent_comm = parent.value(&offset::TASK_COMM);
    recent.name = [0; RECENT_NAME];
    recent.args = [0; RECENT_ARGS];
    let name = bprm.follow(&offset::BINPRM_FILENAME);
    let mm = task.follow(&offset::TASK_MM);
    let start: u64 = mm.value(&offset::MM_ARG_START);
    let wanted = mm.value::<u64>(&offset::MM_ARG_END).saturating_sub(start);
    let len = if wanted > RECENT_ARGS as u64 {
        RECENT_ARGS as u64
    } else {
        wanted
    };
    // SAFETY: both destinations are the record's own arrays, and their lengths bound what is written; what cannot be read
    // leaves them empty.
    unsafe {
        bpf_probe_read_kernel_str(
            recent.name.as_mut_ptr().cast(),
            RECENT_NAME as u32,
            name.0 as *const _,
        );
        bpf_probe_read_user(recent.args.as_mut_ptr().cast(), len as u32, start as *const _);
    }
    let pid: u32 = task.value(&offset::TASK_TGID);
    // LRU: cannot be full, and a failure only leaves one process without a name.
    let _ = map::RECENT.insert(pid, &*recent, 0);
}

#[inline(always)]
fn commit(task: Addr, bprm: Addr, old_pid: u32) {
    // SAFETY: the entry is this thread's own until the caller removes it.
    let before = unsafe { map::BEFORE.get(old_pid) };
    let mut place = task::place(task);
    let parted = place.container == 0;
    if parted {
        place = parted_place(task, place);
    }
    let secure = bprm.bit(&offset::BINPRM_SECUREEXEC);
    let mut reasons = 0;
    if place.container != 0 {
        reasons |= REASON_CONTAINER;
    }
    if is_setid(bprm) {
        reasons |= REASON_SETID_FILE;
    }
    if gained(task, before) || (before.is_none() && secure) {
        reasons |= REASON_GAINED;
    }
    if reasons == 0 {
        return;
    }
    learn_namespaces(task, place, parted);
    let class = if reasons & (REASON_SETID_FILE | REASON_GAINED) == 0 {
        Class::Bulk
    } else {
        Class::Rare
    };
    if emit::within_quota(Source::Exec, class, place)
        && let Some(record) = emit::scratch(Source::Exec)
    {
        reasons |= entry(task, place);
        // SAFETY: the scratch record is this CPU's own and large enough, as asserted above.
        let len = unsafe { write(record, task, bprm, place, reasons, before, secure) };
        emit::send(Source::Exec, class, record, len);
    }
}

#[inline(always)]
fn is_setid(bprm: Addr) -> bool {
    let mode = kernel::inode_mode(bprm.follow(&offset::BINPRM_FILE).follow(&offset::FILE_INODE));
    mode & S_ISUID != 0 || mode & (S_ISGID | S_IXGRP) == S_ISGID | S_IXGRP
}

#[inline(always)]
fn gained(task: Addr, before: Option<&Credentials>) -> bool {
    let Some(before) = before else { return false };
    let cred = task.follow(&offset::TASK_CRED);
    cred.value::<u64>(&offset::CRED_CAP_PERMITTED) & !before.cap_permitted != 0
        || cred.value::<u32>(&offset::CRED_EUID) != before.euid
        || cred.value::<u32>(&offset::CRED_EGID) != before.egid
}

/// Whether the parent is elsewhere: the container's own start, an exec session, nsenter.
#[inline(always)]
fn entry(task: Addr, place: Place) -> u32 {
    let parent = task.follow(&offset::TASK_REAL_PARENT);
    let same = place.container != 0 && task::place(parent).container == place.container;
    if same || place.container == 0 {
        0
    } else {
        REASON_ENTRY
    }
}

/// Ties the namespaces of a container's programs to it, the first time they are seen.
#[inline(always)]
fn learn_namespaces(task: Addr, place: Place, parted: bool) {
    if place.container == 0 || (place.by_namespace && !parted) {
        return;
    }
    let ns = kernel::namespaces(task);
    let host = offset::HOST_NAMESPACES.load();
    if ns.mnt == host[0] || task::container_of_namespace(ns.mnt) != 0 {
        return;
    }
    let inums = [ns.mnt, ns.pid, ns.net, ns.ipc, ns.uts, ns.user, ns.cgroup];
    for (inum, of_host) in inums.iter().zip(host.iter()) {
        if inum != of_host && task::container_of_namespace(*inum) == 0 {
            // LRU: cannot be full, and a failure only leaves the namespace unowned.
            let _ = map::NAMESPACES.insert(*inum, place.container, 0);
        }
    }
}

/// Where a task is that nothing of its own ties to a container: where its parent is, if it was made with
/// a mount namespace of its own (`clone(CLONE_NEWNS)`) after its parent left the container's cgroup.
#[inline(always)]
fn parted_place(task: Addr, place: Place) -> Place {
    let (mnt, _) = kernel::mount_and_pid_namespace(task);
    if mnt == offset::HOST_NAMESPACES.load()[0] {
        return place;
    }
    let parent = task::place(task.follow(&offset::TASK_REAL_PARENT));
    Place {
        container: parent.container,
        by_namespace: parent.container != 0,
        ..place
    }
}

/// # Safety
/// `record` points to a whole scratch record.
#[inline(always)]
unsafe fn write(
    record: *mut Scratch,
    task: Addr,
    bprm: Addr,
    place: Place,
    reasons: u32,
    before: Option<&Credentials>,
    secure: bool,
) -> usize {
    let base: *mut u8 = record.cast();
    // SAFETY: header and payload lie within the record; so do the parts of the tail, as the constants
    // above and the masks below bound them.
    unsafe {
        task::write_header(base.cast(), Kind::EXEC, task, place);
        let exec = &mut *base.add(size_of::<Header>()).cast::<Exec>();
        let file = bprm.follow(&offset::BINPRM_FILE);
        exec.file = kernel::file_facts(file);
        exec.flags = 0;
        if let Some(before) = before {
            exec.before = *before;
            exec.flags |= EXEC_HAS_BEFORE;
        } else {
            exec.before = Credentials::default();
        }
        if secure {
            exec.flags |= EXEC_SECURE;
        }
        exec.reasons = reasons;
        exec.argc = bprm.value(&offset::BINPRM_ARGC);
        exec.pad = [0; 3];
        let (path_len, cut) = path::write_components(base.add(TAIL), base.add(WORK), file);
        if cut {
            exec.flags |= EXEC_PATH_TRUNCATED;
        }
        exec.path_len = path_len as u16;
        let at = TAIL + path_len;
        let requested_len = write_requested(base.add(at), bprm);
        exec.requested_len = requested_len as u16;
        let at = at + requested_len;
        let (args_len, cut) = write_args(base.add(at), task);
        if cut {
            exec.flags |= EXEC_ARGS_TRUNCATED;
        }
        exec.args_len = args_len as u16;
        at + args_len
    }
}

/// # Safety
/// `out` points to `REQUESTED_MAX` writable bytes.
#[inline(always)]
unsafe fn write_requested(out: *mut u8, bprm: Addr) -> usize {
    let name = bprm.follow(&offset::BINPRM_FILENAME);
    // SAFETY: as promised by the caller.
    let read = unsafe { bpf_probe_read_kernel_str(out.cast(), REQUESTED_MAX as u32, name.0 as *const _) };
    if read > 0 && read <= REQUESTED_MAX as i64 {
        read as usize
    } else {
        0
    }
}

/// Copies the argument block of the new image: nobody else can write to it yet.
///
/// # Safety
/// `out` points to `ARGS_MAX` writable bytes.
#[inline(always)]
unsafe fn write_args(out: *mut u8, task: Addr) -> (usize, bool) {
    let mm = task.follow(&offset::TASK_MM);
    let start: u64 = mm.value(&offset::MM_ARG_START);
    let end: u64 = mm.value(&offset::MM_ARG_END);
    let wanted = end.saturating_sub(start);
    let len = if wanted > ARGS_MAX as u64 {
        ARGS_MAX as u64
    } else {
        wanted
    };
    // SAFETY: as promised by the caller; `len` is at most ARGS_MAX.
    if len == 0 || unsafe { bpf_probe_read_user(out.cast(), len as u32, start as *const _) } != 0 {
        return (0, wanted != 0);
    }
    (len as usize, wanted > len)
}
