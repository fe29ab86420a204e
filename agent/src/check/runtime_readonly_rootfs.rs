//! Containers that can change their own root filesystem.

use serde_json::json;

use super::support::{Word, config, container_name, proc, program, weigh};
use super::{Assess, Basis, Benchmark, Check, Finding, Signal, View};
use crate::model::{Class, Container, Event, Host, MountEffect, Severity, Verdict};

pub(super) static CHECK: Check = Check {
    key: "runtime-readonly-rootfs",
    title: "Container root filesystem is read-only",
    section: "runtime",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "5.12"),
        (Benchmark::V1_1_0, "5.12"),
        (Benchmark::V1_2_0, "5.12"),
        (Benchmark::V1_3_1, "5.12"),
        (Benchmark::V1_4_0, "5.12"),
        (Benchmark::V1_5_0, "5.12"),
        (Benchmark::V1_6_0, "5.13"),
        (Benchmark::V1_7_0, "5.13"),
        (Benchmark::V1_8_0, "5.13"),
    ],
    about: "What a container cannot write it cannot be made to run: a read-only root filesystem keeps an \
            intruder from leaving programs behind. `HostConfig.ReadonlyRootfs` decides, and so does the \
            flag of the mount at / that the first process sees.",
    remedy: "Start the container with --read-only, and a volume or --tmpfs for each directory that it writes to",
    assess: Assess::Container(assess),
    signals: &[
        Signal {
            kind: "container",
            when: "a container is created, started or updated",
        },
        Signal {
            kind: "mount",
            when: "the root filesystem of a read-only container is made writable",
        },
    ],
    observe,
};

fn assess(container: &Container, _: &Host) -> Verdict {
    let asked = match container.life.readonly_rootfs {
        None => Word::Silent("the engine does not say whether the root filesystem is read-only"),
        Some(true) => Word::Good("has a read-only root filesystem".into()),
        Some(false) => Word::Bad(
            "has a writable root filesystem".into(),
            config("HostConfig.ReadonlyRootfs", false),
        ),
    };
    let shown = container.truth.as_ref().and_then(|truth| truth.rootfs_read_only);
    let kernel = match shown {
        None => Word::Silent("the mounts of its first process could not be read"),
        Some(true) => Word::Good("has a read-only mount at /".into()),
        Some(false) => Word::Bad(
            "has a writable root filesystem".into(),
            proc(json!({ "mount": "/", "read_only": false })),
        ),
    };
    weigh(container, CHECK.severity, asked, kernel)
}

fn observe(view: &View<'_>) -> Option<Finding> {
    let Event::Mount(mount) = &view.observation.event else {
        return None;
    };
    let process = view.observation.process.as_ref()?;
    let container = view.container?;
    // In a mount namespace that the process made for itself, / is its own affair.
    let own = container.truth.as_ref().map(|truth| truth.namespaces.mnt);
    if container.life.readonly_rootfs != Some(true) || own.is_some_and(|own| own != process.namespaces.mnt) {
        return None;
    }
    let MountEffect::Verified { mounts, .. } = &mount.effect else {
        return None;
    };
    mounts
        .iter()
        .find(|point| point.path == "/" && !point.read_only)?;
    let summary = format!(
        "{} made the root filesystem of {} writable",
        program(view.observation),
        container_name(view.observation),
    );
    Some(Finding::new(Class::Drift, "/", summary))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{
        HOST_NAMESPACES, Scene, assert_fails, assert_passes, assert_unknown, judge, made, mount_in,
        mount_point,
    };
    use super::*;

    #[track_caller]
    fn check(asked: Option<bool>, shown: Option<bool>) -> Verdict {
        judge(&CHECK, |container, _| {
            container.life.readonly_rootfs = asked;
            container.truth.as_mut().unwrap().rootfs_read_only = shown;
        })
    }

    #[test]
    fn pass_a_read_only_one() {
        assert_passes(&check(Some(true), Some(true)));
        assert_passes(&check(Some(true), None));
        assert_passes(&check(None, Some(true)));
    }

    #[test]
    fn fail_a_writable_one_and_one_made_so() {
        let writable = "container web has a writable root filesystem";
        assert_fails(&check(Some(false), Some(false)), Severity::Medium, writable);
        assert_fails(&check(Some(false), None), Severity::Medium, writable);
        assert_fails(
            &check(Some(true), Some(false)),
            Severity::Medium,
            "says otherwise",
        );
        assert_fails(&check(Some(false), Some(true)), Severity::Low, "does not show it");
    }

    #[test]
    fn unknown_where_nobody_says() {
        assert_unknown(&check(None, None), "whether the root filesystem");
    }

    fn remount(read_only: bool, path: &str) -> Scene {
        let mut point = mount_point(path);
        point.read_only = read_only;
        Scene::new(&CHECK, mount_in("web", made(vec![point])))
    }

    #[test]
    fn a_remount_is_drift() {
        let summary = "/usr/bin/app made the root filesystem of container web writable";
        remount(false, "/").finds(Class::Drift, Severity::Medium, summary);
    }

    #[test]
    fn silent_for_other_mounts_other_namespaces_and_writable_containers() {
        remount(true, "/").silent();
        remount(false, "/tmp").silent();
        let mut elsewhere = remount(false, "/");
        elsewhere.process().namespaces.mnt = HOST_NAMESPACES.mnt;
        elsewhere.silent();
        let mut writable = remount(false, "/");
        writable.facts().life.readonly_rootfs = Some(false);
        writable.silent();
    }
}
