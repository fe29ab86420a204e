//! Containers that may use all memory of the host.

use super::support::{Word, bytes, cannot_limit, config, in_force, update, weigh_limit};
use super::{Assess, Basis, Benchmark, Check, Signal, no_live_signal};
use crate::model::{Container, Host, Severity, Verdict, VerdictKind};

pub(super) static CHECK: Check = Check {
    key: "runtime-memory-limit",
    title: "Containers have a memory limit",
    section: "runtime",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "5.10"),
        (Benchmark::V1_1_0, "5.10"),
        (Benchmark::V1_2_0, "5.10"),
        (Benchmark::V1_3_1, "5.10"),
        (Benchmark::V1_4_0, "5.10"),
        (Benchmark::V1_5_0, "5.10"),
        (Benchmark::V1_6_0, "5.11"),
        (Benchmark::V1_7_0, "5.11"),
        (Benchmark::V1_8_0, "5.11"),
    ],
    about: "A container without a memory limit can take the host's memory from everything else. \
            `HostConfig.Memory` decides, and so does what the cgroups of the first process hold, those \
            below the engine's own that enclose it included; a reservation is no limit, and a limit that \
            the kernel cannot keep is none.",
    remedy: "Give the container a limit: --memory",
    assess: Assess::Container(assess),
    signals: &[Signal {
        kind: "container",
        when: "a container is created, started or updated",
    }],
    observe: no_live_signal,
};

fn assess(container: &Container, host: &Host) -> Verdict {
    let kernel = in_force(
        container,
        &["memory"],
        |_, limit| format!("is limited to {} of memory", bytes(limit)),
        "has no memory limit in its cgroups",
    );
    let verdict = if matches!(kernel, Word::Good(_)) {
        None
    } else {
        cannot_limit(container, host, "MemoryLimit")
    };
    let verdict = verdict.unwrap_or_else(|| weigh_limit(container, CHECK.severity, asked(container), kernel));
    if verdict.kind() != VerdictKind::Fail {
        return verdict;
    }
    let options = "--memory SIZE --memory-swap SIZE";
    verdict.remedy(update(container, host, options, "--limit-memory SIZE"))
}

fn asked(container: &Container) -> Word {
    match container.limits.memory {
        None => Word::Silent("the engine does not say how much memory the container may use"),
        Some(limit) if limit > 0 => Word::Good(format!("is limited to {} of memory", bytes(limit))),
        Some(limit) => Word::Bad("has no memory limit".into(), config("HostConfig.Memory", limit)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::testing::{assert_fails, assert_passes, assert_unknown, judge};
    use super::*;
    use crate::model::{ContainerState, Service};

    /// The verdict with this configured limit, and this one in the cgroups: none of either is not told, 0 is no limit.
    #[track_caller]
    fn check(asked: Option<i64>, shown: Option<i64>) -> Verdict {
        judge(&CHECK, |container, _| {
            container.limits.memory = asked;
            container.truth.as_mut().unwrap().cgroup_limits = shown.map(|limit| {
                let set = (limit > 0).then(|| ("memory".to_owned(), limit));
                BTreeMap::from_iter(set)
            });
        })
    }

    #[test]
    fn pass_a_limit_of_its_own_or_of_an_enclosing_cgroup() {
        let verdict = check(Some(1 << 28), Some(1 << 28));
        assert_passes(&verdict);
        assert_eq!(verdict.reason, "container web is limited to 256 MiB of memory");
        assert_passes(&check(Some(1 << 28), None));
        assert_passes(&check(None, Some(1000)));
        let enclosed = check(Some(0), Some(1 << 30));
        assert_passes(&enclosed);
        assert!(
            enclosed
                .reason
                .ends_with("by its cgroups, although it was not asked for")
        );
    }

    #[test]
    fn fail_no_limit_and_one_that_was_lifted() {
        assert_fails(
            &check(Some(0), Some(0)),
            Severity::Medium,
            "container web has no memory limit",
        );
        assert_fails(&check(Some(-1), None), Severity::Medium, "has no memory limit");
        let lifted = check(Some(1 << 28), Some(0));
        assert_fails(
            &lifted,
            Severity::Medium,
            "although its configuration says otherwise",
        );
        assert_eq!(
            lifted.remedy.as_deref(),
            Some("docker update --memory SIZE --memory-swap SIZE web")
        );
    }

    #[test]
    fn fail_where_the_kernel_cannot_limit() {
        let verdict = judge(&CHECK, |container, host| {
            (container.state, container.truth) = (ContainerState::Exited, None);
            let engine = host.facts.engine.get_mut().unwrap();
            engine.can_limit.insert("MemoryLimit".into(), false);
        });
        assert_fails(&verdict, Severity::Medium, "cannot be limited");
    }

    #[test]
    fn fail_a_task_whose_service_is_to_be_changed() {
        let verdict = judge(&CHECK, |container, host| {
            container.limits.memory = Some(0);
            container.truth = None;
            container.labels = vec![("com.docker.swarm.service.id".into(), "s1".into())];
            let service = Service {
                id: "s1".into(),
                name: "shop".into(),
                ..Service::default()
            };
            let engine = host.facts.engine.get_mut().unwrap();
            engine.swarm.services = crate::model::Fact::Known(vec![service]);
        });
        assert_eq!(
            verdict.remedy.as_deref(),
            Some("docker service update --limit-memory SIZE shop")
        );
    }

    #[test]
    fn unknown_where_nobody_says() {
        assert_unknown(&check(None, None), "how much memory");
    }
}
