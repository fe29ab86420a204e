//! Published ports that nobody needs.

use super::support::{Reference, config, failed, few, head, passed};
use super::{Assess, Basis, Benchmark, Check, Signal, no_live_signal};
use crate::model::{Container, ContainerState, Host, Policy, PublishedPort, Severity, Verdict};

pub(super) static CHECK: Check = Check {
    key: "runtime-only-needed-ports",
    title: "Only needed ports are published",
    section: "runtime",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_1_0),
    basis: Basis::Facts,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "5.8"),
        (Benchmark::V1_1_0, "5.8"),
        (Benchmark::V1_2_0, "5.8"),
        (Benchmark::V1_3_1, "5.8"),
        (Benchmark::V1_4_0, "5.8"),
        (Benchmark::V1_5_0, "5.8"),
        (Benchmark::V1_6_0, "5.9"),
        (Benchmark::V1_7_0, "5.9"),
        (Benchmark::V1_8_0, "5.9"),
    ],
    about: "Each published port is a way in. Publishing all that an image exposes fails, and so does a \
            published port that nothing in the container listens on, or that the policy does not list \
            for the container or its image. Without a policy, whether the others are needed is not \
            known.",
    remedy: "Publish only ports that are needed, each by itself, and list them in the policy (needed_ports)",
    assess: Assess::Container(assess),
    signals: &[Signal {
        kind: "container",
        when: "a container is created, started or updated",
    }],
    observe: no_live_signal,
};

fn assess(container: &Container, host: &Host) -> Verdict {
    let Some(published) = &container.reach.published else {
        return Verdict::unknown("the engine does not say which ports are published");
    };
    if container.reach.publish_all == Some(true) {
        let shown = config("HostConfig.PublishAllPorts", true);
        return failed(
            container,
            CHECK.severity,
            "publishes every port that its image exposes",
            vec![shown],
        );
    }
    if published.is_empty() {
        return passed(container, "publishes no port");
    }
    let needed = needed(container, &host.policy);
    if let Some(verdict) = needless(container, published, needed) {
        return verdict;
    }
    let ports = names(published.iter());
    if needed.is_some() {
        return passed(
            container,
            &format!("publishes {}, as the policy lists", few(&ports)),
        );
    }
    Verdict::unknown(format!(
        "container {} publishes {}: whether it needs to, the policy does not say (needed_ports)",
        container.name,
        few(&ports)
    ))
}

/// The failure of ports that are not listed, or that lead nowhere.
fn needless(
    container: &Container,
    published: &[PublishedPort],
    needed: Option<&[String]>,
) -> Option<Verdict> {
    let unlisted = names(
        published
            .iter()
            .filter(|port| needed.is_some_and(|needed| !needed.contains(&port.container))),
    );
    let idle = names(published.iter().filter(|port| is_idle(container, port)));
    let (severity, ports, why) = if !unlisted.is_empty() {
        (CHECK.severity, unlisted, "which the policy does not list")
    } else if !idle.is_empty() {
        (Severity::Low, idle, "which nothing in it listens on")
    } else {
        return None;
    };
    let clause = format!("publishes {}, {why}", few(&ports));
    let shown = config("NetworkSettings.Ports", head(&ports));
    Some(failed(container, severity, &clause, vec![shown]))
}

fn names<'a>(ports: impl Iterator<Item = &'a PublishedPort>) -> Vec<&'a str> {
    let mut names: Vec<_> = ports.map(|port| port.container.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// What the policy lists for the container: by its name, by its image as it is named, or without tag and digest.
fn needed<'a>(container: &Container, policy: &'a Policy) -> Option<&'a [String]> {
    let repository = Reference::parse(&container.image).repository;
    let image = policy.needed_ports.iter().find(|(name, _)| {
        let listed = Reference::parse(name);
        listed.repository == repository && listed.tag.is_none() && listed.digest.is_none()
    });
    policy
        .needed_ports
        .get(&container.name)
        .or_else(|| policy.needed_ports.get(&container.image))
        .or_else(|| image.map(|(_, ports)| ports))
        .map(Vec::as_slice)
}

/// Whether the kernel shows that nothing in the container listens on the port. Other protocols than TCP and UDP are not
/// looked at.
fn is_idle(container: &Container, port: &PublishedPort) -> bool {
    let truth = container.truth.as_ref();
    let listeners = truth.and_then(|truth| truth.listeners.as_ref());
    let (Some(listeners), ContainerState::Running) = (listeners, container.state) else {
        return false;
    };
    let (number, protocol) = port.container.split_once('/').unwrap_or((&port.container, "tcp"));
    let Ok(number) = number.parse::<u32>() else {
        return false;
    };
    matches!(protocol, "tcp" | "udp")
        && !listeners
            .iter()
            .any(|listener| listener.port == number && listener.protocol.trim_end_matches('6') == protocol)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_fails, assert_passes, assert_unknown, judge, publish};
    use super::*;
    use crate::model::Listener;

    /// The verdict on port 80/tcp, published, with this policy and these listeners in the container.
    #[track_caller]
    fn check(policy: &[(&str, &[&str])], listening: Option<&[(&str, u32)]>) -> Verdict {
        judge(&CHECK, |container, host| {
            container.reach.published = Some(publish(&[("0.0.0.0", 8080), ("::", 8080)]));
            container.image = "team/app:1".into();
            let listener = |(protocol, port): &(&str, u32)| Listener {
                protocol: (*protocol).into(),
                address: "::".into(),
                port: *port,
            };
            container.truth.as_mut().unwrap().listeners =
                listening.map(|listening| listening.iter().map(listener).collect());
            host.policy.needed_ports = policy
                .iter()
                .map(|(name, ports)| {
                    (
                        (*name).to_owned(),
                        ports.iter().map(|&port| port.into()).collect(),
                    )
                })
                .collect();
        })
    }

    const SERVED: Option<&[(&str, u32)]> = Some(&[("tcp6", 80)]);

    #[test]
    fn pass_none_and_those_listed() {
        assert_passes(&judge(&CHECK, |_, _| ()));
        for name in ["web", "team/app:1", "team/app", "docker.io/team/app"] {
            assert_passes(&check(&[(name, &["80/tcp"])], SERVED));
        }
        assert_passes(&check(&[("web", &["80/tcp"])], None));
    }

    #[test]
    fn fail_all_unlisted_and_idle_ports() {
        let all = judge(&CHECK, |container, _| container.reach.publish_all = Some(true));
        assert_fails(
            &all,
            Severity::Medium,
            "publishes every port that its image exposes",
        );
        let unlisted = check(&[("web", &["443/tcp"])], SERVED);
        assert_fails(
            &unlisted,
            Severity::Medium,
            "publishes 80/tcp, which the policy does not list",
        );
        for listening in [&[][..], &[("udp", 80), ("tcp", 8080)]] {
            let idle = check(&[("web", &["80/tcp"])], Some(listening));
            assert_fails(&idle, Severity::Low, "which nothing in it listens on");
        }
    }

    #[test]
    fn unknown_without_a_policy() {
        assert_unknown(&check(&[], SERVED), "needed_ports");
        assert_unknown(&check(&[("team/app:2", &["80/tcp"])], SERVED), "needed_ports");
        let untold = judge(&CHECK, |container, _| container.reach.published = None);
        assert_unknown(&untold, "which ports are published");
    }
}
