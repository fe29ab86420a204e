//! Ports that are published on every address of the host.

use super::support::{HostPort, as_evidence, failed, few, host_ports, passed};
use super::{Assess, Basis, Benchmark, Check, Signal, no_live_signal};
use crate::model::{Container, Host, Severity, Verdict};

pub(super) static CHECK: Check = Check {
    key: "runtime-bound-to-interface",
    title: "Published ports bind to a chosen host address",
    section: "runtime",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "5.13"),
        (Benchmark::V1_1_0, "5.13"),
        (Benchmark::V1_2_0, "5.13"),
        (Benchmark::V1_3_1, "5.13"),
        (Benchmark::V1_4_0, "5.13"),
        (Benchmark::V1_5_0, "5.13"),
        (Benchmark::V1_6_0, "5.14"),
        (Benchmark::V1_7_0, "5.14"),
        (Benchmark::V1_8_0, "5.14"),
    ],
    about: "A port that is published without an address is open on every network that the host is in, \
            also on those it joins later. Each binding is judged, in both address families: no address \
            means the daemon's option `ip`, which is every address unless it is set. What a swarm \
            publishes by the routing mesh is open everywhere by design.",
    remedy: "Publish as ADDRESS:PORT:PORT, or set the daemon's option ip",
    assess: Assess::Container(assess),
    signals: &[Signal {
        kind: "container",
        when: "a container is created, started or updated",
    }],
    observe: no_live_signal,
};

fn assess(container: &Container, host: &Host) -> Verdict {
    judge(container, host).unwrap_or_else(|verdict| verdict)
}

fn judge(container: &Container, host: &Host) -> Result<Verdict, Verdict> {
    let ports = host_ports(container, host);
    let mut open = Vec::new();
    let mut unclear = None;
    for port in &ports.known {
        match is_open(port, host) {
            Ok(true) => open.push(port),
            Ok(false) => {}
            Err(verdict) => unclear = Some(verdict),
        }
    }
    if !open.is_empty() {
        let names: Vec<_> = open.iter().map(ToString::to_string).collect();
        let clause = format!("takes {} on every address of the host", few(&names));
        return Ok(failed(
            container,
            CHECK.severity,
            &clause,
            vec![as_evidence(&open)],
        ));
    }
    unclear.map_or(Ok(()), Err)?;
    match ports.missing {
        Some(why) => Err(Verdict::unknown(why)),
        None if ports.known.is_empty() => Ok(passed(container, "takes no port of the host")),
        None => Ok(passed(container, "takes ports of chosen addresses only")),
    }
}

/// Whether a port is open on every address; the verdict where that cannot be told.
fn is_open(port: &HostPort<'_>, host: &Host) -> Result<bool, Verdict> {
    if let Some(wildcard) = port.is_wildcard() {
        return Ok(wildcard);
    }
    let unclear =
        |address: &str| Verdict::unknown(format!("{port} is bound to {address}, which is no address"));
    if !port.address.is_empty() {
        return Err(unclear(port.address));
    }
    match host.facts.daemon.look()?.option("ip") {
        None => Ok(true),
        Some(option) => {
            let address = option.value.as_str().unwrap_or_default();
            let chosen = HostPort {
                address,
                ..port.clone()
            };
            chosen.is_wildcard().ok_or_else(|| unclear(address))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_fails, assert_passes, assert_unknown, judge, publish};
    use super::*;
    use crate::model::{DaemonOption, Fact, OptionSource};

    /// The verdict on ports published at these addresses, with this option of the daemon.
    #[track_caller]
    fn check(addresses: &[&str], default: Option<&str>) -> Verdict {
        let ports: Vec<_> = addresses.iter().map(|address| (*address, 8080)).collect();
        judge(&CHECK, |container, host| {
            container.reach.published = Some(publish(&ports));
            let option = default.map(|ip| DaemonOption {
                value: ip.into(),
                source: OptionSource::Flag,
                pending: None,
            });
            let daemon = host.facts.daemon.get_mut().unwrap();
            daemon
                .options
                .extend(option.map(|option| ("ip".to_owned(), option)));
        })
    }

    #[test]
    fn pass_chosen_addresses() {
        assert_passes(&check(&[], None));
        assert_passes(&check(&["127.0.0.1", "::1", "192.0.2.7"], None));
        assert_passes(&check(&[""], Some("192.0.2.7")));
    }

    #[test]
    fn fail_every_address_in_both_families_and_none_given() {
        for address in ["0.0.0.0", "::", ""] {
            let verdict = check(&["127.0.0.1", address], None);
            assert_fails(
                &verdict,
                Severity::Medium,
                "8080 for 80/tcp on every address of the host",
            );
        }
        assert_fails(
            &check(&[""], Some("0.0.0.0")),
            Severity::Medium,
            "on every address",
        );
    }

    #[test]
    fn unknown_where_an_address_is_out_of_sight() {
        let dark = judge(&CHECK, |container, host| {
            container.reach.published = Some(publish(&[("", 8080)]));
            host.facts.daemon = Fact::unknown("no daemon was found");
        });
        assert_unknown(&dark, "no daemon was found");
        assert_unknown(&check(&["eth0"], None), "is no address");
        let untold = judge(&CHECK, |container, _| container.reach.published = None);
        assert_unknown(&untold, "which ports are published");
    }
}
