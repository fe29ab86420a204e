//! The directory of a layer, and what is in it: never beyond it, and through no link.

use std::ffi::{CStr, OsStr};
use std::io::Read;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RawDir, ResolveFlags, fgetxattr, fstat, lgetxattr, openat, openat2,
    statat,
};
use rustix::io::Errno;

use super::LayersError;
use super::budget::Left;

/// Marks of a directory that shows nothing of what is below it: of root's mounts, and of those of users.
const OPAQUE: [&str; 2] = ["trusted.overlay.opaque", "user.overlay.opaque"];
/// Bytes of names that are read at once.
const NAMES: usize = 32 << 10;

/// A layer's directory.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    root: OwnedFd,
}

/// Something in a directory.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// Path from the layer's root.
    pub(super) inner: &'a Path,
    pub(super) kind: FileType,
    /// `st_mode`; of what is no file 0.
    pub(super) mode: u32,
    /// Whether it carries capabilities.
    pub(super) capable: bool,
}

impl Directory {
    pub(super) fn open(path: &Path) -> Result<Self, LayersError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let root = rustix::fs::open(path, flags, Mode::empty()).map_err(|source| LayersError::Read {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            root,
        })
    }

    /// Path on the host.
    pub(super) fn host_path(&self, inner: &Path) -> PathBuf {
        self.path.join(inner)
    }

    fn failed(&self, inner: &Path) -> impl Fn(Errno) -> LayersError {
        let path = self.host_path(inner);
        move |source| LayersError::Read {
            path: path.clone(),
            source,
        }
    }

    /// Shows everything below, each directory before what is in it.
    pub(super) fn walk(
        &self,
        left: &mut Left,
        mut show: impl FnMut(&Entry<'_>, &mut Left) -> Result<(), LayersError>,
    ) -> Result<(), LayersError> {
        let mut pending = vec![PathBuf::new()];
        while let Some(inner) = pending.pop() {
            let failed = self.failed(&inner);
            let fd = self.beneath(&inner, OFlags::DIRECTORY).map_err(&failed)?;
            let mut names = vec![MaybeUninit::uninit(); NAMES];
            let mut listing = RawDir::new(&fd, &mut names);
            while let Some(entry) = listing.next() {
                let entry = entry.map_err(&failed)?;
                let name = entry.file_name();
                if matches!(name.to_bytes(), b"." | b"..") {
                    continue;
                }
                left.entry()?;
                let path = inner.join(OsStr::from_bytes(name.to_bytes()));
                let entry = look(fd.as_fd(), name, entry.file_type(), &path).map_err(self.failed(&path))?;
                show(&entry, left)?;
                if entry.kind == FileType::Directory {
                    pending.push(path);
                }
            }
        }
        Ok(())
    }

    /// The content of a regular file.
    pub(super) fn read(&self, inner: &Path, most: u32, left: &mut Left) -> Result<Vec<u8>, LayersError> {
        let failed = self.failed(inner);
        let fd = self
            .beneath(inner, OFlags::NONBLOCK | OFlags::NOCTTY)
            .map_err(&failed)?;
        let size = fstat(&fd).map_err(&failed)?.st_size;
        if u32::try_from(size).is_ok_and(|size| size > most) || size > i64::from(u32::MAX) {
            return Err(LayersError::TooLong(self.host_path(inner)));
        }
        let mut content = Vec::new();
        let mut file = std::fs::File::from(fd).take(most.into());
        file.read_to_end(&mut content)
            .map_err(|error| failed(Errno::from_io_error(&error).unwrap_or(Errno::IO)))?;
        left.bytes(content.len())?;
        Ok(content)
    }

    /// Whether this layer removes or replaces what a lower one has at this path.
    pub(super) fn hides(&self, inner: &Path) -> Result<bool, LayersError> {
        let failed = self.failed(inner);
        let mut above: Option<OwnedFd> = None;
        let mut parts = inner.components().peekable();
        while let Some(Component::Normal(name)) = parts.next() {
            let parent = above.as_ref().map_or_else(|| self.root.as_fd(), AsFd::as_fd);
            let stat = match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                Err(Errno::NOENT) => return Ok(false),
                Err(error) => return Err(failed(error)),
            };
            let is_directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
            // A whiteout, or anything else in its place; a directory hides what is no directory.
            if !is_directory || parts.peek().is_none() {
                return Ok(true);
            }
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let child = openat(parent, name, flags, Mode::empty()).map_err(&failed)?;
            if is_opaque(child.as_fd()) {
                return Ok(true);
            }
            above = Some(child);
        }
        Ok(false)
    }

    /// Opens what is below this directory, on its own file system.
    fn beneath(&self, inner: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
        let inner = if inner.as_os_str().is_empty() {
            Path::new(".")
        } else {
            inner
        };
        let flags = flags | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let within = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
        // The time of a read is left as it is, where that is allowed.
        match openat2(&self.root, inner, flags | OFlags::NOATIME, Mode::empty(), within) {
            Err(Errno::PERM) => openat2(&self.root, inner, flags, Mode::empty(), within),
            opened => opened,
        }
    }
}

fn look<'a>(
    parent: BorrowedFd<'_>,
    name: &CStr,
    kind: FileType,
    inner: &'a Path,
) -> Result<Entry<'a>, Errno> {
    let mut entry = Entry {
        inner,
        kind,
        mode: 0,
        capable: false,
    };
    if matches!(kind, FileType::RegularFile | FileType::Unknown) {
        let stat = statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
        entry.kind = FileType::from_raw_mode(stat.st_mode);
        entry.mode = stat.st_mode;
        // Capabilities of what nobody can run are of no effect.
        let runs = entry.kind == FileType::RegularFile && stat.st_mode & 0o111 != 0;
        entry.capable = runs && has_capabilities(parent, name)?;
    }
    Ok(entry)
}

/// There is no call for an attribute of a name in an open directory; the name of its descriptor serves.
fn has_capabilities(parent: BorrowedFd<'_>, name: &CStr) -> Result<bool, Errno> {
    let mut path = format!("/proc/self/fd/{}/", parent.as_raw_fd()).into_bytes();
    path.extend_from_slice(name.to_bytes());
    let mut value = [0_u8; 64];
    match lgetxattr(path.as_slice(), "security.capability", &mut value[..]) {
        Ok(_) | Err(Errno::RANGE) => Ok(true),
        Err(Errno::NODATA | Errno::NOTSUP) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Without the right to read the mark nothing is opaque, and more is told than there is.
fn is_opaque(directory: BorrowedFd<'_>) -> bool {
    OPAQUE.iter().any(|mark| {
        let mut value = [0_u8; 8];
        let length = fgetxattr(directory, *mark, &mut value[..]);
        length.is_ok_and(|length| value.get(..length) == Some(b"y".as_slice()))
    })
}
