//! What the files of an image tell, and how they complete its facts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Image, ImageContents, SecretHint};

/// What [`SecretHint::place`] is of a secret in a file, and in one that a later layer deletes or replaces.
const PLACES: [&str; 2] = ["file", "deleted-file"];

/// What was read from the layers of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
        image.unread = None;
        add_secrets(image, self.secrets);
    }
}

impl Image {
    /// Takes over what was read of its files before: layers never change.
    pub fn keep_files(&mut self, known: &Self) {
        self.setuid_files.clone_from(&known.setuid_files);
        self.contents.clone_from(&known.contents);
        self.unread.clone_from(&known.unread);
        let in_files = |hint: &&SecretHint| PLACES.contains(&hint.place.as_str());
        let secrets = known.secrets.iter().flatten().filter(in_files).cloned();
        add_secrets(self, secrets.collect());
    }
}

fn add_secrets(image: &mut Image, secrets: Vec<SecretHint>) {
    if secrets.is_empty() && image.secrets.is_none() && image.contents.is_none() {
        return;
    }
    let all = image.secrets.get_or_insert_default();
    all.extend(secrets);
    all.sort();
    all.dedup();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(place: &str, name: &str) -> SecretHint {
        SecretHint {
            place: place.into(),
            name: name.into(),
            kind: "token".into(),
            digest: String::new(),
        }
    }

    #[test]
    fn an_image_that_is_told_again_keeps_what_was_read_of_it() {
        let env = hint("env", "OLD");
        let mut known = Image {
            secrets: Some(vec![env]),
            unread: Some("not yet".into()),
            ..Image::default()
        };
        let files = ImageFiles {
            setuid_files: vec!["/su".into()],
            secrets: vec![hint("file", "/key")],
            ..ImageFiles::default()
        };
        files.fill(&mut known);
        assert_eq!(
            (known.unread.as_ref(), known.secrets.as_ref().map(Vec::len)),
            (None, Some(2))
        );
        let mut told = Image {
            secrets: Some(vec![hint("env", "NEW")]),
            ..Image::default()
        };
        told.keep_files(&known);
        assert_eq!(told.setuid_files, known.setuid_files);
        assert_eq!(told.secrets, Some(vec![hint("env", "NEW"), hint("file", "/key")]));
        let mut unread = Image::default();
        unread.keep_files(&Image::default());
        assert_eq!(unread, Image::default(), "nothing is known of nothing");
    }
}
