//! What the host can add to an engine's word on a container.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{SocketFile, TruthError, proc, truth};
use crate::model::{Container, MountLine, path_below};

/// Fills in what the engine does not tell: each mount's resolved source and the runtime sockets at
/// or below it, and the kernel's word on the first process where there is one.
///
/// # Errors
/// Why `truth` was left absent though the container has a process. Its mounts are filled in all
/// the same.
pub fn complete(container: &mut Container, sockets: &[SocketFile]) -> Result<(), TruthError> {
    // Without the mounts, only the files themselves tell where a socket lies.
    let mounts = proc::open(1)
        .and_then(|init| proc::mounts(&init))
        .unwrap_or_default();
    for mount in container.mounts.iter_mut().flatten() {
        let source = Path::new(&mount.source);
        if !source.is_absolute() {
            continue;
        }
        if let Ok(resolved) = fs::canonicalize(source) {
            mount.sockets = sockets
                .iter()
                .filter(|socket| is_reachable(&socket.path, &resolved, &mounts))
                .map(|socket| socket.path.to_string_lossy().into_owned())
                .collect();
            mount.resolved = Some(resolved.to_string_lossy().into_owned());
        }
    }
    container.truth = None;
    if let Some(pid) = container.pid.filter(|pid| *pid != 0) {
        container.truth = Some(truth(pid, &container.id)?);
    }
    Ok(())
}

/// Whether a socket is at or below a directory, under whatever name.
///
/// The directory is held against the socket's own parents by inode, so that a bind mount of one of
/// them is seen through; and the mounts below the directory by what they show of the socket's
/// filesystem. A mount that is hidden beneath another counts too.
fn is_reachable(socket: &Path, directory: &Path, mounts: &[MountLine]) -> bool {
    let inode = |path: &Path| -> io::Result<_> { fs::metadata(path).map(|s| (s.dev(), s.ino())) };
    let by_inode = inode(directory).is_ok_and(|wanted| {
        socket
            .ancestors()
            .any(|parent| inode(parent).is_ok_and(|own| own == wanted))
    });
    by_inode || is_mounted_below(&socket.to_string_lossy(), &directory.to_string_lossy(), mounts)
}

/// Whether a mount below a directory shows the part of the filesystem that a socket is in.
fn is_mounted_below(socket: &str, directory: &str, mounts: &[MountLine]) -> bool {
    // The last of equals is on top.
    let holder = mounts
        .iter()
        .filter(|mount| path_below(socket, &mount.path).is_some())
        .max_by_key(|mount| mount.path.len());
    let Some((holder, below)) = holder.and_then(|mount| Some((mount, path_below(socket, &mount.path)?)))
    else {
        return false;
    };
    let place = format!("{}{below}", holder.root.trim_end_matches('/'));
    mounts
        .iter()
        .filter(|mount| mount.dev == holder.dev && path_below(&mount.path, directory).is_some())
        .any(|mount| path_below(&place, &mount.root).is_some())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    const MOUNTS: &str = "27 1 254:0 / / rw - ext4 /dev/vda rw\n\
        28 27 0:25 / /run rw - tmpfs tmpfs rw\n\
        29 27 0:25 / /srv/a/run rw - tmpfs tmpfs rw\n\
        30 27 0:25 /docker.sock /srv/b/s rw - tmpfs tmpfs rw\n\
        31 27 0:25 /lock /srv/c rw - tmpfs tmpfs rw\n\
        32 27 0:99 / /srv/d rw - tmpfs tmpfs rw\n";

    #[track_caller]
    fn check(directory: &str, expect: bool) {
        let mounts: Vec<_> = MOUNTS
            .lines()
            .filter_map(|l| MountLine::parse(l.as_bytes()))
            .collect();
        assert_eq!(
            is_mounted_below("/run/docker.sock", directory, &mounts),
            expect,
            "{directory}"
        );
    }

    #[test]
    fn mounts_below_a_directory_show_the_socket() {
        check("/", true);
        check("/run", true);
        check("/srv", true);
        check("/srv/a", true);
        check("/srv/b", true);
        check("/srv/b/s", true);
        check("/srv/c", false);
        check("/srv/d", false);
        check("/sr", false);
        check("/etc", false);
    }

    #[test]
    fn directories_are_known_by_inode() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap();
        fs::create_dir_all(top.join("run/deep")).unwrap();
        fs::create_dir(top.join("other")).unwrap();
        let socket = top.join("run/deep/docker.sock");
        let _listener = UnixListener::bind(&socket).unwrap();
        symlink("run", top.join("alias")).unwrap();
        for (directory, expect) in [("", true), ("run", true), ("alias", true), ("other", false)] {
            assert_eq!(
                is_reachable(&socket, &top.join(directory), &[]),
                expect,
                "{directory}"
            );
        }
        assert!(is_reachable(&socket, &socket, &[]));
    }
}
