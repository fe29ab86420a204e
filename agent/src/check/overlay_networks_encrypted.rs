//! Encryption between the nodes of a swarm.

use serde_json::json;

use super::support::{item, manager};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Evidence, Host, Network, Severity, Source, Verdict};

pub(super) static CHECK: Check = Check {
    key: "overlay-networks-encrypted",
    title: "Overlay data plane is encrypted",
    section: "swarm",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "2.19"),
        (Benchmark::V1_1_0, "7.4"),
        (Benchmark::V1_2_0, "7.4"),
        (Benchmark::V1_3_1, "7.4"),
        (Benchmark::V1_4_0, "7.4"),
        (Benchmark::V1_5_0, "7.4"),
        (Benchmark::V1_6_0, "7.3"),
        (Benchmark::V1_7_0, "7.3"),
        (Benchmark::V1_8_0, "7.3"),
    ],
    about: "What containers of different nodes say to each other goes over the hosts' networks as it is, \
            unless the overlay network is encrypted. The option's presence counts, for its value is \
            usually empty. The network of the routing mesh is the engine's own, and told apart.",
    remedy: "Make the network again with --opt encrypted",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "host",
        when: "an overlay network was made without encryption",
    }],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    items(host).unwrap_or_else(|early| vec![item("overlay networks", Err(early))])
}

fn items(host: &Host) -> Result<Vec<Item>, Verdict> {
    let (engine, _) = manager(host)?;
    let networks = engine.networks.look()?;
    let overlay = networks.iter().filter(|network| network.driver == "overlay");
    Ok(overlay
        .map(|network| item(&network.name, Ok(judge(network))))
        .collect())
}

fn judge(network: &Network) -> Verdict {
    let name = &network.name;
    let option = network.options.get("encrypted");
    let is_off = |value: &String| matches!(value.as_str(), "0" | "f" | "F" | "false" | "FALSE" | "False");
    if option.is_some_and(|value| !is_off(value)) {
        return Verdict::pass().because(format!("network {name} is encrypted"));
    }
    if network.ingress {
        let reason =
            format!("network {name} is the routing mesh's own: the engine makes it without encryption");
        return Verdict::not_applicable(reason);
    }
    let facts = json!({ "name": name, "id": network.id, "scope": network.scope, "encrypted": option });
    Verdict::fail(
        format!("network {name} is not encrypted"),
        vec![Evidence::new(Source::Engine, "network", facts)],
    )
    .remedy(format!(
        "Remove network {name}, and run `docker network create -d overlay --opt encrypted {name}`"
    ))
}

#[cfg(test)]
mod tests {
    use super::super::testing::daemon::{check_items, check_one, engine, in_swarm, network, nobody};
    use super::*;
    use crate::model::Fact;
    use crate::model::VerdictKind::{Fail, NotApplicable, Pass, Unknown};

    fn networks(networks: Vec<Network>) -> impl FnOnce(&mut Host) {
        move |host| {
            in_swarm(host);
            engine(host).networks = Fact::Known(networks);
        }
    }

    #[test]
    fn pass_the_option_however_empty_and_no_networks() {
        let all = vec![
            network("empty", "overlay", &[("encrypted", "")]),
            network("true", "overlay", &[("encrypted", "true")]),
            network("bridge", "bridge", &[]),
        ];
        check_items(&CHECK, networks(all), &[("empty", Pass), ("true", Pass)]);
        check_items(&CHECK, networks(Vec::new()), &[]);
        check_one(&CHECK, |_| {}, NotApplicable, "in no swarm");
    }

    #[test]
    fn fail_none_false_and_names_that_only_say_so() {
        let all = vec![
            network(
                "encrypted:",
                "overlay",
                &[("com.docker.network.driver.overlay.vxlanid_list", "4097")],
            ),
            network("false", "overlay", &[("encrypted", "false")]),
        ];
        check_items(&CHECK, networks(all), &[("encrypted:", Fail), ("false", Fail)]);
    }

    #[test]
    fn the_routing_mesh_is_told_apart() {
        let ingress = |options| Network {
            ingress: true,
            ..network("ingress", "overlay", options)
        };
        check_items(
            &CHECK,
            networks(vec![ingress(&[])]),
            &[("ingress", NotApplicable)],
        );
        check_items(
            &CHECK,
            networks(vec![ingress(&[("encrypted", "")])]),
            &[("ingress", Pass)],
        );
    }

    #[test]
    fn unknown_where_networks_are_not_listed() {
        check_one(&CHECK, nobody, Unknown, "no engine answers");
        let silent = |host: &mut Host| {
            in_swarm(host);
            engine(host).networks = Fact::unknown("timed out");
        };
        check_one(&CHECK, silent, Unknown, "timed out");
    }
}
