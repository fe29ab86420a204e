//! A call of the mount family returned.

/// Bytes kept of each path argument.
pub const MOUNT_PATH_LEN: usize = 256;
/// Bytes kept of the filesystem type.
pub const MOUNT_FSTYPE_LEN: usize = 32;

/// `mount(2)`: arguments are source, target, type, flags, data.
pub const CALL_MOUNT: u32 = 1;
/// `umount2(2)`: target, flags.
pub const CALL_UMOUNT: u32 = 2;
/// `move_mount(2)`: from fd, from path, to fd, to path, flags.
pub const CALL_MOVE_MOUNT: u32 = 3;
/// `fsmount(2)`: fs fd, flags, attributes.
pub const CALL_FSMOUNT: u32 = 4;
/// `open_tree(2)`: dir fd, path, flags.
pub const CALL_OPEN_TREE: u32 = 5;
/// `mount_setattr(2)`: dir fd, path, flags, attributes, size.
pub const CALL_MOUNT_SETATTR: u32 = 6;
/// `pivot_root(2)`: new root, place of the old.
pub const CALL_PIVOT_ROOT: u32 = 7;
/// `open_tree_attr(2)`: dir fd, path, flags, attributes, size.
pub const CALL_OPEN_TREE_ATTR: u32 = 8;

/// Payload of [`crate::Kind::MOUNT`]. Strings were read from the caller's memory after the call and
/// only say what was asked for; what happened is for the agent to read from mountinfo.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "user", derive(bytemuck::Pod, bytemuck::Zeroable))]
pub struct Mount {
    /// Return value: 0 or a file descriptor, or `-errno`.
    pub ret: i64,
    /// Argument registers at entry.
    pub args: [u64; 6],
    /// `CALL_*`.
    pub call: u32,
    /// Zero.
    pub pad: u32,
    /// Source, or the path moved from, NUL-padded.
    pub source: [u8; MOUNT_PATH_LEN],
    /// Target, NUL-padded.
    pub target: [u8; MOUNT_PATH_LEN],
    /// Filesystem type of `mount(2)`, NUL-padded.
    pub fstype: [u8; MOUNT_FSTYPE_LEN],
}

const _: () = assert!(size_of::<Mount>() == 8 + 48 + 8 + 256 + 256 + 32);
