//! The sockets through which containers are controlled.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use hullwatch_common::Inode;
use rustix::fs::FileType;

use super::inode::InodeLookup;

/// Sockets of runtimes that the system runs, below `/run`.
const SYSTEM: &[(&str, &str)] = &[
    ("docker", "docker.sock"),
    ("containerd", "containerd/containerd.sock"),
    ("containerd", "docker/containerd/containerd.sock"),
    ("podman", "podman/podman.sock"),
    ("crio", "crio/crio.sock"),
    ("buildkit", "buildkit/buildkitd.sock"),
];

/// Sockets of runtimes that users run, below `/run/user/UID`.
const ROOTLESS: &[(&str, &str)] = &[
    ("docker", "docker.sock"),
    ("podman", "podman/podman.sock"),
    ("buildkit", "buildkit/buildkitd.sock"),
];

/// Users' runtime directories that are looked at.
const MAX_USERS: usize = 4096;

/// A runtime's socket that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketFile {
    /// `docker`, `containerd`, `podman`, `crio`, `buildkit`, or the operator's name for it.
    pub runtime: String,
    /// Path on the host with every symlink resolved.
    pub path: PathBuf,
    /// Its inode, as the probes know it.
    pub inode: Inode,
}

/// Every runtime socket that exists: the usual ones, users' own, and the operator's (name, path).
/// A file that is no socket is none, and each inode is listed once.
#[must_use]
pub fn runtime_sockets(extra: &[(String, PathBuf)]) -> Vec<SocketFile> {
    sockets_below(Path::new("/run"), extra)
}

/// Names under which daemons bind these sockets: the peers of a connection show the name as the
/// daemon spelled it, which may go through the `/var/run` symlink. Users' own are not listed.
#[must_use]
pub fn known_socket_names() -> Vec<(&'static str, String)> {
    let spellings = |(runtime, name): &(&'static str, &str)| {
        ["/run", "/var/run"].map(|directory| (*runtime, format!("{directory}/{name}")))
    };
    SYSTEM.iter().flat_map(spellings).collect()
}

fn sockets_below(run: &Path, extra: &[(String, PathBuf)]) -> Vec<SocketFile> {
    let mut candidates: Vec<(String, PathBuf)> = extra.to_vec();
    let known = |(runtime, name): &(&str, &str), below: &Path| ((*runtime).to_owned(), below.join(name));
    candidates.extend(SYSTEM.iter().map(|socket| known(socket, run)));
    let users = fs::read_dir(run.join("user")).into_iter().flatten().flatten();
    for user in users.take(MAX_USERS) {
        candidates.extend(ROOTLESS.iter().map(|socket| known(socket, &user.path())));
    }
    let lookup = InodeLookup::new();
    let mut seen = HashSet::new();
    candidates
        .into_iter()
        .filter_map(|(runtime, path)| socket_at(&lookup, runtime, &path))
        .filter(|socket| seen.insert(socket.inode))
        .collect()
}

fn socket_at(lookup: &InodeLookup, runtime: String, path: &Path) -> Option<SocketFile> {
    let path = fs::canonicalize(path).ok()?;
    let (status, inode) = lookup.stat(&path).ok()?;
    let is_socket = FileType::from_raw_mode(u32::from(status.stx_mode)) == FileType::Socket;
    is_socket.then_some(SocketFile { runtime, path, inode })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn sockets_are_found_once_and_by_what_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let run = dir.path().canonicalize().unwrap();
        for below in ["podman", "crio", "user/1000", "elsewhere"] {
            fs::create_dir_all(run.join(below)).unwrap();
        }
        let bind = |name: &str| UnixListener::bind(run.join(name)).unwrap();
        let _listeners = [
            bind("docker.sock"),
            bind("user/1000/docker.sock"),
            bind("elsewhere/own.sock"),
        ];
        fs::write(run.join("crio/crio.sock"), "a file").unwrap();
        symlink("../docker.sock", run.join("podman/podman.sock")).unwrap();
        let extra = [("own".to_owned(), run.join("elsewhere/../elsewhere/own.sock"))];

        let found = sockets_below(&run, &extra);
        let shown: Vec<_> = found
            .iter()
            .map(|s| {
                (
                    s.runtime.as_str(),
                    s.path.strip_prefix(&run).unwrap().to_str().unwrap(),
                )
            })
            .collect();
        let expect = [
            ("own", "elsewhere/own.sock"),
            ("docker", "docker.sock"),
            ("docker", "user/1000/docker.sock"),
        ];
        assert_eq!(shown, expect);
        for socket in found {
            assert_eq!(socket.inode.ino, fs::metadata(&socket.path).unwrap().ino());
        }
    }

    #[test]
    fn names_are_known_in_both_spellings() {
        let names = known_socket_names();
        for expect in ["/run/docker.sock", "/var/run/docker.sock"] {
            assert!(names.contains(&("docker", expect.to_owned())), "{expect}");
        }
    }
}
