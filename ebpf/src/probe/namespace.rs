//! A task entered namespaces that belong to the host or to another container.
//!
//! Hooks: `syscalls:sys_{enter,exit}_{setns,unshare}`, the last rung as for mounts. What is compared is
//! the task's namespaces before and after, not what the call asked for.

use aya_ebpf::{helpers::bpf_get_current_pid_tgid, macros::tracepoint, programs::TracePointContext};
use hullwatch_common::{
    Header, Inflight, Kind, Loss, Namespaces, Source,
    event::{CALL_UNSHARE, Namespace, OWNER_HOST},
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
    let Some(&call) = (unsafe { map::NAMESPACE_CALLS.get(syscall::number(&ctx)) }) else {
        return 0;
    };
    let ns = kernel::namespaces(kernel::current());
    let inflight = Inflight {
        call,
        ns,
        ..Inflight::default()
    };
    if map::INFLIGHT
        .insert(bpf_get_current_pid_tgid(), inflight, 0)
        .is_err()
    {
        emit::lose(Source::Namespace, Loss::MapFull);
    }
    0
}

#[tracepoint]
pub fn namespace_exit(ctx: TracePointContext) -> u32 {
    let thread = bpf_get_current_pid_tgid();
    // SAFETY: the entry is this thread's own until it is removed.
    let Some(inflight) = (unsafe { map::INFLIGHT.get(thread) }).copied() else {
        return 0;
    };
    let _ = map::INFLIGHT.remove(thread);
    if syscall::result(&ctx) != 0 {
        return 0;
    }
    let current = kernel::current();
    let before = &inflight.ns;
    let after = kernel::namespaces(current);
    let cgroup = kernel::cgroup_of(current);
    let own = task::container_of_cgroup(cgroup);
    if inflight.call == CALL_UNSHARE {
        adopt(before, &after, own);
        return 0;
    }
    // One that left its container's cgroup is still the container's when it enters the host. One that comes
    // from the host and enters a container step by step is not the container's for its first step.
    let left = if own == 0 {
        task::container_of_either(before.mnt, before.pid)
    } else {
        own
    };
    let owners = entered(before, &after, own, left);
    if owners.iter().all(|owner| *owner == 0) {
        return 0;
    }
    let into_host = owners.iter().any(|owner| *owner == OWNER_HOST);
    let container = if into_host { left } else { own };
    let place = Place {
        cgroup,
        container,
        by_namespace: container != own,
    };
    if !emit::within_quota(Source::Namespace, Class::Rare, place) {
        return 0;
    }
    let Some(record) = emit::scratch(Source::Namespace) else {
        return 0;
    };
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
    emit::send(
        Source::Namespace,
        Class::Rare,
        record,
        size_of::<Header>() + size_of::<Namespace>(),
    );
    0
}

/// Ties new namespaces to the container whose task made them, by its cgroup or by the mount namespace that
/// it made them in: they tell where it is once it has left the cgroup. Numbers are used again, so those
/// that the host makes are taken from whoever had them before.
#[inline(always)]
fn adopt(before: &Namespaces, after: &Namespaces, own: u64) {
    let container = if own == 0 {
        task::container_of_namespace(before.mnt)
    } else {
        own
    };
    for (old, new) in inums(before).into_iter().zip(inums(after)) {
        if old == new {
            continue;
        }
        // Whatever fails, a namespace without an owner, or with one that is gone, is nobody's.
        let _ = if container == 0 {
            map::NAMESPACES.remove(new)
        } else {
            map::NAMESPACES.insert(new, container, 0)
        };
    }
}

#[inline(always)]
fn inums(ns: &Namespaces) -> [u32; 7] {
    [ns.mnt, ns.pid, ns.net, ns.ipc, ns.uts, ns.user, ns.cgroup]
}

/// Owner of each namespace that changed and is not the task's own: the host's for a task that is, or was
/// until it `left` the cgroup, a container's; another container's for any.
#[inline(always)]
fn entered(before: &Namespaces, after: &Namespaces, own: u64, left: u64) -> [u64; 7] {
    let host = offset::HOST_NAMESPACES.load();
    let mut owners = [0; 7];
    for (((owner, old), new), host) in owners.iter_mut().zip(inums(before)).zip(inums(after)).zip(host) {
        if old == new {
            continue;
        }
        if new == host {
            *owner = if left == 0 { 0 } else { OWNER_HOST };
        } else {
            let of = task::container_of_namespace(new);
            *owner = if of == own { 0 } else { of };
        }
    }
    owners
}
