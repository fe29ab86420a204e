//! Who on the host can drive a runtime through its socket.

use serde_json::json;

use super::support::program;
use super::{Assess, Basis, Benchmark, Check, Finding, Item, Signal, View};
use crate::model::{
    Class, ConnectOp, Event, Evidence, Host, Policy, Severity, SocketAccess, Source, Verdict,
};

pub(super) static CHECK: Check = Check {
    key: "docker-group-trusted-members",
    title: "Only approved accounts can drive the engine socket",
    section: "host",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::High,
    numbers: &[
        (Benchmark::V1_13_0, "1.4"),
        (Benchmark::V1_1_0, "1.4"),
        (Benchmark::V1_2_0, "1.2.2"),
        (Benchmark::V1_3_1, "1.1.2"),
        (Benchmark::V1_4_0, "1.1.2"),
        (Benchmark::V1_5_0, "1.1.2"),
        (Benchmark::V1_6_0, "1.1.2"),
        (Benchmark::V1_7_0, "1.1.2"),
        (Benchmark::V1_8_0, "1.1.2"),
    ],
    about: "Write access to the engine's socket is root on the host without a password. Every account that \
            can open it, by its group, its mode or its access list, is held against the policy's list of \
            trusted users; root is not. Live, so is every process on the host that connects to a runtime's \
            socket. Without a list nobody is trusted and nobody known to be untrusted: findings are then of \
            lower severity.",
    remedy: "Remove the account from the socket's group, or add it to the policy's trusted users",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "connect",
        when: "a user who is not trusted connects to a runtime's socket",
    }],
    observe,
};

fn assess(host: &Host) -> Vec<Item> {
    let socket = host
        .facts
        .engine_socket
        .as_deref()
        .unwrap_or("the engine's socket");
    let item = |verdict| {
        vec![Item {
            subject: socket.to_owned(),
            verdict,
        }]
    };
    match &host.facts.socket_access {
        None => item(Verdict::unknown(format!(
            "who can open {socket} could not be determined"
        ))),
        Some(accounts) if accounts.is_empty() => {
            item(Verdict::pass().because(format!("nobody but root can open {socket}")))
        }
        Some(accounts) => accounts
            .iter()
            .map(|account| Item {
                subject: account.user.clone(),
                verdict: judge(account, socket, &host.policy),
            })
            .collect(),
    }
}

fn judge(account: &SocketAccess, socket: &str, policy: &Policy) -> Verdict {
    let SocketAccess { user, uid, via } = account;
    let evidence = || {
        let facts = json!({ "user": user, "uid": uid, "via": via, "socket": socket });
        vec![Evidence::new(Source::Assessment, "account", facts)]
    };
    if via == "everyone" {
        return Verdict::fail(format!("everyone can open {socket}"), evidence());
    }
    if policy.trusted_uids.contains(uid) {
        return Verdict::pass().because(format!("{user} (uid {uid}) is a trusted user"));
    }
    let listed = !policy.trusted_uids.is_empty();
    let why = if listed {
        "is not a trusted user"
    } else {
        "no list of trusted users is given"
    };
    let reason = format!("{user} (uid {uid}) can open {socket} by {via}, and {why}");
    let verdict = Verdict::fail(reason, evidence());
    if listed {
        verdict
    } else {
        verdict.severity(Severity::Info)
    }
}

fn observe(view: &View<'_>) -> Option<Finding> {
    let Event::Connect(connect) = &view.observation.event else {
        return None;
    };
    let process = view.observation.process.as_ref()?;
    let trusted = &view.host.policy.trusted_uids;
    let known = |uid: u32| trusted.contains(&uid);
    if view.observation.container.is_some()
        || process.uid == 0
        || known(process.uid)
        || process.login_uid.is_some_and(known)
    {
        return None;
    }
    let done = match connect.op {
        ConnectOp::Connect => "connected to",
        ConnectOp::Use => "spoke on",
    };
    let (severity, why) = if trusted.is_empty() {
        (Severity::Medium, "no list of trusted users is given")
    } else {
        (Severity::High, "not a trusted user")
    };
    let summary = format!(
        "{} {done} the {} socket {} by {}, {why}",
        account(view.host, process.uid),
        connect.socket.runtime,
        connect.socket.path,
        program(view.observation),
    );
    let subject = format!("{} {}", process.uid, connect.socket.path);
    Some(Finding::new(Class::Drift, subject, summary).severity(severity))
}

/// A user by name, where the list of those who can open the socket has it.
fn account(host: &Host, uid: u32) -> String {
    let named = host
        .facts
        .socket_access
        .iter()
        .flatten()
        .find(|account| account.uid == uid);
    named.map_or_else(
        || format!("uid {uid}"),
        |account| format!("{} (uid {uid})", account.user),
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Scene, assert_passes, connect_in, host};
    use super::*;

    fn bob(via: &str) -> Vec<SocketAccess> {
        vec![SocketAccess {
            user: "bob".into(),
            uid: 1000,
            via: via.into(),
        }]
    }

    #[track_caller]
    fn check(access: Option<Vec<SocketAccess>>, trusted: &[u32]) -> Verdict {
        let mut host = host();
        (host.facts.socket_access, host.policy.trusted_uids) = (access, trusted.to_vec());
        let mut items = assess(&host);
        assert_eq!(items.len(), 1);
        items.remove(0).verdict
    }

    #[test]
    fn pass_nobody_and_trusted_users() {
        assert_passes(&check(Some(Vec::new()), &[]));
        assert_passes(&check(Some(bob("group docker")), &[1000]));
    }

    #[track_caller]
    fn check_fails(verdict: Verdict, expect: Option<Severity>, words: &str) {
        let (reason, severity) = (verdict.reason, verdict.severity);
        assert_eq!((reason.as_str(), severity), (words, expect));
    }

    #[test]
    fn fail_others_and_everyone() {
        let reason = "bob (uid 1000) can open /run/docker.sock by group docker, and is not a trusted user";
        check_fails(check(Some(bob("group docker")), &[1001]), None, reason);
        let reason = "bob (uid 1000) can open /run/docker.sock by acl, and no list of trusted users is given";
        check_fails(check(Some(bob("acl")), &[]), Some(Severity::Info), reason);
        check_fails(
            check(Some(bob("everyone")), &[1000]),
            None,
            "everyone can open /run/docker.sock",
        );
    }

    #[test]
    fn unknown_where_access_could_not_be_determined() {
        assert_eq!(check(None, &[1000]).kind(), crate::model::VerdictKind::Unknown);
    }

    /// uid 1000 connects on the host, where these are trusted.
    fn client(trusted: &[u32]) -> Scene {
        let mut scene = Scene::new(&CHECK, connect_in("web")).on_host();
        scene.host.policy.trusted_uids = trusted.to_vec();
        scene
    }

    #[test]
    fn an_untrusted_user_is_drift() {
        let summary =
            "uid 1000 connected to the docker socket /run/docker.sock by /usr/bin/app, not a trusted user";
        client(&[1001]).finds(Class::Drift, Severity::High, summary);
        let mut unlisted = client(&[]);
        unlisted.host.facts.socket_access = Some(bob("group docker"));
        let summary = "bob (uid 1000) connected to the docker socket /run/docker.sock by /usr/bin/app, no list of \
                       trusted users is given";
        unlisted.finds(Class::Drift, Severity::Medium, summary);
    }

    #[test]
    fn silent_for_root_for_trusted_users_and_in_containers() {
        client(&[1000]).silent();
        let mut switched = client(&[1001]);
        switched.process().login_uid = Some(1001);
        switched.silent();
        let mut root = client(&[1001]);
        root.process().uid = 0;
        root.silent();
        Scene::new(&CHECK, connect_in("web")).silent();
    }
}
