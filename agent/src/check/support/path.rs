//! Host paths: which of them a container should not see.

use crate::model::ContainerMount;

/// Directories that are the host's own, wholly.
const SYSTEM: [&str; 17] = [
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/proc",
    "/root",
    "/sbin",
    "/sys",
    "/usr",
    "/var/lib/containerd",
    "/var/lib/containers",
    "/var/lib/docker",
    "/var/lib/kubelet",
];

/// Directories that are the host's own, but also hold data that is somebody else's.
const MIXED: [&str; 4] = ["/home", "/run", "/var", "/var/run"];

/// How much of the host a path exposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::check) enum Exposure {
    /// The root directory: everything.
    Root,
    /// A directory of the system, something in one, or something that holds one.
    System,
    /// Something in `/home`, `/run` or `/var`.
    Data,
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".")
}

/// Whether `path` is `directory` or lies in it. Compares components, so that `/etcetera` is not in `/etc`; a
/// path that is not absolute (a memory filesystem's source) is in nothing and holds nothing.
pub(in crate::check) fn is_within(path: &str, directory: &str) -> bool {
    let mut inner = parts(path);
    path.starts_with('/')
        && directory.starts_with('/')
        && parts(directory).all(|part| inner.next() == Some(part))
}

/// What a host path exposes; none where it is no business of the system's.
pub(in crate::check) fn exposure(path: &str) -> Option<Exposure> {
    if path.starts_with('/') && parts(path).next().is_none() {
        return Some(Exposure::Root);
    }
    if SYSTEM
        .iter()
        .any(|system| is_within(path, system) || is_within(system, path))
    {
        return Some(Exposure::System);
    }
    let mixed = |test: fn(&str, &str) -> bool| MIXED.iter().any(|directory| test(path, directory));
    if mixed(|path, directory| is_within(path, directory) && is_within(directory, path)) {
        return Some(Exposure::System);
    }
    mixed(is_within).then_some(Exposure::Data)
}

/// The mount's host path, with symlinks resolved where they could be.
pub(in crate::check) fn resolved(mount: &ContainerMount) -> &str {
    mount.resolved.as_deref().unwrap_or(&mount.source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expect: Option<Exposure>) {
        assert_eq!(exposure(path), expect, "{path}");
    }

    #[test]
    fn system_directories_their_contents_and_their_parents() {
        check("/", Some(Exposure::Root));
        check("//.", Some(Exposure::Root));
        for path in [
            "/etc",
            "/etc/",
            "/etc/passwd",
            "/usr/local",
            "/var/lib",
            "/var",
            "/var/run",
            "/run",
            "/home",
        ] {
            check(path, Some(Exposure::System));
        }
        check("/var/lib/docker/volumes", Some(Exposure::System));
    }

    #[test]
    fn data_is_less_and_lookalikes_are_nothing() {
        check("/home/ann/src", Some(Exposure::Data));
        check("/var/lib/postgresql", Some(Exposure::Data));
        check("/run/user/1000", Some(Exposure::Data));
        for path in [
            "",
            "tmpfs",
            "/etcetera",
            "/srv/etc",
            "/data",
            "/library",
            "/homes",
        ] {
            check(path, None);
        }
    }
}
