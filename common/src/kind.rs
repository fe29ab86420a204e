//! Which payload a record carries.

/// Kind of a record: an integer, so that an unknown one is a value to count and skip.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "user", derive(bytemuck::Pod, bytemuck::Zeroable))]
pub struct Kind(pub u16);

impl Kind {
    /// A program image was committed: [`crate::event::Exec`].
    pub const EXEC: Self = Self(1);
    /// A runtime's socket was connected to or spoken on: [`crate::event::Connect`].
    pub const CONNECT: Self = Self(16);
    /// A call of the mount family returned: [`crate::event::Mount`].
    pub const MOUNT: Self = Self(32);
    /// A task changed namespaces: [`crate::event::Namespace`].
    pub const NAMESPACE: Self = Self(48);
    /// A container's cgroup was made or removed: [`crate::event::Cgroup`].
    pub const CGROUP: Self = Self(64);
}
