//! Names of images.

use crate::model::{Host, Image};

/// Hexadecimal digits of an image's id that stand for it at least.
const SHORT_ID: usize = 12;

/// A reference: `[registry/]repository[:tag][@digest]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::check) struct Reference<'a> {
    /// Registry and repository in full: `docker.io/library/nginx`.
    pub(in crate::check) repository: String,
    /// Tag; none where it is left out.
    pub(in crate::check) tag: Option<&'a str>,
    /// Digest, with its algorithm.
    pub(in crate::check) digest: Option<&'a str>,
}

impl<'a> Reference<'a> {
    /// Reads a reference. Total: what is none reads as a repository of that name.
    pub(in crate::check) fn parse(text: &'a str) -> Self {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        // A colon before the last slash is a registry's port.
        let (repository, tag) = match name.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
            _ => (name, None),
        };
        Self {
            repository: in_full(repository),
            tag,
            digest,
        }
    }

    /// Whether the two name the same, by tag: one that is left out is `latest`.
    fn is_same_tag(&self, other: &Reference<'_>) -> bool {
        let tag = |reference: &Reference<'_>| reference.tag.unwrap_or("latest").to_owned();
        self.repository == other.repository && tag(self) == tag(other)
    }
}

/// Whether two texts name the same image, as clients complete what is left out.
#[must_use]
pub(crate) fn is_same_image(one: &str, other: &str) -> bool {
    Reference::parse(one).is_same_tag(&Reference::parse(other))
}

/// A repository, or the start of one, with the registry that clients put before it.
pub(in crate::check) fn in_full(repository: &str) -> String {
    let (first, rest) = repository.split_once('/').unwrap_or(("", repository));
    if first == "docker.io" || first == "index.docker.io" {
        return hub(rest);
    }
    if first.contains(['.', ':']) || first == "localhost" {
        return repository.to_owned();
    }
    hub(repository)
}

fn hub(repository: &str) -> String {
    if repository.contains('/') {
        format!("docker.io/{repository}")
    } else {
        format!("docker.io/library/{repository}")
    }
}

/// Whether `text` is the id of the image with this id, whole or short, rather than a name.
pub(in crate::check) fn is_id(text: &str, id: &str) -> bool {
    let hex = |text: &str| text.strip_prefix("sha256:").unwrap_or(text).to_owned();
    let short = hex(text);
    short.len() >= SHORT_ID && hex(id).starts_with(&short)
}

/// The image that a reference names here by its tag.
pub(in crate::check) fn resolve<'a>(reference: &Reference<'_>, host: &'a Host) -> Option<&'a Image> {
    host.images.iter().flatten().find(|image| {
        image
            .tags
            .iter()
            .any(|tag| Reference::parse(tag).is_same_tag(reference))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, repository: &str, tag: Option<&str>, digest: Option<&str>) {
        let expect = Reference {
            repository: repository.to_owned(),
            tag,
            digest,
        };
        assert_eq!(Reference::parse(text), expect, "{text}");
    }

    #[test]
    fn references_are_read_in_full() {
        check("nginx", "docker.io/library/nginx", None, None);
        check("team/app:1", "docker.io/team/app", Some("1"), None);
        check("docker.io/nginx:1", "docker.io/library/nginx", Some("1"), None);
        check("localhost:5000/app", "localhost:5000/app", None, None);
        check(
            "registry.example/a/b:2@sha256:ff",
            "registry.example/a/b",
            Some("2"),
            Some("sha256:ff"),
        );
        check("", "docker.io/library/", None, None);
    }

    #[test]
    fn an_id_is_no_name() {
        let id = format!("sha256:{}", "ab".repeat(32));
        assert!(is_id(&id, &id));
        assert!(is_id("abababababab", &id));
        assert!(!is_id("abab", &id));
        assert!(!is_id("app:1", &id));
    }
}
