//! Which directories are marked, and what the names in them are to the engine.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::handle::handle;
use crate::model::{Fact, Object, ObjectKind, Role};

/// Directories that are marked at most, and files; a host has some dozens.
const MARKS: usize = 1024;

/// What is to be marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Path for this process.
    pub(super) path: PathBuf,
    /// What it is called by.
    pub(super) handle: Vec<u8>,
    pub(super) is_directory: bool,
}

/// What to watch.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Where the host's files begin for this process.
    root: PathBuf,
    /// Roles by full path.
    names: HashMap<String, Role>,
    /// Roles of what lies directly in a directory that is an object itself.
    within: HashMap<String, Role>,
    /// Directories by their handle. One may have several paths.
    directories: HashMap<Vec<u8>, BTreeSet<String>>,
    /// Paths and roles of files by their handle: each may have other names, in directories that nobody watches.
    files: HashMap<Vec<u8>, (String, Role)>,
}

impl Table {
    /// What these objects below a root ask for; beside it what is to be marked, and what cannot be.
    pub(super) fn new(root: &Path, objects: &[Object]) -> (Self, Vec<Mark>, Vec<String>) {
        let mut table = Self {
            root: root.to_owned(),
            ..Self::default()
        };
        let mut wanted = BTreeSet::new();
        let mut files = BTreeMap::new();
        for object in objects {
            table.add(object, &mut wanted, &mut files);
        }
        let (mut marks, mut failed) = (BTreeMap::new(), Vec::new());
        for path in wanted.into_iter().take(MARKS) {
            match table.mark(&path, true) {
                Ok(mark) => {
                    let paths = table.directories.entry(mark.handle.clone()).or_default();
                    paths.insert(path);
                    marks.entry(mark.handle.clone()).or_insert(mark);
                }
                Err(error) => failed.push(format!("{path}: {error}")),
            }
        }
        for (path, role) in files.into_iter().take(MARKS) {
            // One that is gone again is told of by its directory.
            if let Ok(mark) = table.mark(&path, false) {
                let known = table.files.entry(mark.handle.clone());
                known.or_insert((path, role));
                marks.entry(mark.handle.clone()).or_insert(mark);
            }
        }
        (table, marks.into_values().collect(), failed)
    }

    fn mark(&self, path: &str, is_directory: bool) -> std::io::Result<Mark> {
        let path = self.inner(path);
        Ok(Mark {
            handle: handle(&path)?,
            path,
            is_directory,
        })
    }

    /// A path of the host as this process names it.
    pub(super) fn inner(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// Watches a directory that has just been made in one whose role it shares.
    pub(super) fn adopt(&mut self, path: &str, role: Role) -> Option<Mark> {
        if self.directories.len() >= MARKS {
            return None;
        }
        let mark = self.mark(path, true).ok()?;
        let paths = self.directories.entry(mark.handle.clone()).or_default();
        paths.insert(path.to_owned());
        self.within.entry(path.to_owned()).or_insert(role);
        Some(mark)
    }

    fn add(&mut self, object: &Object, wanted: &mut BTreeSet<String>, files: &mut BTreeMap<String, Role>) {
        let state = match &object.state {
            Fact::Known(Some(state)) => state,
            Fact::Known(None) | Fact::Unknown(_) => return self.add_absent(object, wanted),
        };
        self.name(&object.path, object.role);
        self.name(&state.resolved, object.role);
        for entry in &state.parents {
            self.name(
                &format!("{}/{}", trimmed(&entry.directory), entry.name),
                object.role,
            );
            wanted.insert(entry.directory.clone());
        }
        if state.kind == ObjectKind::Directory {
            self.within.entry(state.resolved.clone()).or_insert(object.role);
            wanted.insert(state.resolved.clone());
        } else {
            files.entry(state.resolved.clone()).or_insert(object.role);
        }
    }

    /// What is not there may come: the first directory above it that is there tells of it.
    fn add_absent(&mut self, object: &Object, wanted: &mut BTreeSet<String>) {
        let mut path = Path::new(&object.path);
        while let (Some(parent), Some(name)) = (path.parent(), path.file_name()) {
            if let Some(parent) = self.canonical(parent) {
                let full = parent.join(name);
                self.name(&full.to_string_lossy(), object.role);
                wanted.insert(parent.to_string_lossy().into_owned());
                return;
            }
            path = parent;
        }
    }

    /// A directory of the host without symlinks in its path, where it is there.
    fn canonical(&self, path: &Path) -> Option<PathBuf> {
        let found = self.inner(&path.to_string_lossy()).canonicalize().ok()?;
        let root = self.root.canonicalize().ok()?;
        Some(Path::new("/").join(found.strip_prefix(root).ok()?))
    }

    fn name(&mut self, path: &str, role: Role) {
        self.names.entry(path.to_owned()).or_insert(role);
    }

    /// The full path and role of a name in a directory, else of what it names; none for what is nobody's.
    pub(super) fn find(&self, directory: &[u8], name: &str, object: &[u8]) -> Option<(String, Role)> {
        let named = self
            .directories
            .get(directory)
            .and_then(|paths| paths.iter().find_map(|directory| self.find_in(directory, name)));
        named.or_else(|| self.files.get(object).cloned())
    }

    fn find_in(&self, directory: &str, name: &str) -> Option<(String, Role)> {
        if name == "." {
            let role = self.within.get(directory).or(self.names.get(directory))?;
            return Some((directory.to_owned(), *role));
        }
        let full = format!("{}/{name}", trimmed(directory));
        let role = self.names.get(&full).or(self.within.get(directory))?;
        Some((full, *role))
    }
}

fn trimmed(directory: &str) -> &str {
    directory.trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DirEntry, ObjectState};

    fn object(role: Role, path: &Path, kind: ObjectKind, there: bool) -> Object {
        let text = path.to_string_lossy().into_owned();
        let parent = path.parent().unwrap().to_string_lossy().into_owned();
        let entry = DirEntry {
            directory: parent,
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            ..DirEntry::default()
        };
        let state = ObjectState {
            resolved: text.clone(),
            kind,
            parents: vec![entry],
            ..ObjectState::default()
        };
        Object {
            role,
            path: text,
            state: Fact::Known(there.then_some(state)),
        }
    }

    #[test]
    fn names_are_found_in_their_directories_and_others_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap();
        let etc = top.join("docker");
        std::fs::create_dir(&etc).unwrap();
        let objects = [
            object(Role::ConfigDir, &etc, ObjectKind::Directory, true),
            object(Role::ConfigFile, &etc.join("daemon.json"), ObjectKind::File, true),
            object(
                Role::SysconfigFile,
                &top.join("sysconfig/docker"),
                ObjectKind::File,
                false,
            ),
        ];
        std::fs::write(etc.join("daemon.json"), "{}").unwrap();
        let (mut table, marks, failed) = Table::new(Path::new("/"), &objects);
        assert_eq!((marks.len(), failed.len()), (3, 0));
        let (in_top, in_etc) = (handle(&top).unwrap(), handle(&etc).unwrap());
        let role = |directory: &[u8], name: &str| table.find(directory, name, b"").map(|(_, role)| role);
        assert_eq!(role(&in_etc, "daemon.json"), Some(Role::ConfigFile));
        assert_eq!(role(&in_etc, "key.json"), Some(Role::ConfigDir));
        assert_eq!(role(&in_etc, "."), Some(Role::ConfigDir));
        assert_eq!(role(&in_top, "docker"), Some(Role::ConfigDir));
        assert_eq!(role(&in_top, "sysconfig"), Some(Role::SysconfigFile));
        assert_eq!(role(&in_top, "passwd"), None);
        assert_eq!(role(b"elsewhere", "daemon.json"), None);
        std::fs::hard_link(etc.join("daemon.json"), top.join("alias")).unwrap();
        let same = handle(&top.join("alias")).unwrap();
        let (path, role) = table.find(b"elsewhere", "alias", &same).unwrap();
        let daemon_json = etc.join("daemon.json").to_string_lossy().into_owned();
        assert_eq!((path, role), (daemon_json, Role::ConfigFile));
        std::fs::create_dir(etc.join("new")).unwrap();
        let new = etc.join("new").to_string_lossy().into_owned();
        let mark = table.adopt(&new, Role::RegistryCertDir).unwrap();
        let found = table.find(&mark.handle, "ca.crt", b"").unwrap();
        assert_eq!(found, (format!("{new}/ca.crt"), Role::RegistryCertDir));
    }

    /// As from a container: the host's root directory is somewhere else.
    #[test]
    fn paths_are_the_host_s_wherever_its_root_is() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("etc/docker")).unwrap();
        let etc = Path::new("/etc/docker");
        let objects = [
            object(Role::ConfigDir, etc, ObjectKind::Directory, true),
            object(
                Role::ConfigFile,
                &etc.join("daemon.json"),
                ObjectKind::File,
                false,
            ),
        ];
        let (table, marks, failed) = Table::new(dir.path(), &objects);
        assert_eq!((marks.len(), failed.len()), (2, 0));
        assert!(marks.iter().all(|mark| mark.path.starts_with(dir.path())));
        let inner = handle(&dir.path().join("etc/docker")).unwrap();
        let found = table.find(&inner, "daemon.json", b"");
        assert_eq!(found, Some(("/etc/docker/daemon.json".into(), Role::ConfigFile)));
    }
}
