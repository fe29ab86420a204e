//! Cases of checks on Docker Enterprise.

use super::{container, host};
use crate::check::{Assess, Check};
use crate::model::{Container, Verdict, VerdictKind};

fn verdict(check: &Check, containers: Option<Vec<Container>>) -> Verdict {
    let Assess::Host(assess) = check.assess else {
        panic!("{} does not judge the host", check.key);
    };
    let mut host = host();
    host.containers = containers;
    let mut items = assess(&host);
    assert_eq!(items.len(), 1);
    items.remove(0).verdict
}

#[track_caller]
pub(in crate::check) fn not_applicable_without_it(check: &Check) {
    for containers in [Vec::new(), vec![container("web")]] {
        let verdict = verdict(check, Some(containers));
        assert_eq!(verdict.kind(), VerdictKind::NotApplicable, "{}", verdict.reason);
    }
}

#[track_caller]
pub(in crate::check) fn unknown_where_it_runs(check: &Check) {
    let verdict_of = verdict(check, Some(vec![container("web"), container("ucp-controller")]));
    assert_eq!(verdict_of.kind(), VerdictKind::Unknown);
    assert!(
        verdict_of.reason.contains("container ucp-controller"),
        "{}",
        verdict_of.reason
    );
    assert_eq!(verdict(check, None).kind(), VerdictKind::Unknown);
}
