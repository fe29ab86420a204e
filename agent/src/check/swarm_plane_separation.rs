//! Interfaces for orders and for data.

use std::collections::BTreeMap;

use serde_json::json;

use super::support::{few, item, member, or_attested};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Evidence, Host, Severity, Source, Swarm, Verdict};

pub(super) static CHECK: Check = Check {
    key: "swarm-plane-separation",
    title: "Management and data traffic use different interfaces",
    section: "swarm",
    level: 1,
    early_level: 2,
    scored: &[],
    basis: Basis::Heuristic,
    severity: Severity::Low,
    numbers: &[
        (Benchmark::V1_1_0, "7.10"),
        (Benchmark::V1_2_0, "7.10"),
        (Benchmark::V1_3_1, "7.10"),
        (Benchmark::V1_4_0, "7.10"),
        (Benchmark::V1_5_0, "7.10"),
        (Benchmark::V1_6_0, "7.9"),
        (Benchmark::V1_7_0, "7.9"),
        (Benchmark::V1_8_0, "7.9"),
    ],
    about: "Where traffic of containers has a network interface of its own, it can neither crowd out nor \
            overhear the orders of the swarm. The node's address and the local addresses of its data \
            path are held against the host's interfaces. Where the data path has no address of its own \
            to be seen, an attestation decides.",
    remedy: "Leave the swarm and join it again with --data-path-addr on a second interface",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "host",
        when: "data and orders of the swarm share an interface",
    }],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    vec![item(
        "this node",
        member(host).and_then(|(_, swarm)| judge(host, swarm)),
    )]
}

fn judge(host: &Host, swarm: &Swarm) -> Result<Verdict, Verdict> {
    match look(swarm) {
        Err(open) => Err(or_attested(host, CHECK.key, open)),
        Ok(seen) => Ok(seen),
    }
}

fn look(swarm: &Swarm) -> Result<Verdict, Verdict> {
    let node = swarm.node_address.as_deref();
    let node = node.ok_or_else(|| Verdict::unknown("the engine does not tell the node's address"))?;
    let interfaces = swarm.interfaces.look()?;
    let addresses = swarm.data_path_addresses.look()?;
    let own: Vec<_> = addresses.iter().filter(|address| !is_wildcard(address)).collect();
    if own.is_empty() {
        return Err(Verdict::unknown(
            "the data path has no local address of its own to be seen",
        ));
    }
    let orders = interface(interfaces, node)?;
    let data = own
        .iter()
        .map(|address| interface(interfaces, address))
        .collect::<Result<Vec<_>, _>>()?;
    let words = format!("orders come in by {node} ({orders}), data goes by {}", few(&data));
    let facts = json!({ "node": node, "interface": orders, "data": own, "data_interfaces": data });
    let shown = Evidence::new(Source::Assessment, "interfaces", facts);
    Ok(if data.contains(&orders) {
        Verdict::fail(format!("{words}: they share an interface"), vec![shown])
    } else {
        Verdict::pass().because(words).evidence(shown)
    })
}

fn is_wildcard(address: &str) -> bool {
    matches!(address, "" | "0.0.0.0" | "::")
}

fn interface<'a>(interfaces: &'a BTreeMap<String, String>, address: &str) -> Result<&'a str, Verdict> {
    let unseen = || Verdict::unknown(format!("no interface of this host has {address}"));
    interfaces.get(address).map(String::as_str).ok_or_else(unseen)
}

#[cfg(test)]
mod tests {
    use super::super::testing::daemon::{attest, check_one, in_swarm, nobody};
    use super::*;
    use crate::model::Fact;
    use crate::model::VerdictKind::{self, Fail, NotApplicable, Pass, Unknown};

    /// Orders come in by 10.0.0.1 on eth0; eth1 has 10.1.0.1.
    fn data(host: &mut Host, addresses: &[&str]) {
        let swarm = in_swarm(host);
        let interfaces = [("10.0.0.1", "eth0"), ("10.0.0.9", "eth0"), ("10.1.0.1", "eth1")];
        swarm.interfaces = Fact::Known(
            interfaces
                .map(|(address, name)| (address.into(), name.into()))
                .into(),
        );
        swarm.data_path_addresses = Fact::Known(addresses.iter().map(|&address| address.into()).collect());
    }

    #[track_caller]
    fn check(addresses: &[&str], kind: VerdictKind, words: &str) {
        check_one(&CHECK, |host| data(host, addresses), kind, words);
    }

    #[test]
    fn pass_another_interface_and_a_statement() {
        check(
            &["10.1.0.1"],
            Pass,
            "orders come in by 10.0.0.1 (eth0), data goes by eth1",
        );
        let stated = |host: &mut Host| {
            data(host, &["0.0.0.0"]);
            attest(host, "swarm-plane-separation", "2026-06-01", "2027-06-01");
        };
        check_one(&CHECK, stated, Pass, "ops stated");
        check_one(&CHECK, |_| {}, NotApplicable, "in no swarm");
    }

    #[test]
    fn fail_the_same_interface_by_whatever_address() {
        check(&["10.0.0.1"], Fail, "they share an interface");
        check(&["10.0.0.9"], Fail, "they share an interface");
        check(&["10.1.0.1", "10.0.0.1"], Fail, "they share an interface");
    }

    #[test]
    fn unknown_where_the_data_path_shows_no_address() {
        check(
            &["0.0.0.0"],
            Unknown,
            "no local address of its own to be seen; an attestation of",
        );
        check(&[], Unknown, "no local address of its own");
        check(&["10.9.9.9"], Unknown, "no interface of this host has 10.9.9.9");
        check_one(
            &CHECK,
            |host| in_swarm(host).node_address = None,
            Unknown,
            "does not tell the node's address",
        );
        check_one(&CHECK, nobody, Unknown, "no engine answers");
    }
}
