//! Birth and death of containers' cgroups.

/// Bytes kept of a cgroup's path.
pub const CGROUP_PATH_LEN: usize = 512;

/// [`Cgroup::op`]: a cgroup that is a container's, or lies in one, was made.
pub const CGROUP_CREATED: u32 = 1;
/// [`Cgroup::op`]: such a cgroup was removed.
pub const CGROUP_REMOVED: u32 = 2;

/// Payload of [`crate::Kind::CGROUP`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "user", derive(bytemuck::Pod, bytemuck::Zeroable))]
pub struct Cgroup {
    /// Id of the cgroup.
    pub id: u64,
    /// Outermost cgroup of the container it belongs to.
    pub root: u64,
    /// `CGROUP_*`.
    pub op: u32,
    /// Zero.
    pub pad: u32,
    /// Path from the hierarchy's root, NUL-padded.
    pub path: [u8; CGROUP_PATH_LEN],
}

const _: () = assert!(size_of::<Cgroup>() == 24 + 512);
