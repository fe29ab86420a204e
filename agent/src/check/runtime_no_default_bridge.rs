//! Containers on the default bridge.

use super::support::{config, failed, passed};
use super::{Assess, Basis, Benchmark, Check, Signal, no_live_signal};
use crate::model::{Container, EngineKind, Host, Severity, Verdict};

/// Driver option that marks the engine's default network.
const DEFAULT: &str = "com.docker.network.bridge.default_bridge";

pub(super) static CHECK: Check = Check {
    key: "runtime-no-default-bridge",
    title: "Containers do not use the default bridge",
    section: "runtime",
    level: 2,
    early_level: 2,
    scored: &[],
    basis: Basis::Facts,
    severity: Severity::Low,
    numbers: &[
        (Benchmark::V1_13_0, "5.29"),
        (Benchmark::V1_1_0, "5.29"),
        (Benchmark::V1_2_0, "5.29"),
        (Benchmark::V1_3_1, "5.29"),
        (Benchmark::V1_4_0, "5.29"),
        (Benchmark::V1_5_0, "5.29"),
        (Benchmark::V1_6_0, "5.30"),
        (Benchmark::V1_7_0, "5.30"),
        (Benchmark::V1_8_0, "5.30"),
    ],
    about: "On the default bridge every container reaches every other, and none has a name there. That \
            the network exists is no finding; the containers that are attached to it are, and those that \
            will be once they start.",
    remedy: "Attach the container to a network of its own: docker network create",
    assess: Assess::Container(assess),
    signals: &[Signal {
        kind: "container",
        when: "a container starts on the default bridge, or is connected to it",
    }],
    observe: no_live_signal,
};

fn assess(container: &Container, host: &Host) -> Verdict {
    let name = default_bridge(container, host);
    if is_listed(container, name, host) {
        let shown =
            serde_json::json!({ "networks": container.reach.networks, "mode": container.network_mode });
        let clause = format!("is attached to the default bridge {name}");
        return failed(
            container,
            CHECK.severity,
            &clause,
            vec![config("NetworkSettings.Networks", shown)],
        );
    }
    if container.reach.networks.is_none() && container.network_mode.is_none() {
        return Verdict::unknown("the engine does not say which networks the container is attached to");
    }
    passed(container, "is not attached to the default bridge")
}

/// Name of the engine's default network.
fn default_bridge<'a>(container: &Container, host: &'a Host) -> &'a str {
    let networks = host.facts.engine.get().and_then(|engine| engine.networks.get());
    let marked = networks.into_iter().flatten().find(|network| {
        let mark = network.options.get(DEFAULT);
        mark.is_some_and(|mark| mark == "true")
    });
    match (marked, container.engine) {
        (Some(network), _) => &network.name,
        (None, EngineKind::Podman) => "podman",
        (None, EngineKind::Docker | EngineKind::Unknown) => "bridge",
    }
}

fn is_listed(container: &Container, name: &str, host: &Host) -> bool {
    match &container.reach.networks {
        Some(networks) if networks.iter().any(|network| network == name) => return true,
        None => {
            // What it will be attached to.
            let mode = container.network_mode.as_deref();
            if mode.is_some_and(|mode| matches!(mode, "default" | "bridge") || mode == name) {
                return true;
            }
        }
        Some(_) => {}
    }
    let networks = host.facts.engine.get().and_then(|engine| engine.networks.get());
    networks
        .into_iter()
        .flatten()
        .any(|network| network.name == name && network.containers.contains_key(container.id.as_str()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::testing::{assert_fails, assert_passes, assert_unknown, id, judge};
    use super::*;
    use crate::model::{Fact, Network};

    /// The verdict where the default bridge exists, with these containers attached to it.
    #[track_caller]
    fn check(networks: Option<&[&str]>, mode: Option<&str>, attached: &[&str]) -> Verdict {
        judge(&CHECK, |container, host| {
            container.network_mode = mode.map(Into::into);
            container.reach.networks = networks.map(|names| names.iter().map(|&name| name.into()).collect());
            let bridge = Network {
                name: "bridge".into(),
                driver: "bridge".into(),
                options: BTreeMap::from([(DEFAULT.into(), "true".into())]),
                containers: attached.iter().map(|&id| (id.into(), "x".into())).collect(),
                ..Network::default()
            };
            host.facts.engine.get_mut().unwrap().networks = Fact::Known(vec![bridge]);
        })
    }

    #[test]
    fn pass_where_the_bridge_merely_exists() {
        assert_passes(&check(Some(&["apps"]), Some("apps"), &[]));
        assert_passes(&check(Some(&["apps"]), None, &["another"]));
        assert_passes(&check(Some(&[]), Some("container:db"), &[]));
        assert_passes(&check(None, Some("none"), &[]));
    }

    #[test]
    fn fail_attached_containers() {
        let words = "container web is attached to the default bridge bridge";
        assert_fails(
            &check(Some(&["apps", "bridge"]), Some("apps"), &[]),
            Severity::Low,
            words,
        );
        for mode in ["default", "bridge"] {
            assert_fails(&check(None, Some(mode), &[]), Severity::Low, words);
        }
        assert_fails(
            &check(Some(&["apps"]), None, &[id().as_str()]),
            Severity::Low,
            words,
        );
        let podman = judge(&CHECK, |container, _| {
            container.engine = EngineKind::Podman;
            container.reach.networks = Some(vec!["podman".into()]);
        });
        assert_fails(&podman, Severity::Low, "default bridge podman");
    }

    #[test]
    fn unknown_where_nobody_says() {
        assert_unknown(&check(None, None, &[]), "which networks");
    }
}
