//! The schedule of folding, and that no occurrence is lost.

use std::time::Duration;

use super::*;
use crate::correlate::testing::checks;
use crate::correlate::{Correlator, Settings};
use crate::model::ContainerAction;
use crate::model::testing::{at, exec, host, privileged, told};
use proptest::prelude::*;

fn occurrence(millis: u64, subject: &str) -> (FoldKey, Violation) {
    let mut correlator = Correlator::new(Settings::default(), checks());
    correlator.on(&host(0));
    correlator.on(&told(0, ContainerAction::Listed, privileged("web")));
    let violation = correlator.on(&exec(millis, "web", 7, &["/bin/id"])).remove(0);
    let key = FoldKey {
        check: "runtime-not-privileged",
        class: violation.class,
        severity: violation.severity,
        scope: Scope::Host,
        subject: subject.to_owned(),
    };
    (key, violation)
}

/// Runs to a time second by second, collecting `second ×count since first`.
fn run(fold: &mut Fold, seconds: std::ops::Range<u64>, every: u64) -> Vec<String> {
    let (key, template) = occurrence(0, "x");
    let mut reports = Vec::new();
    for second in seconds {
        while let Some(report) = fold.take_due(at(second * 1000)) {
            reports.push(report);
        }
        if second % every == 0 {
            let time = at(second * 1000);
            reports.extend(fold.note(
                key.clone(),
                Violation {
                    time,
                    ..template.clone()
                },
            ));
        }
    }
    let seconds = |time: Time| time.since(at(0)).as_secs();
    let brief = |report: &Violation| {
        let first = report
            .first
            .map_or_else(String::new, |first| format!(" since {}", seconds(first)));
        format!("{} ×{}{first}", seconds(report.time), report.count)
    };
    reports.iter().map(brief).collect()
}

#[test]
fn ever_new_subjects_are_counted_together() {
    let mut fold = Fold::new(FoldSettings::default());
    let told: Vec<_> = (0..1000)
        .flat_map(|number| {
            let (key, violation) = occurrence(number, &format!("/tmp/{number}"));
            fold.note(key, violation)
        })
        .collect();
    assert_eq!(told.len(), 33, "32 told apart, and the first of the others");
    let beyond = |violation: &Violation| violation.summary.ends_with("beyond those told apart");
    assert_eq!(told.iter().filter(|violation| beyond(violation)).count(), 1);
    let rest = fold.take_due(at(20_000)).unwrap();
    assert_eq!((rest.count, beyond(&rest)), (1000 - 33, true));
    let (key, violation) = occurrence(20_001, "/tmp/1");
    assert!(
        fold.knows(&key) && fold.note(key, violation).is_empty(),
        "still told apart"
    );
    let (key, _) = occurrence(0, "elsewhere");
    let elsewhere = FoldKey {
        scope: Scope::Unidentified(CgroupId(7)),
        ..key
    };
    assert!(!fold.knows(&elsewhere), "another place is not crowded");
    // Quiet for long, all is new again.
    fold.finish(at(20_001));
    fold.forget(at(2 * 3_600_000 + 20_001));
    assert!(fold.groups.is_empty());
    let (key, _) = occurrence(0, "/tmp/999");
    assert!(!fold.knows(&key));
}

#[test]
fn reports_come_at_growing_intervals() {
    let mut fold = Fold::new(FoldSettings::default());
    let reports = run(&mut fold, 0..10_000, 1);
    let expected = [
        "0 ×1",
        "10 ×9 since 1",
        "70 ×60 since 10",
        "370 ×300 since 70",
        "2170 ×1800 since 370",
        "5770 ×3600 since 2170",
        "9370 ×3600 since 5770",
    ];
    assert_eq!(reports, expected);
}

#[test]
fn a_repetition_after_its_report_was_due_is_told_at_once() {
    let mut fold = Fold::new(FoldSettings::default());
    assert_eq!(run(&mut fold, 0..40, 15), ["0 ×1", "15 ×1"]);
    assert_eq!(fold.next_due(), Some(at(75_000)));
}

#[test]
fn quiet_for_long_makes_it_new_again() {
    let mut fold = Fold::new(FoldSettings::default());
    let (key, violation) = occurrence(0, "x");
    assert_eq!(fold.note(key.clone(), violation).len(), 1);
    fold.forget(at(3_600_000));
    assert!(fold.knows(&key));
    fold.forget(at(3_600_001));
    assert!(!fold.knows(&key));
}

#[test]
fn what_makes_room_is_told_before() {
    let settings = FoldSettings {
        capacity: 2,
        ..FoldSettings::default()
    };
    let mut fold = Fold::new(settings);
    for (millis, subject) in [(0, "a"), (1, "b"), (2, "a"), (3, "b"), (4, "b")] {
        let (key, violation) = occurrence(millis, subject);
        fold.note(key, violation);
    }
    let (key, violation) = occurrence(5, "c");
    let reports = fold.note(key, violation);
    assert_eq!(reports.iter().map(|one| one.count).collect::<Vec<_>>(), [1, 1]);
    assert_eq!((reports[0].first, reports[0].time), (Some(at(2)), at(5)));
    assert_eq!(fold.finish(at(6)).iter().map(|one| one.count).sum::<u64>(), 2);
    assert_eq!(fold.next_due(), None);
}

#[test]
fn a_worse_repetition_is_none() {
    let mut fold = Fold::new(FoldSettings::default());
    let (key, violation) = occurrence(0, "a");
    fold.note(key.clone(), violation.clone());
    let worse = FoldKey {
        severity: Severity::Info,
        ..key
    };
    assert_eq!(fold.note(worse, violation).len(), 1);
}

proptest! {
    #[test]
    fn counts_add_up_to_the_occurrences(
        steps in prop::collection::vec((0_u64..900, -20_i64..20, 0_usize..4, any::<bool>()), 1..200),
        capacity in 1_usize..4,
    ) {
        let settings = FoldSettings { capacity, forget_after: Duration::from_secs(600), ..FoldSettings::default() };
        let mut fold = Fold::new(settings);
        let subjects = ["a", "b", "c", "d"].map(|subject| occurrence(0, subject));
        let (mut now, mut reported, mut noted) = (100_000_u64, 0, 0);
        let mut last_due = at(0);
        for (passed, late, subject, ticks) in steps {
            now += passed * 1000;
            if ticks {
                while let Some(report) = fold.take_due(at(now)) {
                    prop_assert!(report.time <= at(now));
                    prop_assert!(report.time >= last_due, "in the order of their times");
                    last_due = report.time;
                    reported += report.count;
                }
                last_due = at(0);
                fold.forget(at(now));
            }
            let (key, violation) = subjects[subject].clone();
            let time = at(now.saturating_add_signed(late * 1000));
            noted += 1;
            for report in fold.note(key, Violation { time, ..violation }) {
                reported += report.count;
            }
        }
        for report in fold.finish(at(now)) {
            reported += report.count;
        }
        prop_assert_eq!(reported, noted);
    }
}
