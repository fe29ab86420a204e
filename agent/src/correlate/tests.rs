//! Observations in, violations out.

use super::testing::checks;
use super::{Correlator, Settings};
use crate::model::testing::{at, container, entry, exec, host, privileged, session, told};
use crate::model::{Class, Container, ContainerAction, Event, Observation, VerdictKind, Violation};

fn correlator() -> Correlator {
    let mut correlator = Correlator::new(Settings::default(), checks());
    correlator.on(&host(0));
    correlator
}

/// `time check class ×count` of each violation, time in milliseconds from the start.
fn brief(violations: &[Violation]) -> Vec<String> {
    let brief = |one: &Violation| {
        let millis = one.time.since(at(0)).as_millis();
        format!("{millis} {} {} ×{}", one.check.key, one.class.name(), one.count)
    };
    violations.iter().map(brief).collect()
}

/// Feeds observations, and compares what comes of each.
#[track_caller]
fn check(correlator: &mut Correlator, steps: &[(Observation, &[&str])]) {
    for (number, (observation, expected)) in steps.iter().enumerate() {
        assert_eq!(brief(&correlator.on(observation)), *expected, "step {number}");
    }
}

fn started(millis: u64, facts: Container) -> Observation {
    told(millis, ContainerAction::Started, facts)
}

fn listed(millis: u64, facts: Container) -> Observation {
    told(millis, ContainerAction::Listed, facts)
}

fn host_network(name: &str) -> Container {
    Container {
        network_mode: Some("host".into()),
        ..container(name)
    }
}

fn root(name: &str) -> Container {
    Container {
        user: Some(String::new()),
        ..container(name)
    }
}

const PRIVILEGED_DRIFT: &str = "1 runtime-not-privileged drift ×1";

#[test]
fn an_exec_counts_in_a_privileged_container_alone() {
    let steps: &[(Observation, &[&str])] = &[
        (listed(1, privileged("web")), &[]),
        (listed(1, container("plain")), &[]),
        (exec(2, "plain", 7, &["/bin/id"]), &[]),
        (
            exec(3, "web", 8, &["/bin/id"]),
            &["3 runtime-not-privileged exercised ×1"],
        ),
        (exec(4, "web", 9, &["/bin/id"]), &[]),
        (
            exec(5, "web", 9, &["/bin/sh"]),
            &["5 runtime-not-privileged exercised ×1"],
        ),
    ];
    check(&mut correlator(), steps);
}

#[test]
fn the_runtime_at_work_is_no_violation() {
    let mut plumbing = exec(2, "web", 8, &["/bin/id"]);
    plumbing.plumbing = true;
    check(
        &mut correlator(),
        &[(listed(1, privileged("web")), &[]), (plumbing, &[])],
    );
}

#[test]
fn a_violation_carries_the_standing_verdict_and_its_host() {
    let mut correlator = correlator();
    assert_eq!(correlator.on(&listed(1, privileged("web"))), []);
    assert_eq!(correlator.on(&listed(2, privileged("web"))), []);
    let violation = correlator.on(&exec(3, "web", 8, &["/bin/id"])).remove(0);
    assert_eq!(violation.posture.verdict, VerdictKind::Fail);
    assert_eq!(violation.posture.since, Some(at(1)));
    assert_eq!(violation.host.boot_id, "b1");
    assert_eq!(violation.check.number.as_deref(), Some("5.5"));
    let kinds: Vec<_> = violation.evidence.iter().map(|one| one.kind.as_str()).collect();
    assert_eq!(kinds, ["exec", "config"]);
}

#[test]
fn what_follows_from_privilege_is_one_line() {
    let mut correlator = correlator();
    let facts = Container {
        user: Some(String::new()),
        network_mode: Some("host".into()),
        ..privileged("web")
    };
    let violations = correlator.on(&started(1, facts));
    let network = "1 runtime-no-host-network drift ×1";
    assert_eq!(brief(&violations), [PRIVILEGED_DRIFT, network]);
    let also = violations[0].evidence.last().unwrap();
    assert_eq!(also.kind, "also-fails");
    let expected = [
        "runtime-capabilities",
        "runtime-no-host-devices",
        "image-non-root-user",
    ];
    assert_eq!(also.facts()["checks"], serde_json::json!(expected));
}

#[test]
fn devices_of_its_own_are_a_line_of_their_own() {
    let facts = Container {
        device_requests: Some(vec!["gpu".into()]),
        ..privileged("web")
    };
    let expected: &[&str] = &[PRIVILEGED_DRIFT, "1 runtime-no-host-devices drift ×1"];
    check(&mut correlator(), &[(started(1, facts), expected)]);
}

#[test]
fn a_start_is_told_once_and_a_restart_is_counted() {
    let again = Container {
        pid: Some(4300),
        ..host_network("web")
    };
    let network = "11001 runtime-no-host-network drift ×1";
    let steps: &[(Observation, &[&str])] = &[
        (told(0, ContainerAction::Created, host_network("web")), &[]),
        (
            started(1, host_network("web")),
            &["1 runtime-no-host-network drift ×1"],
        ),
        (started(2, host_network("web")), &[]),
        (told(3, ContainerAction::Stopped, host_network("web")), &[]),
        (started(11_001, again), &[network]),
        (
            started(11_002, host_network("other")),
            &["11002 runtime-no-host-network drift ×1"],
        ),
    ];
    check(&mut correlator(), steps);
}

#[test]
fn what_was_mended_in_a_container_is_told_again_and_a_stop_mends_nothing() {
    let updated = |millis, facts| told(millis, ContainerAction::Updated, facts);
    let broken = || host_network("web");
    let steps: &[(Observation, &[&str])] = &[
        (started(1, broken()), &["1 runtime-no-host-network drift ×1"]),
        (updated(2, container("web")), &[]),
        (updated(3, broken()), &["3 runtime-no-host-network drift ×1"]),
        (updated(4, broken()), &[]),
        (told(5, ContainerAction::Stopped, broken()), &[]),
        (started(6, broken()), &[]),
        // What another lacks was never mended.
        (started(7, root("a")), &["7 image-non-root-user drift ×1"]),
        (started(8, root("b")), &[]),
        (updated(9, container("a")), &[]),
        (started(10, root("c")), &[]),
        (updated(11, root("a")), &["11 image-non-root-user drift ×1"]),
    ];
    check(&mut correlator(), steps);
}

#[test]
fn what_nearly_every_container_fails_is_told_once_per_image() {
    let other_image = Container {
        image: "other:1".into(),
        ..root("c")
    };
    let steps: &[(Observation, &[&str])] = &[
        (started(1, root("a")), &["1 image-non-root-user drift ×1"]),
        (started(2, root("b")), &[]),
        (started(3, other_image), &["3 image-non-root-user drift ×1"]),
        (
            listed(10_001, container("d")),
            &["10001 image-non-root-user drift ×1"],
        ),
    ];
    check(&mut correlator(), steps);
}

#[test]
fn what_was_there_before_us_is_posture_until_it_changes() {
    let updated = |millis, facts| told(millis, ContainerAction::Updated, facts);
    let unknown = Container {
        network_mode: None,
        ..container("new")
    };
    let steps: &[(Observation, &[&str])] = &[
        (listed(1, host_network("old")), &[]),
        (updated(2, host_network("old")), &[]),
        (listed(3, container("web")), &[]),
        (
            updated(4, host_network("web")),
            &["4 runtime-no-host-network drift ×1"],
        ),
        (updated(5, host_network("web")), &[]),
        (started(6, unknown), &[]),
        (
            updated(7, host_network("new")),
            &["7 runtime-no-host-network drift ×1"],
        ),
    ];
    check(&mut correlator(), steps);
}

#[test]
fn a_start_names_the_first_program_where_it_was_seen() {
    let process = |pid| {
        let mut correlator = correlator();
        correlator.on(&entry(1, "web", pid, &["/bin/app"]));
        let violation = correlator.on(&started(2, host_network("web"))).remove(0);
        violation.process.map(|process| process.pid)
    };
    assert_eq!(process(4242), Some(4242));
    assert_eq!(process(4000), None, "a program that entered it is not its first");
}

#[test]
fn an_exec_is_handed_the_session_it_belongs_to() {
    let ran: &[&str] = &["3 exec-not-privileged drift ×1"];
    let mut correlator = correlator();
    let steps: &[(Observation, &[&str])] = &[
        (listed(0, container("web")), &[]),
        (session(1, "web", &["id", "-u"]), &[]),
        (exec(2, "web", 50, &["id", "-u"]), &[]),
        (entry(2, "db", 51, &["id", "-u"]), &[]),
        (entry(2, "web", 52, &["id", "-g"]), &[]),
        (entry(2, "web", 4242, &["id", "-u"]), &[]),
        (entry(3, "web", 53, &["id", "-u"]), ran),
        (entry(4, "web", 54, &["id", "-u"]), &[]),
        (host(9000), &[]),
    ];
    check(&mut correlator, steps);
}

#[test]
fn a_session_finds_its_program_by_its_process_first() {
    let mut with_pid = session(1, "web", &["id"]);
    if let Event::ExecSession(session) = &mut with_pid.event {
        session.pid = Some(60);
    }
    let steps: &[(Observation, &[&str])] = &[
        (with_pid, &[]),
        (entry(2, "web", 61, &["id"]), &[]),
        (
            entry(3, "web", 60, &["/usr/bin/other"]),
            &["3 exec-not-privileged drift ×1"],
        ),
    ];
    check(&mut correlator(), steps);
}

#[test]
fn scripts_and_cut_arguments_are_known_again() {
    let ran: &[&str] = &["2 exec-not-privileged drift ×1"];
    let script = entry(2, "web", 60, &["/bin/sh", "-e", "/usr/bin/job", "now"]);
    check(
        &mut correlator(),
        &[(session(1, "web", &["job", "now"]), &[]), (script, ran)],
    );
    let mut cut = entry(2, "web", 60, &["job", "no"]);
    cut.process.as_mut().unwrap().args_truncated = true;
    check(
        &mut correlator(),
        &[(session(1, "web", &["job", "now"]), &[]), (cut, ran)],
    );
}

#[test]
fn a_session_without_a_program_speaks_for_itself() {
    let mut correlator = correlator();
    let before = correlator.on(&session(1, "web", &["id"]));
    assert_eq!((before, correlator.advance(at(5000))), (vec![], vec![]));
    let violations = correlator.advance(at(6000));
    assert_eq!(brief(&violations), ["5001 exec-not-privileged blind-spot ×1"]);
    assert_eq!(violations[0].first, Some(at(1)));
    assert_eq!(violations[0].evidence[0].kind, "exec-session");
    assert_eq!(correlator.finish(at(7000)), []);
}

#[test]
fn a_session_told_of_after_its_program_is_still_its_session() {
    let told_late = session(4, "web", &["id"]);
    let mut told_more = told_late.clone();
    if let Event::ExecSession(session) = &mut told_more.event {
        session.pid = Some(60);
    }
    let steps: &[(Observation, &[&str])] = &[
        (entry(3, "web", 60, &["id"]), &[]),
        (told_late, &["3 exec-not-privileged drift ×1"]),
        (told_more, &[]),
        (host(9000), &[]),
    ];
    check(&mut correlator(), steps);
}

#[test]
fn the_containers_own_start_is_nobodys_session() {
    let steps: &[(Observation, &[&str])] = &[
        (entry(1, "web", 4242, &["id"]), &[]),
        (started(2, container("web")), &[]),
        (session(3, "web", &["id"]), &[]),
        (entry(4, "web", 60, &["id"]), &["4 exec-not-privileged drift ×1"]),
    ];
    check(&mut correlator(), steps);
}

#[test]
fn the_session_that_must_make_room_speaks_first() {
    // Each session told apart, however many there are.
    let mut settings = Settings::default();
    settings.fold.subjects = usize::MAX;
    let mut correlator = Correlator::new(settings, checks());
    let told: usize = (0..1100)
        .map(|number| {
            let session = session(number, "web", &[&format!("job{number}")]);
            correlator.on(&session).len()
        })
        .sum();
    assert_eq!(told, 1100 - 1024);
    assert_eq!(correlator.finish(at(2000)).len(), 1024);
}

#[test]
fn the_same_observations_give_the_same_ids() {
    let run = || {
        let mut correlator = correlator();
        let mut violations = correlator.on(&started(1, privileged("web")));
        for number in 0..20_u32 {
            violations.extend(correlator.on(&exec(
                u64::from(number) * 900,
                "web",
                100 + number,
                &["/bin/id"],
            )));
        }
        violations.extend(correlator.finish(at(60_000)));
        violations
    };
    let (one, two) = (run(), run());
    assert_eq!(one, two);
    let ids: std::collections::BTreeSet<_> = one.iter().map(|violation| &violation.id).collect();
    assert_eq!(ids.len(), one.len());
    for violation in &one {
        let id = uuid::Uuid::parse_str(&violation.id).unwrap();
        assert_eq!(id.get_version_num(), 7);
        let (seconds, nanos) = id.get_timestamp().unwrap().to_unix();
        let millis = i128::from(seconds) * 1000 + i128::from(nanos) / 1_000_000;
        assert_eq!(millis, violation.time.unix_nanos() / 1_000_000);
    }
}

#[test]
fn containers_beyond_the_bound_are_counted() {
    let mut correlator = correlator();
    for number in 0..4100_u64 {
        correlator.on(&listed(number, container(&format!("c{number}"))));
    }
    let gap = correlator.take_loss(at(5000)).unwrap();
    assert_eq!((gap.source.as_str(), gap.lost), ("correlate", Some(4)));
    assert_eq!((gap.from, gap.to), (at(0), at(5000)));
    assert_eq!(correlator.take_loss(at(6000)), None);
    // The facts of those that are left are found at their new places.
    let loud = correlator.on(&listed(6000, privileged("c9")));
    assert_eq!(loud, []);
    assert_eq!(correlator.on(&exec(6001, "c9", 5, &["/bin/id"])).len(), 1);
    assert_eq!(correlator.on(&exec(6002, "c4099", 5, &["/bin/id"])).len(), 0);
}

#[test]
fn a_removed_container_leaves_nothing_behind() {
    let mut correlator = correlator();
    correlator.on(&listed(1, privileged("a")));
    correlator.on(&listed(2, privileged("b")));
    correlator.on(&told(3, ContainerAction::Removed, privileged("a")));
    assert_eq!(correlator.on(&exec(4, "a", 5, &["/bin/id"])), []);
    let violation = correlator.on(&exec(5, "b", 5, &["/bin/id"])).remove(0);
    assert_eq!(violation.class, Class::Exercised);
    assert_eq!(violation.posture.since, Some(at(2)));
}

#[test]
fn a_clock_that_went_wrong_is_not_believed_for_long() {
    let year = 365 * 86_400_000;
    let steps: &[(Observation, &[&str])] = &[
        (listed(1, privileged("web")), &[]),
        (
            exec(2, "web", 8, &["/bin/id"]),
            &["2 runtime-not-privileged exercised ×1"],
        ),
        (host(year), &[]),
        (
            exec(3, "web", 8, &["/bin/id"]),
            &["3 runtime-not-privileged exercised ×1"],
        ),
        (exec(4, "web", 8, &["/bin/id"]), &[]),
        (exec(5, "web", 8, &["/bin/id"]), &[]),
        (host(10_003), &["10003 runtime-not-privileged exercised ×2"]),
    ];
    check(&mut correlator(), steps);
}

#[test]
fn the_catalogue_tells_a_privileged_start_in_one_line() {
    let start = |facts| {
        let mut correlator = Correlator::new(Settings::default(), crate::check::ALL);
        correlator.on(&host(0));
        // The default bridge is a failure of its own.
        let facts = Container {
            network_mode: Some("apps".into()),
            ..facts
        };
        let violations = correlator.on(&started(1, facts));
        (brief(&violations), violations)
    };
    let (lines, violations) = start(privileged("web"));
    assert_eq!(lines, [PRIVILEGED_DRIFT]);
    let also = violations[0].evidence.last().unwrap();
    assert_eq!(also.kind, "also-fails");
    assert!(also.facts()["checks"].as_array().unwrap().len() > 2, "{also:?}");
    let (lines, _) = start(container("web"));
    assert_eq!(lines, [] as [&str; 0]);
}
