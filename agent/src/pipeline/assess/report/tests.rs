//! Which rows a report has, and what they say.

use super::*;
use crate::check::ALL;
use crate::model::{Container, ContainerId, EngineKind};

fn container(name: &str, privileged: Option<bool>) -> Container {
    let id: ContainerId = format!("{:0>64}", name.len()).parse().unwrap();
    Container {
        name: name.to_owned(),
        privileged,
        ..Container::unknown(id, EngineKind::Docker)
    }
}

fn assess(containers: Option<Vec<Container>>) -> Report {
    let host = Host {
        containers,
        ..Host::default()
    };
    let plan = Plan {
        benchmark: Benchmark::V1_6_0,
        checks: ALL,
        excluded: Vec::new(),
        began: Time::now(),
    };
    report(&host, plan)
}

#[track_caller]
fn privileged(containers: Option<Vec<Container>>) -> ReportRow {
    let report = assess(containers);
    let row = report.checks.into_iter().find(|row| row.number == "5.5");
    row.unwrap()
}

#[test]
fn every_check_of_the_benchmark_is_a_row_in_its_order_and_counted_once() {
    let report = assess(None);
    let of_benchmark = ALL
        .iter()
        .filter(|check| check.number(Benchmark::V1_6_0).is_some());
    assert_eq!(report.checks.len(), of_benchmark.count());
    assert!(report.checks.is_sorted_by_key(|row| place(&row.number)));
    let counts = report.counts;
    let all = counts.pass + counts.fail + counts.unknown + counts.not_applicable;
    assert_eq!(usize::try_from(all).unwrap(), report.checks.len());
    assert!(place("1.2.9") < place("1.2.10"));
}

#[test]
fn without_an_engine_rows_are_unknown_and_on_an_idle_one_they_pass() {
    let row = privileged(None);
    assert_eq!((row.verdict, row.evaluated), (VerdictKind::Unknown, 1));
    let row = privileged(Some(Vec::new()));
    assert_eq!((row.verdict, row.evaluated), (VerdictKind::Pass, 0));
    assert_eq!(row.reason, "there is nothing to judge: 0 evaluated");
    assert_eq!(row.severity, None);
}

#[test]
fn a_row_tells_its_worst_items() {
    let row = privileged(Some(vec![
        container("a", Some(false)),
        container("bb", Some(true)),
        container("ccc", None),
    ]));
    assert_eq!((row.verdict, row.evaluated), (VerdictKind::Fail, 3));
    assert!(row.reason.starts_with("1 of 3: "), "{}", row.reason);
    assert!(row.severity.is_some() && !row.letter_only && !row.remedy.is_empty());
    let items: Vec<_> = row
        .items
        .iter()
        .map(|item| (item.item.as_str(), item.verdict))
        .collect();
    let expect = [
        ("a", VerdictKind::Pass),
        ("bb", VerdictKind::Fail),
        ("ccc", VerdictKind::Unknown),
    ];
    assert_eq!(items, expect);
    assert_eq!(row.items[1].id.as_ref().map(String::len), Some(64));
}

#[test]
fn only_scored_rows_make_the_score() {
    let mut rows = vec![privileged(Some(vec![container("a", Some(true))])); 3];
    (rows[0].scored, rows[1].scored) = (true, false);
    (rows[2].scored, rows[2].verdict) = (true, VerdictKind::Unknown);
    let counts = counts(&rows);
    assert_eq!((counts.fail, counts.unknown, counts.score), (2, 1, -1));
}
