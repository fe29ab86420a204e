//! The host's own directories and disks, seen from a container.

mod live;

use serde_json::json;

use super::support::{Exposure, enters_host, exposure, failed, few, passed, resolved};
use super::{Assess, Basis, Benchmark, Check, Finding, Signal, View};
use crate::model::{Container, ContainerMount, Event, Evidence, Host, Severity, Source, Verdict};

pub(super) static CHECK: Check = Check {
    key: "runtime-no-sensitive-host-mounts",
    title: "Sensitive host paths are not mounted",
    section: "runtime",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Critical,
    numbers: &[
        (Benchmark::V1_13_0, "5.5"),
        (Benchmark::V1_1_0, "5.5"),
        (Benchmark::V1_2_0, "5.5"),
        (Benchmark::V1_3_1, "5.5"),
        (Benchmark::V1_4_0, "5.5"),
        (Benchmark::V1_5_0, "5.5"),
        (Benchmark::V1_6_0, "5.6"),
        (Benchmark::V1_7_0, "5.6"),
        (Benchmark::V1_8_0, "5.6"),
    ],
    about: "A container that sees the host's system directories can read its secrets or, where it may write, \
            change what the host runs. Every bind mount is judged by its host path with symlinks resolved: a \
            system directory, anything in one, and anything that holds one. Read-only mounts, and data below \
            /home, /run and /var, are less severe; the engine's own volumes and the paths that the policy \
            allows are not judged. Live, so is every mount that a container makes, by what the kernel shows \
            of it afterwards, and every entry into the host's mount namespace.",
    remedy: "Mount only the directory that the program needs, read-only where it need not write",
    assess: Assess::Container(assess),
    signals: &[
        Signal {
            kind: "mount",
            when: "a process in a container mounts a host directory or disk",
        },
        Signal {
            kind: "namespace",
            when: "a process in a container enters the host's mount namespace",
        },
    ],
    observe,
};

fn assess(container: &Container, host: &Host) -> Verdict {
    let Some(mounts) = &container.mounts else {
        return Verdict::unknown("the engine does not say what is mounted");
    };
    let mut exposed: Vec<_> = mounts
        .iter()
        .filter(|mount| mount.kind == "bind" && !is_allowed(mount, host))
        .filter_map(|mount| Some((severity_of(exposure(resolved(mount))?, !mount.writable), mount)))
        .collect();
    exposed.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
    let Some((severity, _)) = exposed.first() else {
        return passed(container, "mounts nothing of the host that is sensitive");
    };
    let paths: Vec<_> = exposed.iter().map(|(_, mount)| described(mount)).collect();
    let evidence = exposed.iter().map(|(_, mount)| evidence(mount)).collect();
    failed(
        container,
        *severity,
        &format!("mounts {} of the host", few(&paths)),
        evidence,
    )
}

fn is_allowed(mount: &ContainerMount, host: &Host) -> bool {
    let allowed = &host.policy.allowed_mounts;
    allowed.contains(&mount.source) || mount.resolved.as_ref().is_some_and(|path| allowed.contains(path))
}

fn severity_of(exposure: Exposure, read_only: bool) -> Severity {
    match (exposure, read_only) {
        (Exposure::Root | Exposure::System, false) => CHECK.severity,
        (Exposure::Root, true) => Severity::High,
        (Exposure::System, true) | (Exposure::Data, false) => Severity::Medium,
        (Exposure::Data, true) => Severity::Low,
    }
}

fn described(mount: &ContainerMount) -> String {
    let kept = if mount.writable { "writable" } else { "read-only" };
    format!("{} ({kept})", mount.source)
}

fn evidence(mount: &ContainerMount) -> Evidence {
    let facts = json!({
        "field": "Mounts",
        "mount": mount.source,
        "resolved": mount.resolved,
        "destination": mount.destination,
        "writable": mount.writable,
    });
    Evidence::new(Source::Engine, "config", facts)
}

fn observe(view: &View<'_>) -> Option<Finding> {
    view.observation.container.as_ref()?;
    match &view.observation.event {
        Event::Namespace(_) => enters_host(view, "mnt", "mount"),
        Event::Mount(mount) => live::mounted(view, mount),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Scene, assert_fails, assert_passes, bind, judge, setns_in};
    use super::*;
    use crate::model::{Class, ContainerState};

    #[track_caller]
    fn check(mount: ContainerMount, expect: Option<(Severity, &str)>) {
        let verdict = judge(&CHECK, |container, host| {
            container.mounts = Some(vec![mount]);
            host.policy.allowed_mounts = vec!["/etc/ssl/certs".into()];
        });
        match expect {
            Some((severity, words)) => assert_fails(&verdict, severity, words),
            None => assert_passes(&verdict),
        }
    }

    #[test]
    fn pass_data_volumes_and_what_is_allowed() {
        check(bind("/srv/data", "/data"), None);
        check(bind("/etc/ssl/certs", "/certs"), None);
        let volume = bind("/var/lib/docker/volumes/v/_data", "/data");
        check(
            ContainerMount {
                kind: "volume".into(),
                ..volume
            },
            None,
        );
    }

    #[test]
    fn fail_graded_by_what_is_exposed_and_how() {
        let read_only = |source| ContainerMount {
            writable: false,
            ..bind(source, "/mnt")
        };
        check(
            bind("/etc", "/mnt"),
            Some((Severity::Critical, "mounts /etc (writable) of the host")),
        );
        check(bind("/", "/mnt"), Some((Severity::Critical, "/ (writable)")));
        check(read_only("/"), Some((Severity::High, "/ (read-only)")));
        check(
            read_only("/usr/share/zoneinfo"),
            Some((Severity::Medium, "read-only")),
        );
        check(
            bind("/home/ann/src", "/src"),
            Some((Severity::Medium, "/home/ann/src")),
        );
        check(read_only("/var/log"), Some((Severity::Low, "/var/log")));
        let link = ContainerMount {
            resolved: Some("/etc/shadow".into()),
            ..bind("/srv/x", "/x")
        };
        check(link, Some((Severity::Critical, "/srv/x")));
    }

    #[test]
    fn fail_less_at_rest() {
        let verdict = judge(&CHECK, |container, _| {
            container.mounts = Some(vec![bind("/etc", "/mnt")]);
            container.state = ContainerState::Exited;
        });
        assert_fails(&verdict, Severity::Medium, "/etc");
    }

    #[test]
    fn unknown_where_the_engine_does_not_list_mounts() {
        assert_eq!(
            judge(&CHECK, |container, _| container.mounts = None).kind(),
            crate::model::VerdictKind::Unknown
        );
    }

    #[test]
    fn entry_into_the_hosts_mount_namespace_is_drift() {
        let summary = "/usr/bin/app in container web entered the host's mount namespace by setns";
        Scene::new(&CHECK, setns_in("web", "mnt")).finds(Class::Drift, Severity::Critical, summary);
        Scene::new(&CHECK, setns_in("web", "net")).silent();
    }
}
