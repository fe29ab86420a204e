//! What lies hidden below a mount.
//!
//! Nobody sees it by its path. A copy of the mount below, without those on it and attached nowhere, shows it; that takes
//! `CAP_SYS_ADMIN`, and changes nothing that anybody else sees.

use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;
use rustix::mount::{OpenTreeFlags, open_tree};

use super::root::{Root, status};
use crate::model::{MountLine, path_below};

/// As much of a path as lies hidden below a mount on the way to it, itself at least. The whole path where that cannot be
/// looked at.
pub(super) fn hidden_part(root: &Root, mount: &MountLine, below: &MountLine, path: &str) -> String {
    look(root, mount, below, path).unwrap_or_else(|_| path.to_owned())
}

fn look(root: &Root, mount: &MountLine, below: &MountLine, path: &str) -> io::Result<String> {
    let unclear = || io::Error::from(io::ErrorKind::Unsupported);
    let inner = path_below(path, &mount.path).ok_or_else(unclear)?;
    let mut view = copy(root, below)?;
    let mut part = below.path.trim_end_matches('/').to_owned();
    let outer = path_below(&mount.path, &below.path).ok_or_else(unclear)?;
    let names = outer.split('/').chain(inner.split('/'));
    for name in names.filter(|name| !name.is_empty()) {
        // What a symlink leads to is not followed: it may be anywhere.
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        match openat2(&view, name, flags, Mode::empty(), beneath) {
            Ok(found) => view = found,
            Err(Errno::NOENT | Errno::NOTDIR) => break,
            Err(error) => return Err(error.into()),
        }
        part.push('/');
        part.push_str(name);
    }
    Ok(part)
}

/// The root directory of a mount, with nothing mounted on it.
fn copy(root: &Root, mount: &MountLine) -> io::Result<OwnedFd> {
    let opened = root.locate(&mount.path)?;
    if u64::try_from(mount.id).ok() != Some(status(&opened)?.stx_mnt_id) {
        // Another is mounted on it.
        return Err(io::ErrorKind::Unsupported.into());
    }
    let flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    open_tree(opened, "", flags).map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_looked_at_may_lie_hidden() {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::open(directory.path()).unwrap();
        let line =
            |path: &str| MountLine::parse(format!("0 0 8:1 / {path} rw - ext4 x rw").as_bytes()).unwrap();
        let part = |mount: &str, path: &str| hidden_part(&root, &line(mount), &line("/"), path);
        // No mount has the number 0.
        assert_eq!(part("/var", "/var/lib/docker"), "/var/lib/docker");
        assert_eq!(part("/srv", "/var/lib/docker"), "/var/lib/docker");
    }
}
