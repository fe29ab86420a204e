//! A process as `/proc` shows it this very moment.

use procfs::process::{Process as ProcProcess, Status};

use crate::model::{AncestorRef, CapSet, ContainerId, InodeId, Process, Seccomp};

/// Nanoseconds in a unit of `/proc/PID/stat` (`USER_HZ`).
const NANOS_PER_TICK: u64 = 10_000_000;
const ANCESTORS: usize = 6;
const ARGS_MAX: usize = 64;
const ARG_MAX: usize = 1024;
/// Digits of a container's id.
const ID_LEN: usize = 64;

/// A process, and what tells where it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doer {
    /// What `/proc` shows.
    pub process: Process,
    /// Its container, by the name of its cgroup.
    pub container: Option<ContainerId>,
    /// File of its executable; none for a kernel thread.
    pub exe: Option<InodeId>,
}

/// The process with this id; none where it is gone.
#[must_use]
pub fn doer(pid: u32) -> Option<Doer> {
    let process = ProcProcess::new(i32::try_from(pid).ok()?).ok()?;
    let stat = process.stat().ok()?;
    let status = process.status().ok()?;
    let exe = exe(&process);
    let mut args = process.cmdline().unwrap_or_default();
    let args_truncated = args.len() > ARGS_MAX;
    args.truncate(ARGS_MAX);
    let args = args.into_iter().map(|arg| arg.chars().take(ARG_MAX).collect());
    let parent = u32::try_from(stat.ppid).ok();
    let found = Process {
        exe: exe.unwrap_or_else(|| stat.comm.clone()),
        args: args.collect(),
        args_truncated,
        comm: stat.comm,
        login_uid: process.loginuid().ok().filter(|uid| *uid != u32::MAX),
        start_time: stat.starttime.saturating_mul(NANOS_PER_TICK),
        ancestors: ancestors(parent),
        ..with_status(pid, &status)
    };
    Some(Doer {
        process: found,
        container: container(&process),
        exe: exe_file(pid),
    })
}

/// The container that the cgroup of a process names; none where the process is gone.
#[must_use]
pub fn container_of(pid: u32) -> Option<Option<ContainerId>> {
    let process = ProcProcess::new(i32::try_from(pid).ok()?).ok()?;
    process.cgroups().ok()?;
    Some(container(&process))
}

/// File of the executable of a process; none for a kernel thread, or where it is gone.
#[must_use]
pub fn exe_file(pid: u32) -> Option<InodeId> {
    let stat = rustix::fs::stat(format!("/proc/{pid}/exe")).ok()?;
    Some(InodeId {
        dev: rustix::fs::major(stat.st_dev) << 20 | rustix::fs::minor(stat.st_dev),
        ino: stat.st_ino,
    })
}

fn exe(process: &ProcProcess) -> Option<String> {
    let path = process.exe().ok()?;
    let path = path.to_string_lossy();
    Some(path.strip_suffix(" (deleted)").unwrap_or(&path).to_owned())
}

fn with_status(pid: u32, status: &Status) -> Process {
    Process {
        uid: status.ruid,
        euid: status.euid,
        gid: status.rgid,
        egid: status.egid,
        caps_effective: CapSet(status.capeff),
        caps_permitted: CapSet(status.capprm),
        caps_bounding: CapSet(status.capbnd.unwrap_or_default()),
        no_new_privs: status.nonewprivs == Some(1),
        seccomp: match status.seccomp {
            Some(0) => Seccomp::Off,
            Some(1) => Seccomp::Strict,
            Some(2) => Seccomp::Filter,
            _ => Seccomp::Unknown,
        },
        ..Process::bare(pid)
    }
}

fn ancestors(mut pid: Option<u32>) -> Vec<AncestorRef> {
    let mut all = Vec::new();
    while let Some(id) = pid.filter(|id| *id != 0 && all.len() < ANCESTORS) {
        let Some(process) = i32::try_from(id).ok().and_then(|id| ProcProcess::new(id).ok()) else {
            break;
        };
        let Ok(stat) = process.stat() else { break };
        pid = u32::try_from(stat.ppid).ok();
        all.push(AncestorRef {
            pid: id,
            exe: exe(&process).unwrap_or_default(),
            comm: stat.comm,
            start_time: stat.starttime.saturating_mul(NANOS_PER_TICK),
        });
    }
    all
}

/// The container whose id a component of its cgroup's path ends with, or bears before `.scope`.
fn container(process: &ProcProcess) -> Option<ContainerId> {
    let cgroups = process.cgroups().ok()?;
    cgroups.into_iter().find_map(|group| {
        group.pathname.split('/').find_map(|name| {
            let name = name.strip_suffix(".scope").unwrap_or(name);
            let start = name.len().checked_sub(ID_LEN)?;
            name.get(start..)?.parse().ok()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_known_and_one_that_is_not_there_is_not() {
        let Doer {
            process: own,
            container,
            exe,
        } = doer(std::process::id()).unwrap();
        assert!(exe.is_some_and(|exe| exe.ino > 0));
        assert_eq!(own.pid, std::process::id());
        assert!(own.exe.starts_with('/') && !own.args.is_empty());
        assert!(own.start_time > 0 && !own.ancestors.is_empty());
        assert_eq!(container, None);
        assert_eq!(doer(u32::MAX), None);
    }
}
