//! A runtime's socket was connected to or spoken on.

/// Bytes of a socket's bound name (`sizeof(sun_path)`).
pub const SUN_PATH_LEN: usize = 108;

/// [`Connect::op`]: a connection was made.
pub const CONNECT_NEW: u32 = 1;
/// [`Connect::op`]: a process sent its first bytes on a connection (its own, inherited or passed).
pub const CONNECT_USE: u32 = 2;

/// [`Connect::matched`]: the socket's inode is a runtime's.
pub const MATCH_INODE: u32 = 1;
/// [`Connect::matched`]: only the name the server bound is a runtime's; the agent must look at the inode.
pub const MATCH_NAME: u32 = 2;

/// Payload of [`crate::Kind::CONNECT`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "user", derive(bytemuck::Pod, bytemuck::Zeroable))]
pub struct Connect {
    /// Inode of the listening socket's file.
    pub ino: u64,
    /// Its device, in the kernel's encoding.
    pub dev: u32,
    /// Index of the runtime in the agent's table.
    pub runtime: u32,
    /// `CONNECT_*`.
    pub op: u32,
    /// `MATCH_*`.
    pub matched: u32,
    /// Name the server bound, as it spelled it, NUL-padded.
    pub name: [u8; SUN_PATH_LEN],
    /// Zero.
    pub pad: u32,
}

const _: () = assert!(size_of::<Connect>() == 24 + 112);
