//! Files by inode, in the numbers that the kernel itself uses.

use std::io;
use std::path::Path;

use hullwatch_common::Inode;
use procfs::process::Process;
use rustix::fs::{AtFlags, CWD, Statx, StatxFlags, statx};

use super::proc;
use crate::model::MountLine;

/// Bits of the minor number in the kernel's `dev_t` (`include/linux/kdev_t.h`).
const MINOR_BITS: u32 = 20;

/// A device in the kernel's encoding; `None` where the numbers do not fit, which no kernel makes.
pub(super) fn kernel_dev(major: u32, minor: u32) -> Option<u32> {
    (major >> (u32::BITS - MINOR_BITS) == 0 && minor >> MINOR_BITS == 0)
        .then_some(major << MINOR_BITS | minor)
}

/// `major:minor` of mountinfo in the kernel's encoding.
fn parse_dev(text: &str) -> Option<u32> {
    let (major, minor) = text.split_once(':')?;
    kernel_dev(major.parse().ok()?, minor.parse().ok()?)
}

/// Finds inodes as the kernel numbers them.
///
/// `stat` shows another device than `s_dev` on filesystems with subvolumes (btrfs); mountinfo shows
/// `s_dev`, and the mount of a file is known since Linux 5.8. On overlayfs the inode number may
/// still differ from the kernel's.
#[derive(Debug)]
pub(super) struct InodeLookup {
    mounts: Vec<(u64, u32)>,
}

impl InodeLookup {
    /// With the mounts of this process's own namespace.
    pub(super) fn new() -> Self {
        let lines = Process::myself().map(|own| proc::mounts(&own));
        Self::from_mounts(&lines.ok().and_then(Result::ok).unwrap_or_default())
    }

    fn from_mounts(lines: &[MountLine]) -> Self {
        let entry = |line: &MountLine| Some((u64::try_from(line.id).ok()?, parse_dev(&line.dev)?));
        Self {
            mounts: lines.iter().filter_map(entry).collect(),
        }
    }

    /// Status and inode of a file, symlinks followed.
    ///
    /// # Errors
    /// As of `statx(2)`; `InvalidData` where the device number is none.
    pub(super) fn stat(&self, path: &Path) -> io::Result<(Statx, Inode)> {
        let wanted = StatxFlags::BASIC_STATS | StatxFlags::MNT_ID;
        let status = statx(CWD, path, AtFlags::NO_AUTOMOUNT, wanted)?;
        let mounted = self
            .mounts
            .iter()
            .find(|(id, _)| {
                StatxFlags::from_bits_retain(status.stx_mask).contains(StatxFlags::MNT_ID)
                    && *id == status.stx_mnt_id
            })
            .map(|(_, dev)| *dev);
        let dev = mounted.or_else(|| kernel_dev(status.stx_dev_major, status.stx_dev_minor));
        let dev = dev.ok_or(io::ErrorKind::InvalidData)?;
        let ino = status.stx_ino;
        Ok((status, Inode { ino, dev, pad: 0 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_encoded_as_the_kernel_does() {
        assert_eq!(parse_dev("0:38"), Some(38));
        assert_eq!(parse_dev("254:1"), Some(254 << 20 | 1));
        assert_eq!(parse_dev("4095:1048575"), Some(u32::MAX));
        for bad in ["4096:0", "0:1048576", "8", "8:x", ""] {
            assert_eq!(parse_dev(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_file_has_the_device_that_its_mount_shows() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let bare = InodeLookup { mounts: Vec::new() };
        let (status, plain) = bare.stat(file.path()).unwrap();
        let lookup = InodeLookup {
            mounts: vec![(status.stx_mnt_id, 77)],
        };
        let (_, key) = lookup.stat(file.path()).unwrap();
        assert_eq!((key.dev, key.ino), (77, plain.ino));
    }
}
