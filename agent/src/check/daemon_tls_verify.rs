//! Who may speak to the engine from afar.

mod listeners;

use serde_json::json;

use self::listeners::{given_as, listeners};
use super::support::{Setting, item};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Evidence, Fact, Host, Listener, Role, Severity, Source, Verdict};

pub(super) static CHECK: Check = Check {
    key: "daemon-tls-verify",
    title: "Remote engine API requires mutual TLS",
    section: "daemon",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Critical,
    numbers: &[
        (Benchmark::V1_13_0, "2.6"),
        (Benchmark::V1_1_0, "2.6"),
        (Benchmark::V1_2_0, "2.6"),
        (Benchmark::V1_3_1, "2.7"),
        (Benchmark::V1_4_0, "2.7"),
        (Benchmark::V1_5_0, "2.7"),
        (Benchmark::V1_6_0, "2.7"),
        (Benchmark::V1_7_0, "2.7"),
        (Benchmark::V1_8_0, "2.8"),
    ],
    about: "Whoever reaches the engine's API is root on the host. Every TCP and vsock address that the \
            daemon really listens on must ask clients for a certificate; ports of swarm and metrics are \
            no API. An address that only the host reaches is less bad, for every user and many \
            containers of the host reach it. What the engine itself warns of is conclusive.",
    remedy: "Remove the TCP address and use ssh contexts, or set tlsverify with a private authority",
    assess: Assess::Host(assess),
    signals: &[
        Signal {
            kind: "host",
            when: "the daemon listens on TCP or vsock without asking clients for a certificate",
        },
        Signal {
            kind: "file",
            when: "the daemon's configuration file is changed",
        },
    ],
    observe: no_live_signal,
};

/// What the engine's warnings on its addresses have in common.
const WARNING: &str = "API is accessible on";

fn assess(host: &Host) -> Vec<Item> {
    let listeners = match listeners(host) {
        Ok(listeners) => listeners,
        Err(unseen) => return vec![item("the API", warned(host).ok_or(unseen))],
    };
    if listeners.is_empty() {
        let fine = || Verdict::pass().because("the API listens on no TCP or vsock address");
        return vec![item("the API", Ok(warned(host).unwrap_or_else(fine)))];
    }
    listeners
        .into_iter()
        .map(|listener| item(written(&listener), judge(host, &listener)))
        .collect()
}

fn written(listener: &Listener) -> String {
    let Listener {
        protocol,
        address,
        port,
    } = listener;
    if address.contains(':') {
        format!("{protocol}://[{address}]:{port}")
    } else {
        format!("{protocol}://{address}:{port}")
    }
}

fn judge(host: &Host, listener: &Listener) -> Result<Verdict, Verdict> {
    let facts = json!({ "protocol": listener.protocol, "address": listener.address, "port": listener.port });
    let shown = Evidence::new(Source::Assessment, "listener", facts);
    let address = written(listener);
    let verify = Setting::of(host, "tlsverify").and_then(|verify| Ok((verify.flag(false)?, verify)));
    let (verified, verify) = match verify {
        Ok(known) => known,
        Err(unseen) => return warned(host).ok_or(unseen),
    };
    let verdict = if !verified {
        open(host, listener, shown)
    } else if let Some(path) = missing(host) {
        let reason = format!("{address} is to ask clients for a certificate, and {path} is not there");
        Verdict::fail(reason, vec![shown]).remedy(format!("Put the certificate or key back at {path}"))
    } else {
        Verdict::pass()
            .because(format!("{address} asks clients for a certificate"))
            .evidence(shown)
    };
    Ok(verify.tell(verdict))
}

/// An address where nobody has to show who he is.
fn open(host: &Host, listener: &Listener, shown: Evidence) -> Verdict {
    let tls = Setting::of(host, "tls").and_then(|tls| tls.flag(false));
    let how = if tls == Ok(true) {
        "is encrypted and asks no client who it is"
    } else {
        "is open to all who reach it"
    };
    let verdict = Verdict::fail(format!("the API on {} {how}", written(listener)), vec![shown]);
    let verdict = if listener.is_loopback() {
        verdict.severity(Severity::Medium)
    } else {
        verdict
    };
    let hosts = Setting::of(host, "hosts").ok();
    let drop = hosts.and_then(|hosts| Some(hosts.drop_entry(given_as(&hosts, listener)?)));
    let drop = drop.unwrap_or_else(|| "Remove the address from docker.socket".to_owned());
    verdict.remedy(format!(
        "{drop}, or set tlsverify with tlscacert, tlscert and tlskey"
    ))
}

/// A file of the three that TLS needs and that is not there. One that could not be looked at is: the daemon started.
fn missing(host: &Host) -> Option<&str> {
    let objects = host.facts.objects.get()?;
    objects
        .iter()
        .filter(|object| matches!(object.role, Role::TlsCa | Role::TlsCert | Role::TlsKey))
        .find(|object| matches!(object.state, Fact::Known(None)))
        .map(|object| object.path.as_str())
}

/// A failure, where the engine warns of its own address.
fn warned(host: &Host) -> Option<Verdict> {
    let warnings = &host.facts.engine.get()?.warnings;
    let warning = warnings.iter().find(|warning| warning.contains(WARNING))?;
    let shown = Evidence::new(
        Source::Engine,
        "config",
        json!({ "field": "Warnings", "value": warning }),
    );
    Some(Verdict::fail(
        "the engine warns that its API is open to the network",
        vec![shown],
    ))
}

#[cfg(test)]
mod tests {
    use super::super::testing::daemon::{
        check_items, check_one, daemon, engine, judged, nobody, set, set_by_flag,
    };
    use super::*;
    use crate::model::VerdictKind::{Fail, Pass, Unknown};
    use crate::model::{Object, ObjectState};

    fn on(host: &mut Host, listeners: &[(&str, &str, u32)]) {
        let listener = |&(protocol, address, port): &(&str, &str, u32)| Listener {
            protocol: protocol.into(),
            address: address.into(),
            port,
        };
        daemon(host).listeners = Fact::Known(listeners.iter().map(listener).collect());
    }

    fn certificate(host: &mut Host, role: Role, path: &str, state: Option<ObjectState>) {
        let object = Object {
            role,
            path: path.into(),
            state: Fact::Known(state),
        };
        host.facts.objects.get_mut().unwrap().push(object);
    }

    #[test]
    fn pass_no_address_beyond_the_hosts_files_whatever_flags_say() {
        check_one(
            &CHECK,
            |host| on(host, &[("unix", "/run/docker.sock", 0)]),
            Pass,
            "no TCP or vsock",
        );
        // An option that merely mentions such an address is none.
        check_one(
            &CHECK,
            |host| set(host, "log-opts", json!({ "syslog-address": "tcp://h:514" })),
            Pass,
            "no TCP",
        );
    }

    #[test]
    fn pass_addresses_that_ask_for_a_certificate() {
        let vary = |host: &mut Host| {
            on(host, &[("tcp6", "::", 2376), ("tcp", "10.0.0.1", 2376)]);
            set(host, "tlsverify", json!(true));
            certificate(
                host,
                Role::TlsKey,
                "/etc/docker/key.pem",
                Some(ObjectState::default()),
            );
        };
        check_items(
            &CHECK,
            vary,
            &[("tcp6://[::]:2376", Pass), ("tcp://10.0.0.1:2376", Pass)],
        );
    }

    #[test]
    fn pass_ports_of_metrics_and_swarm() {
        let vary = |host: &mut Host| {
            on(
                host,
                &[
                    ("tcp", "127.0.0.1", 9323),
                    ("tcp6", "::", 2377),
                    ("tcp6", "::", 7946),
                ],
            );
            set(host, "metrics-addr", json!("127.0.0.1:9323"));
            engine(host).swarm.state = "active".into();
        };
        check_one(&CHECK, vary, Pass, "no TCP or vsock address");
    }

    #[test]
    fn fail_an_open_address_also_of_socket_activation() {
        let vary = |host: &mut Host| {
            on(host, &[("tcp6", "::", 2375), ("vsock", "any", 2375)]);
            set_by_flag(host, "hosts", json!(["fd://"]));
        };
        check_items(
            &CHECK,
            vary,
            &[("tcp6://[::]:2375", Fail), ("vsock://any:2375", Fail)],
        );
    }

    #[test]
    fn fail_encryption_alone_false_flags_and_the_loopback() {
        let with = |name: &'static str, value: bool| {
            move |host: &mut Host| {
                on(host, &[("tcp", "10.0.0.1", 2376)]);
                set_by_flag(host, name, json!(value));
            }
        };
        let verdict = check_one(&CHECK, with("tls", true), Fail, "encrypted and asks no client");
        assert_eq!(verdict.severity, None);
        check_one(&CHECK, with("tlsverify", false), Fail, "open to all");
        let verdict = check_one(
            &CHECK,
            |host| on(host, &[("tcp", "127.0.0.1", 2375)]),
            Fail,
            "open to all",
        );
        assert_eq!(verdict.severity, Some(Severity::Medium));
    }

    #[test]
    fn fail_an_address_at_a_port_that_metrics_or_swarm_use_elsewhere() {
        let vary = |host: &mut Host| {
            on(host, &[("tcp", "10.0.0.1", 9323), ("tcp", "127.0.0.1", 2377)]);
            set(host, "metrics-addr", json!("127.0.0.1:9323"));
            set(
                host,
                "hosts",
                json!(["tcp://10.0.0.1:9323", "tcp://127.0.0.1:2377"]),
            );
            engine(host).swarm.state = "active".into();
        };
        check_items(
            &CHECK,
            vary,
            &[("tcp://10.0.0.1:9323", Fail), ("tcp://127.0.0.1:2377", Fail)],
        );
    }

    #[test]
    fn the_remedy_names_the_address_as_it_was_given() {
        let vary = |host: &mut Host| {
            on(host, &[("tcp6", "::", 2375)]);
            set_by_flag(host, "hosts", json!(["fd://", "tcp://0.0.0.0:2375"]));
        };
        let verdict = check_one(&CHECK, vary, Fail, "open to all");
        let remedy = verdict.remedy.unwrap();
        assert!(
            remedy.starts_with("Remove the flag --host tcp://0.0.0.0:2375 from"),
            "{remedy}"
        );
    }

    #[test]
    fn fail_a_missing_file_and_the_engines_own_warning() {
        let vary = |host: &mut Host| {
            on(host, &[("tcp", "10.0.0.1", 2376)]);
            set(host, "tlsverify", json!(true));
            certificate(host, Role::TlsCa, "/etc/docker/ca.pem", None);
        };
        check_one(&CHECK, vary, Fail, "/etc/docker/ca.pem is not there");
        let warns = |host: &mut Host| {
            engine(host).warnings =
                vec!["WARNING: API is accessible on http://0.0.0.0:2375 without encryption.".into()];
            host.facts.daemon = Fact::unknown("no permission");
        };
        check_one(&CHECK, warns, Fail, "the engine warns");
    }

    #[test]
    fn hosts_of_a_list_decide_where_sockets_are_not_seen() {
        let vary = |host: &mut Host| {
            daemon(host).listeners = Fact::unknown("no permission");
            set(
                host,
                "hosts",
                json!(["unix:///run/docker.sock", "tcp://[::1]:2375", "tcp://10.0.0.1"]),
            );
        };
        let items = judged(&CHECK, vary);
        let found: Vec<_> = items
            .iter()
            .map(|item| (item.subject.as_str(), item.verdict.severity))
            .collect();
        assert_eq!(
            found,
            [
                ("tcp://[::1]:2375", Some(Severity::Medium)),
                ("tcp://10.0.0.1:2375", None)
            ]
        );
        let remedy = items[1].verdict.remedy.as_deref().unwrap();
        assert!(
            remedy.starts_with("Remove \"tcp://10.0.0.1\" from \"hosts\""),
            "{remedy}"
        );
    }

    #[test]
    fn unknown_where_neither_sockets_nor_hosts_are_seen() {
        check_one(&CHECK, nobody, Unknown, "no dockerd was found");
        let activated = |host: &mut Host| {
            daemon(host).listeners = Fact::unknown("no permission");
            set_by_flag(host, "hosts", json!(["fd://"]));
        };
        check_one(&CHECK, activated, Unknown, "no permission");
    }
}
