//! Which directories are marked, and what the names in them are to the engine.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::handle::handle;
use crate::model::{Fact, Object, ObjectKind, Role};

/// Directories that are marked at most; a host has some dozens.
const DIRECTORIES: usize = 1024;

/// What to watch.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Roles by full path.
    names: HashMap<String, Role>,
    /// Roles of what lies directly in a directory that is an object itself.
    within: HashMap<String, Role>,
    /// Directories by their handle. One may have several paths.
    directories: HashMap<Vec<u8>, BTreeSet<String>>,
}

impl Table {
    /// What these objects ask for; beside it the directories to be marked, and those that cannot be.
    pub(super) fn new(objects: &[Object]) -> (Self, Vec<PathBuf>, Vec<String>) {
        let mut table = Self::default();
        let mut wanted = BTreeSet::new();
        for object in objects {
            table.add(object, &mut wanted);
        }
        let (mut marks, mut failed) = (BTreeMap::new(), Vec::new());
        for path in wanted.into_iter().take(DIRECTORIES) {
            match handle(Path::new(&path)) {
                Ok(handle) => {
                    marks
                        .entry(handle.clone())
                        .or_insert_with(|| PathBuf::from(&path));
                    table.directories.entry(handle).or_default().insert(path);
                }
                Err(error) => failed.push(format!("{path}: {error}")),
            }
        }
        (table, marks.into_values().collect(), failed)
    }

    fn add(&mut self, object: &Object, wanted: &mut BTreeSet<String>) {
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
        }
    }

    /// What is not there may come: the first directory above it that is there tells of it.
    fn add_absent(&mut self, object: &Object, wanted: &mut BTreeSet<String>) {
        let mut path = Path::new(&object.path);
        while let (Some(parent), Some(name)) = (path.parent(), path.file_name()) {
            if let Ok(parent) = parent.canonicalize() {
                let full = parent.join(name);
                self.name(&full.to_string_lossy(), object.role);
                wanted.insert(parent.to_string_lossy().into_owned());
                return;
            }
            path = parent;
        }
    }

    fn name(&mut self, path: &str, role: Role) {
        self.names.entry(path.to_owned()).or_insert(role);
    }

    /// The full path and role of a name in a directory; none for what is nobody's.
    pub(super) fn find(&self, directory: &[u8], name: &str) -> Option<(String, Role)> {
        let paths = self.directories.get(directory)?;
        paths.iter().find_map(|directory| {
            if name == "." {
                let role = self.within.get(directory).or(self.names.get(directory))?;
                return Some((directory.clone(), *role));
            }
            let full = format!("{}/{name}", trimmed(directory));
            let role = self.names.get(&full).or(self.within.get(directory))?;
            Some((full, *role))
        })
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
        let (table, marks, failed) = Table::new(&objects);
        assert_eq!((marks.len(), failed.len()), (2, 0));
        let (in_top, in_etc) = (handle(&top).unwrap(), handle(&etc).unwrap());
        let role = |directory: &[u8], name: &str| table.find(directory, name).map(|(_, role)| role);
        assert_eq!(role(&in_etc, "daemon.json"), Some(Role::ConfigFile));
        assert_eq!(role(&in_etc, "key.json"), Some(Role::ConfigDir));
        assert_eq!(role(&in_etc, "."), Some(Role::ConfigDir));
        assert_eq!(role(&in_top, "docker"), Some(Role::ConfigDir));
        assert_eq!(role(&in_top, "sysconfig"), Some(Role::SysconfigFile));
        assert_eq!(role(&in_top, "passwd"), None);
        assert_eq!(role(b"elsewhere", "daemon.json"), None);
    }
}
