//! With what, and from what, the object in the tree was built.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::toolchain::Toolchain;
use crate::workspace;

/// Next to the object, and tracked like it.
const FILE: &str = "agent/src/source/kernel/probes.o.txt";
/// What the object is made of.
const SOURCES: &[&str] = &["ebpf/", "common/"];
const BUILT_WITH: &str = "built with: ";
const BUILT_FROM: &str = "built from: ";

/// The record.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Versions of compiler and linker.
    pub(super) tools: String,
    /// Digest of the sources.
    pub(super) sources: String,
}

impl Record {
    /// What a build with this toolchain, now, would record.
    pub(super) fn new(root: &Path, toolchain: &Toolchain) -> Result<Self> {
        Ok(Self {
            tools: toolchain.versions().to_owned(),
            sources: digest(root)?,
        })
    }

    /// The record in the tree; none where nothing was built yet.
    pub(super) fn read(root: &Path) -> Result<Option<Self>> {
        let path = root.join(FILE);
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {FILE}"))?;
        Self::parse(&text)
            .map(Some)
            .with_context(|| format!("{FILE} is not a record of a build"))
    }

    pub(super) fn write(&self, root: &Path) -> Result<()> {
        fs::write(root.join(FILE), self.text()).with_context(|| format!("cannot write {FILE}"))
    }

    fn text(&self) -> String {
        let Self { tools, sources } = self;
        format!("Written by `cargo xtask build-ebpf`.\n{BUILT_WITH}{tools}\n{BUILT_FROM}{sources}\n")
    }

    fn parse(text: &str) -> Option<Self> {
        let field = |name| {
            text.lines()
                .find_map(|line| line.strip_prefix(name))
                .map(str::to_owned)
        };
        Some(Self {
            tools: field(BUILT_WITH)?,
            sources: field(BUILT_FROM)?,
        })
    }
}

/// Digest of the sources' names and contents, by git's own hash.
pub(super) fn digest(root: &Path) -> Result<String> {
    let files: Vec<_> = workspace::files(root)?
        .into_iter()
        .filter(|path| SOURCES.iter().any(|source| path.starts_with(source)))
        .filter(|path| path.ends_with(".rs") || path.ends_with(".toml") || path.ends_with(".lock"))
        .collect();
    let hashes = hash(root, &["--no-filters", "--stdin-paths"], &files.join("\n"))?;
    ensure!(
        hashes.lines().count() == files.len(),
        "git hashed another number of files than it was given"
    );
    let listing: Vec<_> = hashes
        .lines()
        .zip(&files)
        .map(|(hash, file)| format!("{hash} {file}"))
        .collect();
    hash(root, &["--stdin"], &listing.join("\n"))
}

fn hash(root: &Path, how: &[&str], input: &str) -> Result<String> {
    let mut child = Command::new("git")
        .arg("hash-object")
        .args(how)
        .current_dir(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run git")?;
    let Some(mut stdin) = child.stdin.take() else {
        bail!("git has no stdin")
    };
    let input = input.to_owned();
    // Written aside: git answers while it is still reading.
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "git hash-object failed");
    match writer.join() {
        Ok(written) => written?,
        Err(_) => bail!("writing to git panicked"),
    }
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let record = Record {
            tools: "rustc 1, linker 2".to_owned(),
            sources: "abc".to_owned(),
        };
        assert_eq!(Record::parse(&record.text()), Some(record));
        assert_eq!(Record::parse("built with: x\n"), None);
    }

    #[test]
    fn the_digest_follows_contents_and_names() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path();
        assert!(
            Command::new("git")
                .args(["init", "-q"])
                .current_dir(root)
                .status()
                .unwrap()
                .success()
        );
        fs::create_dir(root.join("ebpf")).unwrap();
        fs::write(root.join("ebpf/a.rs"), "x").unwrap();
        let first = digest(root).unwrap();
        fs::write(root.join("other.rs"), "x").unwrap();
        assert_eq!(digest(root).unwrap(), first);
        fs::write(root.join("ebpf/a.rs"), "y").unwrap();
        let changed = digest(root).unwrap();
        assert_ne!(changed, first);
        fs::rename(root.join("ebpf/a.rs"), root.join("ebpf/b.rs")).unwrap();
        assert_ne!(digest(root).unwrap(), changed);
    }
}
