//! What is kept of every exec for a while: who a process was that is gone when something it did is noticed.

use crate::{COMM_LEN, Inode};

/// Bytes kept of the arguments.
pub const RECENT_ARGS: usize = 256;
/// Bytes kept of what the caller named.
pub const RECENT_NAME: usize = 128;

/// Value of the map of recent execs; its key is the process id.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "user", derive(bytemuck::Pod, bytemuck::Zeroable))]
pub struct Recent {
    /// When, `CLOCK_BOOTTIME` nanoseconds.
    pub time: u64,
    /// Start of the process, `CLOCK_BOOTTIME` nanoseconds.
    pub start_time: u64,
    /// Start of its parent.
    pub parent_start: u64,
    /// Outermost cgroup of its container; 0 outside containers.
    pub container: u64,
    /// Executable.
    pub exe: Inode,
    /// Process id of its parent.
    pub parent: u32,
    /// Real user.
    pub uid: u32,
    /// Effective user.
    pub euid: u32,
    /// Login uid, or [`crate::UNSET`].
    pub login_uid: u32,
    /// Command name.
    pub comm: [u8; COMM_LEN],
    /// Command name of the parent.
    pub parent_comm: [u8; COMM_LEN],
    /// What the caller named, NUL-padded.
    pub name: [u8; RECENT_NAME],
    /// Arguments, each with its NUL, as many as fit.
    pub args: [u8; RECENT_ARGS],
}

/// Bytes of a [`Recent`].
pub const RECENT_LEN: usize = size_of::<Recent>();

const _: () = assert!(RECENT_LEN == 4 * 8 + 16 + 4 * 4 + 2 * COMM_LEN + RECENT_NAME + RECENT_ARGS);
