//! The ABI between the probes and the agent, and nothing else.
//!
//! A record is a [`Header`] followed by the payload that [`Header::kind`] names, followed for some
//! kinds by a tail of strings whose lengths the payload carries. All integers are in the machine's
//! own byte order; kinds, calls and flags are plain integers, so that no value a record can hold is
//! undefined behaviour on the other side.
#![cfg_attr(not(test), no_std)]

mod cgroup_name;
mod counter;
pub mod event;
mod header;
mod kind;
mod offset;
mod recent;

pub use cgroup_name::{
    CONTAINER_ID_LEN, MONITOR, NAME_MAX as CGROUP_NAME_MAX, SCOPE, container_id_at, id_start, is_id,
};
pub use counter::{LOSS_COUNTERS, Loss, Source, loss_index};
pub use header::{
    ANCESTORS, Ancestor, COMM_LEN, Credentials, EXE_NAME_LEN, FileFacts, Header, Namespaces,
    TASK_CONTAINER_BY_NAMESPACE, TASK_NO_NEW_PRIVS, Task, UNSET,
};
pub use kind::Kind;
pub use offset::{OFFSET_MISSING, OFFSETS, Offset, OffsetGroup};
pub use recent::{RECENT_ARGS, RECENT_LEN, RECENT_NAME, Recent};

/// Raised whenever a record's layout or meaning changes; the agent refuses an object with another one.
pub const ABI_VERSION: u16 = 1;

/// Key of the map of runtime sockets and of the map of runtime executables: one inode.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "user", derive(bytemuck::Pod, bytemuck::Zeroable))]
pub struct Inode {
    /// Inode number.
    pub ino: u64,
    /// Device, as the kernel keeps it (`major << 20 | minor`).
    pub dev: u32,
    /// Always zero: part of the key's bytes.
    pub pad: u32,
}

/// What the probes know of one cgroup of a container.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "user", derive(bytemuck::Pod, bytemuck::Zeroable))]
pub struct ContainerCgroup {
    /// Id of the container's outermost cgroup: the one that bears the container's name.
    pub root: u64,
}

/// What is kept of a system call between its entry and its return.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "user", derive(bytemuck::Pod, bytemuck::Zeroable))]
pub struct Inflight {
    /// Argument registers at entry.
    pub args: [u64; 6],
    /// Namespaces before the call.
    pub ns: Namespaces,
    /// `CALL_*`.
    pub call: u32,
    /// Zero.
    pub pad: u32,
}

/// Spending of one cgroup's event quota, and what it cost.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "user", derive(bytemuck::Pod, bytemuck::Zeroable))]
pub struct Quota {
    /// Start of the present window, `CLOCK_BOOTTIME` nanoseconds.
    pub window: u64,
    /// Events sent in the present window.
    pub used: u64,
    /// Events refused since the map entry was made; only ever grows.
    pub lost: u64,
}

/// Key of the quota map: one container (or host cgroup) in one class of events.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "user", derive(bytemuck::Pod, bytemuck::Zeroable))]
pub struct QuotaKey {
    /// Outermost cgroup of the container, or the cgroup itself on the host.
    pub cgroup: u64,
    /// [`Source`] of the events.
    pub source: u32,
    /// One where the events are of the rare, security-bearing kind.
    pub rare: u32,
}
