//! Containers with the default share of the processors.

use super::support::{Word, config, in_force, update, weigh_limit};
use super::{Assess, Basis, Benchmark, Check, Signal, no_live_signal};
use crate::model::{Container, Host, Limits, Severity, Verdict, VerdictKind};

/// `CpuShares` that weigh as much as none at all.
const DEFAULT_SHARES: i64 = 1024;

pub(super) static CHECK: Check = Check {
    key: "runtime-cpu-limit",
    title: "Container CPU weight or quota is set deliberately",
    section: "runtime",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Low,
    numbers: &[
        (Benchmark::V1_13_0, "5.11"),
        (Benchmark::V1_1_0, "5.11"),
        (Benchmark::V1_2_0, "5.11"),
        (Benchmark::V1_3_1, "5.11"),
        (Benchmark::V1_4_0, "5.11"),
        (Benchmark::V1_5_0, "5.11"),
        (Benchmark::V1_6_0, "5.12"),
        (Benchmark::V1_7_0, "5.12"),
        (Benchmark::V1_8_0, "5.12"),
    ],
    about: "A container with the default weight and no quota competes with everything else for the \
            processors. Any deliberate setting counts: shares other than 1024 (more is as deliberate as \
            less), a quota, `NanoCpus`, a set of processors, or what the container's cgroups hold of \
            these.",
    remedy: "Set --cpus, --cpu-shares or --cpuset-cpus",
    assess: Assess::Container(assess),
    signals: &[Signal {
        kind: "container",
        when: "a container is created, started or updated",
    }],
    observe: no_live_signal,
};

fn assess(container: &Container, host: &Host) -> Verdict {
    let limits = &container.limits;
    // 1024 is written to the cgroup as a weight that differs from the kernel's default, and is none all the same.
    let names: &[&str] = if limits.cpu_shares == Some(DEFAULT_SHARES) {
        &["cpu-quota", "cpuset"]
    } else {
        &["cpu-quota", "cpu-weight", "cpu-shares", "cpuset"]
    };
    let kernel = in_force(
        container,
        names,
        |name, value| format!("has the {name} {value} in its cgroups"),
        "has neither quota nor weight of processors in its cgroups",
    );
    let kernel = match kernel {
        // Some shares come out as the kernel's default weight, by the way they are converted.
        Word::Bad(..) if !is_bounded(limits) && has_shares(limits) => {
            Word::Silent("the weight in its cgroups is the default one")
        }
        kernel => kernel,
    };
    let verdict = weigh_limit(container, CHECK.severity, asked(limits), kernel);
    if verdict.kind() != VerdictKind::Fail {
        return verdict;
    }
    verdict.remedy(update(container, host, "--cpus NUMBER", "--limit-cpu NUMBER"))
}

fn has_shares(limits: &Limits) -> bool {
    limits
        .cpu_shares
        .is_some_and(|shares| shares > 0 && shares != DEFAULT_SHARES)
}

fn is_bounded(limits: &Limits) -> bool {
    [limits.nano_cpus, limits.cpu_quota]
        .iter()
        .any(|limit| limit.is_some_and(|limit| limit > 0))
        || limits.cpuset.as_ref().is_some_and(|set| !set.is_empty())
}

fn asked(limits: &Limits) -> Word {
    let Limits {
        cpu_shares,
        nano_cpus,
        cpu_quota,
        cpuset,
        ..
    } = limits;
    let set = [
        (
            "CpuShares",
            cpu_shares
                .filter(|_| has_shares(limits))
                .map(|shares| shares.to_string()),
        ),
        (
            "NanoCpus",
            nano_cpus.filter(|cpus| *cpus > 0).map(|cpus| cpus.to_string()),
        ),
        (
            "CpuQuota",
            cpu_quota
                .filter(|quota| *quota > 0)
                .map(|quota| quota.to_string()),
        ),
        ("CpusetCpus", cpuset.clone().filter(|set| !set.is_empty())),
    ];
    if let Some((name, value)) = set.into_iter().find_map(|(name, value)| Some((name, value?))) {
        return Word::Good(format!("has HostConfig.{name} {value}"));
    }
    if cpu_shares.is_none() || nano_cpus.is_none() && cpu_quota.is_none() {
        return Word::Silent("the engine does not say how much of the processors the container may use");
    }
    let shown = serde_json::json!({ "CpuShares": cpu_shares, "NanoCpus": nano_cpus, "CpuQuota": cpu_quota, "CpusetCpus": cpuset });
    Word::Bad(
        "has the default weight of processors and no quota".into(),
        config("HostConfig", shown),
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_fails, assert_passes, assert_unknown, judge};
    use super::*;

    /// The verdict with these limits asked for and these in the cgroups.
    #[track_caller]
    fn check(vary: impl FnOnce(&mut Limits), shown: Option<&[(&str, i64)]>) -> Verdict {
        judge(&CHECK, |container, _| {
            container.limits.nano_cpus = Some(0);
            vary(&mut container.limits);
            container.truth.as_mut().unwrap().cgroup_limits = shown.map(|shown| {
                shown
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), *value))
                    .collect()
            });
        })
    }

    #[test]
    fn pass_anything_deliberate() {
        assert_passes(&check(|limits| limits.cpu_shares = Some(512), None));
        assert_passes(&check(|limits| limits.cpu_shares = Some(2048), Some(&[])));
        assert_passes(&check(
            |limits| limits.nano_cpus = Some(1_500_000_000),
            Some(&[("cpu-quota", 150_000)]),
        ));
        assert_passes(&check(|limits| limits.cpu_quota = Some(50_000), None));
        assert_passes(&check(
            |limits| limits.cpuset = Some("0-1".into()),
            Some(&[("cpuset", 2)]),
        ));
        assert_passes(&check(|_| (), Some(&[("cpu-weight", 50)])));
        assert_passes(&check(
            |limits| *limits = Limits::default(),
            Some(&[("cpu-quota", 10_000)]),
        ));
    }

    #[test]
    fn fail_the_default_weight_without_a_quota() {
        let words = "has the default weight of processors and no quota";
        for shares in [0, 1024] {
            let shown: &[_] = &[("cpu-weight", 39)];
            let shown = if shares == 0 { &[] } else { shown };
            let verdict = check(|limits| limits.cpu_shares = Some(shares), Some(shown));
            assert_fails(&verdict, Severity::Low, words);
            assert_eq!(verdict.remedy.as_deref(), Some("docker update --cpus NUMBER web"));
        }
        assert_fails(
            &check(|limits| limits.cpu_quota = Some(-1), None),
            Severity::Low,
            words,
        );
        let lifted = check(|limits| limits.nano_cpus = Some(1), Some(&[]));
        assert_fails(
            &lifted,
            Severity::Low,
            "although its configuration says otherwise",
        );
    }

    #[test]
    fn unknown_where_nobody_says() {
        assert_unknown(
            &check(|limits| *limits = Limits::default(), None),
            "how much of the processors",
        );
    }
}
