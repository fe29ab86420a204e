//! Containers of an image that was replaced, or that nobody chose.

use super::support::{Reference, config, failed, is_id, passed, resolve};
use super::{Assess, Basis, Benchmark, Check, Signal, no_live_signal};
use crate::model::{Container, Host, Severity, Verdict};

pub(super) static CHECK: Check = Check {
    key: "runtime-image-freshness",
    title: "Containers run the current pinned image",
    section: "runtime",
    level: 1,
    early_level: 1,
    scored: &[],
    basis: Basis::Facts,
    severity: Severity::Low,
    numbers: &[
        (Benchmark::V1_13_0, "5.27"),
        (Benchmark::V1_1_0, "5.27"),
        (Benchmark::V1_2_0, "5.27"),
        (Benchmark::V1_3_1, "5.27"),
        (Benchmark::V1_4_0, "5.27"),
        (Benchmark::V1_5_0, "5.27"),
        (Benchmark::V1_6_0, "5.28"),
        (Benchmark::V1_7_0, "5.28"),
        (Benchmark::V1_8_0, "5.28"),
    ],
    about: "A tag moves: pulling or building it anew does not change what runs. A container whose image \
            is no longer the one that its reference names here is stale, and `latest`, given or left \
            out, says nothing of what was meant to run. A digest cannot move. Whether the registry has a \
            newer image is not asked.",
    remedy: "Name the image by its digest, and make the container anew after a pull",
    assess: Assess::Container(assess),
    signals: &[
        Signal {
            kind: "container",
            when: "a container is created, started or updated",
        },
        Signal {
            kind: "image",
            when: "a tag is pulled or built anew while containers of the old image remain",
        },
    ],
    observe: no_live_signal,
};

fn assess(container: &Container, host: &Host) -> Verdict {
    let name = container.image.as_str();
    let Some(id) = container.image_id.as_deref() else {
        return Verdict::unknown("the engine does not say which image the container is made of");
    };
    if name.is_empty() {
        return Verdict::unknown("the engine does not say by which name the container's image was given");
    }
    let reference = Reference::parse(name);
    if reference.digest.is_some() || is_id(name, id) {
        return passed(container, &format!("names its image by digest: {name}"));
    }
    let current = resolve(&reference, host);
    if let Some(image) = current.filter(|image| image.id != id) {
        let clause = format!("runs an image that {name} no longer names");
        let shown = serde_json::json!({ "image": name, "runs": id, "names": image.id });
        return failed(container, CHECK.severity, &clause, vec![config("Image", shown)]);
    }
    match reference.tag {
        None | Some("latest") => {
            let clause = format!("names its image by no version: {name}");
            failed(
                container,
                CHECK.severity,
                &clause,
                vec![config("Config.Image", name)],
            )
        }
        Some(_) if current.is_some() => passed(container, &format!("runs the image that {name} names here")),
        Some(_) if host.images.is_none() => Verdict::unknown("the images are not known"),
        Some(_) => Verdict::unknown(format!(
            "{name}, which container {} names, is no image here any more",
            container.name
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_fails, assert_passes, assert_unknown, judge};
    use super::*;
    use crate::model::Image;

    /// The verdict on a container of image `sha256:1` by this name, where the tag names the image with this id.
    #[track_caller]
    fn check(name: &str, tag: &str, names: &str) -> Verdict {
        judge(&CHECK, |container, host| {
            container.image = name.into();
            container.image_id = Some("sha256:1".into());
            let tags = vec![tag.to_owned()];
            host.images = Some(vec![Image {
                id: names.into(),
                tags,
                ..Image::default()
            }]);
        })
    }

    #[test]
    fn pass_a_digest_and_a_tag_that_did_not_move() {
        assert_passes(&check("app@sha256:ff", "other:1", "sha256:2"));
        assert_passes(&check("app:1", "app:1", "sha256:1"));
        assert_passes(&check("docker.io/library/app:1", "app:1", "sha256:1"));
        let by_id = judge(&CHECK, |container, _| {
            container.image = "ab".repeat(8);
            container.image_id = Some(format!("sha256:{}", "ab".repeat(32)));
        });
        assert_passes(&by_id);
    }

    #[test]
    fn fail_a_tag_that_moved_and_latest() {
        let moved = check("app:1", "app:1", "sha256:2");
        assert_fails(
            &moved,
            Severity::Low,
            "container web runs an image that app:1 no longer names",
        );
        for latest in ["app", "app:latest", "registry.example:5000/app"] {
            assert_fails(&check(latest, latest, "sha256:1"), Severity::Low, "by no version");
        }
        assert_fails(
            &check("app", "app:latest", "sha256:2"),
            Severity::Low,
            "no longer names",
        );
    }

    #[test]
    fn unknown_where_the_image_is_out_of_sight() {
        assert_unknown(&check("app:1", "other:1", "sha256:1"), "no image here any more");
        let unlisted = judge(&CHECK, |container, host| {
            container.image = "app:1".into();
            host.images = None;
        });
        assert_unknown(&unlisted, "the images are not known");
        let untold = judge(&CHECK, |container, _| container.image_id = None);
        assert_unknown(&untold, "which image");
    }
}
