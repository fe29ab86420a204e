//! Images that were not rebuilt for long.

use serde_json::json;

use super::support::{Reference, image_failed, image_passed, resolve, users};
use super::{Assess, Basis, Benchmark, Check, Signal, no_live_signal};
use crate::check::image_name;
use crate::model::{Evidence, Host, Image, Severity, Source, Time, Verdict};

/// Seconds of a day.
const DAY: u64 = 24 * 60 * 60;
/// Times before 2000 are placeholders of builders, in nanoseconds since the epoch.
const OLDEST: i128 = 946_684_800_000_000_000;

pub(super) static CHECK: Check = Check {
    key: "image-patched",
    title: "Images are scanned and rebuilt",
    section: "images",
    level: 1,
    early_level: 1,
    scored: &[],
    basis: Basis::Heuristic,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "4.4"),
        (Benchmark::V1_1_0, "4.4"),
        (Benchmark::V1_2_0, "4.4"),
        (Benchmark::V1_3_1, "4.4"),
        (Benchmark::V1_4_0, "4.4"),
        (Benchmark::V1_5_0, "4.4"),
        (Benchmark::V1_6_0, "4.4"),
        (Benchmark::V1_7_0, "4.4"),
        (Benchmark::V1_8_0, "4.4"),
    ],
    about: "What an image ships is as old as its build, and security fixes come daily. No scanner is \
            built in: the age of the image and of the first layer that it is built on are held against \
            the policy, and an image that containers still run though their tag names a newer one fails. \
            Age is a sign only: a young image may have old packages.",
    remedy: "Rebuild with --pull --no-cache, and make the containers anew",
    assess: Assess::Image(assess),
    signals: &[Signal {
        kind: "image",
        when: "a tag is moved to a newer image while containers of the old one remain",
    }],
    observe: no_live_signal,
};

fn assess(image: &Image, host: &Host) -> Verdict {
    judge(image, host).unwrap_or_else(|verdict| verdict)
}

fn judge(image: &Image, host: &Host) -> Result<Verdict, Verdict> {
    if let Some(verdict) = stale(image, host) {
        return Ok(verdict);
    }
    let unknown = |why: &str| Verdict::unknown(format!("image {} {why}", image_name(image)));
    let now = host
        .taken
        .ok_or_else(|| unknown("cannot be dated: the time is not known"))?;
    let created = image
        .created
        .ok_or_else(|| unknown("does not say when it was built"))?;
    let age = days(now, created);
    let Some(limit) = host.policy.max_image_age_days else {
        let why =
            format!("is {age} days old: how old is too old, the policy does not say (max_image_age_days)");
        return Err(unknown(&why));
    };
    let base = base_created(image).map(|created| days(now, created));
    let limit = u64::from(limit);
    let clause = match base {
        _ if age > limit => format!("was built {age} days ago, of {limit} that the policy allows"),
        Some(base) if base > limit => {
            format!("was built {age} days ago on a base of {base} days, of {limit} that the policy allows")
        }
        _ => return Ok(image_passed(image, &format!("was built {age} days ago"))),
    };
    let shown = json!({ "image": image.id, "age_days": age, "base_age_days": base, "limit_days": limit });
    let shown = Evidence::new(Source::Assessment, "age", shown);
    Ok(image_failed(image, host, CHECK.severity, &clause, vec![shown]))
}

/// The failure of an image that containers run though the tag by which they name it names another.
fn stale(image: &Image, host: &Host) -> Option<Verdict> {
    let (container, current) = users(image, host).find_map(|container| {
        let reference = Reference::parse(&container.image);
        let current = resolve(&reference, host).filter(|_| reference.digest.is_none())?;
        (current.id != image.id).then_some((container, current))
    })?;
    let clause = format!(
        "is no longer what {} names, and container {} still runs it",
        container.image, container.name
    );
    let shown =
        json!({ "image": image.id, "container": container.id, "name": container.image, "names": current.id });
    let shown = Evidence::new(Source::Engine, "image", shown);
    Some(image_failed(image, host, CHECK.severity, &clause, vec![shown]))
}

fn days(now: Time, then: Time) -> u64 {
    now.since(then).as_secs() / DAY
}

/// When the first layer was made: with luck the base image's root filesystem.
fn base_created(image: &Image) -> Option<Time> {
    let mut layers = image.history.iter().flatten().filter(|entry| !entry.empty_layer);
    layers
        .next()?
        .created
        .filter(|created| created.unix_nanos() >= OLDEST)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::testing::{assert_fails, assert_passes, assert_unknown, container, image, judge_image};
    use super::*;

    /// The verdict on an image of this age in days, on a base of that age, with this limit.
    #[track_caller]
    fn check(age: u64, base: u64, limit: Option<u32>) -> Verdict {
        judge_image(&CHECK, |image, host| {
            let then = image.created.unwrap();
            let later = |days: u64| then.after(Duration::from_secs(days * DAY));
            (host.taken, image.created) = (Some(later(1000)), Some(later(1000 - age)));
            image.history.as_mut().unwrap()[0].created = Some(later(1000 - base));
            host.policy.max_image_age_days = limit;
            host.containers = Some(vec![container("web")]);
        })
    }

    #[test]
    fn pass_a_young_image_on_a_young_base() {
        assert_passes(&check(10, 30, Some(30)));
        assert_eq!(
            check(10, 30, Some(30)).reason,
            "image app:1 was built 10 days ago"
        );
    }

    #[test]
    fn fail_an_old_image_and_an_old_base() {
        assert_fails(
            &check(31, 31, Some(30)),
            Severity::Medium,
            "was built 31 days ago, of 30",
        );
        assert_fails(
            &check(1, 400, Some(90)),
            Severity::Medium,
            "on a base of 400 days",
        );
    }

    #[test]
    fn fail_one_that_was_rebuilt_and_is_still_run() {
        let verdict = judge_image(&CHECK, |old, host| {
            old.tags = Vec::new();
            let mut user = container("web");
            user.image = "app:1".into();
            host.containers = Some(vec![user]);
            let new = Image {
                id: "sha256:2".into(),
                ..image()
            };
            host.images = Some(vec![old.clone(), new]);
        });
        let words = "image sha256:1 is no longer what app:1 names, and container web still runs it";
        assert_fails(&verdict, Severity::Medium, words);
    }

    #[test]
    fn unknown_without_a_policy_or_a_date() {
        assert_unknown(&check(10, 10, None), "is 10 days old: how old is too old");
        let undated = judge_image(&CHECK, |image, host| {
            (image.created, host.taken) = (None, image.created);
        });
        assert_unknown(&undated, "does not say when it was built");
    }
}
