//! The cgroups of containers that exist already.

use std::fs::{self, DirEntry};
use std::io;
use std::os::unix::fs::{DirEntryExt, MetadataExt};
use std::path::{Path, PathBuf};

use hullwatch_common::{CGROUP_NAME_MAX, CONTAINER_ID_LEN, container_id_at};
use procfs::ProcessCGroup;

use super::proc;
use crate::model::{CgroupId, ContainerId, MountLine};

/// Version 1 controllers whose hierarchy can stand for a host that has no version 2, best first.
const V1_CONTROLLERS: [&str; 3] = ["pids", "memory", "cpu"];
/// Cgroups that are looked at.
const MAX_CGROUPS: usize = 65_536;

/// Version of a cgroup hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CgroupVersion {
    /// One hierarchy of version 1, by its controller.
    V1(&'static str),
    /// The unified hierarchy, alone or next to version 1.
    V2,
}

/// A cgroup hierarchy and where it is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hierarchy {
    /// Version.
    pub version: CgroupVersion,
    /// Mount point.
    pub path: PathBuf,
}

/// A container's cgroups could not be looked for.
#[derive(Debug, thiserror::Error)]
pub enum CgroupError {
    /// The mounts cannot be read.
    #[error("cannot read the mounts of this process")]
    Mounts(#[source] io::Error),
    /// No hierarchy is mounted.
    #[error("no cgroup hierarchy is mounted")]
    NotMounted,
    /// The root of the hierarchy cannot be read.
    #[error("cannot read {}", path.display())]
    Root {
        /// Its mount point.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// A cgroup of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundCgroup {
    /// Inode of its directory: its id in the kernel, on 64-bit machines.
    pub id: CgroupId,
    /// Path from the root of the hierarchy, with a leading slash.
    pub path: String,
    /// The container, by the outermost cgroup that bears a container's name.
    pub container: ContainerId,
    /// That outermost cgroup.
    pub root: CgroupId,
}

/// What a walk found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundCgroups {
    /// Cgroups of containers, outermost before nested.
    pub cgroups: Vec<FoundCgroup>,
    /// Directories that could not be read, or lay beyond the first 65 536.
    pub unread: usize,
}

impl Hierarchy {
    /// Hierarchies that containers can be told by, best first: the unified one, then those of
    /// `pids`, `memory` and `cpu`. A host that mounts both kinds may keep its containers in either.
    ///
    /// # Errors
    /// The mounts cannot be read.
    pub fn all() -> Result<Vec<Self>, CgroupError> {
        let own = proc::open(std::process::id()).map_err(CgroupError::Mounts)?;
        let mounts = proc::mounts(&own).map_err(CgroupError::Mounts)?;
        Ok(Self::among(&mounts).collect())
    }

    /// The best of them.
    ///
    /// # Errors
    /// The mounts cannot be read, or there is no such hierarchy.
    pub fn find() -> Result<Self, CgroupError> {
        Self::all()?.into_iter().next().ok_or(CgroupError::NotMounted)
    }

    fn among(mounts: &[MountLine]) -> impl Iterator<Item = Self> {
        let versions = [CgroupVersion::V2]
            .into_iter()
            .chain(V1_CONTROLLERS.map(CgroupVersion::V1));
        versions.filter_map(|version| {
            let mount = mounts
                .iter()
                .find(|mount| mount.root == "/" && version.is_mounted_as(mount))?;
            let path = PathBuf::from(&mount.path);
            Some(Self { version, path })
        })
    }
}

impl CgroupVersion {
    fn is_mounted_as(self, mount: &MountLine) -> bool {
        match self {
            Self::V2 => mount.fstype == "cgroup2",
            Self::V1(controller) => {
                mount.fstype == "cgroup" && mount.super_options.iter().any(|option| option == controller)
            }
        }
    }

    /// Whether a line of `/proc/PID/cgroup` is of this hierarchy.
    pub(super) fn is_of(self, group: &ProcessCGroup) -> bool {
        match self {
            Self::V2 => group.hierarchy == 0,
            Self::V1(controller) => group.controllers.iter().any(|name| name == controller),
        }
    }
}

/// Cgroups of containers in the hierarchy that [`Hierarchy::find`] names.
///
/// # Errors
/// There is no hierarchy, or its root cannot be read.
pub fn container_cgroups() -> Result<FoundCgroups, CgroupError> {
    container_cgroups_in(&Hierarchy::find()?.path)
}

/// Cgroups of containers below a directory: those that bear a container's name, and all within them.
///
/// # Errors
/// The directory cannot be read.
pub fn container_cgroups_in(mount: &Path) -> Result<FoundCgroups, CgroupError> {
    let mut found = FoundCgroups::default();
    let mut pending = vec![Pending::default()];
    let mut looked_at = 0;
    while let Some(parent) = pending.pop() {
        let directory = mount.join(parent.path.trim_start_matches('/'));
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(source) if parent.path.is_empty() => {
                let path = directory;
                return Err(CgroupError::Root { path, source });
            }
            // Removed since its parent was read.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(_) => {
                found.unread += 1;
                continue;
            }
        };
        for entry in entries.flatten().filter(is_directory) {
            looked_at += 1;
            if looked_at > MAX_CGROUPS {
                found.unread += 1;
                continue;
            }
            let child = parent.child(&entry);
            found.cgroups.extend(child.found(&entry));
            pending.push(child);
        }
    }
    Ok(found)
}

/// The outermost cgroup of a container that a living process is in; `None` where the process is gone, or in no such.
#[must_use]
pub fn container_cgroup_of(hierarchy: &Hierarchy, pid: u32, container: &ContainerId) -> Option<FoundCgroup> {
    let groups = proc::open(pid).ok()?.cgroups().ok()?;
    let group = groups.into_iter().find(|group| hierarchy.version.is_of(group))?;
    let path = outermost(&group.pathname, container)?;
    let directory = hierarchy.path.join(path.trim_start_matches('/'));
    let id = CgroupId(fs::metadata(directory).ok()?.ino());
    Some(FoundCgroup {
        id,
        path: path.to_owned(),
        container: container.clone(),
        root: id,
    })
}

fn is_directory(entry: &DirEntry) -> bool {
    entry.file_type().is_ok_and(|kind| kind.is_dir())
}

/// A cgroup whose children are still to be looked at.
#[derive(Default)]
struct Pending {
    path: String,
    container: Option<(ContainerId, CgroupId)>,
}

impl Pending {
    fn child(&self, entry: &DirEntry) -> Self {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let own = || container_of(&name).map(|id| (id, CgroupId(entry.ino())));
        Self {
            path: format!("{}/{name}", self.path),
            container: self.container.clone().or_else(own),
        }
    }

    fn found(&self, entry: &DirEntry) -> Option<FoundCgroup> {
        let (container, root) = self.container.clone()?;
        Some(FoundCgroup {
            id: CgroupId(entry.ino()),
            path: self.path.clone(),
            container,
            root,
        })
    }
}

/// The container that a cgroup's name bears, by the rule that the probes follow.
pub(super) fn container_of(name: &str) -> Option<ContainerId> {
    let mut padded = [0; CGROUP_NAME_MAX];
    padded
        .get_mut(..name.len())
        .filter(|_| name.len() < CGROUP_NAME_MAX)?
        .copy_from_slice(name.as_bytes());
    let at = container_id_at(&padded)?;
    name.get(at..at + CONTAINER_ID_LEN)?.parse().ok()
}

/// The outermost cgroup of a container on the way to `path`: the path up to the component that
/// bears its id. `None` where none does.
pub(super) fn outermost<'a>(path: &'a str, container: &ContainerId) -> Option<&'a str> {
    let mut end = 0;
    for component in path.split('/') {
        end += component.len();
        if container_of(component).as_ref() == Some(container) {
            return path.get(..end);
        }
        end += 1;
    }
    None
}

#[cfg(test)]
pub(super) mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    /// Id of the cgroup of a directory.
    pub(in super::super) fn id_of(directory: &Path) -> CgroupId {
        CgroupId(fs::metadata(directory).unwrap().ino())
    }

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    #[test]
    fn a_container_is_its_outermost_cgroup_and_all_within() {
        let dir = tempfile::tempdir().unwrap();
        let make = |path: &str| {
            fs::create_dir_all(dir.path().join(path)).unwrap();
            id_of(&dir.path().join(path))
        };
        let outer = make(&format!("docker/{A}"));
        let inner = make(&format!("docker/{A}/init.scope"));
        let nested = make(&format!("docker/{A}/docker/{B}"));
        let scope = make(&format!("machine.slice/libpod-{B}.scope"));
        make(&format!("machine.slice/libpod-conmon-{B}.scope"));
        make("system.slice/ssh.service");
        make(&"n".repeat(200));
        fs::write(dir.path().join(A), "a file").unwrap();

        let found = container_cgroups_in(dir.path()).unwrap();
        assert_eq!(found.unread, 0);
        let mut shown: Vec<_> = found
            .cgroups
            .iter()
            .map(|c| (c.id, c.root, c.container.short().to_owned(), c.path.len()))
            .collect();
        shown.sort();
        let (a, b) = ("a".repeat(12), "b".repeat(12));
        let docker = id_of(&dir.path().join(format!("docker/{A}/docker")));
        let mut expect = vec![
            (outer, outer, a.clone(), 72),
            (inner, outer, a.clone(), 83),
            (docker, outer, a.clone(), 79),
            (nested, outer, a, 144),
            (scope, scope, b, 92),
        ];
        expect.sort();
        assert_eq!(shown, expect);
    }

    #[test]
    fn a_missing_hierarchy_is_an_error() {
        let missing = container_cgroups_in(Path::new("/nonexistent"));
        assert!(matches!(missing, Err(CgroupError::Root { .. })), "{missing:?}");
    }

    #[track_caller]
    fn check(lines: &[&str], expect: &[(CgroupVersion, &str)]) {
        let mounts: Vec<_> = lines
            .iter()
            .map(|l| MountLine::parse(l.as_bytes()).unwrap())
            .collect();
        let found: Vec<_> = Hierarchy::among(&mounts).collect();
        let shown: Vec<_> = found
            .iter()
            .map(|h| (h.version, h.path.to_str().unwrap()))
            .collect();
        assert_eq!(shown, expect, "{lines:?}");
    }

    #[test]
    fn the_unified_hierarchy_is_preferred_wherever_it_is_mounted() {
        let memory = "35 31 0:32 / /cg/memory rw - cgroup cgroup rw,memory";
        let pids = "39 31 0:36 / /cg/pids rw - cgroup cgroup rw,pids";
        let unified = "41 31 0:38 / /cg/unified rw - cgroup2 cgroup2 rw";
        let partial = "41 31 0:38 /docker /mnt rw - cgroup2 cgroup2 rw";
        let has_memory = (CgroupVersion::V1("memory"), "/cg/memory");
        let has_pids = (CgroupVersion::V1("pids"), "/cg/pids");
        check(
            &[memory, pids, unified],
            &[(CgroupVersion::V2, "/cg/unified"), has_pids, has_memory],
        );
        check(&[memory, pids, partial], &[has_pids, has_memory]);
        check(&[memory], &[has_memory]);
        check(&["27 1 254:0 / / rw - ext4 /dev/vda rw,memory"], &[]);
    }

    #[test]
    fn the_outermost_cgroup_ends_with_the_components_name() {
        let id: ContainerId = A.parse().unwrap();
        let outer = format!("/x/docker-{A}.scope");
        assert_eq!(outermost(&format!("{outer}/deep/er"), &id), Some(outer.as_str()));
        assert_eq!(outermost(&outer, &id), Some(outer.as_str()));
        assert_eq!(outermost(&format!("/{B}/x"), &id), None);
        assert_eq!(outermost("/", &id), None);
    }
}
