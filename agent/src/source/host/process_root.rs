//! Files as a process sees them: below its own root, every symlink within it.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use procfs::process::Process;
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, open, openat, openat2};
use rustix::io::Errno;

use super::lookup::read_from;
use super::proc;

/// A look-up that raced with a rename is tried so often.
const ATTEMPTS: usize = 8;

/// The root directory of a process, held open.
#[derive(Debug)]
pub(super) struct ProcessRoot(OwnedFd);

impl ProcessRoot {
    /// The root of a process.
    pub(super) fn of(process: &Process) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = process.open_relative_flags("root", flags);
        Ok(Self(root.map_err(proc::into_io)?.into()))
    }

    /// This process's own root.
    pub(super) fn own() -> io::Result<Self> {
        Self::at(Path::new("/"))
    }

    /// A directory as if it were a root.
    pub(super) fn at(directory: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(open(directory, flags, Mode::empty())?))
    }

    /// A regular file of at most `limit` bytes.
    ///
    /// # Errors
    /// As of opening and reading; `InvalidInput` for what is no regular file.
    pub(super) fn read(&self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
        // A FIFO in a file's place may not hold us up.
        let file = self.open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)?;
        if FileType::from_raw_mode(fstat(&file)?.st_mode) != FileType::RegularFile {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        read_from(File::from(file), limit)
    }

    /// What is at a path, without reading it.
    pub(super) fn locate(&self, path: &str) -> io::Result<OwnedFd> {
        self.open(path, OFlags::PATH)
    }

    fn open(&self, path: &str, flags: OFlags) -> io::Result<OwnedFd> {
        let flags = flags | OFlags::CLOEXEC;
        for _ in 0..ATTEMPTS {
            match openat2(&self.0, path, flags, Mode::empty(), ResolveFlags::IN_ROOT) {
                Err(Errno::AGAIN) => {}
                // Before Linux 5.6 an absolute symlink leads to this process's root, mostly the same.
                Err(Errno::NOSYS) => {
                    let path = path.trim_start_matches('/');
                    let path = if path.is_empty() { "." } else { path };
                    return Ok(openat(&self.0, path, flags, Mode::empty())?);
                }
                other => return Ok(other?),
            }
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }
}

/// The path of an open file with every symlink resolved, as its mount namespace names it.
pub(super) fn path_of(file: &OwnedFd) -> io::Result<String> {
    let path = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
    Ok(path.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_stay_below_the_root() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap();
        fs::create_dir(top.join("etc")).unwrap();
        fs::write(top.join("etc/real"), "inside").unwrap();
        symlink("/etc/real", top.join("etc/link")).unwrap();
        symlink("../../../../etc/real", top.join("up")).unwrap();
        let root = ProcessRoot::at(&top).unwrap();
        for path in ["/etc/real", "/etc/link", "/up"] {
            assert_eq!(root.read(path, 100).unwrap(), b"inside", "{path}");
            let found = path_of(&root.locate(path).unwrap()).unwrap();
            assert_eq!(found, top.join("etc/real").to_string_lossy(), "{path}");
        }
        let kind = |path| root.read(path, 3).unwrap_err().kind();
        assert_eq!(kind("/etc/real"), io::ErrorKind::FileTooLarge);
        assert_eq!(kind("/etc"), io::ErrorKind::InvalidInput);
        assert_eq!(kind("/etc/none"), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_process_has_its_root() {
        let of = ProcessRoot::of(&Process::myself().unwrap()).unwrap();
        let own = ProcessRoot::own().unwrap();
        let path = "/proc/version";
        assert_eq!(of.read(path, 4096).unwrap(), own.read(path, 4096).unwrap());
    }
}
