//! A host whose engine is as recommended, to be varied.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{Assess, Check, Item};
use super::host;
use crate::model::{
    Attestation, Cluster, Container, Daemon, DaemonOption, DataRoot, Engine, Fact, Host, Network,
    OptionSource, Swarm, System, Time, Users, Verdict, VerdictKind,
};

/// The ordinary host, with everything set that recommendations on the daemon ask for. It is in no swarm.
pub(in crate::check) fn hardened() -> Host {
    let mut host = host();
    host.taken = Some(day("2026-10-20"));
    let engine = engine(&mut host);
    engine.version = "29.8.2".into();
    engine.components = BTreeMap::from([
        ("Engine".into(), "29.8.2".into()),
        ("containerd".into(), "v2.3.7".into()),
        ("runc".into(), "1.5.0".into()),
    ]);
    engine.security_options = Some(vec![
        "name=apparmor".into(),
        "name=seccomp,profile=builtin".into(),
        "name=userns".into(),
        "name=no-new-privileges".into(),
    ]);
    engine.authorization_plugins = Some(vec!["authz".into()]);
    engine.plugins = Fact::Known(BTreeMap::from([("authz:latest".into(), true)]));
    engine.networks = Fact::Known(vec![network("bridge", "bridge", &[(ICC, "false")])]);
    host.facts.system = Fact::Known(system());
    for (name, value) in [
        ("icc", json!(false)),
        ("userland-proxy", json!(false)),
        ("userns-remap", json!("default")),
        ("no-new-privileges", json!(true)),
        (
            "default-ulimits",
            json!({
                "nofile": { "Name": "nofile", "Hard": 64_000, "Soft": 64_000 },
                "nproc": { "Name": "nproc", "Hard": 4_096, "Soft": 4_096 },
            }),
        ),
    ] {
        set(&mut host, name, value);
    }
    attest(&mut host, "host-hardened", "2026-06-01", "2027-06-01");
    attest(&mut host, "daemon-rootless", "2026-06-01", "2027-06-01");
    host
}

/// Driver option of a bridge: whether its containers reach each other.
pub(in crate::check) const ICC: &str = "com.docker.network.bridge.enable_icc";

fn system() -> System {
    System {
        data_root: Fact::Known(DataRoot {
            path: "/var/lib/docker".into(),
            mount_point: "/var/lib/docker".into(),
            own_mount: true,
            own_filesystem: true,
            source: "/dev/vg/docker".into(),
            fstype: "xfs".into(),
            free_percent: Some(60),
        }),
        subuid: Fact::Known(vec![("dockremap".into(), 231_072, 65_536)]),
        subgid: Fact::Known(vec![("dockremap".into(), 231_072, 65_536)]),
        users: Fact::Known(Users(BTreeMap::from([
            (0, "root".into()),
            (1000, "alice".into()),
        ]))),
        log_forwarders: Fact::Known(Vec::new()),
        legacy_plugins: Fact::Known(Vec::new()),
        ..System::default()
    }
}

/// A network with these driver options.
pub(in crate::check) fn network(name: &str, driver: &str, options: &[(&str, &str)]) -> Network {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Network {
        id: format!("id-of-{name}"),
        name: name.into(),
        driver: driver.into(),
        scope: "local".into(),
        options: options.iter().map(owned).collect(),
        ..Network::default()
    }
}

/// Midnight UTC of a day.
pub(in crate::check) fn day(date: &str) -> Time {
    format!("{date}T00:00:00Z").try_into().unwrap()
}

/// The host's engine.
pub(in crate::check) fn engine(host: &mut Host) -> &mut Engine {
    host.facts.engine.get_mut().unwrap()
}

/// The host's daemon.
pub(in crate::check) fn daemon(host: &mut Host) -> &mut Daemon {
    host.facts.daemon.get_mut().unwrap()
}

/// No engine answers, and its daemon cannot be looked at.
pub(in crate::check) fn nobody(host: &mut Host) {
    host.facts.engine = Fact::unknown("no engine answers");
    host.facts.daemon = Fact::unknown("no dockerd was found");
    host.facts.security_options = None;
}

/// Sets an option in the configuration file.
pub(in crate::check) fn set(host: &mut Host, name: &str, value: Value) {
    give(host, name, value, OptionSource::File);
}

/// Sets an option by flag.
pub(in crate::check) fn set_by_flag(host: &mut Host, name: &str, value: Value) {
    give(host, name, value, OptionSource::Flag);
}

/// Takes an option away.
pub(in crate::check) fn unset(host: &mut Host, name: &str) {
    daemon(host).options.remove(name);
}

fn give(host: &mut Host, name: &str, value: Value, source: OptionSource) {
    let option = DaemonOption {
        value,
        source,
        pending: None,
    };
    daemon(host).options.insert(name.into(), option);
}

/// `ops` states that it was done.
pub(in crate::check) fn attest(host: &mut Host, key: &str, made: &str, expires: &str) {
    let statement = Attestation {
        statement: "done".into(),
        by: "ops".into(),
        date: day(made),
        expires: day(expires),
    };
    host.policy.attestations.insert(key.into(), statement);
}

/// These containers are there.
pub(in crate::check) fn running(host: &mut Host, containers: Vec<Container>) {
    host.containers = Some(containers);
}

/// What a check says of each item of the recommended host, varied.
#[track_caller]
pub(in crate::check) fn judged(check: &Check, vary: impl FnOnce(&mut Host)) -> Vec<Item> {
    let mut host = hardened();
    vary(&mut host);
    let Assess::Host(assess) = check.assess else {
        panic!("{} does not judge the host", check.key);
    };
    let items = assess(&host);
    for Item { subject, verdict } in &items {
        let Verdict { kind, reason, .. } = verdict;
        assert!(!subject.is_empty());
        assert!(
            !reason.is_empty() && !reason.ends_with('.'),
            "{subject}: `{reason}`"
        );
        let shown = *kind != VerdictKind::Fail || !verdict.evidence.is_empty();
        assert!(shown, "{subject} fails without evidence: {reason}");
        assert!(!verdict.remedy.as_deref().unwrap_or_default().ends_with('.'));
    }
    items
}

/// What a check says of its only item.
#[track_caller]
pub(in crate::check) fn judged_one(check: &Check, vary: impl FnOnce(&mut Host)) -> Verdict {
    let mut items = judged(check, vary);
    assert_eq!(items.len(), 1, "{items:?}");
    items.remove(0).verdict
}

/// The check's only item has this verdict, and its reason says this.
#[track_caller]
pub(in crate::check) fn check_one(
    check: &Check,
    vary: impl FnOnce(&mut Host),
    kind: VerdictKind,
    words: &str,
) -> Verdict {
    let verdict = judged_one(check, vary);
    assert_eq!(verdict.kind, kind, "{}", verdict.reason);
    assert!(
        verdict.reason.contains(words),
        "`{words}` is not in `{}`",
        verdict.reason
    );
    verdict
}

/// The items of a check are these, in this order, with these verdicts.
#[track_caller]
pub(in crate::check) fn check_items(
    check: &Check,
    vary: impl FnOnce(&mut Host),
    expect: &[(&str, VerdictKind)],
) {
    let items = judged(check, vary);
    let found: Vec<_> = items
        .iter()
        .map(|item| (item.subject.as_str(), item.verdict.kind))
        .collect();
    assert_eq!(found, expect, "{items:?}");
}

/// Makes the host a manager at 10.0.0.1, the only one of its swarm.
pub(in crate::check) fn in_swarm(host: &mut Host) -> &mut Swarm {
    let swarm = &mut engine(host).swarm;
    if swarm.state != "active" {
        *swarm = Swarm {
            state: "active".into(),
            manager: true,
            managers: Some(1),
            nodes: Some(1),
            node_address: Some("10.0.0.1".into()),
            ..Swarm::default()
        };
    }
    swarm
}

/// The same, of a cluster that tells of itself.
pub(in crate::check) fn in_cluster(host: &mut Host) -> &mut Cluster {
    let cluster = &mut in_swarm(host).cluster;
    if cluster.get().is_none() {
        *cluster = Fact::Known(Cluster::default());
    }
    cluster.get_mut().unwrap()
}
