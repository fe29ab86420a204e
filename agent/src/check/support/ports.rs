//! Ports of the host that a container takes.

use std::fmt;
use std::net::IpAddr;

use serde_json::{Value, json};

use super::{NETWORK, Task, config, lives, task};
use crate::model::{Container, Evidence, Host};

/// How a port of the host leads into a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::check) enum Via<'a> {
    /// The engine publishes this port of the container: `80/tcp`.
    Published(&'a str),
    /// The swarm's routing mesh publishes it for this service, on every node and address.
    Mesh(&'a str),
    /// The container shares the host's network and listens by this protocol.
    Listening(&'a str),
}

/// A port of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::check) struct HostPort<'a> {
    /// Address on the host; empty for the daemon's default.
    pub(in crate::check) address: &'a str,
    /// Port on the host; 0 where the engine is to choose.
    pub(in crate::check) port: u32,
    /// How it leads into the container.
    pub(in crate::check) via: Via<'a>,
}

/// The host's ports that a container takes, as far as they are known.
#[derive(Debug)]
pub(in crate::check) struct HostPorts<'a> {
    /// Those that are known.
    pub(in crate::check) known: Vec<HostPort<'a>>,
    /// Why there may be more.
    pub(in crate::check) missing: Option<String>,
}

impl HostPort<'_> {
    /// Whether it is open on every address of the host; none for an empty address, which the daemon chooses, and for one
    /// that is none.
    pub(in crate::check) fn is_wildcard(&self) -> Option<bool> {
        if matches!(self.via, Via::Mesh(_)) {
            return Some(true);
        }
        let bare = self.address.trim_start_matches('[').trim_end_matches(']');
        let address: IpAddr = bare.parse().ok()?;
        Some(address.to_canonical().is_unspecified())
    }
}

impl fmt::Display for HostPort<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            "" => write!(f, "port {}", self.port)?,
            address if address.contains(':') && !address.starts_with('[') => {
                write!(f, "[{address}]:{}", self.port)?;
            }
            address => write!(f, "{address}:{}", self.port)?,
        }
        match &self.via {
            Via::Published(inner) => write!(f, " for {inner}"),
            Via::Mesh(service) => write!(f, " of service {service} by the routing mesh"),
            Via::Listening(protocol) => write!(f, " by listening on {protocol}"),
        }
    }
}

/// The host's ports that a container takes: those published for it, for its swarm service by the routing mesh, and in
/// the host's network those that it listens on.
pub(in crate::check) fn host_ports<'a>(container: &'a Container, host: &'a Host) -> HostPorts<'a> {
    let mut ports = HostPorts {
        known: Vec::new(),
        missing: None,
    };
    published(&mut ports, container);
    meshed(&mut ports, container, host);
    listening(&mut ports, container, host);
    ports
}

fn published<'a>(ports: &mut HostPorts<'a>, container: &'a Container) {
    let Some(published) = &container.reach.published else {
        ports.missing = Some("the engine does not say which ports are published".to_owned());
        return;
    };
    ports.known.extend(published.iter().map(|one| HostPort {
        address: &one.address,
        port: one.port.into(),
        via: Via::Published(&one.container),
    }));
}

fn meshed<'a>(ports: &mut HostPorts<'a>, container: &Container, host: &'a Host) {
    let service = match task(container, host) {
        Task::No => return,
        Task::Of(service) => service,
        Task::Unknown(why) => {
            ports.missing = Some(format!("which ports its service publishes is not known: {why}"));
            return;
        }
    };
    let meshed = service.ports.iter().filter(|(_, mode)| mode == "ingress");
    ports.known.extend(meshed.map(|(port, _)| HostPort {
        address: "",
        port: *port,
        via: Via::Mesh(&service.name),
    }));
}

fn listening<'a>(ports: &mut HostPorts<'a>, container: &'a Container, host: &Host) {
    if !lives(container) || !NETWORK.is_shared(container, host) {
        return;
    }
    let listeners = container
        .truth
        .as_ref()
        .and_then(|truth| truth.listeners.as_ref());
    let Some(listeners) = listeners else {
        ports.missing =
            Some("it shares the host's network, and which ports it listens on is not known".to_owned());
        return;
    };
    let inet = listeners.iter().filter(|listener| listener.port != 0);
    ports.known.extend(inet.map(|listener| HostPort {
        address: &listener.address,
        port: listener.port,
        via: Via::Listening(&listener.protocol),
    }));
}

/// The ports as evidence.
pub(in crate::check) fn as_evidence(ports: &[&HostPort<'_>]) -> Evidence {
    let rows: Vec<Value> = super::head(ports)
        .iter()
        .map(|port| json!({ "address": port.address, "port": port.port, "shown": port.to_string() }))
        .collect();
    config("Ports", json!({ "ports": rows, "count": ports.len() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, expect: Option<bool>) {
        let port = HostPort {
            address,
            port: 80,
            via: Via::Published("80/tcp"),
        };
        assert_eq!(port.is_wildcard(), expect, "{address}");
    }

    #[test]
    fn every_address_in_every_spelling() {
        for address in ["0.0.0.0", "::", "[::]", "0:0:0:0:0:0:0:0", "::ffff:0.0.0.0"] {
            check(address, Some(true));
        }
        for address in ["127.0.0.1", "192.0.2.1", "::1", "[2001:db8::1]"] {
            check(address, Some(false));
        }
        check("", None);
        check("eth0", None);
    }

    #[test]
    fn the_routing_mesh_is_open_on_every_address() {
        let port = HostPort {
            address: "",
            port: 80,
            via: Via::Mesh("web"),
        };
        assert_eq!(port.is_wildcard(), Some(true));
        assert_eq!(port.to_string(), "port 80 of service web by the routing mesh");
    }
}
