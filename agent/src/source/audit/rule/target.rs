//! What the paths of rules stand for now.
//!
//! As the kernel resolves them: the directory with every symlink followed, the last component as it is
//! (`kern_path_parent`, and `kern_path` without `LOOKUP_FOLLOW`).

use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, major, minor, openat2, statat};

use super::decode::path;
use super::listing::{Listing, mount_points};
use crate::model::{AuditRule, DirEntry, WatchTarget};

/// Directories that are held open at a time.
const MAX_DIRECTORIES: usize = 256;
/// Paths whose targets are kept.
const MAX_FOUND: usize = 4096;
/// Names of a directory that are looked up one by one before it is read as a whole.
const FEW: u32 = 8;

/// Resolves the paths of rules below one root directory.
#[derive(Debug)]
pub(in crate::source::audit) struct Targets {
    root: OwnedFd,
    /// Whether the paths are those of this process too.
    is_own: bool,
    /// Where something is mounted, once that was asked for.
    mount_points: Option<Option<HashSet<String>>>,
    /// What was looked at already: rules often name the same.
    found: HashMap<String, WatchTarget>,
    /// Directories by path as named; those that are not there too.
    directories: HashMap<String, Option<Directory>>,
}

/// A directory that holds watched names.
#[derive(Debug)]
struct Directory {
    file: OwnedFd,
    /// Entry of the directory with no name in it.
    entry: DirEntry,
    /// Names that were looked up.
    lookups: u32,
    /// What is in it, once it was read.
    listing: Option<Listing>,
}

/// What a name stands for: inode number, device and type.
type Found = (u64, String, FileType);

impl Targets {
    /// On the host whose root directory this is.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub(in crate::source::audit) fn below(root: &Path) -> std::io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self {
            root: rustix::fs::open(root, flags, Mode::empty())?,
            is_own: root == Path::new("/"),
            mount_points: None,
            found: HashMap::new(),
            directories: HashMap::new(),
        })
    }

    /// What the path of a rule stands for; `None` for a rule without one.
    pub(in crate::source::audit) fn of(&mut self, rule: &AuditRule) -> Option<WatchTarget> {
        let path = path(rule)?;
        if let Some(found) = self.found.get(path) {
            return Some(found.clone());
        }
        let found = self.look_at(path);
        if self.found.len() < MAX_FOUND {
            self.found.insert(path.to_owned(), found.clone());
        }
        Some(found)
    }

    fn look_at(&mut self, path: &str) -> WatchTarget {
        let trimmed = path.trim_end_matches('/');
        let (parent, name) = match trimmed.rsplit_once('/') {
            Some((parent, name)) => (if parent.is_empty() { "/" } else { parent }, name),
            None => ("/", "."),
        };
        let Some(directory) = self.directory(parent) else {
            return WatchTarget::default();
        };
        let name = if name.is_empty() { "." } else { name };
        let mut entry = directory.entry.clone();
        entry.name = name.to_owned();
        let found = self.find(parent, name);
        let kind = found.as_ref().map(|(_, _, kind)| *kind);
        let symlink = kind == Some(FileType::Symlink);
        let resolved = if symlink {
            self.resolve(path)
        } else {
            found.as_ref().map(|_| below(&entry.directory, name))
        };
        WatchTarget {
            resolved,
            entry: Some(entry),
            ino: found.as_ref().map(|(ino, ..)| *ino),
            dev: found.map(|(_, dev, _)| dev),
            directory: kind == Some(FileType::Directory),
            symlink,
        }
    }

    /// What a name in a directory stands for, not followed.
    fn find(&mut self, parent: &str, name: &str) -> Option<Found> {
        let directory = self.directories.get_mut(parent)?.as_mut()?;
        directory.lookups += 1;
        if self.is_own && directory.lookups == FEW {
            directory.listing = Listing::read(&directory.file);
        }
        let path = below(&directory.entry.directory, name);
        let mut is_mounted = || {
            let points = self.mount_points.get_or_insert_with(mount_points);
            points.as_ref().is_none_or(|points| points.contains(&path))
        };
        if name != "."
            && let Some(Ok(found)) = directory.listing.as_ref().map(|listing| listing.find(name))
            && !is_mounted()
        {
            let dev = || directory.entry.dev.clone();
            return found.map(|(ino, kind)| (ino, dev(), kind));
        }
        let stat = statat(&directory.file, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        Some((stat.st_ino, device(&stat), FileType::from_raw_mode(stat.st_mode)))
    }

    fn directory(&mut self, path: &str) -> Option<&Directory> {
        if !self.directories.contains_key(path) {
            if self.directories.len() >= MAX_DIRECTORIES {
                self.directories.clear();
            }
            let found = self.open_directory(path);
            self.directories.insert(path.to_owned(), found);
        }
        self.directories.get(path)?.as_ref()
    }

    fn open_directory(&self, path: &str) -> Option<Directory> {
        let file = self.open(path, OFlags::DIRECTORY)?;
        let stat = fstat(&file).ok()?;
        let entry = DirEntry {
            ino: stat.st_ino,
            dev: device(&stat),
            name: String::new(),
            directory: name_of(&file)?,
            uid: stat.st_uid,
            gid: stat.st_gid,
            mode: stat.st_mode & 0o7777,
        };
        Some(Directory {
            file,
            entry,
            lookups: 0,
            listing: None,
        })
    }

    /// The path with every symlink resolved, the last one too; `None` where it leads nowhere.
    fn resolve(&self, path: &str) -> Option<String> {
        name_of(self.open(path, OFlags::empty())?)
    }

    fn open(&self, path: &str, flags: OFlags) -> Option<OwnedFd> {
        let flags = flags | OFlags::PATH | OFlags::CLOEXEC;
        let inside = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        openat2(&self.root, path, flags, Mode::empty(), inside).ok()
    }
}

/// Where the kernel says an open file is.
fn name_of(file: impl AsFd) -> Option<String> {
    let link = format!("/proc/self/fd/{}", file.as_fd().as_raw_fd());
    let name = fs::read_link(link).ok()?;
    Some(name.to_string_lossy().into_owned())
}

fn below(directory: &str, name: &str) -> String {
    match (directory, name) {
        (directory, ".") => directory.to_owned(),
        ("/", name) => format!("/{name}"),
        (directory, name) => format!("{directory}/{name}"),
    }
}

fn device(stat: &Stat) -> String {
    format!("{}:{}", major(stat.st_dev), minor(stat.st_dev))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, symlink};

    use super::*;

    fn look_at(root: &Path, path: &str) -> WatchTarget {
        Targets::below(root).unwrap().look_at(path)
    }

    #[test]
    fn the_directory_is_followed_and_the_last_name_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("run/docker")).unwrap();
        fs::create_dir(root.join("var")).unwrap();
        symlink("/run", root.join("var/run")).unwrap();
        fs::write(root.join("run/docker/real"), "").unwrap();
        symlink("real", root.join("run/docker/link")).unwrap();

        let run = fs::metadata(root.join("run/docker")).unwrap();
        let real = look_at(&root, "/var/run/docker/real");
        let entry = real.entry.unwrap();
        let directory = root.join("run/docker").display().to_string();
        assert_eq!((entry.ino, entry.name.as_str()), (run.ino(), "real"));
        assert_eq!(entry.directory, directory);
        assert_eq!(real.resolved, Some(format!("{directory}/real")));
        assert_eq!(
            real.ino,
            Some(fs::metadata(root.join("run/docker/real")).unwrap().ino())
        );
        assert!(!real.symlink && !real.directory);

        let link = look_at(&root, "/run/docker/link");
        let own = fs::symlink_metadata(root.join("run/docker/link")).unwrap();
        assert_eq!((link.ino, link.symlink), (Some(own.ino()), true));
        assert_eq!(link.resolved, Some(format!("{directory}/real")));
    }

    #[test]
    fn what_is_not_there_has_an_entry_where_its_directory_is() {
        let dir = tempfile::tempdir().unwrap();
        let absent = look_at(dir.path(), "/absent");
        assert_eq!(absent.entry.map(|entry| entry.name), Some("absent".to_owned()));
        assert_eq!((absent.ino, absent.resolved), (None, None));
        assert_eq!(look_at(dir.path(), "/no/such"), WatchTarget::default());
    }

    #[test]
    fn of_many_names_each_is_found_as_of_few() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        fs::create_dir(root.join("directory")).unwrap();
        fs::write(root.join("file"), "").unwrap();
        symlink("file", root.join("link")).unwrap();
        let mut paths: Vec<_> = (0..20).map(|n| root.join(format!("absent-{n}"))).collect();
        paths.extend(["directory", "file", "link", "."].map(|name| root.join(name)));
        paths.extend(
            [
                "/proc", "/sys", "/dev", "/etc", "/usr", "/tmp", "/no", "/run", "/var",
            ]
            .map(Into::into),
        );
        let mut many = Targets::below(Path::new("/")).unwrap();
        // Twice: once read one by one, then from the listing.
        for path in paths.iter().chain(&paths) {
            let path = path.to_str().unwrap();
            let alone = look_at(Path::new("/"), path);
            assert_eq!(many.look_at(path), alone, "{path}");
        }
        assert!(many.directories.values().flatten().any(|one| one.lookups > FEW));
    }

    #[test]
    fn a_directory_is_one_with_or_without_a_slash() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("etc")).unwrap();
        let ino = fs::metadata(dir.path().join("etc")).unwrap().ino();
        for path in ["/etc", "/etc/", "//etc"] {
            let found = look_at(dir.path(), path);
            assert_eq!((found.ino, found.directory), (Some(ino), true), "{path}");
        }
        let whole = look_at(dir.path(), "/");
        assert_eq!(whole.ino, Some(fs::metadata(dir.path()).unwrap().ino()));
    }
}
