//! A task entered namespaces that belong to the host or to another container.
//!
//! Hooks: `syscalls:sys_{enter,exit}_{setns,unshare}`, the last rung as for mounts. What is compared is
//! the task's namespaces before and after, not what the call asked for.

use aya_ebpf::{helpers::bpf_get_current_pid_tgid, macros::tracepoint, programs::TracePointContext};
use hullwatch_common::{
    Header, Inflight, Kind, Loss, Namespaces, Source,
    event::{Namespace, OWNER_HOST},
};

use super::syscall;
use crate::{
    emit::{self, Class},
    kernel, map, offset,
    task::{self, Place},
};

#[tracepoint]
pub fn namespace_enter(ctx: TracePointContext) -> u32 {
    // SAFETY: entries are written whole by the agent.
    let Some(&call) = (unsafe { map::NAMESPACE_CALLS.get(syscall::number(&ctx)) }) else { return 0 };
    let ns = kernel::namespaces(kernel::current());
    let inflight = Inflight { call, ns, ..Inflight::default() };
    if map::INFLIGHT.insert(bpf_get_current_pid_tgid(), inflight, 0).is_err() {
        emit::lose(Source::Namespace, Loss::MapFull);
    }
    0
}

#[tracepoint]
pub fn namespace_exit(ctx: TracePointContext) -> u32 {
    let thread = bpf_get_current_pid_tgid();
    // SAFETY: the entry is this thread's own until it is removed.
    let Some(inflight) = (unsafe { map::INFLIGHT.get(thread) }).copied() else { return 0 };
    let _ = map::INFLIGHT.remove(thread);
    if syscall::result(&ctx) != 0 {
        return 0;
    }
    let current = kernel::current();
    let cgroup = kernel::cgroup_of(current);
    let own = task::container_of_cgroup(cgroup);
    let owners = entered(&inflight.ns, &kernel::namespaces(current), own);
    if owners.iter().all(|owner| *owner == 0) {
        return 0;
    }
    let place = Place { cgroup, container: own, by_namespace: false };
    if !emit::within_quota(Source::Namespace, Class::Rare, place) {
        return 0;
    }
    let Some(record) = emit::scratch(Source::Namespace) else { return 0 };
    let base: *mut u8 = record.cast();
    // SAFETY: the scratch record is this CPU's own and larger than header and payload.
    unsafe {
        task::write_header(base.cast(), Kind::NAMESPACE, current, place);
        let payload = &mut *base.add(size_of::<Header>()).cast::<Namespace>();
        payload.before = inflight.ns;
        payload.owners = owners;
        payload.call = inflight.call;
        payload.pad = 0;
    }
    emit::send(Source::Namespace, Class::Rare, record, size_of::<Header>() + size_of::<Namespace>());
    0
}

/// Owner of each namespace that changed and is not the task's own: the host's for a task of a container,
/// another container's for any.
#[inline(always)]
fn entered(before: &Namespaces, after: &Namespaces, own: u64) -> [u64; 7] {
    let host = offset::HOST_NAMESPACES.load();
    let old = [before.mnt, before.pid, before.net, before.ipc, before.uts, before.user, before.cgroup];
    let new = [after.mnt, after.pid, after.net, after.ipc, after.uts, after.user, after.cgroup];
    let mut owners = [0; 7];
    for (((owner, old), new), host) in owners.iter_mut().zip(old).zip(new).zip(host) {
        if old == new {
            continue;
        }
        if new == host {
            *owner = if own == 0 { 0 } else { OWNER_HOST };
        } else {
            let of = task::container_of_namespace(new);
            *owner = if of == own { 0 } else { of };
        }
    }
    owners
}
