//! What the kernel says of a running container, from its first process.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io;
use std::path::PathBuf;

use procfs::process::{Process, Status};

use super::cgroup::{self, Hierarchy};
use super::cgroup_limits::{self, Limits};
use super::{label, lookup, net, proc, ulimits};
use crate::model::{CapSet, ContainerId, Listener, MountLine, RunningTruth, Seccomp};

/// Processes of a container whose executables are looked at.
const MAX_PROCESSES: usize = 512;
/// Cgroups within a container that are looked at.
const MAX_CGROUPS: usize = 1024;
/// Longest list of processes that is read.
const MAX_LIST: u64 = 1 << 20;

/// The kernel's word on a container could not be had.
#[derive(Debug, thiserror::Error)]
pub enum TruthError {
    /// The process is gone, or in none of the container's cgroups: its pid may be another's by now.
    #[error("process {pid} is not in the container, or no more")]
    Gone {
        /// The process.
        pid: u32,
    },
    /// A file of the process cannot be read or decoded.
    #[error("cannot read {what} of process {pid}")]
    Read {
        /// The process.
        pid: u32,
        /// The file.
        what: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Reads what the kernel knows of a container's first process (Linux 4.10 shows all of it).
///
/// That the process is in the container's cgroup is made sure before and after, so that what is
/// returned is of that container.
///
/// # Errors
/// The process is gone or another's, or one of its files cannot be read: never a default.
pub fn truth(pid: u32, container: &ContainerId) -> Result<RunningTruth, TruthError> {
    let gone = || TruthError::Gone { pid };
    let process = proc::open(pid).map_err(|_gone| gone())?;
    if !proc::is_in(&process, container) {
        return Err(gone());
    }
    let result = read(&process, pid, container);
    // A process that ended half-way makes other errors than its end; that is what is to be told.
    if proc::is_in(&process, container) {
        result
    } else {
        Err(gone())
    }
}

fn read(process: &Process, pid: u32, container: &ContainerId) -> Result<RunningTruth, TruthError> {
    let failed = |what| move |source| TruthError::Read { pid, what, source };
    let status = proc::status(process).map_err(failed("status"))?;
    let uid_map = proc::read_text(process, "uid_map").map_err(failed("uid_map"))?;
    let mounts = proc::mounts(process).map_err(failed("mountinfo"))?;
    let host_mounts = proc::open(1).and_then(|init| proc::mounts(&init));
    let host_mounts = host_mounts.map_err(|source| TruthError::Read {
        pid: 1,
        what: "mountinfo",
        source,
    })?;
    let namespaces = proc::namespaces(process)
        .ok_or_else(|| io::Error::from(io::ErrorKind::PermissionDenied))
        .map_err(failed("ns"))?;
    let programs = executables(process, container).map_err(failed("cgroup"))?;
    let limits = cgroup_limits(process, container).ok();
    let listeners = listeners(process, namespaces.net, container, &programs);
    let bounding = status.capbnd.ok_or_else(|| io::ErrorKind::InvalidData.into());
    Ok(RunningTruth {
        pid,
        uid: status.ruid,
        root_uid: host_uid_of_root(&uid_map),
        caps_effective: CapSet(status.capeff),
        caps_bounding: CapSet(bounding.map_err(failed("status"))?),
        no_new_privs: status.nonewprivs.map(|value| value != 0),
        seccomp: seccomp(&status),
        namespaces,
        apparmor: label::apparmor(process).map_err(failed("attr/apparmor/current"))?,
        selinux: label::selinux(process).map_err(failed("attr/current"))?,
        shared_mounts: shared_mounts(&mounts, &host_mounts),
        executables: programs.paths.into_iter().collect(),
        executables_truncated: programs.truncated,
        cgroup: limits.as_ref().and_then(|limits| limits.cgroup.clone()),
        cgroup_limits: limits.map(|limits| limits.limits),
        ulimits: ulimits::ulimits(process).ok(),
        rootfs_read_only: rootfs_read_only(&mounts),
        listeners,
    })
}

/// Limits that its cgroups put on it.
fn cgroup_limits(process: &Process, container: &ContainerId) -> io::Result<Limits> {
    let own = proc::open(std::process::id())?;
    cgroup_limits::limits(process, container, &proc::mounts(&own)?)
}

/// Whether the mount that is `/`, the last of its name, or its filesystem refuses writes.
fn rootfs_read_only(mounts: &[MountLine]) -> Option<bool> {
    let root = mounts.iter().rfind(|mount| mount.path == "/");
    root.map(|mount| mount.read_only)
}

/// What listens in the process's network namespace; where that is the host's, only what the container's own processes
/// hold. None where whose the namespace is, or what they hold, cannot be told.
fn listeners(
    process: &Process,
    namespace: u32,
    container: &ContainerId,
    programs: &Programs,
) -> Option<Vec<Listener>> {
    let host = proc::host_namespaces()?;
    if namespace == 0 || host.net == 0 {
        return None;
    }
    let own = if namespace == host.net {
        Some(held(container, programs)?)
    } else {
        None
    };
    let sockets = net::inet(process).ok()?.into_iter();
    let sockets = sockets.filter(|socket| own.as_ref().is_none_or(|own| own.contains(&socket.inode)));
    let mut listeners: Vec<Listener> = sockets.map(|socket| socket.listener).collect();
    listeners.sort_unstable();
    listeners.dedup();
    Some(listeners)
}

/// Sockets that the container's processes hold; none where not all of them could be looked at.
fn held(container: &ContainerId, programs: &Programs) -> Option<HashSet<u64>> {
    if programs.truncated {
        return None;
    }
    let mut sockets = HashSet::new();
    for pid in &programs.pids {
        // One that has ended holds nothing, and whoever has its number now is none of the container's.
        let Ok(process) = proc::open(*pid) else { continue };
        match net::held(&process) {
            Ok(held) if proc::is_in(&process, container) => sockets.extend(held),
            Err(_) if proc::is_in(&process, container) => return None,
            Ok(_) | Err(_) => {}
        }
    }
    Some(sockets)
}

const fn seccomp(status: &Status) -> Seccomp {
    match status.seccomp {
        Some(0) => Seccomp::Off,
        Some(1) => Seccomp::Strict,
        Some(2) => Seccomp::Filter,
        _ => Seccomp::Unknown,
    }
}

/// The user that uid 0 of a user namespace is, from its `uid_map` (`user_namespaces(7)`).
pub(super) fn host_uid_of_root(uid_map: &str) -> Option<u32> {
    uid_map.lines().find_map(|line| {
        let mut numbers = line.split_ascii_whitespace().map(str::parse::<u32>);
        let (inside, outside) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
        (inside == 0).then_some(outside)
    })
}

/// Mount points that share a peer group with a mount of the host.
fn shared_mounts(mounts: &[MountLine], host: &[MountLine]) -> Vec<String> {
    let groups: BTreeSet<u32> = host.iter().filter_map(|mount| mount.shared).collect();
    mounts
        .iter()
        .filter(|mount| mount.shared.is_some_and(|group| groups.contains(&group)))
        .map(|mount| mount.path.clone())
        .collect()
}

/// A container's processes and their executables.
#[derive(Default)]
struct Programs {
    pids: Vec<u32>,
    paths: BTreeSet<String>,
    truncated: bool,
}

/// Executables of all processes in the container's outermost cgroup and those within.
fn executables(process: &Process, container: &ContainerId) -> io::Result<Programs> {
    let root = outermost_directory(process, container)?;
    let mut programs = Programs::default();
    let mut looked_at = 0;
    let mut pending = vec![root];
    let mut seen = 1;
    while let Some(directory) = pending.pop() {
        // A cgroup that was removed meanwhile has no processes; a threaded one shows them above.
        let list = lookup::read(&directory.join("cgroup.procs"), MAX_LIST).unwrap_or_default();
        for pid in String::from_utf8_lossy(&list)
            .lines()
            .filter_map(|line| line.parse().ok())
        {
            looked_at += 1;
            if looked_at > MAX_PROCESSES {
                programs.truncated = true;
                return Ok(programs);
            }
            programs.pids.push(pid);
            programs.paths.extend(executable(pid, container));
        }
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                seen += 1;
                programs.truncated |= seen > MAX_CGROUPS;
                pending.extend((seen <= MAX_CGROUPS).then(|| entry.path()));
            }
        }
    }
    Ok(programs)
}

/// Directory of the container's outermost cgroup, in the best hierarchy that has one.
fn outermost_directory(process: &Process, container: &ContainerId) -> io::Result<PathBuf> {
    let groups = proc::cgroups(process)?;
    let within = |hierarchy: Hierarchy| {
        let group = groups.0.iter().find(|group| hierarchy.version.is_of(group))?;
        let path = cgroup::outermost(&group.pathname, container)?;
        Some(hierarchy.path.join(path.trim_start_matches('/')))
    };
    let hierarchies = Hierarchy::all().map_err(io::Error::other)?;
    let found = hierarchies.into_iter().find_map(within);
    found.ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// Executable of a process that is in the container still; `None` for a kernel thread's and where
/// the process has ended.
fn executable(pid: u32, container: &ContainerId) -> Option<String> {
    let process = proc::open(pid).ok()?;
    let path = process.exe().ok()?;
    let path = path.to_string_lossy();
    let path = path.strip_suffix(" (deleted)").unwrap_or(&path).to_owned();
    proc::is_in(&process, container).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_root(uid_map: &str, expect: Option<u32>) {
        assert_eq!(host_uid_of_root(uid_map), expect, "{uid_map:?}");
    }

    #[test]
    fn root_of_a_user_namespace_is_where_its_map_says() {
        check_root("         0          0 4294967295\n", Some(0));
        check_root("0 100000 65536\n", Some(100_000));
        check_root("1000 0 1\n0 231072 1000\n", Some(231_072));
        check_root("1 100000 10\n", None);
        check_root("", None);
        check_root("0 x 1\n0\n", None);
    }

    #[test]
    fn mounts_are_shared_if_the_host_has_a_peer() {
        let mounts = |text: &str| -> Vec<_> {
            text.lines()
                .filter_map(|line| MountLine::parse(line.as_bytes()))
                .collect()
        };
        let host = mounts("1 0 8:1 / / rw shared:1 - ext4 s rw\n2 1 8:2 / /p rw - ext4 s rw");
        let inside = mounts(
            "9 0 0:9 / / rw - overlay o rw\n10 9 8:1 /data /data rw shared:1 - ext4 s rw\n\
             11 9 8:1 /d /slave rw master:1 - ext4 s rw\n12 9 8:2 / /own rw shared:7 - ext4 s rw",
        );
        assert_eq!(shared_mounts(&inside, &host), ["/data"]);
    }

    #[test]
    fn the_mount_on_top_is_the_root() {
        let mounts = |lines: &[&str]| -> Vec<_> {
            lines
                .iter()
                .filter_map(|line| MountLine::parse(line.as_bytes()))
                .collect()
        };
        let (writable, read_only) = ("1 0 0:9 / / rw - overlay o rw", "2 0 0:9 / / ro - overlay o rw");
        let below = "3 0 0:9 / /etc ro - overlay o rw";
        assert_eq!(rootfs_read_only(&mounts(&[writable, below])), Some(false));
        assert_eq!(
            rootfs_read_only(&mounts(&[writable, read_only, below])),
            Some(true)
        );
        assert_eq!(rootfs_read_only(&mounts(&[below])), None);
    }

    #[test]
    fn a_process_outside_the_container_is_refused() {
        let id: ContainerId = "ab".repeat(32).parse().unwrap();
        for pid in [std::process::id(), u32::MAX] {
            let result = truth(pid, &id);
            assert!(
                matches!(result, Err(TruthError::Gone { pid: told }) if told == pid),
                "{result:?}"
            );
        }
    }

    /// A cgroup with a container's name, removed with its processes.
    struct Scene {
        directory: PathBuf,
        child: std::process::Child,
    }

    impl Scene {
        /// `None` with a printed reason where this user or machine cannot make one.
        fn new(id: &ContainerId) -> Option<Self> {
            let root = Hierarchy::find().ok()?.path;
            let directory = root.join(id.as_str());
            if let Err(error) = fs::create_dir_all(directory.join("inner")) {
                println!("skipped: no cgroup can be made here: {error}");
                return None;
            }
            let mut command = std::process::Command::new("cat");
            let child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
            let scene = Self { directory, child };
            if let Err(error) = fs::write(
                scene.directory.join("inner/cgroup.procs"),
                scene.child.id().to_string(),
            ) {
                println!("skipped: no process can be moved here: {error}");
                return None;
            }
            Some(scene)
        }
    }

    impl Drop for Scene {
        fn drop(&mut self) {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
            for directory in [self.directory.join("inner"), self.directory.clone()] {
                fs::remove_dir(directory).unwrap();
            }
        }
    }

    #[test]
    fn a_process_in_a_containers_cgroup_is_described() {
        let id: ContainerId = format!("{:064x}", std::process::id()).parse().unwrap();
        let Some(mut scene) = Scene::new(&id) else { return };
        let pid = scene.child.id();
        let own = proc::namespaces(&proc::open(std::process::id()).unwrap()).unwrap();
        let found = truth(pid, &id).unwrap();
        assert_eq!((found.pid, found.namespaces), (pid, own));
        assert_eq!(found.uid, rustix::process::getuid().as_raw());
        let exe = fs::read_link(format!("/proc/{pid}/exe")).unwrap();
        assert_eq!(found.executables, [exe.to_str().unwrap()]);
        assert!(!found.executables_truncated);
        assert!(found.cgroup.is_some_and(|path| path.ends_with(id.as_str())));
        assert_eq!(found.cgroup_limits.unwrap().get("memory"), None);
        assert!(found.ulimits.unwrap().iter().any(|limit| limit.name == "nofile"));
        assert!(found.rootfs_read_only.is_some());

        let cgroups = cgroup::container_cgroups().unwrap();
        let outer = cgroup::tests::id_of(&scene.directory);
        let roots: Vec<_> = cgroups
            .cgroups
            .iter()
            .filter(|c| c.container == id)
            .map(|c| c.root)
            .collect();
        assert_eq!(roots, [outer, outer]);

        scene.child.kill().unwrap();
        scene.child.wait().unwrap();
        assert!(matches!(truth(pid, &id), Err(TruthError::Gone { .. })));
    }
}
