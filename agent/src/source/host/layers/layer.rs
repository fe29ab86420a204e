//! One layer: what of its files matters.

use std::path::{Path, PathBuf};

use rustix::fs::FileType;

use super::budget::Left;
use super::directory::{Directory, Entry};
use super::interest::{self, Interest};
use super::{LayersError, database, secret_file, source_file};

/// Most findings of one layer.
const MAX_FINDINGS: usize = 16_384;
/// Bytes of a file of settings or with a secret. A longer one is none.
const FILE_BYTES: u32 = 1 << 20;

/// What a layer has.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub(super) findings: Vec<Finding>,
}

/// A file that matters.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    /// Absolute path in the image.
    pub(super) path: String,
    /// Path from the layer's root.
    pub(super) inner: PathBuf,
    pub(super) what: What,
}

/// Why it matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// It runs with privileges of its own.
    Privileged,
    /// An image need not ship it.
    Tool,
    /// It lists packages.
    Packages {
        database: &'static str,
        names: Vec<String>,
    },
    /// It lists packages, in a form that is not read.
    Unlisted { database: &'static str },
    /// It names sources of packages that are not verified: the setting.
    Unverified(String),
    /// It looks like a secret.
    Secret { kind: &'static str, digest: String },
}

impl Layer {
    pub(super) fn read(path: &Path, left: &mut Left) -> Result<Self, LayersError> {
        let directory = Directory::open(path)?;
        let mut findings = Vec::new();
        directory.walk(left, |entry, left| {
            let found = judge(&directory, entry, left)?;
            findings.extend(found.into_iter().map(|what| Finding {
                path: format!("/{}", entry.inner.display()),
                inner: entry.inner.to_owned(),
                what,
            }));
            if findings.len() > MAX_FINDINGS {
                return Err(LayersError::TooMany(path.to_owned()));
            }
            Ok(())
        })?;
        Ok(Self { findings })
    }

    /// How much there is to remember of it.
    pub(super) fn weight(&self) -> usize {
        let of = |finding: &Finding| match &finding.what {
            What::Packages { names, .. } => names.len().saturating_add(1),
            _ => 1,
        };
        self.findings.iter().map(of).sum::<usize>().saturating_add(1)
    }
}

fn judge(directory: &Directory, entry: &Entry<'_>, left: &mut Left) -> Result<Vec<What>, LayersError> {
    let mut found = Vec::new();
    let is_file = entry.kind == FileType::RegularFile;
    if is_file && is_privileged(entry) {
        found.push(What::Privileged);
    }
    let names_program = is_file || entry.kind == FileType::Symlink;
    if names_program && interest::is_tool(entry.inner) {
        found.push(What::Tool);
    }
    match interest::of(entry.inner).filter(|_| is_file) {
        Some(Interest::Unlisted(database)) => found.push(What::Unlisted { database }),
        Some(Interest::Packages(database)) => {
            let text = directory.read(entry.inner, left.largest(), left)?;
            let names = database::packages(database, &String::from_utf8_lossy(&text));
            found.push(What::Packages { database, names });
        }
        Some(Interest::Text { source, secret }) => {
            let text = match directory.read(entry.inner, FILE_BYTES, left) {
                Err(LayersError::TooLong(_)) => return Ok(found),
                text => text?,
            };
            let text = String::from_utf8_lossy(&text);
            let settings = source.map(|source| source_file::unverified(source, &text));
            found.extend(settings.into_iter().flatten().map(What::Unverified));
            found.extend(secret.and_then(|secret| secret_file::secret(secret, &text)));
        }
        None => {}
    }
    Ok(found)
}

const fn is_privileged(entry: &Entry<'_>) -> bool {
    let is_setuid = entry.mode & 0o4000 != 0;
    // Without the right to run it, the bit once meant locking.
    let is_setgid = entry.mode & 0o2010 == 0o2010;
    is_setuid || is_setgid || entry.capable
}
