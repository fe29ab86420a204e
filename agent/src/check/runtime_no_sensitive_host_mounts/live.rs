//! Mounts that a container makes, judged by what the kernel shows of them afterwards.

use super::super::support::{container_name, exposure, is_within, program, resolved};
use super::super::{Finding, View};
use super::severity_of;
use crate::model::{Class, Mount, MountEffect, MountPoint, MountRequest, Severity};

/// Where engines keep root filesystems and volumes.
const STORAGE: [&str; 3] = ["/var/lib/docker", "/var/lib/containerd", "/var/lib/containers"];

/// Filesystems that show the host's state wherever they are mounted.
const HOSTS_OWN: [&str; 8] = [
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "efivarfs",
    "pstore",
    "securityfs",
    "tracefs",
];

/// A host directory or disk that the container did not have.
pub(super) fn mounted(view: &View<'_>, mount: &Mount) -> Option<Finding> {
    match &mount.effect {
        MountEffect::Verified { mounts, .. } => mounts
            .iter()
            .filter_map(|point| Some((exposed_by(view, point)?, point)))
            .max_by_key(|(severity, _)| *severity)
            .map(|(severity, point)| found(view, severity, point)),
        MountEffect::Unverified { reason } if mount.errno == 0 => unverified(view, mount, reason),
        MountEffect::Unverified { .. } | MountEffect::None => None,
    }
}

/// How bad a mount point is that a container made; none where it shows nothing of the host that the
/// container did not have.
fn exposed_by(view: &View<'_>, point: &MountPoint) -> Option<Severity> {
    if is_its_own(view, point) {
        return None;
    }
    let directory = point.host_path.as_deref().and_then(exposure);
    let directory = directory.map(|exposure| severity_of(exposure, point.read_only));
    let disk = is_disk(point).then_some(if point.read_only {
        Severity::Medium
    } else {
        Severity::High
    });
    directory.max(disk)
}

/// A filesystem on a block device. FUSE shows its own device as the source of filesystems that are on none.
fn is_disk(point: &MountPoint) -> bool {
    point.source.starts_with("/dev/") && (point.fstype == "fuseblk" || !point.fstype.starts_with("fuse"))
}

/// What the engine gave the container: its root filesystem and volumes, and its configured mounts unless
/// they were read-only. Within a mount namespace only what is visible there can be bound again.
fn is_its_own(view: &View<'_>, point: &MountPoint) -> bool {
    let Some(path) = point.host_path.as_deref() else {
        return false;
    };
    let stored = STORAGE.iter().any(|storage| is_within(path, storage));
    let whole_disk = point.root == "/" && point.fstype != "overlay";
    let mut configured = view
        .container
        .iter()
        .filter_map(|container| container.mounts.as_ref())
        .flatten();
    (stored && !whole_disk)
        || view
            .host
            .policy
            .allowed_mounts
            .iter()
            .any(|allowed| allowed == path)
        || configured.any(|mount| is_within(path, resolved(mount)) && (mount.writable || point.read_only))
}

fn found(view: &View<'_>, severity: Severity, point: &MountPoint) -> Finding {
    let what = match &point.host_path {
        Some(path) => format!("the host's {path}"),
        None => format!("the host's disk {} ({})", point.source, point.fstype),
    };
    let kept = if point.read_only { " read-only" } else { "" };
    let summary = format!(
        "{} in {} mounted {what}{kept} at {}",
        program(view.observation),
        container_name(view.observation),
        point.path
    );
    Finding::new(Class::Drift, &point.path, summary).severity(severity)
}

/// The call succeeded and nobody saw what came of it. Its words are the caller's own and prove nothing, and
/// its paths are the container's; only a device, or a filesystem of which the host has one, is worth a line.
fn unverified(view: &View<'_>, mount: &Mount, reason: &str) -> Option<Finding> {
    let MountRequest {
        source,
        target,
        fstype,
        ..
    } = &mount.requested;
    let asked_for = if source.starts_with("/dev/") {
        source
    } else if HOSTS_OWN.contains(&fstype.as_str()) {
        fstype
    } else {
        return None;
    };
    let summary = format!(
        "{} in {} asked to mount {asked_for} at {target}, and what came of it could not be verified: {reason}",
        program(view.observation),
        container_name(view.observation),
    );
    Some(Finding::new(Class::Drift, asked_for, summary).severity(Severity::Low))
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{Scene, bind, made, mount_in, mount_point};
    use super::super::CHECK;
    use super::*;
    use crate::model::{ContainerMount, Event};

    fn mounts(host_path: Option<&str>, source: &str, fstype: &str, root: &str) -> Scene {
        let point = MountPoint {
            host_path: host_path.map(Into::into),
            source: source.into(),
            fstype: fstype.into(),
            root: root.into(),
            ..mount_point("/mnt")
        };
        Scene::new(&CHECK, mount_in("web", made(vec![point])))
    }

    const MOUNTED: &str = "/usr/bin/app in container web mounted";

    #[test]
    fn a_host_directory_or_disk_is_drift() {
        let summary = format!("{MOUNTED} the host's /sys/fs/cgroup at /mnt");
        let scene = mounts(Some("/sys/fs/cgroup"), "cgroup2", "cgroup2", "/");
        scene.finds(Class::Drift, Severity::Critical, &summary);
        let summary = format!("{MOUNTED} the host's / at /mnt");
        mounts(Some("/"), "/dev/sda1", "ext4", "/").finds(Class::Drift, Severity::Critical, &summary);
        let summary = format!("{MOUNTED} the host's disk /dev/sdb1 (xfs) at /mnt");
        mounts(None, "/dev/sdb1", "xfs", "/").finds(Class::Drift, Severity::High, &summary);
    }

    #[test]
    fn silent_for_what_the_container_has_anyway() {
        mounts(None, "tmpfs", "tmpfs", "/").silent();
        mounts(
            Some("/var/lib/docker/overlay2/x/merged"),
            "overlay",
            "overlay",
            "/",
        )
        .silent();
        mounts(Some("/var/lib/docker/volumes/v/_data"), "/dev/sda1", "ext4", "/v").silent();
        mounts(None, "/dev/fuse", "fuse.sshfs", "/").silent();
        mounts(Some("/"), "/dev/sda1", "ext4", "/").on_host().silent();
    }

    #[test]
    fn a_configured_mount_may_be_bound_again_but_not_made_writable() {
        let mut scene = mounts(Some("/etc/ssl"), "/dev/sda1", "ext4", "/etc/ssl");
        scene.facts().mounts = Some(vec![bind("/etc", "/host")]);
        scene.silent();
        scene.facts().mounts = Some(vec![ContainerMount {
            writable: false,
            ..bind("/etc", "/host")
        }]);
        let summary = format!("{MOUNTED} the host's /etc/ssl at /mnt");
        scene.finds(Class::Drift, Severity::Critical, &summary);
    }

    #[test]
    fn an_unverified_mount_of_a_device_or_of_the_host_s_state_is_said_to_be_unverified() {
        let asked_of = |source: &str, fstype: &str, errno| {
            let effect = MountEffect::Unverified {
                reason: "the process was gone".into(),
            };
            let mut scene = Scene::new(&CHECK, mount_in("web", effect));
            let Event::Mount(mount) = &mut scene.observation.event else {
                panic!("no mount")
            };
            (mount.requested.source, mount.requested.target) = (source.into(), "/mnt".into());
            mount.requested.fstype = fstype.into();
            mount.errno = errno;
            scene
        };
        let asked = |source: &str, errno| asked_of(source, "", errno);
        let summary = "/usr/bin/app in container web asked to mount /dev/sda1 at /mnt, and what came of it could \
                       not be verified: the process was gone";
        asked("/dev/sda1", 0).finds(Class::Drift, Severity::Low, summary);
        asked("/dev/sda1", 1).silent();
        asked("/etc", 0).silent();
        let summary = summary.replace("/dev/sda1", "cgroup2");
        asked_of("x", "cgroup2", 0).finds(Class::Drift, Severity::Low, &summary);
        asked_of("x", "cgroup2", 1).silent();
        asked_of("x", "tmpfs", 0).silent();
    }
}
