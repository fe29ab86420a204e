//! Containers that may start any number of processes.

use super::support::{Word, cannot_limit, config, failed, in_force, update, weigh};
use super::{Assess, Basis, Benchmark, Check, Signal, no_live_signal};
use crate::model::{Container, Host, Severity, Verdict, VerdictKind};

pub(super) static CHECK: Check = Check {
    key: "runtime-pids-limit",
    title: "Containers have a process limit",
    section: "runtime",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "5.28"),
        (Benchmark::V1_1_0, "5.28"),
        (Benchmark::V1_2_0, "5.28"),
        (Benchmark::V1_3_1, "5.28"),
        (Benchmark::V1_4_0, "5.28"),
        (Benchmark::V1_5_0, "5.28"),
        (Benchmark::V1_6_0, "5.29"),
        (Benchmark::V1_7_0, "5.29"),
        (Benchmark::V1_8_0, "5.29"),
    ],
    about: "Without a limit one container can start so many processes that the host can start none. \
            `HostConfig.PidsLimit` is to be above zero (null, 0 and -1 are no limit), and the cgroups of \
            the first process are to hold it. A limit of an enclosing cgroup alone is less severe.",
    remedy: "Give the container a limit: --pids-limit",
    assess: Assess::Container(assess),
    signals: &[Signal {
        kind: "container",
        when: "a container is created, started or updated",
    }],
    observe: no_live_signal,
};

fn assess(container: &Container, host: &Host) -> Verdict {
    let verdict = judge(container, host);
    if verdict.kind() != VerdictKind::Fail {
        return verdict;
    }
    verdict.remedy(update(container, host, "--pids-limit 100", "--limit-pids 100"))
}

fn judge(container: &Container, host: &Host) -> Verdict {
    let kernel = in_force(
        container,
        &["pids"],
        |_, limit| format!("is limited to {limit} processes"),
        "has no limit of processes in its cgroups",
    );
    match (asked(container), kernel) {
        (Word::Bad(clause, shown), Word::Good(bound)) => {
            let clause = format!("{clause} of its own, and {bound} only by an enclosing cgroup");
            failed(container, Severity::Low, &clause, vec![shown])
        }
        (asked, kernel @ Word::Good(_)) => weigh(container, CHECK.severity, asked, kernel),
        (asked, kernel) => cannot_limit(container, host, "PidsLimit")
            .unwrap_or_else(|| weigh(container, CHECK.severity, asked, kernel)),
    }
}

fn asked(container: &Container) -> Word {
    match container.limits.pids {
        None => Word::Silent("the engine does not say how many processes the container may start"),
        Some(limit) if limit > 0 => Word::Good(format!("is limited to {limit} processes")),
        Some(limit) => Word::Bad(
            "has no limit of processes".into(),
            config("HostConfig.PidsLimit", limit),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::testing::{assert_fails, assert_passes, assert_unknown, judge};
    use super::*;

    /// The verdict with this configured limit, and this one in the cgroups: none of either is not told, 0 is no limit.
    #[track_caller]
    fn check(asked: Option<i64>, shown: Option<i64>) -> Verdict {
        judge(&CHECK, |container, _| {
            container.limits.pids = asked;
            container.truth.as_mut().unwrap().cgroup_limits = shown.map(|limit| {
                let set = (limit > 0).then(|| ("pids".to_owned(), limit));
                BTreeMap::from_iter(set)
            });
        })
    }

    #[test]
    fn pass_a_limit() {
        let verdict = check(Some(100), Some(100));
        assert_passes(&verdict);
        assert_eq!(verdict.reason, "container web is limited to 100 processes");
        assert_passes(&check(Some(1), None));
        assert_passes(&check(None, Some(100)));
    }

    #[test]
    fn fail_null_zero_and_minus_one() {
        for none in [0, -1] {
            let verdict = check(Some(none), Some(0));
            assert_fails(
                &verdict,
                Severity::Medium,
                "container web has no limit of processes",
            );
            assert_eq!(
                verdict.remedy.as_deref(),
                Some("docker update --pids-limit 100 web")
            );
            assert_fails(&check(Some(none), None), Severity::Medium, "no limit");
        }
        assert_fails(
            &check(Some(0), Some(4000)),
            Severity::Low,
            "only by an enclosing cgroup",
        );
        assert_fails(&check(Some(100), Some(0)), Severity::Medium, "says otherwise");
        assert_fails(&check(None, Some(0)), Severity::Medium, "in its cgroups");
    }

    #[test]
    fn fail_where_the_kernel_cannot_limit() {
        let verdict = judge(&CHECK, |container, host| {
            container.truth = None;
            let engine = host.facts.engine.get_mut().unwrap();
            engine.can_limit.insert("PidsLimit".into(), false);
        });
        assert_fails(&verdict, Severity::Medium, "cannot be limited");
    }

    #[test]
    fn unknown_where_nobody_says() {
        assert_unknown(&check(None, None), "how many processes");
    }
}
