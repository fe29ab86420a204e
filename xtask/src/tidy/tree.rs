//! The text of the project, as rules see it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use anyhow::{Context, Result};

use crate::workspace;

/// Path from the root, and text, of every text file. Binary files are not in it.
#[derive(Debug)]
pub(super) struct Tree(BTreeMap<String, String>);

/// Something that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    path: String,
    /// Counted from 1; 0 where it is the file as a whole.
    line: usize,
    /// What is wrong, and what to do.
    text: String,
}

impl Problem {
    pub(super) fn new(path: &str, line: usize, text: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            text: text.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, text } = self;
        write!(f, "{path}:{}: {text}", line.max(&1))
    }
}

impl Tree {
    /// Reads the files of the checkout.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        for path in workspace::files(root)? {
            let bytes = std::fs::read(root.join(&path)).with_context(|| format!("cannot read {path}"))?;
            // As git does: a file with a NUL byte is binary.
            if bytes.contains(&0) {
                continue;
            }
            if let Ok(text) = String::from_utf8(bytes) {
                files.insert(path, text);
            }
        }
        Ok(Self(files))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Every file.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Every Rust file.
    pub(super) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all().filter(|(path, _)| path.ends_with(".rs"))
    }

    /// Rust files directly in a directory (`agent/src/check`): their names without `.rs`, and their text.
    pub(super) fn modules(&self, directory: &str) -> impl Iterator<Item = (&str, &str)> {
        self.rust().filter_map(move |(path, text)| {
            let name = path
                .strip_prefix(directory)?
                .strip_prefix('/')?
                .strip_suffix(".rs")?;
            (!name.contains('/')).then_some((name, text))
        })
    }

    /// One file.
    pub(super) fn get(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        Self(
            files
                .iter()
                .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
                .collect(),
        )
    }
}

/// Lines with a problem that a rule finds in a tree of these files.
#[cfg(test)]
#[track_caller]
pub(super) fn assert_problems(
    rule: fn(&Tree) -> Vec<Problem>,
    files: &[(&str, &str)],
    expect: &[(&str, usize)],
) {
    let found = rule(&Tree::of(files));
    let places: Vec<_> = found
        .iter()
        .map(|problem| (problem.path.as_str(), problem.line))
        .collect();
    assert_eq!(places, expect, "{found:#?}");
}
