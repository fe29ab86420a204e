//! What `auditctl` looks up on the host when it reads a rule.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Longest file of accounts that is read.
const MAX_FILE: u64 = 4 << 20;

/// Where names are looked up.
#[derive(Debug)]
pub(super) struct Accounts {
    root: PathBuf,
}

impl Accounts {
    /// On the host whose root directory this is.
    pub(super) fn below(root: &Path) -> Self {
        Self {
            root: root.to_path_buf(),
        }
    }

    /// Number of a user.
    pub(super) fn user(&self, name: &str) -> Option<u32> {
        self.number("etc/passwd", name)
    }

    /// Number of a group.
    pub(super) fn group(&self, name: &str) -> Option<u32> {
        self.number("etc/group", name)
    }

    /// Whether a path leads to a directory: the watch of one is a rule on its tree.
    pub(super) fn is_directory(&self, path: &str) -> bool {
        fs::metadata(self.root.join(path.trim_start_matches('/'))).is_ok_and(|found| found.is_dir())
    }

    fn number(&self, file: &str, name: &str) -> Option<u32> {
        let mut text = Vec::new();
        let file = File::open(self.root.join(file)).ok()?;
        file.take(MAX_FILE).read_to_end(&mut text).ok()?;
        String::from_utf8_lossy(&text).lines().find_map(|line| {
            let mut columns = line.split(':');
            let found = columns.next() == Some(name);
            columns.nth(1).filter(|_| found)?.parse().ok()
        })
    }
}
