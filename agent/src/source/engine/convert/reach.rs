//! How a container is reached: ports and networks.

use std::collections::HashMap;

use bollard::models::{HostConfig, NetworkSettings, PortBinding, PortMap};

use crate::model::{ContainerState, PublishedPort, Reach};

/// From the parts of `GET /containers/ID/json` that tell of ports and networks.
pub(super) fn reach(
    exposed: Option<Option<Vec<String>>>,
    settings: Option<NetworkSettings>,
    config: Option<&HostConfig>,
    state: ContainerState,
) -> Reach {
    let settings = settings.unwrap_or_default();
    let runs = matches!(state, ContainerState::Running | ContainerState::Paused);
    let in_force = settings.ports.filter(|_| runs);
    let asked_for = || {
        let bindings = config?.port_bindings.clone();
        // The API writes an empty map as null.
        Some(bindings.unwrap_or_default())
    };
    Reach {
        published: in_force.or_else(asked_for).map(published),
        publish_all: config.and_then(|config| config.publish_all_ports),
        exposed: exposed.map(|ports| sorted(ports.unwrap_or_default())),
        networks: settings
            .networks
            .map(|networks: HashMap<_, _>| sorted(networks.into_keys().collect())),
    }
}

fn published(ports: PortMap) -> Vec<PublishedPort> {
    let mut rows: Vec<_> = ports
        .into_iter()
        .flat_map(|(container, bindings)| {
            let bindings = bindings.unwrap_or_default().into_iter();
            bindings.map(move |binding| row(&container, binding))
        })
        .collect();
    rows.sort();
    rows
}

fn row(container: &str, binding: PortBinding) -> PublishedPort {
    let port = binding.host_port.unwrap_or_default();
    // A range: the engine takes the first that is free.
    let first = port.split('-').next().unwrap_or_default();
    PublishedPort {
        container: container.to_owned(),
        address: binding.host_ip.unwrap_or_default(),
        port: first.trim().parse().unwrap_or_default(),
    }
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use bollard::models::ContainerInspectResponse;

    use super::*;

    #[track_caller]
    fn check(json: &str, state: ContainerState, expected: Option<&[(&str, &str, u16)]>) -> Reach {
        let answer: ContainerInspectResponse = serde_json::from_str(json).unwrap();
        let exposed = answer.config.map(|config| config.exposed_ports);
        let reach = reach(
            exposed,
            answer.network_settings,
            answer.host_config.as_ref(),
            state,
        );
        let rows = reach.published.as_ref().map(|rows| {
            let row = |row: &PublishedPort| (row.container.clone(), row.address.clone(), row.port);
            rows.iter().map(row).collect::<Vec<_>>()
        });
        let expected = expected.map(|rows| {
            let row = |row: &(&str, &str, u16)| (row.0.to_owned(), row.1.to_owned(), row.2);
            rows.iter().map(row).collect::<Vec<_>>()
        });
        assert_eq!(rows, expected);
        reach
    }

    #[test]
    fn while_it_runs_every_binding_in_force_is_a_row() {
        let reach = check(
            include_str!("../fixtures/container-limited.json"),
            ContainerState::Running,
            Some(&[
                ("53/udp", "0.0.0.0", 18083),
                ("53/udp", "::", 18083),
                ("80/tcp", "0.0.0.0", 18082),
                ("80/tcp", "127.0.0.1", 18081),
                ("80/tcp", "::", 18082),
            ]),
        );
        assert_eq!(reach.publish_all, Some(false));
        assert_eq!(reach.networks, Some(vec!["plain".into()]));
        assert_eq!(reach.exposed, Some(vec!["53/udp".into(), "80/tcp".into()]));
    }

    #[test]
    fn before_it_runs_the_bindings_are_those_asked_for() {
        let reach = check(
            include_str!("../fixtures/container-later.json"),
            ContainerState::Created,
            Some(&[("53/udp", "", 0), ("80/tcp", "::1", 18085)]),
        );
        assert_eq!(reach.publish_all, Some(true));
        assert_eq!(reach.networks, Some(vec!["plain".into()]));
        let range = r#"{"HostConfig":{"PortBindings":{"53/udp":[{"HostIp":"","HostPort":"18083-18084"}]}}}"#;
        check(range, ContainerState::Exited, Some(&[("53/udp", "", 18083)]));
    }

    #[test]
    fn no_ports_are_none_and_what_was_not_told_is_unknown() {
        let none = r#"{"HostConfig":{"PortBindings":null},"NetworkSettings":{"Ports":{"80/tcp":null}}}"#;
        check(none, ContainerState::Running, Some(&[]));
        check(none, ContainerState::Exited, Some(&[]));
        let reach = check("{}", ContainerState::Running, None);
        assert_eq!(reach, Reach::default());
    }
}
