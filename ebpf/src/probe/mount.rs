//! A call of the mount family returned.
//!
//! Hooks: the entry and return tracepoints of each call (`syscalls:sys_enter_*`, `sys_exit_*`). This is
//! the last rung: any syscall tracepoint makes every system call of the host a little slower, and calls
//! of 32-bit programs are not seen. Register values are kept at entry; the strings are read at the
//! return and only say what was asked for.

use aya_ebpf::{
    helpers::{bpf_get_current_pid_tgid, generated::bpf_probe_read_user_str},
    macros::tracepoint,
    programs::TracePointContext,
};
use hullwatch_common::{
    Header, Inflight, Kind, Loss, Source,
    event::{
        CALL_FSMOUNT, CALL_MOUNT, CALL_MOUNT_SETATTR, CALL_MOVE_MOUNT, CALL_OPEN_TREE, CALL_OPEN_TREE_ATTR,
        CALL_PIVOT_ROOT, CALL_UMOUNT, MOUNT_FSTYPE_LEN, MOUNT_PATH_LEN, Mount,
    },
};

use super::syscall;
use crate::{
    emit::{self, Class},
    kernel,
    map::{self, Scratch},
    task,
};

/// `OPEN_TREE_CLONE`: without it, `open_tree` is only a way to open a directory.
const OPEN_TREE_CLONE: u64 = 1;

#[tracepoint]
pub fn mount_enter(ctx: TracePointContext) -> u32 {
    // SAFETY: entries are written whole by the agent.
    let Some(&call) = (unsafe { map::MOUNT_CALLS.get(syscall::number(&ctx)) }) else {
        return 0;
    };
    let args = syscall::arguments(&ctx);
    if matches!(call, CALL_OPEN_TREE | CALL_OPEN_TREE_ATTR) && args[2] & OPEN_TREE_CLONE == 0 {
        return 0;
    }
    let inflight = Inflight {
        args,
        call,
        ..Inflight::default()
    };
    if map::INFLIGHT
        .insert(bpf_get_current_pid_tgid(), inflight, 0)
        .is_err()
    {
        emit::lose(Source::Mount, Loss::MapFull);
    }
    0
}

#[tracepoint]
pub fn mount_exit(ctx: TracePointContext) -> u32 {
    let thread = bpf_get_current_pid_tgid();
    // SAFETY: the entry is this thread's own until it is removed.
    let Some(inflight) = (unsafe { map::INFLIGHT.get(thread) }).copied() else {
        return 0;
    };
    let _ = map::INFLIGHT.remove(thread);
    let current = kernel::current();
    let place = task::place(current);
    if !emit::within_quota(Source::Mount, Class::Rare, place) {
        return 0;
    }
    let Some(record) = emit::scratch(Source::Mount) else {
        return 0;
    };
    let base: *mut u8 = record.cast();
    // SAFETY: the scratch record is this CPU's own and larger than header and payload.
    unsafe {
        task::write_header(base.cast(), Kind::MOUNT, current, place);
        write(record, &inflight, syscall::result(&ctx));
    }
    emit::send(
        Source::Mount,
        Class::Rare,
        record,
        size_of::<Header>() + size_of::<Mount>(),
    );
    0
}

/// # Safety
/// `record` points to a whole scratch record.
#[inline(always)]
unsafe fn write(record: *mut Scratch, inflight: &Inflight, ret: i64) {
    // SAFETY: the payload lies within the record.
    let mount = unsafe { &mut *record.cast::<u8>().add(size_of::<Header>()).cast::<Mount>() };
    mount.ret = ret;
    mount.args = inflight.args;
    mount.call = inflight.call;
    mount.pad = 0;
    let [first, second, third, fourth, ..] = inflight.args;
    let (source, target, fstype) = match inflight.call {
        CALL_MOUNT => (first, second, third),
        CALL_UMOUNT => (0, first, 0),
        CALL_MOVE_MOUNT => (second, fourth, 0),
        CALL_OPEN_TREE | CALL_OPEN_TREE_ATTR => (second, 0, 0),
        CALL_MOUNT_SETATTR => (0, second, 0),
        CALL_PIVOT_ROOT => (second, first, 0),
        CALL_FSMOUNT => (0, 0, 0),
        _ => (0, 0, 0),
    };
    read_string(mount.source.as_mut_ptr(), MOUNT_PATH_LEN as u32, source);
    read_string(mount.target.as_mut_ptr(), MOUNT_PATH_LEN as u32, target);
    read_string(mount.fstype.as_mut_ptr(), MOUNT_FSTYPE_LEN as u32, fstype);
}

#[inline(always)]
fn read_string(out: *mut u8, len: u32, from: u64) {
    // SAFETY: `out` has `len` bytes; a string that is not there, or not readable, is the empty one.
    unsafe {
        *out = 0;
        if from != 0 && bpf_probe_read_user_str(out.cast(), len, from as *const _) < 0 {
            *out = 0;
        }
    }
}
