//! Which facts are asked of records, and what is told of their worth.

use super::*;
use crate::source::audit::parse_rule;
use crate::source::kernel::{PROBES, ProbeState};

const EXECS: &str = "-a always,exit -F arch=b64 -S execve,execveat";
const CONNECTIONS: &str = "-a always,exit -F arch=b64 -S connect";

/// The state and the rules of a trail.
fn audit(enabled: u32, rules: &[&str]) -> (AuditStatus, Vec<AuditRule>) {
    let status = AuditStatus {
        enabled,
        ..AuditStatus::default()
    };
    (
        status,
        rules.iter().map(|rule| parse_rule(rule).unwrap()).collect(),
    )
}

fn reports(declined: &[&str], failed: &[&str]) -> Vec<ProbeReport> {
    let state = |probe: &'static Probe| match probe.name {
        name if declined.contains(&name) => ProbeState::Declined,
        name if failed.contains(&name) => ProbeState::Failed(Vec::new()),
        _ => ProbeState::Attached {
            rung: &probe.rungs[0],
            refused: Vec::new(),
        },
    };
    let report = |probe| ProbeReport {
        probe,
        state: state(probe),
    };
    PROBES.iter().map(report).collect()
}

fn stand_in(declined: &[&str], failed: &[&str], (status, rules): &(AuditStatus, Vec<AuditRule>)) -> StandIn {
    StandIn::new(&reports(declined, failed), &Ok((status, rules)))
}

/// Which facts are asked for where these probes are declined, and these failed.
#[track_caller]
fn check_facts(declined: &[&str], failed: &[&str], expect: Facts) {
    assert_eq!(stand_in(declined, failed, &audit(1, &[])).facts(), expect);
}

#[test]
fn only_what_no_probe_tells_is_asked_of_records() {
    check_facts(&[], &[], Facts::default());
    check_facts(&["namespace", "cgroup"], &[], Facts::default());
    let expect = Facts {
        exec: true,
        connect: false,
        mount: true,
    };
    check_facts(&["exec"], &["mount"], expect);
}

#[test]
fn the_probes_that_records_can_stand_in_for_are_there() {
    for name in ["exec", "connect", "mount"] {
        assert!(PROBES.iter().any(|probe| probe.name == name), "{name}");
        assert!(calls(name).is_some(), "{name}");
    }
    assert!(calls("cgroup").is_none());
}

#[track_caller]
fn check_worth(calls: &[&'static str], enabled: u32, rules: &[&str], expect: &str) {
    let (status, rules) = audit(enabled, rules);
    let said = Worth::of(calls, &Ok((&status, &rules))).to_string();
    assert_eq!(said, expect);
}

#[test]
fn what_records_are_worth_is_said_with_its_remedy() {
    let both = ["execve", "execveat"];
    let add = "auditctl -a always,exit -F arch=b64 -S";
    check_worth(&both, 1, &[EXECS], "records of execve, execveat stand in for it");
    check_worth(
        &both,
        1,
        &["-a always,exit -F arch=b64 -S execve -F auid>=1000"],
        &format!(
            "records of execve stand in for it; of execve only as far as rules go; no rule is loaded as by: {add} execveat"
        ),
    );
    let none = format!("no rule is loaded as by: {add} execve,execveat");
    check_worth(&both, 1, &[CONNECTIONS], &format!("no records: {none}"));
    check_worth(
        &both,
        0,
        &[EXECS],
        "no records: auditing is disabled (auditctl -e 1)",
    );
    check_worth(
        &both,
        0,
        &[],
        &format!("no records: auditing is disabled (auditctl -e 1), and {none}"),
    );
    let unreadable = Worth::of(&both, &Err("not here".to_owned()));
    assert_eq!(unreadable.to_string(), "no records: not here");
}

/// Whether auditing is enabled, the rules, and what is told of which probe.
type Step<'a> = (u32, &'a [&'a str], &'a [(&'a str, StatusState)]);

/// What is told of the worth of records, rule set after rule set.
#[track_caller]
fn check_changes(stand_in: &mut StandIn, steps: &[Step<'_>]) {
    for (enabled, rules, expect) in steps {
        let (status, rules) = audit(*enabled, rules);
        let told = stand_in.update(&Ok((&status, &rules)), Time::now());
        let told: Vec<_> = told
            .iter()
            .map(|one| (one.component.as_str(), one.state))
            .collect();
        assert_eq!(told, *expect, "{rules:?}");
    }
}

#[test]
fn rules_that_come_and_go_are_told_once_of_each_probe() {
    const EXEC: &str = "probe exec";
    let mut stand_in = stand_in(&["exec", "namespace"], &["connect"], &audit(1, &[]));
    assert_eq!(stand_in.told(), [""; 0]);
    check_changes(
        &mut stand_in,
        &[
            (1, &[], &[]),
            (1, &[EXECS], &[(EXEC, StatusState::Recovered)]),
            (1, &[EXECS], &[]),
            (
                1,
                &[EXECS, CONNECTIONS],
                &[("probe connect", StatusState::Recovered)],
            ),
        ],
    );
    assert_eq!(stand_in.told(), ["exec", "connect"]);
    check_changes(
        &mut stand_in,
        &[
            (1, &[CONNECTIONS], &[(EXEC, StatusState::Degraded)]),
            (
                0,
                &[CONNECTIONS],
                &[
                    (EXEC, StatusState::Degraded),
                    ("probe connect", StatusState::Degraded),
                ],
            ),
        ],
    );
}

/// Whether nothing at all is told by records, and why.
#[track_caller]
fn check_nothing(declined: &[&str], rules: &[&str], expect: Option<&str>) {
    let audit = audit(1, rules);
    let nothing = stand_in(declined, &[], &audit).nothing(&Ok((&audit.0, &audit.1)));
    assert_eq!(nothing.is_some(), expect.is_some(), "{nothing:?}");
    assert!(nothing.is_none_or(|why| why.contains(expect.unwrap())));
}

#[test]
fn one_fact_that_is_recorded_is_enough_to_begin() {
    check_nothing(&["exec", "connect"], &[CONNECTIONS], None);
    check_nothing(&["exec", "connect"], &[], Some("-S execve,execveat,connect"));
    // Records of what a probe sees stand in for nothing.
    check_nothing(&["exec"], &[CONNECTIONS], Some("-S execve,execveat"));
}
