//! The filesystem that holds the engine's data.

use std::io;

use rustix::fs::fstatvfs;

use super::super::process_root::{ProcessRoot, path_of};
use crate::model::{DataRoot, MountLine, path_below};

/// Looks at the data root in the mount namespace of its daemon. `remapped`: the path may be the sub-directory
/// `UID.GID` that a daemon with user namespaces makes; then its parent counts as well.
///
/// # Errors
/// The path cannot be resolved, or lies on none of the mounts.
pub(super) fn data_root(
    root: &ProcessRoot,
    mounts: &[MountLine],
    path: &str,
    remapped: bool,
) -> io::Result<DataRoot> {
    let handle = root.locate(path)?;
    let resolved = path_of(&handle)?;
    let space = fstatvfs(&handle)?;
    let found = judge(mounts, &resolved, remapped);
    let mut found = found.ok_or_else(|| io::Error::other(format!("no mount holds {resolved}")))?;
    found.free_percent = percent(space.f_bavail, space.f_blocks.saturating_sub(space.f_bfree));
    Ok(found)
}

/// What is free for others than root, of that and what is used.
fn percent(free: u64, used: u64) -> Option<u32> {
    let whole = u128::from(free) + u128::from(used);
    let percent = (u128::from(free) * 100).checked_div(whole)?;
    u32::try_from(percent).ok()
}

fn judge(mounts: &[MountLine], resolved: &str, remapped: bool) -> Option<DataRoot> {
    let mount = holder(mounts, resolved)?;
    let parent = parent_of(resolved).filter(|_| remapped && is_remapped_name(resolved));
    let own_mount = mount.path == resolved || parent.is_some_and(|parent| mount.path == parent);
    // The same filesystem in two places is a bind mount, or a subvolume: not one of its own.
    let above = parent_of(&mount.path).and_then(|parent| holder(mounts, parent));
    let top = holder(mounts, "/");
    let differs = |other: Option<&MountLine>| other.is_none_or(|other| other.dev != mount.dev);
    Some(DataRoot {
        path: resolved.to_owned(),
        mount_point: mount.path.clone(),
        own_mount,
        own_filesystem: own_mount && mount.path != "/" && differs(above) && differs(top),
        source: mount.source.clone(),
        fstype: mount.fstype.clone(),
        free_percent: None,
    })
}

/// The mount that a path lies on: of equals the last is on top.
fn holder<'a>(mounts: &'a [MountLine], path: &str) -> Option<&'a MountLine> {
    mounts
        .iter()
        .filter(|mount| path_below(path, &mount.path).is_some())
        .max_by_key(|mount| mount.path.trim_end_matches('/').len())
}

fn parent_of(path: &str) -> Option<&str> {
    let (parent, name) = path.rsplit_once('/')?;
    (!name.is_empty()).then_some(if parent.is_empty() { "/" } else { parent })
}

/// `UID.GID`.
fn is_remapped_name(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    name.split_once('.')
        .is_some_and(|(uid, gid)| is_number(uid) && is_number(gid))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROOT: &str = "1 0 8:1 / / rw - ext4 /dev/sda1 rw";

    #[track_caller]
    fn check(more: &[&str], path: &str, remapped: bool, expect: (&str, bool, bool)) {
        let lines = [ROOT].into_iter().chain(more.iter().copied());
        let mounts: Vec<_> = lines
            .map(|line| MountLine::parse(line.as_bytes()).unwrap())
            .collect();
        let found = judge(&mounts, path, remapped).unwrap();
        assert_eq!(
            (found.mount_point.as_str(), found.own_mount, found.own_filesystem),
            expect,
            "{more:?}"
        );
    }

    #[test]
    fn only_a_mount_of_another_filesystem_at_the_very_path_counts() {
        let data = "/var/lib/docker";
        let own = "2 1 8:2 / /var/lib/docker rw - xfs /dev/sdb rw";
        check(&[], data, false, ("/", false, false));
        check(&[own], data, false, (data, true, true));
        check(
            &["2 1 8:1 /srv /var/lib/docker rw - ext4 /dev/sda1 rw"],
            data,
            false,
            (data, true, false),
        );
        check(
            &["2 1 8:2 / /var rw - xfs /dev/sdb rw"],
            data,
            false,
            ("/var", false, false),
        );
        let var = "2 1 8:2 / /var rw - xfs /dev/sdb rw";
        check(
            &[var, "3 2 8:2 /x /var/lib/docker rw - xfs /dev/sdb rw"],
            data,
            false,
            (data, true, false),
        );
        check(
            &[own, "3 2 8:1 /y /var/lib/docker rw - ext4 /dev/sda1 rw"],
            data,
            false,
            (data, true, false),
        );
        check(&[own], "/var/lib/docker2", false, ("/", false, false));
        check(&[], "/", false, ("/", true, false));
    }

    #[test]
    fn with_user_namespaces_the_parent_counts() {
        let own = "2 1 8:2 / /var/lib/docker rw - xfs /dev/sdb rw";
        let sub = "/var/lib/docker/100000.100000";
        check(&[own], sub, true, ("/var/lib/docker", true, true));
        check(&[own], sub, false, ("/var/lib/docker", false, false));
        check(
            &[own],
            "/var/lib/docker/data",
            true,
            ("/var/lib/docker", false, false),
        );
    }

    #[test]
    fn a_directory_of_this_host_is_looked_at() {
        let root = ProcessRoot::own().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let own = super::super::super::proc::open(std::process::id()).unwrap();
        let mounts = super::super::super::proc::mounts(&own).unwrap();
        let path = dir.path().to_str().unwrap();
        let found = data_root(&root, &mounts, path, false).unwrap();
        assert_eq!(found.path, dir.path().canonicalize().unwrap().to_str().unwrap());
        assert!(
            !found.own_mount && found.free_percent.is_some_and(|free| free <= 100),
            "{found:?}"
        );
        assert!(data_root(&root, &mounts, "/none/such", false).is_err());
    }

    proptest! {
        #[test]
        fn free_space_is_a_percentage(free: u64, used: u64) {
            prop_assert!(percent(free, used).is_none_or(|percent| percent <= 100));
        }
    }
}
