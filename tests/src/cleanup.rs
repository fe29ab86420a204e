//! Leaves nothing behind: every process, mount and control group of a world is found by what names it, its
//! own directory or its own containers, so that nobody else's are touched.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rustix::mount::UnmountFlags;
use rustix::process::{Pid, Signal, kill_process};

use crate::patience::{PATIENCE, eventually};

/// Start of the name of every world's directory.
const PREFIX: &str = "hullwatch-e2e-";
/// File in it that names the process that made it.
const OWNER: &str = "owner";

const CGROUPS: &str = "/sys/fs/cgroup";

/// A new directory for a world, after those of earlier test processes were removed.
pub(crate) fn new_root() -> Result<PathBuf> {
    let temp = std::env::temp_dir();
    sweep(&temp);
    let root = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&temp)?.keep();
    fs::write(
        root.join(OWNER),
        identity_of(Some(&std::process::id().to_string())),
    )?;
    // Users without privilege act in it.
    fs::set_permissions(&root, fs::Permissions::from_mode(0o755))?;
    Ok(root)
}

/// Removes what earlier test processes left behind when they were killed.
fn sweep(temp: &Path) {
    for entry in fs::read_dir(temp).into_iter().flatten().flatten() {
        let root = entry.path();
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let owner = fs::read_to_string(root.join(OWNER)).unwrap_or_default();
        if ours && !owner.is_empty() && identity_of(owner.split(' ').next()) != owner {
            remove_world(&root);
        }
    }
}

/// `PID STARTTIME` of a process; empty where it does not live.
fn identity_of(pid: Option<&str>) -> String {
    let pid = pid.unwrap_or_default();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in parentheses may hold anything; the start time is the 20th field after it.
    let start = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(19));
    start.map(|start| format!("{pid} {start}")).unwrap_or_default()
}

/// Ends, unmounts and removes everything of a world.
pub(crate) fn remove_world(root: &Path) {
    let containers = container_ids(root);
    let ended = eventually("the world's processes end", PATIENCE, || {
        let left: Vec<Pid> = processes_naming(root)
            .into_iter()
            .chain(containers.iter().flat_map(|id| processes_of(id)))
            .collect();
        for pid in &left {
            // It may have ended in between, which is all that is wanted.
            kill_process(*pid, Signal::KILL).ok();
        }
        left.is_empty().then_some(())
    });
    if let Err(error) = ended {
        crate::world::say(&format!("cleanup: {error:#}"));
    }
    for mount in mounts_below(root) {
        if let Err(error) = rustix::mount::unmount(&mount, UnmountFlags::DETACH) {
            crate::world::say(&format!("cleanup: unmount {}: {error}", mount.display()));
        }
    }
    crate::bridge::remove(root);
    for cgroup in containers.iter().flat_map(|id| cgroups_of(id)) {
        remove_cgroup(&cgroup);
    }
    match fs::remove_dir_all(root) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            crate::world::say(&format!("cleanup: remove {}: {error}", root.display()));
        }
        _ => {}
    }
}

fn container_ids(root: &Path) -> Vec<String> {
    let entries = fs::read_dir(root.join("data/containers"))
        .into_iter()
        .flatten()
        .flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// Processes whose command line names the world's directory; itself apart.
fn processes_naming(root: &Path) -> Vec<Pid> {
    let name = root.to_string_lossy().into_owned();
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            entry
                .file_name()
                .to_str()?
                .parse::<i32>()
                .ok()
                .and_then(Pid::from_raw)
        })
        .filter(|pid| *pid != rustix::process::getpid())
        .filter(|pid| {
            let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&command).contains(&name)
        })
        .collect()
}

fn processes_of(container: &str) -> Vec<Pid> {
    cgroups_of(container)
        .iter()
        .filter_map(|cgroup| fs::read_to_string(cgroup.join("cgroup.procs")).ok())
        .flat_map(|list| {
            list.lines()
                .filter_map(|pid| Pid::from_raw(pid.parse().ok()?))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Control groups of a container in every hierarchy: `…/docker/ID`.
fn cgroups_of(container: &str) -> Vec<PathBuf> {
    let hierarchies = fs::read_dir(CGROUPS)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    hierarchies
        .chain([PathBuf::from(CGROUPS)])
        .map(|hierarchy| hierarchy.join("docker").join(container))
        .filter(|cgroup| cgroup.is_dir())
        .collect()
}

fn remove_cgroup(cgroup: &Path) {
    let removed = eventually("the cgroup is empty", PATIENCE, || match fs::remove_dir(cgroup) {
        Err(error) if error.kind() == ErrorKind::ResourceBusy => None,
        _ => Some(()),
    });
    if removed.is_err() {
        crate::world::say(&format!("cleanup: {} is busy", cgroup.display()));
    }
}

/// Mount points below a directory, innermost first.
fn mounts_below(root: &Path) -> Vec<PathBuf> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mut mounts: Vec<PathBuf> = table
        .lines()
        .filter_map(|line| line.split(' ').nth(4).map(PathBuf::from))
        .filter(|mount| mount.starts_with(root))
        .collect();
    mounts.reverse();
    mounts
}
