//! Which process is the engine's daemon.

use std::collections::HashSet;
use std::io;
use std::os::fd::OwnedFd;

use procfs::process::Process;
use rustix::fs::fstat;

use super::super::net::{self, Socket};
use super::super::process_root::ProcessRoot;
use super::super::processes::Processes;
use super::super::{lookup, proc};
use crate::model::{Engine, Listener};

/// Daemons that are looked at.
const MAX_CANDIDATES: usize = 64;
/// Where a daemon says its process id, unless a flag says otherwise.
const PID_FILE: &str = "/run/docker.pid";

/// The daemon could not be found.
#[derive(Debug, thiserror::Error)]
pub(super) enum FindError {
    /// No process runs its program.
    #[error("no dockerd runs here")]
    Absent,
    /// As above, but not every process could be looked at.
    #[error("a dockerd may run that this user may not look at: run as root")]
    Hidden,
    /// The engine is asked at an address that is none of theirs.
    #[error("no dockerd here listens at {0}: it is elsewhere, or behind a proxy")]
    Elsewhere(String),
    /// One that may be it cannot be looked into.
    #[error("cannot look at the sockets of process {pid}, a dockerd")]
    Closed {
        pid: u32,
        #[source]
        source: io::Error,
    },
    /// Nothing tells which one it is.
    #[error("{0} dockerd run here, and no engine answered to tell which one is meant")]
    Several(usize),
}

/// A daemon, and where it listens where that was looked at.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) process: Process,
    pub(super) listeners: Option<Vec<Listener>>,
}

/// Finds the daemon that answers at the engine's address; without an engine, the host's own.
pub(super) fn find(engine: Option<&Engine>, processes: &Processes) -> Result<Found, FindError> {
    let candidates: Vec<Process> = processes
        .running
        .iter()
        .filter(|running| running.name().starts_with("dockerd"))
        .filter_map(|running| proc::open(running.pid).ok())
        .take(MAX_CANDIDATES)
        .collect();
    let candidates = without_forks(candidates);
    if candidates.is_empty() {
        return Err(if processes.may_hide("dockerd") {
            FindError::Hidden
        } else {
            FindError::Absent
        });
    }
    match engine
        .map(|engine| engine.address.as_str())
        .filter(|address| !address.is_empty())
    {
        Some(address) => at_address(candidates, address),
        None => the_hosts(candidates).map(|process| Found {
            process,
            listeners: None,
        }),
    }
}

/// A daemon's child that has not become another program yet holds its sockets too, for a moment.
fn without_forks(candidates: Vec<Process>) -> Vec<Process> {
    let pids: HashSet<i32> = candidates.iter().map(|process| process.pid).collect();
    let is_fork = |process: &Process| process.stat().is_ok_and(|stat| pids.contains(&stat.ppid));
    candidates
        .into_iter()
        .filter(|process| !is_fork(process))
        .collect()
}

fn at_address(candidates: Vec<Process>, address: &str) -> Result<Found, FindError> {
    let mut found: Option<(u64, Found)> = None;
    for process in candidates {
        let sockets = match sockets(&process) {
            Ok(sockets) => sockets,
            // It ended meanwhile.
            Err(source) if source.kind() == io::ErrorKind::NotFound => continue,
            Err(source) => {
                let pid = process.pid.unsigned_abs();
                return Err(FindError::Closed { pid, source });
            }
        };
        let started = process.stat().map_or(0, |stat| stat.starttime);
        // Of two on the same path the later has the socket that the path leads to.
        let later = found.as_ref().is_none_or(|(other, _)| *other < started);
        if later && is_at(&process, &sockets, address) {
            let listeners = Some(sockets);
            found = Some((started, Found { process, listeners }));
        }
    }
    let (_, found) = found.ok_or_else(|| FindError::Elsewhere(address.to_owned()))?;
    Ok(found)
}

/// Whether one of a process's sockets is what an address leads to.
fn is_at(process: &Process, sockets: &[Listener], address: &str) -> bool {
    if let Some(path) = address
        .strip_prefix("unix://")
        .or_else(|| address.strip_prefix("unix:"))
    {
        // By the file, so that the daemon in a container, with a socket of the same name, is another one.
        let (Ok(own), Ok(theirs)) = (ProcessRoot::own(), ProcessRoot::of(process)) else {
            return false;
        };
        let Some(wanted) = own.locate(path).ok().and_then(|file| identity(&file)) else {
            return false;
        };
        return sockets
            .iter()
            .filter(|socket| socket.protocol == "unix")
            .any(|socket| {
                let file = theirs.locate(&socket.address).ok();
                file.and_then(|file| identity(&file)) == Some(wanted)
            });
    }
    let authority = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or_default();
    let Some((host, port)) = authority.rsplit_once(':') else {
        return false;
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let is_local = host == "localhost" || host.starts_with("127.") || host == "::1";
    sockets
        .iter()
        .filter(|socket| socket.protocol.starts_with("tcp"))
        .any(|socket| {
            let same_host =
                socket.address == host || (is_local && (socket.is_wildcard() || socket.is_loopback()));
            same_host && port.parse() == Ok(socket.port)
        })
}

fn identity(file: &OwnedFd) -> Option<(u64, u64)> {
    fstat(file).ok().map(|status| (status.st_dev, status.st_ino))
}

fn the_hosts(mut candidates: Vec<Process>) -> Result<Process, FindError> {
    let named = lookup::read_line(std::path::Path::new(PID_FILE))
        .ok()
        .and_then(|pid| pid.parse().ok());
    let home = proc::host_namespaces().map(|host| host.mnt);
    let at_home = |process: &Process| proc::mount_namespace(process).is_some_and(|mnt| home == Some(mnt));
    let by_file = candidates
        .iter()
        .position(|process| Some(process.pid) == named && at_home(process));
    if let Some(at) = by_file {
        return Ok(candidates.swap_remove(at));
    }
    let several = candidates.len();
    if several > 1 {
        // Those in containers and in user namespaces have mounts of their own.
        candidates.retain(at_home);
    }
    match (candidates.pop(), candidates.len()) {
        (Some(process), 0) => Ok(process),
        _ => Err(FindError::Several(several)),
    }
}

/// Where a process listens, by its own descriptors: those that it was handed included. Sockets that it holds in
/// other network namespaces are not listed, nor are those of families that /proc has no table of (vsock).
///
/// # Errors
/// Its descriptors or the tables cannot be read.
pub(super) fn sockets(process: &Process) -> io::Result<Vec<Listener>> {
    let held = net::held(process)?;
    let mut all = net::inet(process)?;
    all.extend(net::unix(process)?);
    let own = all
        .into_iter()
        .filter(|socket: &Socket| held.contains(&socket.inode));
    let mut own: Vec<Listener> = own.map(|socket| socket.listener).collect();
    own.sort_unstable();
    own.dedup();
    Ok(own)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_process_is_known_by_the_sockets_that_it_holds() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("d.sock");
        let other = dir.path().join("other");
        let _unix = UnixListener::bind(&path).unwrap();
        symlink(&path, dir.path().join("link")).unwrap();
        std::fs::write(&other, "").unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = tcp.local_addr().unwrap().port();
        let own = Process::myself().unwrap();
        let sockets = sockets(&own).unwrap();
        for (address, expect) in [
            (format!("unix://{}", path.display()), true),
            (format!("unix://{}/link", dir.path().display()), true),
            (format!("unix://{}", other.display()), false),
            ("unix:///none".to_owned(), false),
            (format!("tcp://127.0.0.1:{port}"), true),
            (format!("http://localhost:{port}/"), true),
            (format!("tcp://192.0.2.1:{port}"), false),
            ("tcp://127.0.0.1:1".to_owned(), false),
            ("tcp://".to_owned(), false),
        ] {
            assert_eq!(is_at(&own, &sockets, &address), expect, "{address}");
        }
    }

    #[test]
    fn without_a_daemon_it_is_said_what_was_seen() {
        let nobody = |truncated| Processes {
            truncated,
            ..Processes::default()
        };
        assert!(matches!(find(None, &nobody(false)), Err(FindError::Absent)));
        assert!(matches!(find(None, &nobody(true)), Err(FindError::Hidden)));
    }
}
