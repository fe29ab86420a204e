//! Images of unknown origin.

use serde_json::json;

use super::support::{Reference, image_failed, image_passed, in_full};
use super::{Assess, Basis, Benchmark, Check, Signal, no_live_signal};
use crate::check::image_name;
use crate::model::{Evidence, Host, Image, Policy, Severity, Source, Verdict};

pub(super) static CHECK: Check = Check {
    key: "image-trusted-base",
    title: "Images come from approved sources",
    section: "images",
    level: 1,
    early_level: 1,
    scored: &[],
    basis: Basis::Facts,
    severity: Severity::High,
    numbers: &[
        (Benchmark::V1_13_0, "4.2"),
        (Benchmark::V1_1_0, "4.2"),
        (Benchmark::V1_2_0, "4.2"),
        (Benchmark::V1_3_1, "4.2"),
        (Benchmark::V1_4_0, "4.2"),
        (Benchmark::V1_5_0, "4.2"),
        (Benchmark::V1_6_0, "4.2"),
        (Benchmark::V1_7_0, "4.2"),
        (Benchmark::V1_8_0, "4.2"),
    ],
    about: "An image brings all its code along: where it is from is to be somebody's decision. An image \
            passes that was pulled from a source that the policy allows, which its digests tell and a \
            tag alone does not; that is approved by its digest; or whose lowest layers are those of such \
            an image. Without a policy its origin is told and not judged.",
    remedy: "Build on an image from an allowed source, or approve it by its digest",
    assess: Assess::Image(assess),
    signals: &[
        Signal {
            kind: "image",
            when: "an image is pulled, built, loaded or tagged",
        },
        Signal {
            kind: "container",
            when: "a container is created from an image of another source",
        },
    ],
    observe: no_live_signal,
};

fn assess(image: &Image, host: &Host) -> Verdict {
    let policy = &host.policy;
    if let Some(why) = approval(image, policy) {
        return image_passed(image, &why);
    }
    let origin = origin(image);
    if policy.allowed_sources.is_empty() && policy.allowed_digests.is_empty() {
        return Verdict::unknown(format!(
            "image {} {origin}: which sources are allowed, the policy does not say (allowed_sources)",
            image_name(image)
        ));
    }
    let Some(layers) = &image.layers else {
        return Verdict::unknown("the layers of the image are not known");
    };
    if let Some(base) = approved_base(layers, image, host) {
        return image_passed(image, &format!("is built on {base}, which is approved"));
    }
    let shown = json!({ "image": image.id, "digests": image.digests, "tags": image.tags });
    let shown = Evidence::new(Source::Engine, "image", shown);
    let clause = format!("{origin}, and nothing it is built on is approved");
    image_failed(image, host, CHECK.severity, &clause, vec![shown])
}

/// Why the policy approves of an image by itself.
fn approval(image: &Image, policy: &Policy) -> Option<String> {
    let references = || image.digests.iter().map(|digest| Reference::parse(digest));
    let digests = references().filter_map(|reference| reference.digest);
    let layers = image.layers.iter().flatten().map(String::as_str);
    let approved = std::iter::once(image.id.as_str())
        .chain(digests)
        .chain(layers)
        .find(|digest| policy.allowed_digests.iter().any(|allowed| allowed == digest));
    if let Some(digest) = approved {
        return Some(format!("is approved by the digest {digest}"));
    }
    references()
        .map(|reference| reference.repository)
        .find(|repository| {
            policy
                .allowed_sources
                .iter()
                .any(|allowed| is_from(repository, allowed))
        })
        .map(|repository| format!("is from {repository}, which is an allowed source"))
}

/// Whether a repository is the allowed one or below it, by whole components.
fn is_from(repository: &str, allowed: &str) -> bool {
    let trimmed = allowed.trim_end_matches('/');
    // A registry alone, or a directory of one, is no repository of the hub's library.
    let full = if allowed.ends_with('/')
        || !trimmed.contains('/') && trimmed.contains(['.', ':'])
        || trimmed == "localhost"
    {
        let marked = format!("{trimmed}/");
        in_full(&marked).trim_end_matches('/').to_owned()
    } else {
        in_full(trimmed)
    };
    repository
        .strip_prefix(full.as_str())
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The approved image whose layers are the lowest of this one.
fn approved_base<'a>(layers: &[String], image: &Image, host: &'a Host) -> Option<&'a str> {
    host.images
        .iter()
        .flatten()
        .filter(|base| base.id != image.id)
        .filter(|base| {
            let own = base.layers.as_ref();
            own.is_some_and(|own| !own.is_empty() && layers.starts_with(own))
        })
        .find(|base| approval(base, &host.policy).is_some())
        .map(image_name)
}

fn origin(image: &Image) -> String {
    match image.digests.first() {
        Some(digest) => format!("is from {}", Reference::parse(digest).repository),
        None => "was built or loaded here".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_fails, assert_passes, assert_unknown, container, image, judge_image};
    use super::*;

    /// The verdict on an image with this digest of a repository, where these sources are allowed.
    #[track_caller]
    fn check(digest: Option<&str>, allowed: &[&str]) -> Verdict {
        judge_image(&CHECK, |image, host| {
            image.digests = digest.map(Into::into).into_iter().collect();
            host.containers = Some(vec![container("web")]);
            host.policy.allowed_sources = allowed.iter().map(|&source| source.into()).collect();
        })
    }

    #[test]
    fn pass_an_allowed_source() {
        let team = Some("registry.example/team/app@sha256:ff");
        for allowed in [
            "registry.example",
            "registry.example/team/",
            "registry.example/team",
            "registry.example/team/app",
        ] {
            assert_passes(&check(team, &["other.example", allowed]));
        }
        let official = Some("nginx@sha256:ff");
        for allowed in [
            "nginx",
            "library/",
            "docker.io/library/",
            "docker.io/",
            "docker.io/library/nginx",
        ] {
            assert_passes(&check(official, &[allowed]));
        }
    }

    #[test]
    fn pass_an_approved_digest_and_an_approved_base() {
        for digest in ["sha256:1", "sha256:ff", "sha256:base"] {
            let verdict = judge_image(&CHECK, |image, host| {
                image.digests = vec!["app@sha256:ff".into()];
                host.policy.allowed_digests = vec![digest.into()];
            });
            assert_passes(&verdict);
        }
        let built = judge_image(&CHECK, |built, host| {
            built.digests = Vec::new();
            let base = Image {
                id: "sha256:2".into(),
                tags: vec!["base:1".into()],
                digests: vec!["registry.example/base@sha256:ee".into()],
                layers: Some(vec!["sha256:base".into()]),
                ..image()
            };
            host.images = Some(vec![base, built.clone()]);
            host.policy.allowed_sources = vec!["registry.example/".into()];
        });
        assert_passes(&built);
        assert_eq!(built.reason, "image app:1 is built on base:1, which is approved");
    }

    #[test]
    fn fail_other_sources_and_look_alikes() {
        for allowed in [
            "registry.example/team",
            "registry.exam",
            "registry.example/tea",
            "team/app",
        ] {
            let verdict = check(Some("registry.example.evil/team/app@sha256:ff"), &[allowed]);
            assert_fails(&verdict, Severity::High, "is from registry.example.evil/team/app");
        }
        assert_fails(
            &check(Some("team-evil/app@sha256:ff"), &["team"]),
            Severity::High,
            "is from",
        );
        // A tag can be given to anything.
        let tagged = judge_image(&CHECK, |image, host| {
            host.containers = Some(vec![container("web")]);
            (image.tags, image.digests) = (vec!["registry.example/app:1".into()], Vec::new());
            host.policy.allowed_sources = vec!["registry.example/".into()];
        });
        assert_fails(&tagged, Severity::High, "was built or loaded here");
    }

    #[test]
    fn unknown_without_a_policy_or_layers() {
        assert_unknown(&check(Some("app@sha256:ff"), &[]), "allowed_sources");
        let dark = judge_image(&CHECK, |image, host| {
            image.layers = None;
            host.policy.allowed_sources = vec!["registry.example/".into()];
        });
        assert_unknown(&dark, "layers");
    }
}
