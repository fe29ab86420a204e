//! Who is named, who is suspected, and who is neither.

use super::*;

/// Changes of the socket by processes: time, pid, mode that was seen after it, and when it was last changed by then.
/// Who is named once it is found open, and who is suspected.
#[track_caller]
fn check_cause(changes: &[(u64, u32, u32, u64)], named: Option<u32>, suspects: &[u32]) {
    let mut watch = Watch::new(None);
    for &(millis, pid, mode, changed) in changes {
        watch.change_seen(millis, pid, "attributes", Some((mode, changed)));
    }
    let object = Object {
        role: Role::EngineSocket,
        path: SOCKET.into(),
        state: Fact::Known(Some(ObjectState {
            mode: 0o666,
            ..ObjectState::default()
        })),
    };
    watch.facts.objects = Fact::Known(vec![object]);
    let told = watch.on(100, None, Event::Host(Box::new(watch.facts.clone())));
    let [violation] = told.as_slice() else {
        panic!("{told:?}");
    };
    let turned = watch.correlator.take_changes();
    let pid = |process: &Option<Process>| process.as_ref().map(|process| process.pid);
    assert_eq!((pid(&violation.process), pid(&turned[0].process)), (named, named));
    let cause = violation
        .evidence
        .iter()
        .find(|evidence| evidence.kind == "cause");
    let suspected: Vec<_> = cause
        .iter()
        .flat_map(|cause| cause.facts()["suspects"].as_array().unwrap())
        .map(|suspect| u32::try_from(suspect["pid"].as_u64().unwrap()).unwrap())
        .collect();
    assert_eq!(suspected, suspects);
    assert_eq!(violation.summary.contains("uncertain"), !suspects.is_empty());
}

#[test]
fn who_came_later_and_left_the_mode_as_it_was_is_not_to_blame() {
    check_cause(&[(10, 1, 0o666, 9), (11, 2, 0o666, 10)], Some(1), &[]);
    check_cause(&[(10, 2, 0o660, 9), (11, 1, 0o666, 10)], Some(1), &[]);
    let between = [(10, 2, 0o660, 9), (11, 1, 0o666, 10), (12, 3, 0o666, 11)];
    check_cause(&between, Some(1), &[]);
    // Made wide, mended, and made wide again.
    let again = [(10, 2, 0o666, 9), (11, 3, 0o660, 10), (12, 1, 0o666, 11)];
    check_cause(&again, Some(1), &[]);
}

#[test]
fn two_changes_before_one_look_make_it_uncertain() {
    check_cause(&[(10, 1, 0o666, 10), (11, 2, 0o666, 10)], None, &[2, 1]);
    check_cause(
        &[
            (10, 1, 0o660, 8),
            (10, 2, 0o666, 10),
            (11, 3, 0o666, 10),
            (12, 4, 0o666, 11),
        ],
        None,
        &[3, 2],
    );
    check_cause(&[(10, 1, 0o666, 10), (11, 1, 0o666, 10)], Some(1), &[]);
}

#[test]
fn what_another_process_changed_just_before_makes_it_uncertain_and_long_before_does_not() {
    for (millis, named) in [(999, None), (500, Some("chmod"))] {
        let mut watch = Watch::new(Some(1));
        watch.change(millis, 43, "move-to", &[]);
        watch.change(1000, 42, "move-to", &[]);
        watch.facts.audit = Fact::Known(AuditFacts::default());
        watch.on(1001, None, Event::Host(Box::new(watch.facts.clone())));
        let turned = watch.correlator.take_changes();
        let [turned] = turned.as_slice() else {
            panic!("{turned:?}");
        };
        let doer = turned.process.as_ref().map(|process| process.comm.as_str());
        assert_eq!(doer, named);
        assert_eq!(
            turned.reason.contains("chmod (pid 42) or chmod (pid 43)"),
            named.is_none()
        );
    }
}

/// The host was looked at, and told, since the other did it.
#[test]
fn what_was_looked_at_is_not_suspected_beside_what_was_not() {
    let mut watch = Watch::new(Some(1));
    watch.change(1000, 43, "move-to", &[]);
    for millis in [1010, 1020] {
        watch.host(millis, &[(SOCKET, 0o660)], &[], &[]);
    }
    watch.change(1100, 42, "move-to", &[]);
    watch.facts.audit = Fact::Known(AuditFacts::default());
    watch.on(1101, None, Event::Host(Box::new(watch.facts.clone())));
    let turned = watch.correlator.take_changes();
    let doer = turned[0].process.as_ref().map(|process| process.pid);
    assert_eq!(doer, Some(42));
}

/// It made the verdict turn the other way.
#[test]
fn what_made_it_pass_is_not_suspected_of_making_it_fail() {
    let mut watch = Watch::new(Some(1));
    let mut turn = |millis, pid, rules| {
        watch.change(millis, pid, "move-to", &[]);
        watch.facts.audit = Fact::Known(AuditFacts {
            rules: vec![AuditRule::default(); rules],
            ..AuditFacts::default()
        });
        watch.on(millis + 1, None, Event::Host(Box::new(watch.facts.clone())));
        let turned = watch.correlator.take_changes();
        turned[0].process.as_ref().map(|process| process.pid)
    };
    assert_eq!(turn(1000, 41, 0), Some(41));
    assert_eq!(turn(1010, 42, 1), Some(42));
    assert_eq!(turn(1020, 43, 0), Some(43));
}

/// A rule does not go with what is written to the object that it watches.
#[test]
fn a_write_is_no_cause_of_a_trail_that_is_gone() {
    let mut watch = Watch::new(Some(1));
    watch.change(1000, 42, "write", &[]);
    watch.change(1000, 42, "attributes", &[]);
    watch.facts.audit = Fact::Known(AuditFacts::default());
    watch.on(1001, None, Event::Host(Box::new(watch.facts.clone())));
    let turned = watch.correlator.take_changes();
    assert_eq!((turned.len(), &turned[0].process), (1, &None));
}
