//! Layers laid over each other.

use super::layer::{Finding, What};
use crate::model::{ImageFiles, SecretHint};

/// The files of an image, as its layers are laid over each other.
#[derive(Default)]
pub(super) struct Union {
    files: ImageFiles,
    /// Secrets that are not there any more.
    deleted: Vec<SecretHint>,
}

impl Union {
    pub(super) fn add(&mut self, finding: &Finding, hidden: bool) {
        let path = finding.path.clone();
        let contents = &mut self.files.contents;
        match &finding.what {
            What::Secret { kind, digest } => {
                let hint = SecretHint {
                    place: if hidden { "deleted-file" } else { "file" }.to_owned(),
                    name: path,
                    kind: (*kind).to_owned(),
                    digest: digest.clone(),
                };
                let list = if hidden {
                    &mut self.deleted
                } else {
                    &mut self.files.secrets
                };
                list.push(hint);
            }
            _ if hidden => {}
            What::Privileged => self.files.setuid_files.push(path),
            What::Tool => contents.tools.push(path),
            What::Unverified(setting) => contents.unverified_sources.push(format!("{path}: {setting}")),
            What::Packages { database, names } => {
                contents.databases.push((*database).to_owned());
                contents
                    .packages
                    .get_or_insert_default()
                    .extend(names.iter().cloned());
            }
            What::Unlisted { database } => contents.databases.push((*database).to_owned()),
        }
    }

    pub(super) fn finish(mut self) -> ImageFiles {
        let kept = &self.files.secrets;
        // A file whose mode alone was changed is in two layers, and is one secret.
        self.deleted.retain(|old| {
            !kept
                .iter()
                .any(|new| (&new.name, &new.digest) == (&old.name, &old.digest))
        });
        self.files.secrets.append(&mut self.deleted);
        let contents = &mut self.files.contents;
        let lists = [
            &mut self.files.setuid_files,
            &mut contents.tools,
            &mut contents.unverified_sources,
            &mut contents.databases,
        ];
        for list in lists.into_iter().chain(contents.packages.as_mut()) {
            list.sort();
            list.dedup();
        }
        self.files.secrets.sort();
        self.files.secrets.dedup();
        self.files
    }
}
