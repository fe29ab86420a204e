//! The container that this very process runs in.

use super::cgroup::container_of;
use super::proc;
use crate::model::{ContainerId, MountLine};

/// Files that an engine mounts into a container from the directory that bears the container's id.
const ENGINE_FILES: [&str; 3] = ["/etc/hostname", "/etc/hosts", "/etc/resolv.conf"];

/// Containers that this process may be in, innermost first: by the cgroups it sees itself in, and where a cgroup
/// namespace hides those, by the files that its engine mounted. Empty on a host, and where `/proc` cannot be read.
#[must_use]
pub fn own_containers() -> Vec<ContainerId> {
    let Ok(own) = proc::open(std::process::id()) else {
        return Vec::new();
    };
    let paths = proc::cgroups(&own).map_or_else(
        |_unreadable| Vec::new(),
        |groups| groups.0.into_iter().map(|group| group.pathname).collect(),
    );
    among(&paths, &proc::mounts(&own).unwrap_or_default())
}

fn among(cgroups: &[String], mounts: &[MountLine]) -> Vec<ContainerId> {
    let of_engine = mounts
        .iter()
        .filter(|mount| ENGINE_FILES.contains(&mount.path.as_str()))
        .map(|mount| mount.root.as_str());
    let mut found = Vec::new();
    for path in cgroups.iter().map(String::as_str).chain(of_engine) {
        for id in path.rsplit('/').filter_map(container_of) {
            if !found.contains(&id) {
                found.push(id);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    #[track_caller]
    fn check(cgroups: &[&str], mounts: &[String], expect: &[&str]) {
        let cgroups: Vec<_> = cgroups.iter().map(|&path| path.to_owned()).collect();
        let mounts: Vec<_> = mounts
            .iter()
            .map(|line| MountLine::parse(line.as_bytes()).unwrap())
            .collect();
        let found = among(&cgroups, &mounts);
        let found: Vec<_> = found.iter().map(ContainerId::as_str).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn a_cgroup_or_an_engines_file_names_it() {
        check(&["/", "/user.slice"], &[], &[]);
        check(&[&format!("/docker/{A}/init.scope"), "/"], &[], &[A]);
        check(&[&format!("/docker/{A}/docker/{B}")], &[], &[B, A]);
        let file = |path: &str| {
            format!("9 1 8:1 /var/lib/docker/containers/{A}/hostname {path} rw - ext4 /dev/sda rw")
        };
        check(&["/"], &[file("/etc/hostname")], &[A]);
        check(&["/"], &[file("/mnt/hostname")], &[]);
    }
}
