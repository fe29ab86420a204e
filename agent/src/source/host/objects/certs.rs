//! Certificates of registries (`certs.d`).

use std::collections::HashSet;

use super::found::Found;
use crate::model::{Fact, ObjectKind, Role};

/// Levels of directories that are entered: one per registry, and room for odd layouts.
const MAX_DEPTH: usize = 4;
/// Files and directories that are listed.
const MAX_ENTRIES: usize = 2048;

/// Lists the files and directories below a `certs.d`, each directory under one name.
pub(super) fn find(found: &mut Found<'_>, top: &str) {
    if !found.looker.root.has(top) {
        found.add(Role::RegistryCertDir, top);
        found.add(Role::RegistryCert, top);
        return;
    }
    let mut walk = Walk {
        found,
        left: MAX_ENTRIES,
        entered: HashSet::new(),
    };
    walk.descend(top, MAX_DEPTH);
}

struct Walk<'w, 'a> {
    found: &'w mut Found<'a>,
    /// Entries that may still be listed.
    left: usize,
    /// Directories, resolved: a link may lead back.
    entered: HashSet<String>,
}

impl Walk<'_, '_> {
    fn descend(&mut self, directory: &str, depth: usize) {
        self.found.add(Role::RegistryCertDir, directory);
        let mut names = match self.found.looker.root.list(directory) {
            Ok(names) => names,
            Err(error) => return self.give_up(directory, &format!("{directory} could not be read: {error}")),
        };
        // Real directories first, so that it is a link that is the second name.
        names.sort_by_cached_key(|name| {
            self.found
                .looker
                .root
                .link(&format!("{directory}/{name}"))
                .is_some()
        });
        for name in names {
            if self.left == 0 {
                let why = format!("it has more than {MAX_ENTRIES} entries, and the rest was not looked at");
                return self.give_up(directory, &why);
            }
            self.left -= 1;
            self.entry(&format!("{directory}/{name}"), depth);
        }
    }

    fn entry(&mut self, path: &str, depth: usize) {
        match self.found.looker.state(path) {
            Fact::Known(Some(there)) if there.kind == ObjectKind::Directory => {
                if depth <= 1 {
                    self.give_up(path, "it lies too deep and was not looked into");
                } else if self.entered.insert(there.resolved) {
                    self.descend(path, depth - 1);
                }
            }
            _ => self.found.add(Role::RegistryCert, path),
        }
    }

    fn give_up(&mut self, path: &str, why: &str) {
        self.found.add_unknown(Role::RegistryCert, path, why);
    }
}
