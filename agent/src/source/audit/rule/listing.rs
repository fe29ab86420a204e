//! What a directory holds, read at once.
//!
//! Where auditing is on, every call that names a file is run through every rule: with hundreds of them, looking up each
//! watched name costs far more than reading the directory, which names nothing.

use std::collections::{HashMap, HashSet};
use std::os::fd::OwnedFd;

use rustix::fs::{Dir, FileType, Mode, OFlags, fstatfs, openat};

use crate::model::MountLine;

/// Names of a directory that are read; one that holds more is not.
const MAX_NAMES: usize = 16_384;
/// Filesystems that list the inode numbers which `stat` shows: ext2 to ext4, XFS and tmpfs.
const FAITHFUL: [u64; 3] = [0xEF53, 0x5846_5342, 0x0102_1994];

/// Inode number and type of each name.
#[derive(Debug)]
pub(super) struct Listing(HashMap<Vec<u8>, (u64, FileType)>);

impl Listing {
    /// `None` where it cannot be read, holds too much, or its filesystem may list other numbers.
    pub(super) fn read(directory: &OwnedFd) -> Option<Self> {
        let kind = fstatfs(directory).ok()?.f_type;
        if !FAITHFUL.contains(&u64::try_from(kind).ok()?) {
            return None;
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = openat(directory, ".", flags, Mode::empty()).ok()?;
        let mut names = HashMap::new();
        for entry in Dir::new(opened).ok()? {
            let entry = entry.ok()?;
            names.insert(
                entry.file_name().to_bytes().to_vec(),
                (entry.ino(), entry.file_type()),
            );
            if names.len() > MAX_NAMES {
                return None;
            }
        }
        Some(Self(names))
    }

    /// What the name stands for unless something is mounted on it; none where there is no such name. `Err` where the
    /// filesystem does not tell the type.
    pub(super) fn find(&self, name: &str) -> Result<Option<(u64, FileType)>, ()> {
        match self.0.get(name.as_bytes()) {
            Some((_, FileType::Unknown)) => Err(()),
            found => Ok(found.copied()),
        }
    }
}

/// Where something is mounted; `None` where that cannot be told.
pub(super) fn mount_points() -> Option<HashSet<String>> {
    let table = std::fs::read("/proc/self/mountinfo").ok()?;
    let lines = table.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| Some(MountLine::parse(line)?.path)).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, symlink};
    use std::path::Path;

    use super::*;

    #[test]
    fn a_listing_shows_what_stat_shows() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("file"), "").unwrap();
        std::fs::create_dir(dir.path().join("directory")).unwrap();
        symlink("file", dir.path().join("link")).unwrap();
        let opened: OwnedFd = std::fs::File::open(dir.path()).unwrap().into();
        let Some(listing) = Listing::read(&opened) else {
            let kind = fstatfs(&opened).unwrap().f_type;
            assert!(!FAITHFUL.contains(&u64::try_from(kind).unwrap()));
            return;
        };
        for (name, kind) in [
            ("file", FileType::RegularFile),
            ("directory", FileType::Directory),
            ("link", FileType::Symlink),
        ] {
            let ino = std::fs::symlink_metadata(dir.path().join(name)).unwrap().ino();
            assert_eq!(listing.find(name), Ok(Some((ino, kind))), "{name}");
        }
        assert_eq!(listing.find("absent"), Ok(None));
    }

    #[test]
    fn a_filesystem_that_may_list_other_numbers_is_not_listed() {
        let opened: OwnedFd = std::fs::File::open(Path::new("/proc/self")).unwrap().into();
        assert!(Listing::read(&opened).is_none());
    }

    #[test]
    fn the_root_is_a_mount_point() {
        let points = mount_points().unwrap();
        assert!(points.contains("/") && points.contains("/proc"), "{points:?}");
    }
}
