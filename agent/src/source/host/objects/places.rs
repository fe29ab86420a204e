//! Other paths at which mounts show the same.

use crate::model::{MountLine, path_below};

/// Paths that are told of each sort.
const MAX_PLACES: usize = 64;

/// Where else something is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Others {
    /// Paths of the thing itself.
    pub(super) whole: Vec<String>,
    /// Mount points of something in it.
    pub(super) parts: Vec<String>,
}

/// Of what is at a resolved path, on the mount with this index.
pub(super) fn others(mounts: &[MountLine], at: Option<usize>, resolved: &str) -> Others {
    let mut others = Others::default();
    let Some((at, own)) = at.and_then(|at| Some((at, mounts.get(at)?))) else {
        return others;
    };
    let Some(inner) = path_below(resolved, &own.path) else {
        return others;
    };
    let within = joined(&own.root, inner);
    let same = mounts.iter().enumerate();
    for (_, other) in same.filter(|(index, other)| *index != at && other.dev == own.dev) {
        if let Some(rest) = path_below(&within, &other.root) {
            let path = joined(&other.path, rest);
            if path != resolved {
                others.whole.push(path);
            }
        } else if path_below(&other.root, &within).is_some() && path_below(&other.path, resolved).is_none() {
            others.parts.push(other.path.clone());
        }
    }
    for paths in [&mut others.whole, &mut others.parts] {
        paths.sort();
        paths.dedup();
        paths.truncate(MAX_PLACES);
    }
    others
}

fn joined(directory: &str, rest: &str) -> String {
    match [directory.trim_end_matches('/'), rest.trim_matches('/')] {
        ["", ""] => "/".to_owned(),
        [directory, ""] => directory.to_owned(),
        [directory, rest] => format!("{directory}/{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `DEVICE ROOT PATH` of each mount; the object lies on the first.
    #[track_caller]
    fn check(mounts: &[&str], resolved: &str, whole: &[&str], parts: &[&str]) {
        let line = |text: &&str| MountLine::parse(format!("30 1 {text} rw - ext4 x rw").as_bytes()).unwrap();
        let mounts: Vec<_> = mounts.iter().map(line).collect();
        let found = others(&mounts, Some(0), resolved);
        assert_eq!(found.whole, whole);
        assert_eq!(found.parts, parts);
    }

    const ROOT: &str = "8:1 / /";
    const DOCKER: &str = "/etc/docker";

    #[test]
    fn a_mount_of_something_above_it_shows_it() {
        check(
            &[ROOT, "8:1 /etc /chroot/etc", "8:2 /etc /other"],
            DOCKER,
            &["/chroot/etc/docker"],
            &[],
        );
        check(&[ROOT, "8:1 / /mnt"], DOCKER, &["/mnt/etc/docker"], &[]);
        check(&[ROOT, "8:1 /etc/docker /alias"], DOCKER, &["/alias"], &[]);
        check(&[ROOT, "8:1 /etc/docker2 /alias"], DOCKER, &[], &[]);
    }

    #[test]
    fn a_mount_of_something_in_it_shows_a_part() {
        check(
            &[ROOT, "8:1 /etc/docker/certs.d /certs"],
            DOCKER,
            &[],
            &["/certs"],
        );
    }

    #[test]
    fn what_is_mounted_on_itself_or_in_it_is_nowhere_else() {
        check(&[ROOT, "8:1 /etc/docker /etc/docker"], DOCKER, &[], &[]);
        check(
            &[ROOT, "8:1 /etc/docker/certs.d /etc/docker/certs.d"],
            DOCKER,
            &[],
            &[],
        );
    }

    #[test]
    fn a_subvolume_is_named_by_its_filesystem() {
        check(
            &["0:30 /@ /", "0:30 / /mnt/all", "0:30 /@home /home"],
            DOCKER,
            &["/mnt/all/@/etc/docker"],
            &[],
        );
    }

    #[test]
    fn without_its_mount_nothing_is_told() {
        assert_eq!(others(&[], None, DOCKER), Others::default());
    }
}
