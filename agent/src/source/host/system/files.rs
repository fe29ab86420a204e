//! Configuration files of the host, bounded.

use std::io;
use std::os::fd::AsRawFd;

use super::super::process_root::ProcessRoot;

/// Largest configuration file that is read.
const MAX_FILE: u64 = 1 << 20;
/// Entries of one directory that are looked at.
const MAX_ENTRIES: usize = 4096;

/// A file as text.
///
/// # Errors
/// As of reading it; it is no regular file, or larger than 1 MiB.
pub(super) fn text(root: &ProcessRoot, path: &str) -> io::Result<String> {
    let bytes = root.read(path, MAX_FILE)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// As [`text`]; `None` where there is no such file.
pub(super) fn text_if_any(root: &ProcessRoot, path: &str) -> io::Result<Option<String>> {
    match text(root, path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Paths of the entries of a directory, sorted; none where there is no such directory.
pub(super) fn list(root: &ProcessRoot, directory: &str) -> Vec<String> {
    let Ok(handle) = root.locate(directory) else {
        return Vec::new();
    };
    let entries = std::fs::read_dir(format!("/proc/self/fd/{}", handle.as_raw_fd()));
    let entries = entries.into_iter().flatten().flatten().take(MAX_ENTRIES);
    let name = |entry: std::fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut paths: Vec<_> = entries
        .map(|entry| format!("{directory}/{}", name(entry)))
        .collect();
    paths.sort_unstable();
    paths
}

#[cfg(test)]
pub(super) mod testing {
    use std::fs;

    use super::super::super::process_root::ProcessRoot;

    /// A root directory with files of the test's own.
    pub(in super::super) struct Tree(tempfile::TempDir);

    impl Tree {
        /// With these files, by path without a leading slash.
        pub(in super::super) fn new(files: &[(&str, &str)]) -> Self {
            let tree = Self(tempfile::tempdir().unwrap());
            for (path, text) in files {
                let path = tree.0.path().join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            tree
        }

        pub(in super::super) fn root(&self) -> ProcessRoot {
            ProcessRoot::at(self.0.path()).unwrap()
        }
    }

    #[test]
    fn files_and_directories_are_read_below_the_root() {
        let tree = Tree::new(&[("a/b", "text"), ("a/a", "")]);
        let root = tree.root();
        assert_eq!(super::text(&root, "/a/b").unwrap(), "text");
        assert_eq!(super::text_if_any(&root, "/a/c").unwrap(), None);
        assert!(super::text_if_any(&root, "/a").is_err());
        assert_eq!(super::list(&root, "/a"), ["/a/a", "/a/b"]);
        assert!(super::list(&root, "/b").is_empty());
    }
}
