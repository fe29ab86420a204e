//! A program image was committed.

use crate::{Credentials, FileFacts};

/// Longest path that is rebuilt from the dentry tree.
pub const PATH_MAX: usize = 1024;
/// Longest name kept of what the caller asked for.
pub const REQUESTED_MAX: usize = 256;
/// Longest argument block kept.
pub const ARGS_MAX: usize = 1024;

/// Flag of [`Exec::flags`]: `before` holds the credentials before the exec.
pub const EXEC_HAS_BEFORE: u32 = 1;
/// Flag of [`Exec::flags`]: the kernel judged that privilege was gained (`bprm->secureexec`).
pub const EXEC_SECURE: u32 = 2;
/// Flag of [`Exec::flags`]: arguments go on beyond what is kept.
pub const EXEC_ARGS_TRUNCATED: u32 = 4;
/// Flag of [`Exec::flags`]: the path goes on towards the root beyond what is kept.
pub const EXEC_PATH_TRUNCATED: u32 = 8;

/// Flag of [`Exec::reasons`]: the task is in a container, by cgroup or by namespace.
pub const REASON_CONTAINER: u32 = 1;
/// Flag of [`Exec::reasons`]: the file is setuid or setgid.
pub const REASON_SETID_FILE: u32 = 2;
/// Flag of [`Exec::reasons`]: the process came out with ids or capabilities it did not have.
pub const REASON_GAINED: u32 = 4;
/// Flag of [`Exec::reasons`]: the parent is not in the same container.
pub const REASON_ENTRY: u32 = 8;

/// Payload of [`crate::Kind::EXEC`]. The tail is: path components from the file towards the root,
/// each NUL-terminated (`path_len` bytes); the requested name (`requested_len`); the argument block
/// with its NULs (`args_len`).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "user", derive(bytemuck::Pod, bytemuck::Zeroable))]
pub struct Exec {
    /// The file whose image runs; for a script, its interpreter.
    pub file: FileFacts,
    /// Credentials before, where [`EXEC_HAS_BEFORE`] is set.
    pub before: Credentials,
    /// `EXEC_*`.
    pub flags: u32,
    /// `REASON_*`: why the event passed the filter in the kernel.
    pub reasons: u32,
    /// Number of arguments.
    pub argc: u32,
    /// Bytes of the path in the tail.
    pub path_len: u16,
    /// Bytes of the requested name in the tail.
    pub requested_len: u16,
    /// Bytes of the argument block in the tail.
    pub args_len: u16,
    /// Zero.
    pub pad: [u16; 3],
}

const _: () = assert!(size_of::<Exec>() == 32 + 72 + 12 + 6 + 6);
