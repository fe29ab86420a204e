//! The host's file tree, from wherever this process stands.
//!
//! Every path is resolved by the kernel below the tree's own root, so that an absolute symlink of the host is
//! followed within the host, also from a container and in a test.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, ResolveFlags, Statx, fstat, openat, openat2, readlinkat};
use rustix::io::Errno;

use super::super::lookup::read_from;

/// Largest file that is read: units, environment files and configurations are a few kilobytes.
const MAX_FILE: u64 = 1 << 20;
/// Entries of one directory that are looked at.
const MAX_ENTRIES: usize = 4096;
/// How often a path is tried again whose resolution raced with a rename or mount.
const MAX_RACES: usize = 64;

/// The root directory of a tree, held open.
#[derive(Debug)]
pub(super) struct Root {
    directory: OwnedFd,
    /// Its path as the kernel shows it of descriptors below it.
    shown: PathBuf,
}

impl Root {
    /// # Errors
    /// The directory cannot be opened, or /proc is not mounted.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = openat(CWD, path, flags, Mode::empty())?;
        let shown = shown_path(&directory)?;
        Ok(Self { directory, shown })
    }

    /// Opens an absolute path of the tree, without opening what is there: for its status alone.
    ///
    /// # Errors
    /// As of `openat2(2)`.
    pub(super) fn locate(&self, path: &str) -> io::Result<OwnedFd> {
        self.open_with(path, OFlags::PATH)
    }

    fn open_with(&self, path: &str, flags: OFlags) -> io::Result<OwnedFd> {
        let mut races = 0;
        loop {
            let flags = flags | OFlags::CLOEXEC;
            match openat2(&self.directory, path, flags, Mode::empty(), ResolveFlags::IN_ROOT) {
                Err(Errno::AGAIN) if races < MAX_RACES => races += 1,
                result => return result.map_err(Into::into),
            }
        }
    }

    /// Path within the tree of what a descriptor is open on; `None` where it has been removed.
    ///
    /// # Errors
    /// As of reading the link in /proc.
    pub(super) fn path_of(&self, file: impl AsFd) -> io::Result<Option<String>> {
        let shown = shown_path(&file)?;
        // Only together: a file may be so called, and some filesystems count no links.
        if shown.to_string_lossy().ends_with(" (deleted)") && fstat(&file)?.st_nlink == 0 {
            return Ok(None);
        }
        let inner = shown.strip_prefix(&self.shown).unwrap_or(&shown);
        Ok(Some(Path::new("/").join(inner).to_string_lossy().into_owned()))
    }

    /// Whether anything is there, symlinks followed.
    pub(super) fn has(&self, path: &str) -> bool {
        self.locate(path).is_ok()
    }

    /// Where the last component of a path points, if it is a symlink.
    pub(super) fn link(&self, path: &str) -> Option<String> {
        let link = self.open_with(path, OFlags::PATH | OFlags::NOFOLLOW).ok()?;
        let target = readlinkat(link, "", Vec::new()).ok()?;
        Some(target.to_string_lossy().into_owned())
    }

    /// Content of a regular file, made UTF-8.
    ///
    /// # Errors
    /// It cannot be opened, is no regular file or larger than 1 MiB.
    pub(super) fn read(&self, path: &str) -> io::Result<String> {
        // Opening a FIFO must not wait for its other end.
        let file = self.open_with(path, OFlags::RDONLY | OFlags::NONBLOCK)?;
        if FileType::from_raw_mode(fstat(&file)?.st_mode) != FileType::RegularFile {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let bytes = read_from(File::from(file), MAX_FILE)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Names in a directory, sorted.
    ///
    /// # Errors
    /// It cannot be read, or has more than 4096 entries.
    pub(super) fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let directory = self.open_with(path, OFlags::RDONLY | OFlags::DIRECTORY)?;
        let mut names = Vec::new();
        for entry in Dir::new(directory)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if !matches!(name.as_str(), "." | "..") {
                names.push(name);
            }
            if names.len() > MAX_ENTRIES {
                return Err(io::Error::other(format!("more than {MAX_ENTRIES} entries")));
            }
        }
        names.sort_unstable();
        Ok(names)
    }
}

/// Path of what a descriptor is open on, as the kernel shows it.
fn shown_path(file: impl AsFd) -> io::Result<PathBuf> {
    std::fs::read_link(proc_path(file))
}

/// A name for what a descriptor is open on, for calls that take only names.
pub(super) fn proc_path(file: impl AsFd) -> String {
    format!("/proc/self/fd/{}", file.as_fd().as_raw_fd())
}

/// Status of what a descriptor is open on.
///
/// # Errors
/// As of `statx(2)`.
pub(super) fn status(file: impl AsFd) -> io::Result<Statx> {
    use rustix::fs::{AtFlags, StatxFlags, statx};
    let wanted = StatxFlags::BASIC_STATS | StatxFlags::MNT_ID;
    statx(file, "", AtFlags::EMPTY_PATH, wanted).map_err(Into::into)
}

/// Whether an error says that nothing is there.
pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Directory and name of an absolute path; `None` where it names no entry of a directory.
pub(super) fn split(path: &str) -> Option<(&str, &str)> {
    let (directory, name) = path.trim_end_matches('/').rsplit_once('/')?;
    let directory = if directory.is_empty() { "/" } else { directory };
    (!matches!(name, "" | "." | "..")).then_some((directory, name))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn symlinks_stay_within_the_tree() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("etc/real")).unwrap();
        fs::write(dir.path().join("etc/real/file"), "inner").unwrap();
        symlink("/etc/real", dir.path().join("etc/alias")).unwrap();
        symlink("../../../../etc/real/file", dir.path().join("etc/climb")).unwrap();
        let root = Root::open(dir.path()).unwrap();
        for path in ["/etc/alias/file", "/etc/climb", "/../etc/real/file"] {
            assert_eq!(root.read(path).unwrap(), "inner", "{path}");
            let file = root.locate(path).unwrap();
            assert_eq!(root.path_of(file).unwrap().as_deref(), Some("/etc/real/file"));
        }
        assert_eq!(root.link("/etc/alias").as_deref(), Some("/etc/real"));
        assert_eq!(root.link("/etc/real"), None);
        assert_eq!(root.list("/etc/alias").unwrap(), ["file"]);
    }

    #[test]
    fn what_is_gone_odd_or_large_is_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path()).unwrap();
        assert!(is_absent(&root.read("/none").unwrap_err()));
        assert!(is_absent(&root.read("/none/deeper").unwrap_err()));
        fs::write(dir.path().join("large"), vec![b'x'; (1 << 20) + 1]).unwrap();
        assert_eq!(
            root.read("/large").unwrap_err().kind(),
            io::ErrorKind::FileTooLarge
        );
        rustix::fs::mknodat(CWD, dir.path().join("fifo"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert_eq!(
            root.read("/fifo").unwrap_err().kind(),
            io::ErrorKind::InvalidInput
        );
        let held = root.locate("/large").unwrap();
        fs::remove_file(dir.path().join("large")).unwrap();
        assert_eq!(root.path_of(held).unwrap(), None);
    }

    #[test]
    fn paths_are_split_at_their_last_name() {
        assert_eq!(split("/etc/docker/"), Some(("/etc", "docker")));
        assert_eq!(split("/etc"), Some(("/", "etc")));
        for none in ["/", "", "/etc/..", "relative"] {
            assert_eq!(split(none), None, "{none}");
        }
    }
}
