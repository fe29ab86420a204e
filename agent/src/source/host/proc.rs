//! One process through `/proc`, held open so that a later process with the same pid is never read
//! in its stead.

use std::io;

use procfs::process::{Process, Status};
use procfs::{FromBufRead, ProcError, ProcessCGroup, ProcessCGroups};
use rustix::fs::{OFlags, fstat};

use super::cgroup;
use super::lookup::read_from;
use crate::model::{ContainerId, MountLine, Namespaces};

/// Longest file of a process that is read.
const MAX_FILE: u64 = 4 << 20;
/// Mounts of one namespace that are looked at; the kernel allows 100 000.
const MAX_MOUNTS: usize = 65_536;
/// The parent of all kernel threads, in the initial pid namespace.
const KTHREADD: u32 = 2;
/// Flag of a kernel thread (`include/linux/sched.h`).
const PF_KTHREAD: u32 = 0x0020_0000;

/// Opens a process.
pub(super) fn open(pid: u32) -> io::Result<Process> {
    let pid = i32::try_from(pid).map_err(|_too_large| io::Error::from(io::ErrorKind::NotFound))?;
    Process::new(pid).map_err(into_io)
}

/// A file of the process, whole.
pub(super) fn read(process: &Process, name: &str) -> io::Result<Vec<u8>> {
    read_from(process.open_relative(name).map_err(into_io)?, MAX_FILE)
}

/// As [`read`], made UTF-8.
pub(super) fn read_text(process: &Process, name: &str) -> io::Result<String> {
    read(process, name).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// `/proc/PID/status`. Its command name need not be UTF-8.
pub(super) fn status(process: &Process) -> io::Result<Status> {
    let text = read_text(process, "status")?;
    Status::from_buf_read(text.as_bytes()).map_err(into_io)
}

/// `/proc/PID/cgroup`.
pub(super) fn cgroups(process: &Process) -> io::Result<ProcessCGroups> {
    let text = read_text(process, "cgroup")?;
    ProcessCGroups::from_buf_read(text.as_bytes()).map_err(into_io)
}

/// Whether the process is in a cgroup of the container, in any hierarchy.
pub(super) fn is_in(process: &Process, container: &ContainerId) -> bool {
    let is_its_own = |group: &ProcessCGroup| cgroup::outermost(&group.pathname, container).is_some();
    cgroups(process).is_ok_and(|groups| groups.0.iter().any(is_its_own))
}

/// The mounts of the process's namespace; lines that cannot be decoded are left out.
pub(super) fn mounts(process: &Process) -> io::Result<Vec<MountLine>> {
    let text = read(process, "mountinfo")?;
    let lines = text.split(|byte| *byte == b'\n').take(MAX_MOUNTS);
    Ok(lines.filter_map(MountLine::parse).collect())
}

/// Inode number of one namespace; 0 where it cannot be looked at.
fn namespace(process: &Process, name: &str) -> u32 {
    process
        .open_relative_flags(format!("ns/{name}"), OFlags::PATH | OFlags::CLOEXEC)
        .ok()
        .and_then(|file| fstat(file).ok())
        .and_then(|status| u32::try_from(status.st_ino).ok())
        .unwrap_or(0)
}

/// Inode number of the process's mount namespace; `None` where it cannot be looked at.
pub(super) fn mount_namespace(process: &Process) -> Option<u32> {
    Some(namespace(process, "mnt")).filter(|inum| *inum != 0)
}

/// Every namespace of a process; `None` where its mount namespace cannot be looked at.
pub(super) fn namespaces(process: &Process) -> Option<Namespaces> {
    mount_namespace(process).map(|mnt| Namespaces {
        mnt,
        pid: namespace(process, "pid"),
        net: namespace(process, "net"),
        ipc: namespace(process, "ipc"),
        uts: namespace(process, "uts"),
        user: namespace(process, "user"),
        cgroup: namespace(process, "cgroup"),
    })
}

/// Every namespace of the process with this id; `None` where it is gone, or may not be looked at.
#[must_use]
pub fn namespaces_of(pid: u32) -> Option<Namespaces> {
    namespaces(&open(pid).ok()?)
}

/// The host's own namespaces: those of process 1, or where even root may not look at that, those of
/// the kernel's threads, which never leave the initial namespaces.
pub(super) fn host_namespaces() -> Option<Namespaces> {
    let init = open(1).ok().and_then(|init| namespaces(&init));
    init.or_else(|| {
        let threads = open(KTHREADD).ok()?;
        let is_kernel_thread = threads.stat().is_ok_and(|stat| stat.flags & PF_KTHREAD != 0);
        is_kernel_thread.then(|| namespaces(&threads)).flatten()
    })
}

/// The error beneath the parser's.
pub(super) fn into_io(error: ProcError) -> io::Error {
    match error {
        ProcError::PermissionDenied(_) => io::ErrorKind::PermissionDenied.into(),
        ProcError::NotFound(_) => io::ErrorKind::NotFound.into(),
        ProcError::Io(error, _) => error,
        other => io::Error::new(io::ErrorKind::InvalidData, other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_read() {
        let own = open(std::process::id()).unwrap();
        assert_eq!(
            status(&own).unwrap().pid,
            i32::try_from(std::process::id()).unwrap()
        );
        let link = std::fs::read_link("/proc/self/ns/mnt").unwrap();
        let shown = format!("mnt:[{}]", namespaces(&own).unwrap().mnt);
        assert_eq!(link.to_str(), Some(shown.as_str()));
        assert!(mounts(&own).unwrap().iter().any(|mount| mount.path == "/proc"));
        assert!(!is_in(&own, &"ab".repeat(32).parse().unwrap()));
    }

    #[test]
    fn a_process_that_is_gone_is_not_read() {
        let mut child = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let held = open(child.id()).unwrap();
        assert!(status(&held).is_ok());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(status(&held).is_err());
        assert!(open(u32::MAX).is_err());
    }
}
