//! Runtime sockets within a container's reach.

use serde_json::json;

use super::support::{container_name, failed, is_within, passed, program, resolved};
use super::{Assess, Basis, Benchmark, Check, Finding, Signal, View};
use crate::model::{
    Class, ConnectOp, Container, ContainerMount, Event, Evidence, Host, Severity, Source, Verdict,
};

/// Where runtimes keep their sockets unless told otherwise.
const USUAL: [&str; 6] = [
    "/run/docker.sock",
    "/run/docker/containerd/containerd.sock",
    "/run/containerd/containerd.sock",
    "/run/podman/podman.sock",
    "/run/crio/crio.sock",
    "/run/buildkit/buildkitd.sock",
];

pub(super) static CHECK: Check = Check {
    key: "runtime-no-docker-socket",
    title: "The engine socket is not reachable from containers",
    section: "runtime",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Critical,
    numbers: &[
        (Benchmark::V1_13_0, "5.31"),
        (Benchmark::V1_1_0, "5.31"),
        (Benchmark::V1_2_0, "5.31"),
        (Benchmark::V1_3_1, "5.31"),
        (Benchmark::V1_4_0, "5.31"),
        (Benchmark::V1_5_0, "5.31"),
        (Benchmark::V1_6_0, "5.32"),
        (Benchmark::V1_7_0, "5.32"),
        (Benchmark::V1_8_0, "5.32"),
    ],
    about: "Whoever can speak to a runtime's socket can start a privileged container, and so is root on the \
            host; a read-only mount does not prevent it. A mount fails that holds a runtime's socket, by its \
            inode and so under any name, or that is a directory in which a runtime keeps one. Live, the peer \
            of every connection is known by its inode, whatever made it reachable.",
    remedy: "Remove the mount; give the container a filtering proxy or a rootless engine of its own",
    assess: Assess::Container(assess),
    signals: &[Signal {
        kind: "connect",
        when: "a process in a container connects to a runtime's socket",
    }],
    observe,
};

fn assess(container: &Container, host: &Host) -> Verdict {
    let Some(mounts) = &container.mounts else {
        return Verdict::unknown("the engine does not say what is mounted");
    };
    match mounts
        .iter()
        .find_map(|mount| Some((mount, exposed(mount, host)?)))
    {
        None => passed(container, "is given no runtime's socket"),
        Some((mount, socket)) => {
            let clause = format!("can reach {socket} at {}", mount.destination);
            failed(container, CHECK.severity, &clause, vec![evidence(mount)])
        }
    }
}

/// The socket that a mount exposes: one found in it, else one that is usually below it.
fn exposed<'a>(mount: &'a ContainerMount, host: &'a Host) -> Option<&'a str> {
    let operators = host.facts.engine_socket.as_deref();
    let below =
        |socket: &&str| is_within(socket, resolved(mount)) || is_within(socket, &without_var(&mount.source));
    let found = mount.sockets.first().map(String::as_str);
    found.or_else(|| operators.into_iter().chain(USUAL).find(below))
}

/// `/var/run` is `/run` by another name on every host that has both.
fn without_var(path: &str) -> String {
    path.strip_prefix("/var")
        .filter(|rest| is_within(rest, "/run"))
        .unwrap_or(path)
        .to_owned()
}

fn evidence(mount: &ContainerMount) -> Evidence {
    let facts = json!({
        "field": "Mounts",
        "mount": mount.source,
        "destination": mount.destination,
        "sockets": mount.sockets,
    });
    Evidence::new(Source::Engine, "config", facts)
}

fn observe(view: &View<'_>) -> Option<Finding> {
    let Event::Connect(connect) = &view.observation.event else {
        return None;
    };
    view.observation.container.as_ref()?;
    let done = match connect.op {
        ConnectOp::Connect => "connected to",
        ConnectOp::Use => "spoke on",
    };
    let summary = format!(
        "{} in {} {done} the {} socket {}",
        program(view.observation),
        container_name(view.observation),
        connect.socket.runtime,
        connect.socket.path,
    );
    let mounts = view.container.and_then(|container| container.mounts.as_ref());
    let Some(mounts) = mounts else {
        return Some(Finding::new(Class::Drift, &connect.socket.path, summary));
    };
    let way = mounts.iter().find(|mount| exposed(mount, view.host).is_some());
    Some(match way {
        Some(mount) => {
            let summary = format!("{summary}, mounted at {}", mount.destination);
            Finding::new(Class::Exercised, &connect.socket.path, summary).evidence(evidence(mount))
        }
        None => {
            let summary = format!("{summary}, which none of its mounts explains");
            Finding::new(Class::Drift, &connect.socket.path, summary)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Scene, assert_fails, assert_passes, bind, connect_in, judge};
    use super::*;

    #[track_caller]
    fn check(mount: ContainerMount, expect: Option<&str>) {
        let verdict = judge(&CHECK, |container, _| container.mounts = Some(vec![mount]));
        match expect {
            Some(words) => assert_fails(&verdict, Severity::Critical, words),
            None => assert_passes(&verdict),
        }
    }

    #[test]
    fn fail_a_socket_under_any_name_and_read_only_too() {
        let renamed = ContainerMount {
            sockets: vec!["/srv/d.sock".into()],
            writable: false,
            ..bind("/srv/d.sock", "/tmp/log")
        };
        check(renamed, Some("can reach /srv/d.sock at /tmp/log"));
    }

    #[test]
    fn fail_a_directory_that_holds_one() {
        for source in [
            "/",
            "/run",
            "/var/run/",
            "/run/docker",
            "/run/containerd",
            "/var/run/docker.sock",
        ] {
            check(bind(source, "/mnt"), Some("at /mnt"));
        }
        let linked = ContainerMount {
            resolved: Some("/run".into()),
            ..bind("/srv/link", "/mnt")
        };
        check(linked, Some("can reach /run/docker.sock"));
    }

    #[test]
    fn pass_lookalikes() {
        for source in [
            "/run/docker.sock.bak",
            "/run/user/1000",
            "/srv/docker.sock",
            "/var/runner",
        ] {
            check(bind(source, "/mnt"), None);
        }
        let memory = ContainerMount {
            kind: "tmpfs".into(),
            resolved: None,
            ..bind("", "/tmp")
        };
        check(memory, None);
    }

    #[test]
    fn unknown_where_the_engine_does_not_list_mounts() {
        assert_eq!(
            judge(&CHECK, |container, _| container.mounts = None).kind(),
            crate::model::VerdictKind::Unknown
        );
    }

    #[test]
    fn a_connection_is_exercised_if_a_mount_explains_it_and_drift_if_none_does() {
        let mut scene = Scene::new(&CHECK, connect_in("web"));
        let said = "/usr/bin/app in container web connected to the docker socket /run/docker.sock";
        let summary = format!("{said}, which none of its mounts explains");
        scene.finds(Class::Drift, Severity::Critical, &summary);
        scene.facts().mounts = Some(vec![bind("/var/run", "/host/run")]);
        let summary = format!("{said}, mounted at /host/run");
        scene.finds(Class::Exercised, Severity::Critical, &summary);
        scene.container = None;
        scene.finds(Class::Drift, Severity::Critical, said);
    }

    #[test]
    fn silent_on_the_host() {
        Scene::new(&CHECK, connect_in("web")).on_host().silent();
    }
}
