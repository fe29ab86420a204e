//! Stopped containers are cleaned up.

use serde_json::json;

use super::support::{containers, head};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Container, ContainerState, Evidence, Host, Severity, Source, Verdict};

pub(super) static CHECK: Check = Check {
    key: "ops-container-sprawl",
    title: "Stopped containers are cleaned up",
    section: "operations",
    level: 1,
    early_level: 1,
    scored: &[],
    basis: Basis::Facts,
    severity: Severity::Low,
    numbers: &[
        (Benchmark::V1_13_0, "6.5"),
        (Benchmark::V1_1_0, "6.2"),
        (Benchmark::V1_2_0, "6.2"),
        (Benchmark::V1_3_1, "6.2"),
        (Benchmark::V1_4_0, "6.2"),
        (Benchmark::V1_5_0, "6.2"),
        (Benchmark::V1_6_0, "6.2"),
        (Benchmark::V1_7_0, "6.2"),
        (Benchmark::V1_8_0, "6.2"),
    ],
    about: "Containers that have ended keep data and secrets on the disk and can be started again as they \
            were. Those that do not run are counted, and those that the engine could not remove are told by \
            name. The policy sets how many may lie about, 25 without it.",
    remedy: "Remove containers that have ended: docker container prune, with a filter by age",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "container",
        when: "a container ends or is removed",
    }],
    observe: no_live_signal,
};

/// Stopped containers that may lie about where the policy sets no number.
const MOST_STOPPED: u32 = 25;

fn assess(host: &Host) -> Vec<Item> {
    let stopped = |verdict| Item {
        subject: "stopped containers".to_owned(),
        verdict,
    };
    let containers = match containers(host) {
        Ok(containers) => containers,
        Err(verdict) => return vec![stopped(counted(host).unwrap_or(verdict))],
    };
    let ended: Vec<&Container> = containers
        .iter()
        .filter(|container| is_stopped(container))
        .collect();
    let verdict = judge(ended.len(), host, || shown(&ended));
    let dead = containers
        .iter()
        .filter(|container| container.state == ContainerState::Dead);
    std::iter::once(stopped(verdict))
        .chain(dead.map(dead_item))
        .collect()
}

const fn is_stopped(container: &Container) -> bool {
    matches!(
        container.state,
        ContainerState::Created | ContainerState::Exited | ContainerState::Dead
    )
}

/// By the engine's own count, where it told no more.
fn counted(host: &Host) -> Option<Verdict> {
    let counts = &host.facts.engine.get()?.container_counts;
    let count = usize::try_from(*counts.get("ContainersStopped")?).ok()?;
    let evidence = || Evidence::new(Source::Engine, "containers", json!({ "number": count }));
    Some(judge(count, host, evidence))
}

fn judge(count: usize, host: &Host, evidence: impl Fn() -> Evidence) -> Verdict {
    let most = host.policy.max_stopped_containers.unwrap_or(MOST_STOPPED);
    if u64::try_from(count).is_ok_and(|count| count <= u64::from(most)) {
        return Verdict::pass().because(format!(
            "{count} containers do not run, of {most} that may lie about"
        ));
    }
    let reason = format!("{count} containers do not run, more than the {most} that may lie about");
    Verdict::fail(reason, vec![evidence()])
}

fn dead_item(container: &Container) -> Item {
    let reason = format!(
        "container {} is dead: the engine could not remove it",
        container.name
    );
    let remedy = format!(
        "docker rm --force {}, and see what still holds its files",
        container.name
    );
    Item {
        subject: container.name.clone(),
        verdict: Verdict::fail(reason, vec![shown(&[container])]).remedy(remedy),
    }
}

fn shown(ended: &[&Container]) -> Evidence {
    let listed = head(ended).iter().map(|container| {
        json!({ "container": container.name, "state": container.state, "finished": container.life.finished })
    });
    let facts = json!({ "number": ended.len(), "stopped": listed.collect::<Vec<_>>() });
    Evidence::new(Source::Engine, "containers", facts)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{container, host};
    use super::*;
    use crate::model::{Fact, VerdictKind};

    /// Verdicts on a host with so many containers in this state, and a running one.
    fn judged(number: usize, state: ContainerState, most: Option<u32>) -> Vec<Verdict> {
        let mut host = host();
        let mut all = vec![container("web")];
        all.extend((0..number).map(|_| Container {
            state,
            ..container("old")
        }));
        host.containers = Some(all);
        host.policy.max_stopped_containers = most;
        assess(&host).into_iter().map(|item| item.verdict).collect()
    }

    #[track_caller]
    fn check(number: usize, state: ContainerState, most: Option<u32>, kind: VerdictKind, reason: &str) {
        let verdicts = judged(number, state, most);
        assert_eq!((verdicts[0].kind(), verdicts[0].reason.as_str()), (kind, reason));
        assert_eq!(verdicts.len(), 1);
    }

    #[test]
    fn pass_a_few() {
        let (pass, exited) = (VerdictKind::Pass, ContainerState::Exited);
        check(
            0,
            exited,
            None,
            pass,
            "0 containers do not run, of 25 that may lie about",
        );
        check(
            25,
            exited,
            None,
            pass,
            "25 containers do not run, of 25 that may lie about",
        );
        let paused = ContainerState::Paused;
        check(
            30,
            paused,
            None,
            pass,
            "0 containers do not run, of 25 that may lie about",
        );
    }

    #[test]
    fn fail_too_many() {
        let fail = VerdictKind::Fail;
        let reason = "26 containers do not run, more than the 25 that may lie about";
        check(26, ContainerState::Exited, None, fail, reason);
        let reason = "1 containers do not run, more than the 0 that may lie about";
        check(1, ContainerState::Created, Some(0), fail, reason);
    }

    #[test]
    fn fail_a_dead_one_by_itself() {
        let verdicts = judged(1, ContainerState::Dead, None);
        let kinds: Vec<_> = verdicts.iter().map(Verdict::kind).collect();
        assert_eq!(kinds, [VerdictKind::Pass, VerdictKind::Fail]);
        assert_eq!(
            verdicts[1].reason,
            "container old is dead: the engine could not remove it"
        );
    }

    #[test]
    fn unknown_where_the_engine_tells_nothing() {
        let mut host = host();
        host.containers = None;
        assert_eq!(assess(&host)[0].verdict.kind(), VerdictKind::Unknown);
        let engine = host.facts.engine.get_mut().unwrap();
        engine.container_counts.insert("ContainersStopped".into(), 30);
        assert_eq!(assess(&host)[0].verdict.kind(), VerdictKind::Fail);
        host.facts.engine = Fact::unknown("no engine answers");
        let verdict = assess(&host).remove(0).verdict;
        assert_eq!(verdict.reason, "the containers are not known: no engine answers");
    }
}
