//! What a container breaks by being started as it is.

use serde_json::json;

use super::draft::again;
use super::posture::Assessed;
use super::world::Learnt;
use crate::check::{Check, Finding};
use crate::model::{Class, Container, Evidence, Source, VerdictKind};

/// Key of the check that a privileged container fails.
const PRIVILEGED: &str = "runtime-not-privileged";
/// Keys of the checks that a privileged container fails along with it, for the same reason.
const RESTATED: [&str; 7] = [
    "runtime-capabilities",
    "runtime-seccomp-on",
    "runtime-apparmor",
    "runtime-selinux",
    "runtime-no-host-devices",
    "runtime-no-new-privileges",
    "image-non-root-user",
];
/// Keys of the checks that a container fails by lacking something, as nearly every container does. Each would be a line
/// at every start.
const LACKS: [&str; 12] = [
    "runtime-memory-limit",
    "runtime-cpu-limit",
    "runtime-pids-limit",
    "runtime-readonly-rootfs",
    "runtime-bound-to-interface",
    "runtime-restart-policy",
    "runtime-healthcheck",
    "runtime-image-freshness",
    "runtime-no-default-bridge",
    "runtime-only-needed-ports",
    "runtime-ulimit-override-justified",
    "runtime-default-cgroup",
];
/// Of these, how many a line names.
const NAMED: usize = 4;
/// What makes two starts of a container the same violation: that they are starts, with nothing mended between them.
const SUBJECT: &str = "start";

/// The failures to be told of, once facts of a container were learnt.
pub(super) fn findings(learnt: Learnt, facts: &Container) -> Vec<(&'static Check, Finding)> {
    let Learnt {
        assessed,
        started,
        start_seen,
        reassessed: _,
    } = learnt;
    let news = move |one: &Assessed| {
        let news = match one.before {
            Some(VerdictKind::Fail) => false,
            Some(VerdictKind::Pass) => true,
            // Only now could it be looked at: for a container that was there before us it is posture.
            Some(VerdictKind::Unknown | VerdictKind::NotApplicable) | None => start_seen,
        };
        started || (news && facts.pid.is_some())
    };
    let mut failures: Vec<_> = assessed
        .into_iter()
        .filter(news)
        .filter_map(|one| Some((one.check, failure(one)?)))
        .collect();
    restate(&mut failures, facts);
    gather(&mut failures, facts);
    failures
}

/// One line says all that the container merely lacks; the gravest of it gives the line its check.
fn gather(failures: &mut Vec<(&'static Check, Finding)>, facts: &Container) {
    let lacks = |check: &Check| LACKS.contains(&check.key);
    let severity = |(check, finding): &(&'static Check, Finding)| finding.severity.unwrap_or(check.severity);
    let lacking: Vec<_> = failures.iter().filter(|(check, _)| lacks(check)).collect();
    let Some(gravest) = lacking.iter().rev().max_by_key(|one| severity(one)) else {
        return;
    };
    if lacking.len() == 1 {
        return;
    }
    let others: Vec<_> = lacking
        .iter()
        .filter(|(check, _)| check.key != gravest.0.key)
        .map(|(check, finding)| json!({ "key": check.key, "reason": finding.summary }))
        .collect();
    let named: Vec<_> = lacking.iter().map(|(check, _)| check.key).take(NAMED).collect();
    let more = match lacking.len().saturating_sub(named.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let summary = format!(
        "container {} started without what {} recommendations ask for: {}{more}",
        facts.name,
        lacking.len(),
        named.join(", ")
    );
    let mut evidence = gravest.1.evidence.clone();
    evidence.push(Evidence::new(
        Source::Assessment,
        "also-fails",
        json!({ "checks": others }),
    ));
    let told = Finding {
        severity: gravest.1.severity,
        evidence,
        ..Finding::new(Class::Drift, gravest.1.subject.as_str(), summary)
    };
    let check = gravest.0;
    failures.retain(|(check, _)| !lacks(check));
    failures.push((check, told));
}

fn failure(Assessed { verdict, round, .. }: Assessed) -> Option<Finding> {
    if verdict.kind() != VerdictKind::Fail {
        return None;
    }
    Some(Finding {
        severity: verdict.severity,
        evidence: verdict.evidence,
        ..Finding::new(Class::Drift, again(SUBJECT.to_owned(), round), verdict.reason)
    })
}

/// One line says that a container is privileged; what only follows from it becomes evidence of that line.
fn restate(failures: &mut Vec<(&'static Check, Finding)>, facts: &Container) {
    if !failures.iter().any(|(check, _)| check.key == PRIVILEGED) {
        return;
    }
    let own_devices = [
        facts.devices.as_ref().map_or(0, Vec::len),
        facts.device_requests.as_ref().map_or(0, Vec::len),
        facts.device_cgroup_rules.as_ref().map_or(0, Vec::len),
    ]
    .iter()
    .any(|count| *count > 0);
    let follows = |check: &Check| {
        RESTATED.contains(&check.key) && !(check.key == "runtime-no-host-devices" && own_devices)
    };
    let also: Vec<_> = failures
        .iter()
        .map(|(check, _)| check)
        .filter(|check| follows(check))
        .map(|check| check.key)
        .collect();
    failures.retain(|(check, _)| !follows(check));
    let privileged = failures.iter_mut().find(|(check, _)| check.key == PRIVILEGED);
    if let Some((_, finding)) = privileged.filter(|_| !also.is_empty()) {
        finding.evidence.push(Evidence::new(
            Source::Assessment,
            "also-fails",
            json!({ "checks": also }),
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::ALL;
    use crate::model::Severity;

    fn failing(key: &str, severity: Severity) -> (&'static Check, Finding) {
        let check = ALL.iter().copied().find(|check| check.key == key).unwrap();
        let finding = Finding::new(Class::Drift, SUBJECT, format!("{key} is broken")).severity(severity);
        (check, finding)
    }

    #[test]
    fn what_a_container_lacks_is_one_line_and_the_grave_ones_are_their_own() {
        let facts = crate::model::testing::container("web");
        let mut failures = vec![
            failing("runtime-no-host-network", Severity::High),
            failing("runtime-memory-limit", Severity::Medium),
            failing("runtime-healthcheck", Severity::Low),
            failing("runtime-pids-limit", Severity::Medium),
        ];
        gather(&mut failures, &facts);
        let keys: Vec<_> = failures.iter().map(|(check, _)| check.key).collect();
        assert_eq!(keys, ["runtime-no-host-network", "runtime-memory-limit"]);
        let gathered = &failures[1].1;
        assert_eq!(gathered.severity, Some(Severity::Medium));
        assert!(
            gathered.summary.contains("3 recommendations"),
            "{}",
            gathered.summary
        );
        let also = &gathered.evidence[0].facts()["checks"];
        assert_eq!(also.as_array().map(Vec::len), Some(2));
        let mut one = vec![failing("runtime-memory-limit", Severity::Medium)];
        gather(&mut one, &facts);
        assert_eq!(one[0].1.summary, "runtime-memory-limit is broken");
    }

    /// A key that no check has would silently fold nothing.
    #[test]
    fn the_keys_are_those_of_checks() {
        for key in RESTATED
            .iter()
            .chain([&PRIVILEGED])
            .chain(&LACKS)
            .chain(&super::super::draft::COMMONPLACE)
        {
            assert!(ALL.iter().any(|check| check.key == *key), "{key}");
        }
    }
}
