//! Containers that take privileged ports of the host.

use super::support::{HostPort, as_evidence, failed, few, host_ports, passed};
use super::{Assess, Basis, Benchmark, Check, Signal, no_live_signal};
use crate::model::{Container, Fact, Host, Policy, Severity, Verdict};

/// Where unprivileged ports start unless the kernel is told otherwise.
const UNPRIVILEGED: u32 = 1024;

pub(super) static CHECK: Check = Check {
    key: "runtime-no-privileged-ports",
    title: "Containers do not publish host ports below 1024",
    section: "runtime",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Low,
    numbers: &[
        (Benchmark::V1_13_0, "5.7"),
        (Benchmark::V1_1_0, "5.7"),
        (Benchmark::V1_2_0, "5.7"),
        (Benchmark::V1_3_1, "5.7"),
        (Benchmark::V1_4_0, "5.7"),
        (Benchmark::V1_5_0, "5.7"),
        (Benchmark::V1_6_0, "5.8"),
        (Benchmark::V1_7_0, "5.8"),
        (Benchmark::V1_8_0, "5.8"),
    ],
    about: "Ports below those that any user may bind are trusted by name, and bound by the engine with \
            the host's privilege. Every published port is compared as a number with the kernel's setting \
            (1024 is allowed, 0 is for the engine to choose), in both address families; so are those \
            that a swarm service publishes by the routing mesh, and those that a container in the host's \
            network listens on.",
    remedy: "Publish on a high port behind a proxy, or list the port in the policy (allowed_ports)",
    assess: Assess::Container(assess),
    signals: &[Signal {
        kind: "container",
        when: "a container is created, started or updated",
    }],
    observe: no_live_signal,
};

fn assess(container: &Container, host: &Host) -> Verdict {
    let first = unprivileged(host);
    let ports = host_ports(container, host);
    let low: Vec<_> = ports
        .known
        .iter()
        .filter(|port| is_privileged(port, first, &host.policy))
        .collect();
    if low.is_empty() {
        return match ports.missing {
            Some(why) => Verdict::unknown(why),
            None => passed(container, &format!("takes no port of the host below {first}")),
        };
    }
    let names: Vec<_> = low.iter().map(ToString::to_string).collect();
    let clause = format!("takes {}, below {first}", few(&names));
    failed(container, CHECK.severity, &clause, vec![as_evidence(&low)])
}

fn is_privileged(port: &HostPort<'_>, first: u32, policy: &Policy) -> bool {
    let allowed = u16::try_from(port.port).is_ok_and(|port| policy.allowed_ports.contains(&port));
    port.port != 0 && port.port < first && !allowed
}

fn unprivileged(host: &Host) -> u32 {
    match &host.facts.system {
        Fact::Known(system) => system.unprivileged_port_start.get().copied(),
        Fact::Unknown(_) => None,
    }
    .unwrap_or(UNPRIVILEGED)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{
        HOST_NAMESPACES, assert_fails, assert_passes, assert_unknown, judge, publish,
    };
    use super::*;
    use crate::model::{Listener, Service};

    #[track_caller]
    fn check(published: Option<&[(&str, u16)]>, vary: impl FnOnce(&mut Host)) -> Verdict {
        judge(&CHECK, |container, host| {
            container.reach.published = published.map(publish);
            vary(host);
        })
    }

    #[test]
    fn pass_high_ports_and_those_allowed() {
        assert_passes(&check(Some(&[]), |_| ()));
        assert_passes(&check(Some(&[("0.0.0.0", 1024), ("::", 8080), ("", 0)]), |_| ()));
        assert_passes(&check(Some(&[("", 443)]), |host| {
            host.policy.allowed_ports = vec![443];
        }));
        assert_passes(&check(Some(&[("", 80)]), |host| {
            let system = host.facts.system.get_mut().unwrap();
            system.unprivileged_port_start = Fact::Known(80);
        }));
    }

    #[test]
    fn fail_low_ports_in_both_families() {
        let below = |port| format!("container web takes {port} for 80/tcp, below 1024");
        for (address, shown) in [("0.0.0.0", "0.0.0.0:80"), ("::", "[::]:80"), ("", "port 80")] {
            let verdict = check(Some(&[(address, 80), ("", 8080)]), |_| ());
            assert_fails(&verdict, Severity::Low, &below(shown));
        }
        assert_fails(&check(Some(&[("", 1023)]), |_| ()), Severity::Low, "port 1023");
    }

    #[test]
    fn fail_the_routing_mesh_and_listeners_in_the_hosts_network() {
        let meshed = judge(&CHECK, |container, host| {
            container.labels = vec![("com.docker.swarm.service.id".into(), "s1".into())];
            let service = Service {
                id: "s1".into(),
                name: "shop".into(),
                ports: vec![(80, "ingress".into())],
                ..Service::default()
            };
            host.facts.engine.get_mut().unwrap().swarm.services = Fact::Known(vec![service]);
        });
        assert_fails(
            &meshed,
            Severity::Low,
            "port 80 of service shop by the routing mesh",
        );
        let listening = judge(&CHECK, |container, _| {
            container.network_mode = Some("host".into());
            let listener = Listener {
                protocol: "tcp".into(),
                address: "0.0.0.0".into(),
                port: 80,
            };
            container.truth.as_mut().unwrap().listeners = Some(vec![listener]);
        });
        assert_fails(&listening, Severity::Low, "0.0.0.0:80 by listening on tcp");
    }

    #[test]
    fn unknown_where_ports_are_out_of_sight() {
        assert_unknown(&check(None, |_| ()), "which ports are published");
        let hosts = judge(&CHECK, |container, _| {
            let truth = container.truth.as_mut().unwrap();
            (truth.namespaces.net, truth.listeners) = (HOST_NAMESPACES.net, None);
        });
        assert_unknown(&hosts, "shares the host's network");
        let task = judge(&CHECK, |container, _| {
            container.labels = vec![("com.docker.swarm.service.id".into(), "s1".into())];
        });
        assert_unknown(&task, "which ports its service publishes");
    }
}
