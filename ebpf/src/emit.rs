//! Sending: quota, ring, and the count of whatever is lost.

use aya_ebpf::{
    bindings::{BPF_RB_AVAIL_DATA, BPF_RB_FORCE_WAKEUP, BPF_RB_NO_WAKEUP},
    helpers::{bpf_ktime_get_boot_ns, generated::bpf_ringbuf_output},
    maps::RingBuf,
};
use hullwatch_common::{Header, Loss, Quota, QuotaKey, Source, loss_index};

use crate::{
    map::{self, RECORD_MAX, Scratch},
    offset,
    task::Place,
};

/// Window of the quota.
const WINDOW_NS: u64 = 1_000_000_000;

/// Which of the two rings.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Can be a violation by itself: woken for, never behind ordinary execs.
    Rare,
    /// Ordinary execs in containers: looked at every few milliseconds.
    Bulk,
}

/// The scratch record of one source on this CPU.
#[inline(always)]
pub fn scratch(source: Source) -> Option<*mut Scratch> {
    map::SCRATCH.get_ptr_mut(source as u32)
}

/// Counts a loss.
#[inline(always)]
pub fn lose(source: Source, loss: Loss) {
    if let Some(counter) = map::LOSSES.get_ptr_mut(loss_index(source, loss)) {
        // SAFETY: this CPU's own slot; the program cannot be interrupted by itself.
        unsafe { *counter += 1 };
    }
}

/// Whether the container (or host cgroup) may send one more event; if not, the loss is counted.
#[inline(always)]
pub fn within_quota(source: Source, class: Class, place: Place) -> bool {
    let (rare, limit) = match class {
        Class::Rare => (1, offset::QUOTA_RARE.load()),
        Class::Bulk => (0, offset::QUOTA_BULK.load()),
    };
    let cgroup = if place.container == 0 {
        place.cgroup
    } else {
        place.container
    };
    let key = QuotaKey {
        cgroup,
        source: source as u32,
        rare,
    };
    // SAFETY: a helper without arguments.
    let now = unsafe { bpf_ktime_get_boot_ns() };
    let Some(quota) = map::QUOTAS.get_ptr_mut(key) else {
        let first = Quota {
            window: now,
            used: 1,
            lost: 0,
        };
        if map::QUOTAS.insert(key, first, 1 /* BPF_NOEXIST */).is_err()
            && map::QUOTAS.get_ptr_mut(key).is_none()
        {
            lose(source, Loss::MapFull);
        }
        return true;
    };
    // SAFETY: this CPU's own value; the entry is only ever removed by the agent, and its memory stays.
    unsafe {
        if now - (*quota).window >= WINDOW_NS {
            (*quota).window = now;
            (*quota).used = 0;
        }
        if (*quota).used >= limit {
            (*quota).lost += 1;
            lose(source, Loss::Quota);
            return false;
        }
        (*quota).used += 1;
    }
    true
}

/// Sends the first `len` bytes of the record.
#[inline(always)]
pub fn send(source: Source, class: Class, record: *mut Scratch, len: usize) {
    if len < size_of::<Header>() || len > RECORD_MAX {
        lose(source, Loss::Fault);
        return;
    }
    // SAFETY: the scratch record starts with a header and lives as long as the program runs.
    unsafe { (*record.cast::<Header>()).len = len as u32 };
    let (ring, flags) = match class {
        Class::Rare => (&map::RARE, 0),
        Class::Bulk => (&map::BULK, bulk_flags()),
    };
    // SAFETY: `len` bytes of the record are initialised or zeroed by the map, and within it.
    if unsafe { bpf_ringbuf_output(ring_pointer(ring), record.cast(), len as u64, flags) } != 0 {
        lose(source, Loss::RingFull);
    }
}

/// The first record after the agent has emptied the ring wakes it; it then looks again by itself.
#[inline(always)]
fn bulk_flags() -> u64 {
    if map::BULK.query(u64::from(BPF_RB_AVAIL_DATA)) == 0 {
        u64::from(BPF_RB_FORCE_WAKEUP)
    } else {
        u64::from(BPF_RB_NO_WAKEUP)
    }
}

#[inline(always)]
fn ring_pointer(ring: &'static RingBuf) -> *mut core::ffi::c_void {
    core::ptr::from_ref(ring).cast_mut().cast()
}
