//! Addresses on which the swarm listens.

use serde_json::json;

use super::support::{item, member};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Evidence, Host, Listener, Severity, Source, Swarm, Verdict};

pub(super) static CHECK: Check = Check {
    key: "swarm-bound-to-interface",
    title: "Swarm control ports listen on one chosen address",
    section: "swarm",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "2.17"),
        (Benchmark::V1_1_0, "7.3"),
        (Benchmark::V1_2_0, "7.3"),
        (Benchmark::V1_3_1, "7.3"),
        (Benchmark::V1_4_0, "7.3"),
        (Benchmark::V1_5_0, "7.3"),
        (Benchmark::V1_6_0, "7.2"),
        (Benchmark::V1_7_0, "7.2"),
        (Benchmark::V1_8_0, "7.2"),
    ],
    about: "Orders of the swarm should come in on one network, and not on every network that the host is \
            on. The addresses on which the daemon really listens count, for managers' orders and for the \
            nodes' talk among each other; the ports of the data path are told and not judged.",
    remedy: "Leave the swarm, and make or join it again with --listen-addr ADDRESS:2377",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "host",
        when: "the daemon listens for the swarm on every address",
    }],
    observe: no_live_signal,
};

/// Port on which managers take orders, unless they say otherwise.
const MANAGER: u32 = 2377;
/// Port on which nodes talk among each other.
const GOSSIP: u32 = 7946;
/// Port of the data path, unless the cluster has another.
const DATA: u32 = 4789;

fn assess(host: &Host) -> Vec<Item> {
    items(host).unwrap_or_else(|early| vec![item("the swarm", Err(early))])
}

fn items(host: &Host) -> Result<Vec<Item>, Verdict> {
    let (_, swarm) = member(host)?;
    let listeners = host.facts.daemon.look()?.listeners.look()?;
    let orders = order_ports(swarm);
    let is_orders =
        |listener: &&Listener| listener.protocol.starts_with("tcp") && orders.contains(&listener.port);
    let is_talk = |listener: &&Listener| listener.port == GOSSIP && listener.protocol.starts_with("tcp");
    let is_data = |listener: &&Listener| {
        listener.protocol.starts_with("udp") && [GOSSIP, DATA].contains(&listener.port)
    };
    if swarm.manager && !listeners.iter().any(|listener| is_orders(&listener)) {
        let why = format!("the daemon is a manager, and was not seen to listen on port {MANAGER}");
        return Err(Verdict::unknown(why));
    }
    let judged = listeners
        .iter()
        .filter(|listener| is_orders(listener) || is_talk(listener));
    let told = listeners.iter().filter(is_data);
    let items: Vec<_> = judged.map(judge).chain(told.map(data)).collect();
    if items.is_empty() {
        let why = format!("the daemon was not seen to listen on port {GOSSIP}");
        return Err(Verdict::unknown(why));
    }
    Ok(items)
}

/// Ports on which this node takes orders: none for a worker.
fn order_ports(swarm: &Swarm) -> Vec<u32> {
    let own = swarm.node_address.as_deref().filter(|_| swarm.manager);
    let is_own = |address: &&str| own.is_some_and(|own| address.trim_matches(['[', ']']) == own);
    let other = swarm
        .remote_managers
        .iter()
        .filter_map(|manager| manager.rsplit_once(':'))
        .find(|(address, _)| is_own(address))
        .and_then(|(_, port)| port.parse().ok());
    swarm
        .manager
        .then(|| other.unwrap_or(MANAGER))
        .into_iter()
        .collect()
}

fn written(listener: &Listener) -> String {
    let Listener {
        protocol,
        address,
        port,
    } = listener;
    format!("{address} port {port}/{protocol}")
}

fn judge(listener: &Listener) -> Item {
    let subject = written(listener);
    let facts = json!({ "protocol": listener.protocol, "address": listener.address, "port": listener.port });
    let verdict = if listener.is_wildcard() {
        let shown = Evidence::new(Source::Assessment, "listener", facts);
        let reason = format!(
            "the swarm listens on every address of the host at port {}",
            listener.port
        );
        Verdict::fail(reason, vec![shown])
    } else {
        Verdict::pass().because(format!(
            "the swarm listens on {} alone at port {}",
            listener.address, listener.port
        ))
    };
    item(subject, Ok(verdict))
}

fn data(listener: &Listener) -> Item {
    let reason = format!("port {} of UDP is the data path", listener.port);
    item(written(listener), Ok(Verdict::not_applicable(reason)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::daemon::{check_items, check_one, daemon, in_swarm, nobody};
    use super::*;
    use crate::model::Fact;
    use crate::model::VerdictKind::{Fail, NotApplicable, Pass, Unknown};

    /// A manager that listens on these.
    fn on(host: &mut Host, listeners: &[(&str, &str, u32)]) {
        in_swarm(host);
        let listener = |&(protocol, address, port): &(&str, &str, u32)| Listener {
            protocol: protocol.into(),
            address: address.into(),
            port,
        };
        daemon(host).listeners = Fact::Known(listeners.iter().map(listener).collect());
    }

    #[test]
    fn pass_one_address_and_not_applicable_the_data_path() {
        let vary = |host: &mut Host| {
            on(
                host,
                &[
                    ("tcp", "10.0.0.1", 2377),
                    ("tcp", "10.0.0.1", 7946),
                    ("udp", "0.0.0.0", 7946),
                    ("tcp6", "::", 2376),
                ],
            );
        };
        let expect = [
            ("10.0.0.1 port 2377/tcp", Pass),
            ("10.0.0.1 port 7946/tcp", Pass),
            ("0.0.0.0 port 7946/udp", NotApplicable),
        ];
        check_items(&CHECK, vary, &expect);
        check_one(&CHECK, |_| {}, NotApplicable, "in no swarm");
    }

    #[test]
    fn fail_every_address_also_at_another_port_and_on_workers() {
        let all = |host: &mut Host| on(host, &[("tcp6", "::", 2377), ("tcp6", "::", 7946)]);
        check_items(
            &CHECK,
            all,
            &[(":: port 2377/tcp6", Fail), (":: port 7946/tcp6", Fail)],
        );
        let moved = |host: &mut Host| {
            on(host, &[("tcp", "0.0.0.0", 3377)]);
            in_swarm(host).remote_managers = vec!["10.0.0.2:2377".into(), "10.0.0.1:3377".into()];
        };
        check_items(&CHECK, moved, &[("0.0.0.0 port 3377/tcp", Fail)]);
        let worker = |host: &mut Host| {
            on(host, &[("tcp6", "::", 7946)]);
            in_swarm(host).manager = false;
        };
        check_items(&CHECK, worker, &[(":: port 7946/tcp6", Fail)]);
    }

    #[test]
    fn unknown_where_sockets_are_not_seen() {
        check_one(&CHECK, nobody, Unknown, "no engine answers");
        check_one(
            &CHECK,
            |host| on(host, &[("tcp", "10.0.0.1", 23770)]),
            Unknown,
            "not seen to listen on port 2377",
        );
        let worker = |host: &mut Host| {
            on(host, &[]);
            in_swarm(host).manager = false;
        };
        check_one(&CHECK, worker, Unknown, "not seen to listen on port 7946");
    }
}
