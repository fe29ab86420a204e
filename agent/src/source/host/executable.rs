//! The programs that container runtimes consist of.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use hullwatch_common::Inode;
use procfs::process::Process;
use rustix::fs::{FileType, Statx};

use super::inode::InodeLookup;
use super::proc;

/// Directories in which distributions and vendors install them.
const DIRECTORIES: &[&str] = &[
    "/usr/bin",
    "/usr/sbin",
    "/bin",
    "/sbin",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/lib/podman",
    "/usr/lib/cri-o-runc/sbin",
    "/usr/libexec",
    "/usr/libexec/crio",
    "/usr/libexec/docker",
    "/usr/libexec/podman",
    "/usr/local/lib/podman",
    "/usr/local/libexec/podman",
];

const NAMES: &[&str] = &[
    "buildkitd",
    "conmon",
    "containerd",
    "crio",
    "crun",
    "docker-init",
    "docker-proxy",
    "dockerd",
    "podman",
    "runc",
];

/// Programs of containerd's shims: `containerd-shim`, `containerd-shim-runc-v2`, and other vendors'.
const SHIM: &str = "containerd-shim";

/// Programs that stay: only these are looked for among running processes.
const DAEMONS: &[&str] = &["buildkitd", "containerd", "crio", "dockerd", "podman"];

/// Entries of one directory that are looked at.
const MAX_ENTRIES: usize = 65_536;
/// Processes that are looked at.
const MAX_PROCESSES: usize = 65_536;
const OTHERS_WRITE: u16 = 0o002;
const ANY_EXECUTE: u16 = 0o111;

/// A program of a runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutableFile {
    /// Path under which it was found first.
    pub path: PathBuf,
    /// Its inode, as the probes know it.
    pub inode: Inode,
}

/// Programs of container runtimes, each inode once: those in the usual directories, and those of
/// daemons that run from elsewhere. Only root's files that others cannot write count, and only
/// daemons of root in the host's mount namespace: a name alone makes nobody a runtime.
#[must_use]
pub fn runtime_executables() -> Vec<ExecutableFile> {
    let lookup = InodeLookup::new();
    let mut found = Vec::new();
    for directory in DIRECTORIES {
        collect(&lookup, Path::new(directory), 0, &mut found);
    }
    for path in daemons() {
        add(&lookup, path, 0, &mut found);
    }
    found
}

/// Whether a file name is that of a program of a runtime. It proves nothing.
#[must_use]
pub fn is_runtime_name(name: &str) -> bool {
    NAMES.contains(&name) || name == SHIM || name.starts_with("containerd-shim-")
}

/// The program of one process, where it is a runtime's by name and trusted as those of
/// [`runtime_executables`] are: vendors keep their own in directories of their own.
#[must_use]
pub fn runtime_executable_of(pid: u32) -> Option<ExecutableFile> {
    let process = proc::open(pid).ok()?;
    let path = program_at_home(&process, proc::host_namespaces()?.mnt, is_runtime_name)?;
    let mut found = Vec::new();
    add(&InodeLookup::new(), path, 0, &mut found);
    found.pop()
}

fn collect(lookup: &InodeLookup, directory: &Path, owner: u32, found: &mut Vec<ExecutableFile>) {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    for entry in entries.take(MAX_ENTRIES) {
        if entry.file_name().to_str().is_some_and(is_runtime_name) {
            add(lookup, entry.path(), owner, found);
        }
    }
}

fn add(lookup: &InodeLookup, path: PathBuf, owner: u32, found: &mut Vec<ExecutableFile>) {
    if let Ok((status, inode)) = lookup.stat(&path)
        && is_trusted_program(&status, owner)
        && found.iter().all(|known| known.inode != inode)
    {
        found.push(ExecutableFile { path, inode });
    }
}

fn is_trusted_program(status: &Statx, owner: u32) -> bool {
    FileType::from_raw_mode(u32::from(status.stx_mode)) == FileType::RegularFile
        && status.stx_uid == owner
        && status.stx_mode & OTHERS_WRITE == 0
        && status.stx_mode & ANY_EXECUTE != 0
}

/// Programs of the runtimes' daemons that run in the host's mount namespace as root.
fn daemons() -> Vec<PathBuf> {
    let Some(host) = proc::host_namespaces() else {
        return Vec::new();
    };
    let Ok(processes) = procfs::process::all_processes() else {
        return Vec::new();
    };
    processes
        .take(MAX_PROCESSES)
        .flatten()
        .filter_map(|process| program_at_home(&process, host.mnt, |name| DAEMONS.contains(&name)))
        .collect()
}

/// The program of a process of root in the host's mount namespace, if it is so called.
fn program_at_home(process: &Process, host_mounts: u32, is_called: impl Fn(&str) -> bool) -> Option<PathBuf> {
    let path = process.exe().ok()?;
    let name = path.file_name()?.to_str()?;
    let roots = || fs::metadata(format!("/proc/{}", process.pid)).is_ok_and(|status| status.uid() == 0);
    let at_home = || proc::mount_namespace(process) == Some(host_mounts);
    (is_called(name) && roots() && at_home()).then_some(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn programs_are_found_by_name_once_and_only_if_trusted() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, mode| {
            let path = dir.path().join(name);
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            path
        };
        file("runc", 0o755);
        file("containerd-shim-kata-v2", 0o755);
        file("dockerd", 0o757);
        file("crun", 0o644);
        file("containerd-shimmer", 0o755);
        file("runc2", 0o755);
        fs::create_dir(dir.path().join("podman")).unwrap();
        fs::hard_link(dir.path().join("runc"), dir.path().join("crio")).unwrap();
        let owner = fs::metadata(dir.path()).unwrap().uid();

        let mut found = Vec::new();
        collect(&InodeLookup::new(), dir.path(), owner, &mut found);
        let inode = |name| fs::metadata(dir.path().join(name)).unwrap().ino();
        let mut expect = [inode("runc"), inode("containerd-shim-kata-v2")];
        expect.sort_unstable();
        let mut inodes: Vec<_> = found.iter().map(|file| file.inode.ino).collect();
        inodes.sort_unstable();
        assert_eq!(inodes, expect);

        let mut others = Vec::new();
        collect(&InodeLookup::new(), dir.path(), owner + 1, &mut others);
        assert_eq!(others, []);
    }
}
