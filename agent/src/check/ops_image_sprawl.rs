//! Unused images are cleaned up.

use std::collections::BTreeMap;

use serde_json::json;

use super::support::{containers, head, images};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, image_name, no_live_signal};
use crate::model::{Container, Evidence, Host, Image, Severity, Source, Verdict};

pub(super) static CHECK: Check = Check {
    key: "ops-image-sprawl",
    title: "Unused images are cleaned up",
    section: "operations",
    level: 1,
    early_level: 1,
    scored: &[],
    basis: Basis::Facts,
    severity: Severity::Low,
    numbers: &[
        (Benchmark::V1_13_0, "6.4"),
        (Benchmark::V1_1_0, "6.1"),
        (Benchmark::V1_2_0, "6.1"),
        (Benchmark::V1_3_1, "6.1"),
        (Benchmark::V1_4_0, "6.1"),
        (Benchmark::V1_5_0, "6.1"),
        (Benchmark::V1_6_0, "6.1"),
        (Benchmark::V1_7_0, "6.1"),
        (Benchmark::V1_8_0, "6.1"),
    ],
    about: "Images that nothing uses grow old unpatched and are started by mistake. Each image counts once, \
            by its id; it is used if any container, running or not, is made of it. The policy sets which \
            share may be unused, half without it.",
    remedy: "Remove images that nothing uses: docker image prune --all, with a filter by age",
    assess: Assess::Host(assess),
    signals: &[
        Signal {
            kind: "image",
            when: "an image is pulled, built, loaded or removed",
        },
        Signal {
            kind: "container",
            when: "a container is made or removed",
        },
    ],
    observe: no_live_signal,
};

/// Share that may be unused where the policy sets none, in percent.
const MOST_UNUSED: u32 = 50;

fn assess(host: &Host) -> Vec<Item> {
    let subject = "images".to_owned();
    let verdict = judge(host).unwrap_or_else(|verdict| verdict);
    vec![Item { subject, verdict }]
}

fn judge(host: &Host) -> Result<Verdict, Verdict> {
    let containers = containers(host)?;
    let unique: BTreeMap<&str, &Image> = images(host)?
        .iter()
        .map(|image| (image.id.as_str(), image))
        .collect();
    let unused: Vec<&Image> = unique
        .values()
        .copied()
        .filter(|image| !is_used(image, containers))
        .collect();
    // Each container of which the image is not known may use one of these.
    let unsure = containers
        .iter()
        .filter(|container| !is_tied(container, &unique))
        .count();
    let most = host.policy.max_unused_images_percent.unwrap_or(MOST_UNUSED);
    let too_many = |count: usize| exceeds(count, unique.len(), most);
    let said = format!(
        "{} of {} images are used by no container",
        unused.len(),
        unique.len()
    );
    if too_many(unused.len().saturating_sub(unsure)) {
        let reason = format!("{said}, more than {most} percent");
        return Ok(Verdict::fail(reason, vec![shown(&unused)]));
    }
    if too_many(unused.len()) {
        let reason = format!("{said}, but of {unsure} containers the image is not known");
        return Err(Verdict::unknown(reason).evidence(shown(&unused)));
    }
    Ok(Verdict::pass().because(format!("{said}, within {most} percent")))
}

/// Whether a part of the whole is more than this many percent of it.
fn exceeds(part: usize, whole: usize, percent: u32) -> bool {
    let percent = usize::try_from(percent).unwrap_or(usize::MAX);
    part.saturating_mul(100) > whole.saturating_mul(percent)
}

fn is_of(container: &Container, image: &Image) -> bool {
    match &container.image_id {
        Some(id) => *id == image.id,
        None => image.id == container.image || image.tags.contains(&container.image),
    }
}

fn is_used(image: &Image, containers: &[Container]) -> bool {
    containers.iter().any(|container| is_of(container, image))
}

/// Whether it is known which image a container is made of. The image may be gone.
fn is_tied(container: &Container, images: &BTreeMap<&str, &Image>) -> bool {
    container.image_id.is_some() || images.values().any(|image| is_of(container, image))
}

fn shown(unused: &[&Image]) -> Evidence {
    let listed = head(unused).iter().map(|image| {
        json!({ "image": image_name(image), "id": image.id, "created": image.created, "size": image.size })
    });
    let dangling = unused.iter().filter(|image| image.tags.is_empty()).count();
    let facts = json!({ "number": unused.len(), "dangling": dangling, "unused": listed.collect::<Vec<_>>() });
    Evidence::new(Source::Engine, "images", facts)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{container, host};
    use super::*;
    use crate::model::VerdictKind;

    fn image(id: &str) -> Image {
        let value = json!({ "id": id, "tags": [format!("app:{id}")], "user": null, "setuid_files": null });
        serde_json::from_value(value).unwrap()
    }

    /// A host with images of these ids and one container of each of these images.
    #[track_caller]
    fn check(ids: &[&str], used: &[Option<&str>], most: Option<u32>, kind: VerdictKind, reason: &str) {
        let mut host = host();
        host.images = Some(ids.iter().map(|id| image(id)).collect());
        let made_of = |id: &Option<&str>| Container {
            image_id: id.map(str::to_owned),
            ..container("web")
        };
        host.containers = Some(used.iter().map(made_of).collect());
        host.policy.max_unused_images_percent = most;
        let verdict = assess(&host).remove(0).verdict;
        assert_eq!((verdict.kind(), verdict.reason.as_str()), (kind, reason));
        assert_eq!(verdict.evidence.is_empty(), kind == VerdictKind::Pass);
    }

    #[test]
    fn pass_what_is_used_or_little() {
        let pass = VerdictKind::Pass;
        check(
            &[],
            &[],
            None,
            pass,
            "0 of 0 images are used by no container, within 50 percent",
        );
        check(
            &["a", "b"],
            &[Some("a")],
            None,
            pass,
            "1 of 2 images are used by no container, within 50 percent",
        );
        check(
            &["a", "a", "b"],
            &[Some("a")],
            None,
            pass,
            "1 of 2 images are used by no container, within 50 percent",
        );
        check(
            &["a"],
            &[],
            Some(100),
            pass,
            "1 of 1 images are used by no container, within 100 percent",
        );
    }

    #[test]
    fn fail_more_than_the_policy_allows() {
        let fail = VerdictKind::Fail;
        check(
            &["a", "b", "c"],
            &[Some("a")],
            None,
            fail,
            "2 of 3 images are used by no container, more than 50 percent",
        );
        check(
            &["a", "b"],
            &[Some("a")],
            Some(10),
            fail,
            "1 of 2 images are used by no container, more than 10 percent",
        );
    }

    #[test]
    fn unknown_where_images_or_containers_are() {
        let reason = "2 of 2 images are used by no container, but of 1 containers the image is not known";
        check(&["a", "b"], &[None], None, VerdictKind::Unknown, reason);
        for vary in [
            |host: &mut Host| host.images = None,
            |host: &mut Host| host.containers = None,
        ] {
            let mut host = host();
            vary(&mut host);
            assert_eq!(assess(&host).remove(0).verdict.kind(), VerdictKind::Unknown);
        }
    }
}
