//! Birth and death of containers' cgroups, so that a container's first program already has a name.
//!
//! Hooks, as raw tracepoints: `cgroup_mkdir` and `cgroup_rmdir(struct cgroup *cgrp, const char *path)`.

use aya_ebpf::{
    helpers::generated::{bpf_probe_read_kernel, bpf_probe_read_kernel_str},
    macros::raw_tracepoint,
    programs::RawTracePointContext,
};
use hullwatch_common::{
    CGROUP_NAME_MAX, CONTAINER_ID_LEN, ContainerCgroup, Header, Kind, Loss, MONITOR, SCOPE, Source,
    event::{CGROUP_CREATED, CGROUP_PATH_LEN, CGROUP_REMOVED, Cgroup},
    id_start, is_id,
};

use crate::{
    emit::{self, Class},
    kernel::{self, Addr},
    map, offset,
    task::{self, Place},
};

/// Cgroups within one container's own that are followed. Who is in a further one is known by namespace.
const NESTED_MAX: u32 = 1024;

#[raw_tracepoint(tracepoint = "cgroup_mkdir")]
pub fn cgroup_mkdir(ctx: RawTracePointContext) -> i32 {
    let cgroup = Addr(ctx.arg::<u64>(0));
    if !kernel::in_hierarchy(cgroup) {
        return 0;
    }
    let id = kernel::cgroup_id(cgroup);
    let parent = cgroup.follow(&offset::CGROUP_KN).follow(&offset::KERNFS_PARENT);
    let mut root = task::container_of_cgroup(parent.value(&offset::KERNFS_ID));
    if root == 0 {
        if !bears_container_id(cgroup) {
            return 0;
        }
        // A container's program that makes a cgroup of such a name elsewhere makes no container.
        let maker = task::place(kernel::current()).container;
        root = if maker == 0 { id } else { maker };
    }
    if root != id && !may_nest(root) {
        emit::lose(Source::Cgroup, Loss::MapFull);
        return 0;
    }
    if map::CONTAINERS.insert(id, ContainerCgroup { root }, 0).is_err() {
        emit::lose(Source::Cgroup, Loss::MapFull);
    }
    report(CGROUP_CREATED, id, root, ctx.arg::<u64>(1));
    0
}

#[raw_tracepoint(tracepoint = "cgroup_rmdir")]
pub fn cgroup_rmdir(ctx: RawTracePointContext) -> i32 {
    let cgroup = Addr(ctx.arg::<u64>(0));
    if !kernel::in_hierarchy(cgroup) {
        return 0;
    }
    let id = kernel::cgroup_id(cgroup);
    let root = task::container_of_cgroup(id);
    if root == 0 {
        return 0;
    }
    let _ = map::CONTAINERS.remove(id);
    if root == id {
        // Only there if it had cgroups within.
        let _ = map::NESTED.remove(id);
    } else if let Some(count) = map::NESTED.get_ptr_mut(root) {
        // SAFETY: whoever changes it holds cgroup_mutex.
        unsafe { *count = (*count).saturating_sub(1) };
    }
    report(CGROUP_REMOVED, id, root, ctx.arg::<u64>(1));
    0
}

/// Counts a cgroup within a container's own; false where it has too many.
#[inline(always)]
fn may_nest(root: u64) -> bool {
    let Some(count) = map::NESTED.get_ptr_mut(root) else {
        return map::NESTED.insert(root, 1, 0).is_ok();
    };
    // SAFETY: whoever changes it holds cgroup_mutex.
    unsafe {
        if *count >= NESTED_MAX {
            return false;
        }
        *count += 1;
    }
    true
}

/// `container_id_at` in pieces: each is read to a place of its own, since an offset into one that the
/// verifier does not know makes it walk every one.
#[inline(always)]
fn bears_container_id(cgroup: Addr) -> bool {
    let name = cgroup.follow(&offset::CGROUP_KN).follow(&offset::KERNFS_NAME).0;
    let mut whole = [0u8; CGROUP_NAME_MAX];
    // SAFETY: at most the array's length is written.
    let read = unsafe {
        bpf_probe_read_kernel_str(
            whole.as_mut_ptr().cast(),
            CGROUP_NAME_MAX as u32,
            name as *const _,
        )
    };
    if read <= 1 {
        return false;
    }
    let Some(at) = id_start(read as usize - 1) else {
        return false;
    };
    let at = at as u64;
    if !is_id(&read_at(name + at)) {
        return false;
    }
    let scope: [u8; SCOPE.len()] = read_at(name + at + CONTAINER_ID_LEN as u64);
    let monitor: [u8; MONITOR.len()] = read_at(name.wrapping_add(at).wrapping_sub(MONITOR.len() as u64));
    at == 0 || (monitor[MONITOR.len() - 1] == b'-' && scope == *SCOPE && monitor != *MONITOR)
}

#[inline(always)]
fn read_at<const N: usize>(address: u64) -> [u8; N] {
    let mut bytes = [0; N];
    // SAFETY: at most the array's length is written; a bad address leaves zeroes.
    unsafe { bpf_probe_read_kernel(bytes.as_mut_ptr().cast(), N as u32, address as *const _) };
    bytes
}

/// A container's own cgroup is not subject to a quota: without it, a container's events have no name.
#[inline(always)]
fn report(op: u32, id: u64, root: u64, path: u64) {
    let of_container = Place {
        cgroup: root,
        container: root,
        by_namespace: false,
    };
    if root != id && !emit::within_quota(Source::Cgroup, Class::Rare, of_container) {
        return;
    }
    let Some(record) = emit::scratch(Source::Cgroup) else {
        return;
    };
    let base: *mut u8 = record.cast();
    let current = kernel::current();
    let place = Place {
        cgroup: kernel::cgroup_of(current),
        container: root,
        by_namespace: false,
    };
    // SAFETY: the scratch record is this CPU's own and larger than header and payload.
    unsafe {
        task::write_header(base.cast(), Kind::CGROUP, current, place);
        let payload = &mut *base.add(size_of::<Header>()).cast::<Cgroup>();
        payload.id = id;
        payload.root = root;
        payload.op = op;
        payload.pad = 0;
        payload.path[0] = 0;
        bpf_probe_read_kernel_str(
            payload.path.as_mut_ptr().cast(),
            CGROUP_PATH_LEN as u32,
            path as *const _,
        );
    }
    emit::send(
        Source::Cgroup,
        Class::Rare,
        record,
        size_of::<Header>() + size_of::<Cgroup>(),
    );
}
