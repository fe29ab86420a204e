//! The filesystem of the engine's data.

use serde_json::json;

use super::support::{is_within, item, program};
use super::{Assess, Basis, Benchmark, Check, Finding, Item, Signal, View};
use crate::model::{Class, DataRoot, Event, Evidence, Host, MountEffect, Severity, Source, Verdict};

pub(super) static CHECK: Check = Check {
    key: "docker-root-own-filesystem",
    title: "Docker data root sits on its own filesystem",
    section: "host",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "1.1"),
        (Benchmark::V1_1_0, "1.1"),
        (Benchmark::V1_2_0, "1.2.1"),
        (Benchmark::V1_3_1, "1.1.1"),
        (Benchmark::V1_4_0, "1.1.1"),
        (Benchmark::V1_5_0, "1.1.1"),
        (Benchmark::V1_6_0, "1.1.1"),
        (Benchmark::V1_7_0, "1.1.1"),
        (Benchmark::V1_8_0, "1.1.1"),
    ],
    about: "Images, layers and logs grow without asking. On a filesystem of their own they fill that, \
            and not the host's. What the kernel has mounted at the engine's data directory counts, or at \
            its parent where users are remapped: a table of mounts in a file says nothing, and a bind \
            mount of the same filesystem is none of its own.",
    remedy: "Put data-root on a dedicated volume and mount it before docker.service starts",
    assess: Assess::Host(assess),
    signals: &[
        Signal {
            kind: "mount",
            when: "the filesystem of the engine's data is unmounted, or hidden below another",
        },
        Signal {
            kind: "host",
            when: "the engine's data directory is another one",
        },
    ],
    observe,
};

fn assess(host: &Host) -> Vec<Item> {
    let data_root = host
        .facts
        .system
        .look()
        .and_then(|system| system.data_root.look());
    let told = host
        .facts
        .engine
        .get()
        .and_then(|engine| engine.data_root.as_deref());
    match data_root {
        Ok(data_root) => vec![item(&data_root.path, Ok(judge(data_root)))],
        Err(unseen) => vec![item(told.unwrap_or("the data directory"), Err(unseen))],
    }
}

fn judge(data_root: &DataRoot) -> Verdict {
    let DataRoot {
        path,
        mount_point,
        source,
        fstype,
        ..
    } = data_root;
    let free = data_root.free_percent;
    let room = free
        .map(|percent| format!(", {percent} % free"))
        .unwrap_or_default();
    let facts = json!({
        "path": path,
        "mount_point": mount_point,
        "device": source,
        "fstype": fstype,
        "free_percent": free,
    });
    let shown = Evidence::new(Source::Assessment, "mount", facts);
    if data_root.own_mount && data_root.own_filesystem {
        let reason = format!("{source} ({fstype}{room}) is mounted at {mount_point}");
        return Verdict::pass().because(reason).evidence(shown);
    }
    let remedy = format!("Mount a filesystem of its own at {path} before docker.service starts");
    if data_root.own_mount {
        let reason = format!("{mount_point} is a bind mount of a filesystem that holds more than {path}");
        return Verdict::fail(reason, vec![shown]).remedy(remedy).letter_only();
    }
    let reason = format!("{path} shares {source} ({fstype}{room}) with all that is below {mount_point}");
    Verdict::fail(reason, vec![shown]).remedy(remedy)
}

fn observe(view: &View<'_>) -> Option<Finding> {
    let Event::Mount(mount) = &view.observation.event else {
        return None;
    };
    let MountEffect::Verified { mounts, removed } = &mount.effect else {
        return None;
    };
    let process = view.observation.process.as_ref()?;
    if process.namespaces.mnt != view.host.facts.namespaces?.mnt {
        return None;
    }
    let data_root = view.host.facts.system.get()?.data_root.get()?;
    let at = &data_root.mount_point;
    let how = if removed.contains(at) {
        "unmounted"
    } else if mounts
        .iter()
        .any(|point| point.path != *at && is_within(at, &point.path))
    {
        "hid"
    } else {
        return None;
    };
    if !(data_root.own_mount && data_root.own_filesystem) {
        return None;
    }
    let summary = format!(
        "{} {how} {at}, the filesystem of the engine's data",
        program(view.observation)
    );
    Some(Finding::new(Class::Drift, at, summary))
}

#[cfg(test)]
mod tests {
    use super::super::testing::daemon::{check_one, hardened};
    use super::super::testing::{HOST_NAMESPACES, Scene, made, mount_in, mount_point};
    use super::*;
    use crate::model::Fact;
    use crate::model::VerdictKind::{Fail, Pass, Unknown};

    fn data_root(host: &mut Host) -> &mut DataRoot {
        host.facts.system.get_mut().unwrap().data_root.get_mut().unwrap()
    }

    #[test]
    fn pass_a_filesystem_mounted_there() {
        check_one(
            &CHECK,
            |_| {},
            Pass,
            "/dev/vg/docker (xfs, 60 % free) is mounted at /var/lib/docker",
        );
        let remapped = |host: &mut Host| data_root(host).path = "/var/lib/docker/231072.231072".into();
        check_one(&CHECK, remapped, Pass, "mounted at /var/lib/docker");
    }

    #[test]
    fn fail_the_hosts_filesystem_and_a_bind_mount_of_it() {
        let shared = |host: &mut Host| {
            let data_root = data_root(host);
            (data_root.own_mount, data_root.own_filesystem) = (false, false);
            data_root.mount_point = "/".into();
        };
        let verdict = check_one(&CHECK, shared, Fail, "shares /dev/vg/docker");
        assert!(!verdict.letter_only);
        // A volume of /var is not one of the engine's data.
        let var = |host: &mut Host| {
            data_root(host).own_mount = false;
            data_root(host).mount_point = "/var".into();
        };
        check_one(&CHECK, var, Fail, "with all that is below /var");
        let verdict = check_one(
            &CHECK,
            |host| data_root(host).own_filesystem = false,
            Fail,
            "is a bind mount",
        );
        assert!(verdict.letter_only);
    }

    #[test]
    fn unknown_where_mounts_are_not_seen() {
        let unseen = |host: &mut Host| {
            host.facts.system.get_mut().unwrap().data_root =
                Fact::unknown("no engine tells its data directory");
        };
        check_one(&CHECK, unseen, Unknown, "no engine tells its data directory");
        check_one(
            &CHECK,
            |host| host.facts.system = Fact::unknown("no /proc"),
            Unknown,
            "no /proc",
        );
    }

    /// A mount call on the host, where the data has a filesystem of its own.
    fn mounting(effect: MountEffect) -> Scene {
        let mut scene = Scene::new(&CHECK, mount_in("web", effect)).on_host();
        scene.host = hardened();
        scene
    }

    fn gone(path: &str) -> MountEffect {
        MountEffect::Verified {
            mounts: Vec::new(),
            removed: vec![path.into()],
        }
    }

    #[test]
    fn losing_it_is_drift() {
        let lost = "/usr/bin/app unmounted /var/lib/docker, the filesystem of the engine's data";
        mounting(gone("/var/lib/docker")).finds(Class::Drift, Severity::Medium, lost);
        let hidden = "/usr/bin/app hid /var/lib/docker, the filesystem of the engine's data";
        mounting(made(vec![mount_point("/var/lib")])).finds(Class::Drift, Severity::Medium, hidden);
    }

    #[test]
    fn silent_for_other_mounts_other_namespaces_and_where_there_was_none() {
        mounting(gone("/var/lib/docker/overlay2/x/merged")).silent();
        mounting(made(vec![mount_point("/var/lib/docker2")])).silent();
        let mut inside = mounting(gone("/var/lib/docker"));
        inside.process().namespaces.mnt = HOST_NAMESPACES.mnt + 1;
        inside.silent();
        let mut without = mounting(gone("/var/lib/docker"));
        data_root(&mut without.host).own_filesystem = false;
        without.silent();
    }
}
