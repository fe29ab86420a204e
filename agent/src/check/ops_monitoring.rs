//! Container usage and health are monitored.

use serde_json::json;

use super::support::{attested, containers};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Container, ContainerState, Evidence, Host, Severity, Source, Verdict};

pub(super) static CHECK: Check = Check {
    key: "ops-monitoring",
    title: "Container usage and health are monitored",
    section: "operations",
    level: 1,
    early_level: 1,
    scored: &[],
    basis: Basis::Heuristic,
    severity: Severity::Low,
    numbers: &[(Benchmark::V1_13_0, "6.2")],
    about: "A container that nobody watches fails or is misused unseen. Signs of monitoring are looked for: \
            metrics that the daemon serves, and containers of well-known monitoring agents. These are signs \
            and no proof, and an agent that is installed on the host itself shows none: a dated statement in \
            the policy decides.",
    remedy: "Run a monitoring agent and see that it reports, or state under attestations.ops-monitoring of \
        the policy how the containers are monitored",
    assess: Assess::Host(assess),
    signals: &[
        Signal {
            kind: "container",
            when: "a monitoring agent's container ends",
        },
        Signal {
            kind: "host",
            when: "the daemon's configuration changes",
        },
    ],
    observe: no_live_signal,
};

/// Last names of the images of monitoring agents; with the name before it where the last one says little.
const AGENTS: [&str; 18] = [
    "alloy",
    "beyla",
    "cadvisor",
    "collectd",
    "datadog/agent",
    "falco",
    "glances",
    "grafana-agent",
    "metricbeat",
    "netdata",
    "newrelic/infrastructure",
    "node-exporter",
    "oneagent",
    "opentelemetry-collector",
    "sysdig/agent",
    "telegraf",
    "zabbix-agent",
    "zabbix-agent2",
];

fn assess(host: &Host) -> Vec<Item> {
    let subject = "monitoring".to_owned();
    let stated = attested(CHECK.key, host);
    let verdict = stated.unwrap_or_else(|| judge(host).unwrap_or_else(|verdict| verdict));
    vec![Item { subject, verdict }]
}

fn judge(host: &Host) -> Result<Verdict, Verdict> {
    let metrics = host
        .facts
        .daemon
        .get()
        .and_then(|daemon| daemon.option("metrics-addr"));
    if let Some(address) = metrics
        .and_then(|option| option.value.as_str())
        .filter(|address| !address.is_empty())
    {
        let facts = json!({ "option": "metrics-addr", "value": address });
        let verdict = Verdict::pass().because(format!(
            "the daemon serves metrics on {address}: a sign, not proof, that they are read"
        ));
        return Ok(verdict.evidence(Evidence::new(Source::Assessment, "option", facts)));
    }
    let containers = containers(host)?;
    let agents: Vec<&Container> = containers
        .iter()
        .filter(|container| is_agent(&container.image))
        .collect();
    if let Some(agent) = agents.iter().find(|agent| works(agent)) {
        let reason = format!(
            "a monitoring agent runs in container {}: a sign, not proof, that it is heeded",
            agent.name
        );
        return Ok(Verdict::pass().because(reason).evidence(shown(agent)));
    }
    match agents.first() {
        Some(agent) => {
            let reason = format!(
                "the monitoring agent in container {} does not run, or is not healthy, and there is no other",
                agent.name
            );
            let remedy = format!("docker start {}, and see why it stopped", agent.name);
            Ok(Verdict::fail(reason, vec![shown(agent)]).remedy(remedy))
        }
        None if host.facts.daemon.get().is_none() => Err(open(
            "no monitoring agent runs as a container, and the daemon's options are not known",
        )),
        None => Err(open(
            "the daemon serves no metrics and no monitoring agent runs as a container",
        )),
    }
}

fn open(why: &str) -> Verdict {
    Verdict::unknown(format!(
        "{why}; an agent on the host itself is not seen: a dated statement under attestations.{} of the \
            policy decides",
        CHECK.key
    ))
}

fn works(agent: &Container) -> bool {
    agent.state == ContainerState::Running && agent.life.health.as_deref() != Some("unhealthy")
}

fn shown(agent: &Container) -> Evidence {
    let facts = json!({ "container": agent.name, "image": agent.image, "state": agent.state, "health": agent.life.health });
    Evidence::new(Source::Engine, "container", facts)
}

/// Whether an image reference is that of an agent: `registry:5000/vendor/name:tag@digest`.
fn is_agent(image: &str) -> bool {
    let name = image.split('@').next().unwrap_or_default();
    let name = match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => name,
    };
    AGENTS.iter().any(|agent| {
        name.strip_suffix(agent)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::files::set;
    use super::super::testing::{container, host};
    use super::*;
    use crate::model::{Fact, VerdictKind};

    #[track_caller]
    fn check(vary: impl FnOnce(&mut Host, &mut Container), kind: VerdictKind, reason: &str) {
        let (mut host, mut agent) = (host(), container("eye"));
        agent.image = "gcr.io:443/google/cadvisor:v0.49@sha256:ab".into();
        vary(&mut host, &mut agent);
        if let Some(containers) = &mut host.containers {
            containers.extend([container("web"), agent]);
        }
        let verdict = assess(&host).remove(0).verdict;
        assert_eq!(verdict.kind(), kind, "{}", verdict.reason);
        assert!(verdict.reason.contains(reason), "{}", verdict.reason);
    }

    #[test]
    fn pass_with_an_agent_or_with_metrics() {
        check(|_, _| (), VerdictKind::Pass, "in container eye");
        let metrics = |host: &mut Host, agent: &mut Container| {
            agent.image = "app".into();
            set(
                host.facts.daemon.get_mut().unwrap(),
                "metrics-addr",
                "127.0.0.1:9323",
            );
        };
        check(metrics, VerdictKind::Pass, "serves metrics on 127.0.0.1:9323");
    }

    #[test]
    fn fail_an_agent_that_does_not_work() {
        let reason = "the monitoring agent in container eye does not run";
        check(
            |_, agent| agent.state = ContainerState::Exited,
            VerdictKind::Fail,
            reason,
        );
        check(
            |_, agent| agent.life.health = Some("unhealthy".into()),
            VerdictKind::Fail,
            reason,
        );
    }

    #[test]
    fn unknown_without_a_sign() {
        let none = |_: &mut Host, agent: &mut Container| agent.image = "grafana/cadvisor-ui:1".into();
        check(
            none,
            VerdictKind::Unknown,
            "no monitoring agent runs as a container",
        );
        check(
            |host, _| host.containers = None,
            VerdictKind::Unknown,
            "the containers are not known",
        );
        let blind = |host: &mut Host, agent: &mut Container| {
            host.facts.daemon = Fact::unknown("no permission");
            agent.image = "app".into();
        };
        check(blind, VerdictKind::Unknown, "options are not known");
    }
}
