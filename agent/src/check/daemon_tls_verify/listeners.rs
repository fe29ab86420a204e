//! Addresses of the API among all that the daemon listens on.

use std::net::IpAddr;

use super::super::support::Setting;
use crate::model::{Daemon, Fact, Host, Listener, Verdict};

/// Where the API listens beyond the host's files.
pub(super) fn listeners(host: &Host) -> Result<Vec<Listener>, Verdict> {
    let daemon = host.facts.daemon.look()?;
    let Fact::Known(all) = &daemon.listeners else {
        return told(host, daemon);
    };
    let remote = |listener: &&Listener| matches!(listener.protocol.as_str(), "tcp" | "tcp6" | "vsock");
    let hosts = Setting::of(host, "hosts").ok();
    let is_given = |listener: &Listener| {
        hosts
            .as_ref()
            .is_some_and(|hosts| given_as(hosts, listener).is_some())
    };
    let others: Vec<u32> = metrics_port(host).into_iter().chain(swarm_ports(host)).collect();
    let is_api = |listener: &&Listener| is_given(listener) || !others.contains(&listener.port);
    Ok(all.iter().filter(remote).filter(is_api).cloned().collect())
}

/// The entry of `hosts` that an address is from: the same, or one at its port that stands for several or has a name.
pub(super) fn given_as<'a>(hosts: &'a Setting<'_>, listener: &Listener) -> Option<&'a str> {
    let addresses = hosts.list().ok()?;
    let at_port = |address: &str| tcp(address).filter(|given| given.port == listener.port);
    let is_same = |address: &&&str| at_port(address).is_some_and(|given| given.address == listener.address);
    let is_wide = |address: &&&str| {
        let given = at_port(address);
        given.is_some_and(|given| given.is_wildcard() || given.address.parse::<IpAddr>().is_err())
    };
    let same = addresses.iter().find(is_same);
    same.or_else(|| addresses.iter().find(is_wide)).copied()
}

fn metrics_port(host: &Host) -> Option<u32> {
    port(Setting::of(host, "metrics-addr").ok()?.text().ok()??)
}

/// What `hosts` says, where the daemon's sockets could not be seen.
fn told(host: &Host, daemon: &Daemon) -> Result<Vec<Listener>, Verdict> {
    let setting = Setting::of(host, "hosts")?;
    let addresses = setting.list()?;
    if addresses.is_empty() || addresses.iter().any(|address| address.starts_with("fd:")) {
        daemon.listeners.look()?;
    }
    Ok(addresses.into_iter().filter_map(tcp).collect())
}

fn tcp(address: &str) -> Option<Listener> {
    let rest = address.strip_prefix("tcp://")?;
    let (name, _) = rest.rsplit_once(':').unwrap_or((rest, ""));
    Some(Listener {
        protocol: "tcp".to_owned(),
        address: name.trim_matches(['[', ']']).to_owned(),
        port: port(rest).unwrap_or(2375),
    })
}

fn port(address: &str) -> Option<u32> {
    address.trim_end_matches('/').rsplit_once(':')?.1.parse().ok()
}

/// Ports of the swarm's own, where the engine is in one.
fn swarm_ports(host: &Host) -> Vec<u32> {
    let swarm = host.facts.engine.get().map(|engine| &engine.swarm);
    match swarm {
        Some(swarm) if !matches!(swarm.state.as_str(), "inactive" | "") => {
            let managers = swarm.remote_managers.iter().filter_map(|address| port(address));
            managers.chain([2377, 7946]).collect()
        }
        _ => Vec::new(),
    }
}
