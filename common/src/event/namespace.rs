//! A task changed namespaces.

use crate::Namespaces;

/// [`Namespace::call`]: `setns(2)`.
pub const CALL_SETNS: u32 = 1;
/// [`Namespace::call`]: `unshare(2)`.
pub const CALL_UNSHARE: u32 = 2;

/// Kinds of namespace in [`Namespace::owners`], in the order of [`Namespaces`].
pub const NAMESPACE_KINDS: [&str; 7] = ["mnt", "pid", "net", "ipc", "uts", "user", "cgroup"];

/// Owner of a namespace that is the host's.
pub const OWNER_HOST: u64 = 1;

/// Payload of [`crate::Kind::NAMESPACE`]: the call succeeded and the task now is in at least one
/// namespace that belongs to the host or to another container.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "user", derive(bytemuck::Pod, bytemuck::Zeroable))]
pub struct Namespace {
    /// Before the call; the header's task has those after it.
    pub before: Namespaces,
    /// Per kind: 0 not entered, [`OWNER_HOST`], or the outermost cgroup of the container that owns it.
    pub owners: [u64; 7],
    /// `CALL_*`.
    pub call: u32,
    /// Zero.
    pub pad: u32,
}

const _: () = assert!(size_of::<Namespace>() == 32 + 56 + 8);
