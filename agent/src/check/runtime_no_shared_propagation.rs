//! Mounts that propagate between a container and the host.

use serde_json::json;

use super::support::{Word, config, container_name, few, head, is_within, proc, program, weigh};
use super::{Assess, Basis, Benchmark, Check, Finding, Signal, View};
use crate::model::{
    Class, Container, ContainerMount, Event, Host, MountEffect, MountPoint, Severity, Verdict,
};

pub(super) static CHECK: Check = Check {
    key: "runtime-no-shared-propagation",
    title: "No mount uses shared propagation",
    section: "runtime",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::High,
    numbers: &[
        (Benchmark::V1_13_0, "5.19"),
        (Benchmark::V1_1_0, "5.19"),
        (Benchmark::V1_2_0, "5.19"),
        (Benchmark::V1_3_1, "5.19"),
        (Benchmark::V1_4_0, "5.19"),
        (Benchmark::V1_5_0, "5.19"),
        (Benchmark::V1_6_0, "5.20"),
        (Benchmark::V1_7_0, "5.20"),
        (Benchmark::V1_8_0, "5.20"),
    ],
    about: "What is mounted or unmounted below a shared mount happens on both sides: a container with one \
            can change what the host sees there. The propagation of every configured mount decides, apart \
            from host paths that the policy allows, and so do the peers that the kernel shows for the first \
            process. Live, so does every mount that a container makes shared.",
    remedy: "Use private or slave propagation; allow the path in the policy if a driver needs it shared",
    assess: Assess::Container(assess),
    signals: &[Signal {
        kind: "mount",
        when: "a process in a container makes a shared mount",
    }],
    observe,
};

fn is_shared(mount: &ContainerMount) -> bool {
    matches!(mount.propagation.as_str(), "shared" | "rshared")
}

fn assess(container: &Container, host: &Host) -> Verdict {
    let allowed: Vec<_> = container
        .mounts
        .iter()
        .flatten()
        .filter(|mount| host.policy.allowed_mounts.contains(&mount.source))
        .map(|mount| mount.destination.as_str())
        .collect();
    weigh(
        container,
        CHECK.severity,
        configured(container, &allowed),
        shown(container, &allowed),
    )
}

fn configured(container: &Container, allowed: &[&str]) -> Word {
    let Some(mounts) = &container.mounts else {
        return Word::Silent("the engine does not say what is mounted");
    };
    let shared: Vec<_> = mounts
        .iter()
        .filter(|mount| is_shared(mount))
        .map(|mount| mount.destination.as_str())
        .filter(|path| !allowed.contains(path))
        .collect();
    if shared.is_empty() {
        return Word::Good("shares no mount with the host".into());
    }
    Word::Bad(
        format!("shares mounts with the host at {}", few(&shared)),
        config("Mounts", &shared),
    )
}

fn shown(container: &Container, allowed: &[&str]) -> Word {
    let Some(truth) = &container.truth else {
        return Word::Silent("the mounts of its first process could not be read");
    };
    let peers: Vec<_> = truth
        .shared_mounts
        .iter()
        .filter(|path| !allowed.iter().any(|allowed| is_within(path, allowed)))
        .collect();
    if peers.is_empty() {
        return Word::Good("shares no mount with the host".into());
    }
    Word::Bad(
        format!("shares mounts with the host at {}", few(&peers)),
        proc(json!({ "shared_mounts": head(&peers), "count": peers.len() })),
    )
}

fn observe(view: &View<'_>) -> Option<Finding> {
    let Event::Mount(mount) = &view.observation.event else {
        return None;
    };
    view.observation.container.as_ref()?;
    let MountEffect::Verified { mounts, .. } = &mount.effect else {
        return None;
    };
    let shared: Vec<_> = mounts
        .iter()
        .filter(|mount| mount.propagation == "shared")
        .collect();
    let first = shared.first()?;
    let paths: Vec<_> = shared.iter().map(|mount| mount.path.as_str()).collect();
    let summary = format!(
        "{} in {} made a shared mount at {}",
        program(view.observation),
        container_name(view.observation),
        few(&paths)
    );
    Some(Finding::new(class(view, first), &first.path, summary))
}

/// Below a mount that is configured to be shared, every mount is.
fn class(view: &View<'_>, mount: &MountPoint) -> Class {
    let mut configured = view
        .container
        .iter()
        .filter_map(|container| container.mounts.as_ref())
        .flatten();
    if configured.any(|above| is_shared(above) && is_within(&mount.path, &above.destination)) {
        Class::Exercised
    } else {
        Class::Drift
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{
        Scene, assert_fails, assert_passes, bind, judge, made, mount_in, mount_point,
    };
    use super::*;

    fn propagating(propagation: &str) -> ContainerMount {
        ContainerMount {
            propagation: propagation.into(),
            ..bind("/srv/data", "/data")
        }
    }

    #[track_caller]
    fn check(propagation: &str, peers: &[&str], allowed: &[&str]) -> Verdict {
        judge(&CHECK, |container, host| {
            container.mounts = Some(vec![propagating(propagation)]);
            container.truth.as_mut().unwrap().shared_mounts = peers.iter().map(|&path| path.into()).collect();
            host.policy.allowed_mounts = allowed.iter().map(|&path| path.into()).collect();
        })
    }

    #[test]
    fn pass_other_propagation_and_allowed_paths() {
        for propagation in ["", "private", "rprivate", "slave", "rslave"] {
            assert_passes(&check(propagation, &[], &[]));
        }
        assert_passes(&check("rshared", &["/data", "/data/sub"], &["/srv/data"]));
    }

    #[test]
    fn fail_shared_mounts_of_either_witness() {
        let shares = "container web shares mounts with the host at /data";
        assert_fails(&check("rshared", &["/data"], &["/srv"]), Severity::High, shares);
        assert_fails(&check("shared", &["/data"], &[]), Severity::High, shares);
        let drifted = "at /data, although its configuration says otherwise";
        assert_fails(&check("rprivate", &["/data"], &[]), Severity::High, drifted);
        let not_shown = "although the kernel does not show it";
        assert_fails(&check("rshared", &[], &[]), Severity::Low, not_shown);
    }

    #[test]
    fn unknown_where_nobody_says() {
        let verdict = judge(&CHECK, |container, _| {
            (container.mounts, container.truth) = (None, None);
        });
        assert_eq!(verdict.kind(), crate::model::VerdictKind::Unknown);
    }

    fn mounts(propagation: &str) -> Scene {
        let mount = MountPoint {
            propagation: propagation.into(),
            ..mount_point("/data/x")
        };
        Scene::new(&CHECK, mount_in("web", made(vec![mount])))
    }

    #[test]
    fn a_shared_mount_is_drift_unless_its_place_is_shared() {
        let mut scene = mounts("shared");
        let summary = "/usr/bin/app in container web made a shared mount at /data/x";
        scene.finds(Class::Drift, Severity::High, summary);
        scene.facts().mounts = Some(vec![propagating("rshared")]);
        scene.finds(Class::Exercised, Severity::High, summary);
    }

    #[test]
    fn silent_for_other_mounts_and_on_the_host() {
        mounts("private").silent();
        mounts("slave").silent();
        mounts("shared").on_host().silent();
        Scene::new(&CHECK, mount_in("web", MountEffect::None)).silent();
    }
}
