//! What is at a path: owner, mode, access list, place.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{FileType, Statx, getxattr};
use rustix::io::Errno;

use super::super::account::Group;
use super::super::acl::{self, Acl};
use super::hidden::hidden_part;
use super::places;
use super::root::{Root, is_absent, proc_path, split, status};
use crate::model::{DirEntry, Fact, MountLine, ObjectKind, ObjectState, path_below};

/// Mount points below one object that are listed: a data root has some per container.
const MAX_MOUNTS_BELOW: usize = 4096;
/// `st_mode` without the type.
const PERMISSIONS: u32 = 0o7777;

/// Looks at paths of a tree.
#[derive(Debug)]
pub(super) struct Looker<'a> {
    pub(super) root: &'a Root,
    mounts: Vec<MountLine>,
    /// `s_dev` of a mount by its id: `stat` shows another device on filesystems with subvolumes.
    devices: HashMap<u64, String>,
    groups: HashMap<u32, String>,
}

impl<'a> Looker<'a> {
    /// With the mounts of the tree's namespace and the groups of its accounts, the first of equals.
    pub(super) fn new(root: &'a Root, mounts: Vec<MountLine>, groups: Vec<Group>) -> Self {
        let id = |mount: &MountLine| Some((u64::try_from(mount.id).ok()?, mount.dev.clone()));
        let devices = mounts.iter().filter_map(id).collect();
        let groups = groups.into_iter().rev().map(|group| (group.gid, group.name));
        Self {
            root,
            mounts,
            devices,
            groups: groups.collect(),
        }
    }

    /// What is at an absolute path, every symlink followed.
    pub(super) fn state(&self, path: &str) -> Fact<Option<ObjectState>> {
        match self.look(path) {
            Ok(state) => Fact::Known(state),
            Err(error) if is_absent(&error) => Fact::Known(None),
            Err(error) => Fact::unknown(format!("{path} could not be looked at: {error}")),
        }
    }

    fn look(&self, path: &str) -> io::Result<Option<ObjectState>> {
        let file = self.root.locate(path)?;
        let Some(resolved) = self.root.path_of(&file)? else {
            return Ok(None);
        };
        let found = status(&file)?;
        let kind = kind(&found);
        let mounts_below = match kind {
            ObjectKind::Directory => self.mounts_below(&resolved),
            _ => Vec::new(),
        };
        let others = places::others(&self.mounts, self.mount_of(&found), &resolved);
        Ok(Some(ObjectState {
            kind,
            mode: u32::from(found.stx_mode) & PERMISSIONS,
            uid: found.stx_uid,
            gid: found.stx_gid,
            group: self.groups.get(&found.stx_gid).cloned(),
            asked_group: None,
            acl: named_in_acl(&file)?,
            ino: found.stx_ino,
            dev: self.device(&found),
            parents: self.parents(path, &resolved)?,
            mount_point: self.mount_point(&found),
            hidden: self.hidden(&found, &resolved),
            mounts_below,
            elsewhere: others.whole,
            parts_elsewhere: others.parts,
            resolved,
        }))
    }

    fn device(&self, found: &Statx) -> String {
        let mounted = self.devices.get(&found.stx_mnt_id).cloned();
        mounted.unwrap_or_else(|| format!("{}:{}", found.stx_dev_major, found.stx_dev_minor))
    }

    /// Where the mount that something lies on is mounted; empty where the kernel does not tell. A directory that is
    /// mounted on itself, as the engine does with its data, hides nothing and counts as none.
    fn mount_point(&self, found: &Statx) -> String {
        let mut at = self.mount_of(found);
        let mut point = String::new();
        while let Some((index, mount)) = at.and_then(|index| Some((index, self.mounts.get(index)?))) {
            point.clone_from(&mount.path);
            at = self.hidden_by(index).filter(|below| {
                self.mounts
                    .get(*below)
                    .is_some_and(|below| is_mounted_on_itself(mount, below))
            });
        }
        point
    }

    fn mount_of(&self, found: &Statx) -> Option<usize> {
        let id = |mount: &MountLine| u64::try_from(mount.id).ok() == Some(found.stx_mnt_id);
        self.mounts.iter().position(id)
    }

    /// What lies hidden below the mounts on the way to something ([`ObjectState::hidden`]).
    fn hidden(&self, found: &Statx, resolved: &str) -> Vec<String> {
        let mut parts = Vec::new();
        let mut at = self.mount_of(found);
        while let Some(index) = at {
            at = self.hidden_by(index);
            let (Some(mount), Some(below)) = (
                self.mounts.get(index),
                at.and_then(|below| self.mounts.get(below)),
            ) else {
                break;
            };
            if !is_mounted_on_itself(mount, below) && !is_of_init(mount, below) {
                parts.push(hidden_part(self.root, mount, below, resolved));
            }
        }
        parts
    }

    /// The mount on which another is mounted: of those before it, the last of the longest path.
    fn hidden_by(&self, index: usize) -> Option<usize> {
        let mount = self.mounts.get(index)?;
        let before = self.mounts.iter().enumerate().take(index);
        before
            .filter(|(_, other)| path_below(&mount.path, &other.path).is_some())
            .max_by_key(|(_, other)| other.path.len())
            .map(|(index, _)| index)
    }

    /// The entries that lead to it: the one that is named, and the one that it resolves to.
    fn parents(&self, path: &str, resolved: &str) -> io::Result<Vec<DirEntry>> {
        let mut entries: Vec<DirEntry> = Vec::new();
        for (directory, name) in [path, resolved].into_iter().filter_map(split) {
            let opened = self.root.locate(directory)?;
            let found = status(&opened)?;
            let entry = DirEntry {
                ino: found.stx_ino,
                dev: self.device(&found),
                name: name.to_owned(),
                directory: self.root.path_of(&opened)?.unwrap_or_default(),
                uid: found.stx_uid,
                gid: found.stx_gid,
                mode: u32::from(found.stx_mode) & PERMISSIONS,
            };
            if !entries.contains(&entry) {
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    fn mounts_below(&self, directory: &str) -> Vec<String> {
        let is_below = |mount: &&MountLine| path_below(&mount.path, directory).is_some_and(|p| !p.is_empty());
        let below = self.mounts.iter().filter(is_below);
        below
            .map(|mount| mount.path.clone())
            .take(MAX_MOUNTS_BELOW)
            .collect()
    }
}

/// Whether the init process makes a mount before it starts anything that could load audit rules.
fn is_of_init(mount: &MountLine, below: &MountLine) -> bool {
    const FIRST: [(&str, &str); 2] = [("/run", "tmpfs"), ("/dev", "devtmpfs")];
    below.path == "/" && FIRST.contains(&(mount.path.as_str(), mount.fstype.as_str()))
}

/// Whether a mount shows the very directory that it is mounted on.
fn is_mounted_on_itself(mount: &MountLine, below: &MountLine) -> bool {
    let rest = path_below(&mount.path, &below.path).unwrap_or_default();
    let hidden = [below.root.trim_end_matches('/'), rest.trim_matches('/')].join("/");
    mount.dev == below.dev && mount.root.trim_end_matches('/') == hidden.trim_end_matches('/')
}

fn kind(found: &Statx) -> ObjectKind {
    match FileType::from_raw_mode(u32::from(found.stx_mode)) {
        FileType::RegularFile => ObjectKind::File,
        FileType::Directory => ObjectKind::Directory,
        FileType::Socket => ObjectKind::Socket,
        _ => ObjectKind::Other,
    }
}

/// What an access control list gives to those it names; 0 where there is none.
fn named_in_acl(file: &OwnedFd) -> io::Result<u32> {
    let name = proc_path(file);
    let nothing: &mut [u8] = &mut [];
    match getxattr(&name, acl::XATTR, nothing) {
        Err(Errno::NODATA | Errno::OPNOTSUPP) => return Ok(0),
        other => other?,
    };
    let mut bytes = vec![0; acl::MAX];
    let len = getxattr(&name, acl::XATTR, bytes.as_mut_slice())?;
    Acl::parse(bytes.get(..len).unwrap_or_default())
        .map(|acl| acl.named)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "its access list is malformed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(mount: &str, below: &str, expect: bool) {
        let line = |text: &str| MountLine::parse(format!("30 1 {text} rw - ext4 x rw").as_bytes()).unwrap();
        assert_eq!(is_mounted_on_itself(&line(mount), &line(below)), expect);
    }

    #[test]
    fn the_first_mounts_are_those_of_the_init_process() {
        let line = |path: &str, fstype: &str| {
            MountLine::parse(format!("30 1 0:25 / {path} rw - {fstype} x rw").as_bytes()).unwrap()
        };
        let root = line("/", "ext4");
        assert!(is_of_init(&line("/run", "tmpfs"), &root));
        assert!(!is_of_init(&line("/run", "ext4"), &root));
        assert!(!is_of_init(&line("/run", "tmpfs"), &line("/run", "tmpfs")));
        assert!(!is_of_init(&line("/var", "tmpfs"), &root));
    }

    #[test]
    fn a_directory_mounted_on_itself_hides_nothing() {
        check("8:1 /var/lib/docker /var/lib/docker", "8:1 / /", true);
        check("8:1 /lib/docker /var/lib/docker", "8:1 / /var", true);
        check("8:1 /vol/lib/docker /var/lib/docker", "8:1 /vol /var", true);
        check("8:1 /srv/docker /var/lib/docker", "8:1 / /", false);
        check("8:2 /var/lib/docker /var/lib/docker", "8:1 / /", false);
        check("8:2 / /var/lib/docker", "8:1 / /", false);
    }
}
