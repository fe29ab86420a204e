//! Changes that change nothing: to see whether they are recorded.
//!
//! The mode is set to what it is, which is recorded as any change of attributes. A write is a call of the class `w` that
//! leaves everything as it was, by what the object is:
//!
//! * A file is opened for writing and closed. Nothing is truncated; whoever watches it for being closed after writing
//!   (`IN_CLOSE_WRITE`, as path units of systemd do) is woken, as such are by the change of attributes.
//! * A socket is opened for writing, which the kernel always refuses (`ENXIO`).
//! * A program is not opened, even if nobody runs it: whoever started it at that moment would be refused (`ETXTBSY`). It
//!   is asked to be removed as the directory that it is not, which the kernel always refuses (`ENOTDIR`).
//! * In a directory another one is to be made with the name `.`, which the kernel always refuses (`EEXIST`).
//! * Anything else is left alone: whoever reads a FIFO would see a writer come and go, and devices act when opened.
//!
//! A call that is refused after its names were looked up is recorded like any other.

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, chmodat, major, minor, mkdirat, openat, stat, unlinkat,
};
use rustix::io::Errno;

/// An inode and its device, `major:minor`.
pub(super) type Inode = (u64, String);

/// Bits of a mode that let somebody run a file.
const RUN: u32 = 0o111;

/// What is asked of the trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Permission {
    Write,
    Attribute,
}

/// What was tried on an object.
#[derive(Debug)]
pub(super) struct Deed {
    pub(super) inode: Inode,
    pub(super) write: Attempt,
    pub(super) attribute: Attempt,
}

/// One call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    /// Made: in words, and how the kernel refused it.
    Made(&'static str, Option<Errno>),
    /// Nothing that would show anything could be done: why.
    Impossible(&'static str),
}

impl Attempt {
    fn of(words: &'static str, outcome: Result<(), Errno>) -> Self {
        Self::Made(words, outcome.err())
    }
}

/// Tries both on what is at a path.
///
/// # Errors
/// It cannot be looked at.
pub(super) fn perform(path: &str) -> Result<Deed, Errno> {
    let found = stat(path)?;
    let mode = Mode::from_raw_mode(found.st_mode & 0o7777);
    let attribute = chmodat(CWD, path, mode, AtFlags::empty());
    Ok(Deed {
        inode: (
            found.st_ino,
            format!("{}:{}", major(found.st_dev), minor(found.st_dev)),
        ),
        write: write(path, found.st_mode),
        attribute: Attempt::of("its mode was set to what it is", attribute),
    })
}

fn write(path: &str, mode: u32) -> Attempt {
    match FileType::from_raw_mode(mode) {
        FileType::RegularFile if mode & RUN != 0 => remove_as_directory(path),
        FileType::RegularFile | FileType::Socket => {
            let flags =
                OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::CLOEXEC;
            let opened = openat(CWD, path, flags, Mode::empty());
            Attempt::of("it was opened for writing", opened.map(drop))
        }
        FileType::Directory => {
            let made = mkdirat(CWD, format!("{path}/."), Mode::RWXU);
            Attempt::of("a directory was to be made in it, of the name .", made)
        }
        _ => Attempt::Impossible("not provable without writing: it is neither file, socket nor directory"),
    }
}

fn remove_as_directory(path: &str) -> Attempt {
    match unlinkat(CWD, path, AtFlags::REMOVEDIR) {
        // The kernel says so before it looks at the object.
        Err(Errno::ROFS) => {
            Attempt::Impossible("not provable without writing: it is a program on a read-only filesystem")
        }
        other => Attempt::of("it was to be removed as the directory that it is not", other),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::os::unix::net::UnixListener;
    use std::path::Path;

    use super::*;

    /// Tries both, and sees that nothing but the time of the last change of attributes is another.
    #[track_caller]
    fn check(path: &Path, expect: Option<Errno>) {
        let state = || {
            let found = fs::symlink_metadata(path).unwrap();
            (
                (found.ino(), found.mode(), found.uid(), found.gid(), found.nlink()),
                (found.size(), found.mtime(), found.mtime_nsec()),
                fs::read(path).ok(),
            )
        };
        let before = state();
        let deed = perform(path.to_str().unwrap()).unwrap();
        assert_eq!(state(), before);
        assert_eq!(deed.inode.0, before.0.0);
        assert!(matches!(deed.attribute, Attempt::Made(_, None)), "{deed:?}");
        assert!(
            matches!(deed.write, Attempt::Made(_, found) if found == expect),
            "{deed:?}"
        );
    }

    #[test]
    fn nothing_is_changed_by_what_is_tried() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "content").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o4640)).unwrap();
        check(&file, None);
        let program = directory.path().join("program");
        fs::write(&program, "#!/bin/sh").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        check(&program, Some(Errno::NOTDIR));
        let socket = directory.path().join("socket");
        drop(UnixListener::bind(&socket).unwrap());
        check(&socket, Some(Errno::NXIO));
        let inner = directory.path().join("directory");
        fs::create_dir(&inner).unwrap();
        check(&inner, Some(Errno::EXIST));
    }

    #[test]
    fn a_fifo_is_left_alone_and_what_is_gone_is_said() {
        let directory = tempfile::tempdir().unwrap();
        let fifo = directory.path().join("fifo");
        rustix::fs::mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR, 0).unwrap();
        let deed = perform(fifo.to_str().unwrap()).unwrap();
        assert!(matches!(deed.write, Attempt::Impossible(_)), "{deed:?}");
        assert_eq!(
            perform(directory.path().join("gone").to_str().unwrap()).err(),
            Some(Errno::NOENT)
        );
    }
}
