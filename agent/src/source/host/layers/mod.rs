//! Files of images, read from the directories of their layers on the host: nothing is run, and nothing is mounted.
//!
//! A layer is what one step changed. From the topmost down, what a layer removes (a whiteout) or replaces hides what is
//! below it. Each directory is read once, however many images share it, and no link in it is followed.

mod budget;
mod database;
mod directory;
mod error;
mod interest;
mod layer;
mod secret_file;
mod source_file;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

pub use budget::Budget;
pub use error::LayersError;

use crate::model::{GraphDriver, Image, ImageContents, SecretHint};
use budget::Left;
use directory::Directory;
use layer::{Finding, Layer, What};

/// Storage drivers that keep each layer in a directory of its own.
const DRIVERS: [&str; 2] = ["overlay2", "overlay"];

/// What the files of an image tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageFiles {
    /// Absolute paths of files with setuid, setgid (where the group may run them) or file capabilities, sorted.
    pub setuid_files: Vec<String>,
    /// Packages, tools, sources.
    pub contents: ImageContents,
    /// Files that look like secrets, also those that a later layer deletes or replaces.
    pub secrets: Vec<SecretHint>,
}

impl ImageFiles {
    /// Adds them to the facts of the image.
    pub fn fill(self, image: &mut Image) {
        image.setuid_files = Some(self.setuid_files);
        image.contents = Some(self.contents);
        let secrets = image.secrets.get_or_insert_default();
        secrets.extend(self.secrets);
        secrets.sort();
        secrets.dedup();
    }
}

/// What the files of these images tell, in their order; `budget` is for all of them together. Blocks on many small
/// reads.
#[must_use]
pub fn contents(images: &[GraphDriver], budget: Budget) -> Vec<Result<ImageFiles, LayersError>> {
    let mut reader = Reader {
        left: Left::of(budget),
        layers: BTreeMap::new(),
        hidden: HashMap::new(),
    };
    images.iter().map(|image| reader.image(image)).collect()
}

/// What was read so far.
struct Reader {
    left: Left,
    layers: BTreeMap<String, Result<Layer, LayersError>>,
    /// Whether a layer hides a path.
    hidden: HashMap<(String, String), bool>,
}

impl Reader {
    fn image(&mut self, image: &GraphDriver) -> Result<ImageFiles, LayersError> {
        if !DRIVERS.contains(&image.name.as_str()) || image.directories.is_empty() {
            return Err(LayersError::Driver(image.name.clone()));
        }
        for directory in &image.directories {
            if !self.layers.contains_key(directory) {
                let layer = Layer::read(Path::new(directory), &mut self.left);
                self.layers.insert(directory.clone(), layer);
            }
        }
        let mut union = Union::default();
        for (place, directory) in image.directories.iter().enumerate() {
            let findings = match self.layers.get(directory) {
                Some(Ok(layer)) => layer.findings.clone(),
                Some(Err(error)) => return Err(error.clone()),
                None => continue,
            };
            let above = image.directories.get(..place).unwrap_or_default();
            for finding in findings {
                let hidden = self.is_hidden(&finding, above)?;
                union.add(&finding, hidden);
            }
        }
        Ok(union.finish())
    }

    fn is_hidden(&mut self, finding: &Finding, above: &[String]) -> Result<bool, LayersError> {
        for upper in above {
            let key = (upper.clone(), finding.path.clone());
            let hidden = match self.hidden.get(&key) {
                Some(hidden) => *hidden,
                None => {
                    let hidden = Directory::open(Path::new(upper))?.hides(&finding.inner)?;
                    self.hidden.insert(key, hidden);
                    hidden
                }
            };
            if hidden {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The files of an image, as its layers are laid over each other.
#[derive(Default)]
struct Union {
    files: ImageFiles,
    /// Secrets that are not there any more.
    deleted: Vec<SecretHint>,
}

impl Union {
    fn add(&mut self, finding: &Finding, hidden: bool) {
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

    fn finish(mut self) -> ImageFiles {
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
