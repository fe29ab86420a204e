//! Images that do not say how to ask for their health.

use serde_json::json;

use super::support::{image_failed, image_passed, is_used, users};
use super::{Assess, Basis, Benchmark, Check, Signal, no_live_signal};
use crate::model::{Evidence, Host, Image, Severity, Source, Verdict};

pub(super) static CHECK: Check = Check {
    key: "image-healthcheck",
    title: "Images define a health probe",
    section: "images",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Low,
    numbers: &[
        (Benchmark::V1_13_0, "4.6"),
        (Benchmark::V1_1_0, "4.6"),
        (Benchmark::V1_2_0, "4.6"),
        (Benchmark::V1_3_1, "4.6"),
        (Benchmark::V1_4_0, "4.6"),
        (Benchmark::V1_5_0, "4.6"),
        (Benchmark::V1_6_0, "4.6"),
        (Benchmark::V1_7_0, "4.6"),
        (Benchmark::V1_8_0, "4.6"),
    ],
    about: "An image that defines a health check is checked wherever it runs. A check that is switched \
            off is none. Containers that each have a check of their own serve the aim as well. Image \
            formats other than Docker's cannot hold a health check: images in them count as without.",
    remedy: "Add HEALTHCHECK to the image",
    assess: Assess::Image(assess),
    signals: &[Signal {
        kind: "image",
        when: "an image is pulled, built or loaded",
    }],
    observe: no_live_signal,
};

fn assess(image: &Image, host: &Host) -> Verdict {
    let Some(test) = &image.healthcheck else {
        return Verdict::unknown("the engine does not say whether the image has a health check");
    };
    let clause = match test.first().map(String::as_str) {
        Some("NONE") => "has its health check switched off",
        Some(_) => return image_passed(image, "has a health check"),
        None => "has no health check",
    };
    let has_own = |test: &Option<Vec<String>>| {
        let first = test.as_ref().and_then(|test| test.first());
        first.is_some_and(|word| word != "NONE")
    };
    let known = host.containers.is_some() && is_used(image, host);
    if known && users(image, host).all(|container| has_own(&container.life.healthcheck)) {
        let clause = format!("{clause}, but every container of it has one of its own");
        return image_passed(image, &clause);
    }
    let shown = Evidence::new(
        Source::Engine,
        "image",
        json!({ "image": image.id, "Healthcheck.Test": test }),
    );
    image_failed(image, host, CHECK.severity, clause, vec![shown])
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_fails, assert_passes, assert_unknown, container, judge_image};
    use super::*;

    /// The verdict on an image with this check, and one container with that one.
    #[track_caller]
    fn check(test: Option<&[&str]>, own: &[&str]) -> Verdict {
        let words = |test: &[&str]| test.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        judge_image(&CHECK, |image, host| {
            image.healthcheck = test.map(words);
            let mut container = container("web");
            container.life.healthcheck = Some(words(own));
            host.containers = Some(vec![container]);
        })
    }

    #[test]
    fn pass_a_check_of_the_image_or_of_all_its_containers() {
        assert_passes(&check(Some(&["CMD-SHELL", "true"]), &[]));
        assert_passes(&check(Some(&[]), &["CMD", "true"]));
    }

    #[test]
    fn fail_none_and_one_switched_off() {
        assert_fails(
            &check(Some(&[]), &[]),
            Severity::Low,
            "image app:1 has no health check",
        );
        assert_fails(&check(Some(&["NONE"]), &["NONE"]), Severity::Low, "switched off");
        let unused = judge_image(&CHECK, |image, host| {
            (image.healthcheck, host.containers) = (Some(Vec::new()), Some(Vec::new()));
        });
        assert_fails(&unused, Severity::Info, "has no health check");
    }

    #[test]
    fn unknown_where_the_engine_does_not_say() {
        assert_unknown(&check(None, &[]), "whether the image has a health check");
    }
}
