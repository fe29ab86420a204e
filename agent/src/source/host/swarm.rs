//! What the host adds to the engine's word on swarm mode.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;

use nix::ifaddrs::getifaddrs;
use serde::Deserialize;
use x509_parser::pem::Pem;

use super::process_root::ProcessRoot;
use super::sentence::known;
use super::{net, proc};
use crate::model::{Daemon, Engine, Fact, Listener, Time};

/// Largest file of the node that is read.
const MAX_FILE: u64 = 1 << 20;
/// Addresses of this host that are listed.
const MAX_ADDRESSES: usize = 65_536;
/// Port of the data path unless the cluster says otherwise.
const DATA_PATH_PORT: u32 = 4789;
/// `CERTIFICATE`, as in RFC 7468: of other blocks, such as keys, nothing is decoded.
const CERTIFICATE: &str = "CERTIFICATE";

/// The node's certificate could not be looked at.
#[derive(Debug, thiserror::Error)]
enum CertificateError {
    #[error("cannot read {path}")]
    Read {
        path: String,
        #[source]
        source: io::Error,
    },
    #[error("{0} holds no certificate")]
    None(String),
}

/// Fills in when the node's certificate expires, which addresses the data path has, and which interface has which
/// address. Of an engine that is in no swarm nothing is asked.
pub fn complete_engine(engine: &mut Engine, daemon: Option<&Daemon>) {
    if matches!(engine.swarm.state.as_str(), "" | "inactive") {
        let why = "the engine is in no swarm";
        engine.swarm.node_certificate_expires = Fact::unknown(why);
        engine.swarm.data_path_addresses = Fact::unknown(why);
        engine.swarm.interfaces = Fact::unknown(why);
        return;
    }
    engine.swarm.node_certificate_expires = match (&engine.data_root, daemon) {
        (Some(data_root), Some(daemon)) => known(certificate_expires(daemon, data_root)),
        (None, _) => Fact::unknown("the engine did not say where its data is"),
        (_, None) => Fact::unknown("the daemon was not found, through whose root its data is looked at"),
    };
    let cluster = engine.swarm.cluster.get();
    let port = cluster
        .and_then(|cluster| cluster.data_path_port)
        .filter(|port| *port != 0);
    let kept = daemon
        .zip(engine.data_root.as_deref())
        .and_then(|(daemon, root)| kept_data_path(daemon, root));
    engine.swarm.data_path_addresses = match kept {
        Some(address) => Fact::Known(vec![address]),
        None => data_path(daemon, port.unwrap_or(DATA_PATH_PORT)),
    };
    engine.swarm.interfaces = interfaces();
}

fn certificate_expires(daemon: &Daemon, data_root: &str) -> Result<Time, CertificateError> {
    let path = format!("{data_root}/swarm/certificates/swarm-node.crt");
    let read = || ProcessRoot::of(&proc::open(daemon.pid)?)?.read(&path, MAX_FILE);
    match read() {
        Ok(text) => expires(&text).ok_or(CertificateError::None(path)),
        Err(source) => Err(CertificateError::Read { path, source }),
    }
}

/// `notAfter` of the first certificate, which is the node's own; those of its issuers follow.
fn expires(text: &[u8]) -> Option<Time> {
    let blocks = Pem::iter_from_buffer(text).map_while(Result::ok);
    let certificate = blocks
        .filter(|block| block.label == CERTIFICATE)
        .find_map(|block| {
            let (_, certificate) = x509_parser::parse_x509_certificate(&block.contents).ok()?;
            Some(certificate.validity().not_after.timestamp())
        })?;
    Some(Time::from_unix_nanos(i128::from(certificate) * 1_000_000_000))
}

/// What a node keeps of how it was made or joined.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct NodeState {
    local_addr: String,
    advertise_addr: String,
    data_path_addr: String,
}

/// The address that the node sends data from, as it keeps it; `None` where that cannot be read.
fn kept_data_path(daemon: &Daemon, data_root: &str) -> Option<String> {
    let path = format!("{data_root}/swarm/docker-state.json");
    let root = ProcessRoot::of(&proc::open(daemon.pid).ok()?).ok()?;
    data_path_of(&root.read(&path, MAX_FILE).ok()?)
}

/// Its own address if it has one, else the one that it tells others, else the one it found.
fn data_path_of(state: &[u8]) -> Option<String> {
    let state: NodeState = serde_json::from_slice(state).ok()?;
    let advertised = match state.advertise_addr.parse::<SocketAddr>() {
        Ok(address) => address.ip().to_string(),
        Err(_) => state.advertise_addr,
    };
    let mut addresses = [state.data_path_addr, advertised, state.local_addr].into_iter();
    addresses.find(|address| !address.is_empty())
}

/// Addresses that the sockets of the data path are bound to. The kernel binds them to every address and notes the
/// one it sends from at the interface alone, which lies in a network namespace of the engine's own: where no socket
/// says more than "every address", the data path is not known.
fn data_path(daemon: Option<&Daemon>, port: u32) -> Fact<Vec<String>> {
    let Some(daemon) = daemon else {
        return Fact::unknown("the daemon was not found");
    };
    // Its sockets are the kernel's, no descriptor of the daemon's.
    let sockets = proc::open(daemon.pid).and_then(|process| net::inet(&process));
    match sockets {
        Ok(sockets) => {
            let listeners: Vec<Listener> = sockets.into_iter().map(|socket| socket.listener).collect();
            bound_to(&listeners, port)
        }
        Err(error) => Fact::unknown(format!("cannot read the sockets of the host: {error}")),
    }
}

fn bound_to(listeners: &[Listener], port: u32) -> Fact<Vec<String>> {
    let of_path = listeners
        .iter()
        .filter(|listener| listener.protocol.starts_with("udp") && listener.port == port);
    let (wide, own): (Vec<&Listener>, Vec<_>) = of_path.partition(|listener| listener.is_wildcard());
    if own.is_empty() {
        return Fact::unknown(if wide.is_empty() {
            format!("nothing uses the port of the data path, {port}/udp, by now")
        } else {
            format!("the data path, {port}/udp, is bound to every address")
        });
    }
    let addresses: BTreeSet<String> = own.into_iter().map(|listener| listener.address.clone()).collect();
    Fact::Known(addresses.into_iter().collect())
}

/// Interface by local address, in this process's network namespace.
fn interfaces() -> Fact<BTreeMap<String, String>> {
    match getifaddrs() {
        Ok(all) => {
            let pairs = all.take(MAX_ADDRESSES).filter_map(|interface| {
                let address = interface.address?;
                let v4 = address.as_sockaddr_in().map(|address| address.ip().to_string());
                let v6 = || address.as_sockaddr_in6().map(|address| address.ip().to_string());
                Some((v4.or_else(v6)?, interface.interface_name))
            });
            Fact::Known(pairs.collect())
        }
        Err(error) => Fact::unknown(format!("cannot list network interfaces: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PEM: &str = include_str!("fixtures/swarm-node.crt");

    #[test]
    fn the_first_certificate_is_the_nodes() {
        let expect = Some(Time::from_unix_nanos(1_803_125_208 * 1_000_000_000));
        assert_eq!(expires(PEM.as_bytes()), expect);
        assert_eq!(expires(format!("a note\n{PEM}").as_bytes()), expect);
        // Where its label is another, its contents are not looked at.
        assert_eq!(
            expires(PEM.replace("CERTIFICATE", "PRIVATE KEY").as_bytes()),
            None
        );
        assert_eq!(expires(PEM.replace("MII", "AAA").as_bytes()), None);
        assert_eq!(expires(b""), None);
    }

    #[track_caller]
    fn check(listeners: &[(&str, &str, u32)], expect: Result<&[&str], &str>) {
        let listeners: Vec<_> = listeners
            .iter()
            .map(|(protocol, address, port)| Listener {
                protocol: (*protocol).to_owned(),
                address: (*address).to_owned(),
                port: *port,
            })
            .collect();
        match (bound_to(&listeners, 4789), expect) {
            (Fact::Known(found), Ok(expect)) => assert_eq!(found, expect),
            (Fact::Unknown(why), Err(words)) => assert!(why.contains(words), "{why}"),
            (found, _) => panic!("{found:?}"),
        }
    }

    #[test]
    fn the_data_path_is_known_where_its_address_is_its_own() {
        check(
            &[("udp", "10.0.0.1", 4789), ("udp", "0.0.0.0", 4789)],
            Ok(&["10.0.0.1"]),
        );
        check(
            &[("udp", "0.0.0.0", 4789), ("udp6", "::", 4789)],
            Err("every address"),
        );
        check(
            &[("udp", "10.0.0.1", 4790), ("tcp", "10.0.0.1", 4789)],
            Err("nothing uses"),
        );
    }

    #[track_caller]
    fn check_kept(state: &str, expect: Option<&str>) {
        assert_eq!(data_path_of(state.as_bytes()).as_deref(), expect);
    }

    #[test]
    fn a_node_keeps_the_address_of_its_data_path() {
        let own = r#"{"LocalAddr": "10.0.0.1", "AdvertiseAddr": "10.0.0.1:2377", "DataPathAddr": "10.9.0.1", "X": [1]}"#;
        check_kept(own, Some("10.9.0.1"));
        check_kept(&own.replace("10.9.0.1", ""), Some("10.0.0.1"));
        check_kept(r#"{"AdvertiseAddr": "[fd00::1]:2377"}"#, Some("fd00::1"));
        check_kept(r#"{"LocalAddr": "10.0.0.2"}"#, Some("10.0.0.2"));
        for none in ["", "{}", "[]", r#"{"DataPathAddr": 7}"#] {
            check_kept(none, None);
        }
    }

    #[test]
    fn the_loopback_interface_is_listed() {
        let found = interfaces();
        assert_eq!(
            found.get().unwrap().get("127.0.0.1").map(String::as_str),
            Some("lo")
        );
    }

    #[test]
    fn of_an_engine_in_no_swarm_nothing_is_asked() {
        let mut engine = Engine::default();
        complete_engine(&mut engine, None);
        assert_eq!(
            engine.swarm.interfaces,
            Fact::unknown("the engine is in no swarm")
        );
        engine.swarm.state = "active".to_owned();
        complete_engine(&mut engine, None);
        assert!(engine.swarm.interfaces.get().is_some());
        assert!(engine.swarm.node_certificate_expires.get().is_none());
    }

    proptest! {
        #[test]
        fn arbitrary_certificates_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), at in 0..400_usize) {
            prop_assert_eq!(expires(&bytes), None);
            let mut text = PEM.as_bytes().to_vec();
            text.splice(at..at.min(text.len()), bytes);
            std::hint::black_box(expires(&text));
        }
    }
}
