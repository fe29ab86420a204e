//! Limits that the cgroups of a container put on it, in both versions of cgroups.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use procfs::ProcessCGroups;
use procfs::process::Process;

use super::{cgroup, lookup, proc};
use crate::model::{ContainerId, MountLine};

/// Longest file of a cgroup that is read.
const MAX_FILE: u64 = 64 << 10;
/// Cgroups of one hierarchy between a container's and its root.
const MAX_DEPTH: usize = 64;
/// Parents that engines and systemd put every container into: what limits them is shared by all, and says nothing
/// of one container.
const COMMON_PARENTS: [&str; 5] = [
    "/docker",
    "/machine.slice",
    "/system.slice",
    "/user.slice",
    "/libpod_parent",
];
/// Version 1 writes "none" as the largest number that its page size allows: 2^63 less a page, of 64 KiB at most.
const UNLIMITED_V1: i64 = i64::MAX - 0xffff;
/// Period that quotas are normalised to, in microseconds.
const PERIOD: i64 = 100_000;
/// Weight of a cgroup that was given none, in version 2 and in version 1.
const DEFAULT_WEIGHT: i64 = 100;
const DEFAULT_SHARES: i64 = 1024;

/// Where a container is, and what it is held to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Limits {
    /// Path of its cgroup in the hierarchy that limits memory, else in the unified one.
    pub(super) cgroup: Option<String>,
    /// By name: `memory` (bytes), `pids`, `cpu-quota` (microseconds in each 100 ms), `cpu-weight` or `cpu-shares` where
    /// it is not the default, `cpuset` (processors) where they are fewer than the parent's. The tightest of the
    /// container's own and those of the cgroups around it.
    pub(super) limits: BTreeMap<String, i64>,
}

/// Looks at the cgroups of a container by one of its processes; `mounts` are this process's own.
///
/// # Errors
/// A file that exists cannot be read or decoded.
pub(super) fn limits(process: &Process, container: &ContainerId, mounts: &[MountLine]) -> io::Result<Limits> {
    let groups = proc::cgroups(process)?;
    let mut found = Limits::default();
    for controller in ["memory", "pids", "cpu", "cpuset"] {
        let Some(place) = place(&groups, container, mounts, controller) else {
            continue;
        };
        if controller == "memory" {
            found.cgroup = Some(place.own.clone());
        }
        place.add(controller, &mut found.limits)?;
    }
    if found.cgroup.is_none() {
        let any = groups
            .0
            .iter()
            .find_map(|group| cgroup::outermost(&group.pathname, container));
        found.cgroup = any.map(str::to_owned);
    }
    Ok(found)
}

/// A container's cgroup in the hierarchy of one controller.
struct Place {
    mount: PathBuf,
    version: u8,
    /// Path of its outermost cgroup.
    own: String,
}

fn place(
    groups: &ProcessCGroups,
    container: &ContainerId,
    mounts: &[MountLine],
    controller: &str,
) -> Option<Place> {
    let is_v1 = |mount: &&MountLine| {
        mount.fstype == "cgroup"
            && mount.root == "/"
            && mount.super_options.iter().any(|option| option == controller)
    };
    let (mount, version) = match mounts.iter().find(is_v1) {
        Some(mount) => (mount, 1),
        None => (
            mounts
                .iter()
                .find(|mount| mount.fstype == "cgroup2" && mount.root == "/")?,
            2,
        ),
    };
    let group = groups.0.iter().find(|group| match version {
        1 => group.controllers.iter().any(|name| name == controller),
        _ => group.hierarchy == 0,
    })?;
    Some(Place {
        mount: PathBuf::from(&mount.path),
        version,
        own: cgroup::outermost(&group.pathname, container)?.to_owned(),
    })
}

impl Place {
    /// The cgroups that hold the container alone or with a few others, from its own outwards, and the first around
    /// them all.
    fn chain(&self) -> (Vec<PathBuf>, PathBuf) {
        let directory = |path: &str| self.mount.join(path.trim_start_matches('/'));
        let mut own = Vec::new();
        let mut path = self.own.as_str();
        while !path.is_empty() && !is_common(path) && own.len() < MAX_DEPTH {
            own.push(directory(path));
            path = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
        (own, directory(path))
    }

    fn add(&self, controller: &str, limits: &mut BTreeMap<String, i64>) -> io::Result<()> {
        let (chain, around) = self.chain();
        let mut tightest = |name: &str, value: Option<i64>| {
            if let Some(value) = value {
                let limit = limits.entry(name.to_owned()).or_insert(value);
                *limit = value.min(*limit);
            }
        };
        for directory in &chain {
            match (controller, self.version) {
                ("memory", 1) => tightest("memory", limit(directory, "memory.limit_in_bytes")?),
                ("memory", _) => tightest("memory", limit(directory, "memory.max")?),
                ("pids", _) => tightest("pids", limit(directory, "pids.max")?),
                ("cpu", 1) => tightest("cpu-quota", quota_v1(directory)?),
                ("cpu", _) => tightest("cpu-quota", quota_v2(directory)?),
                _ => {}
            }
        }
        let Some(own) = chain.first() else { return Ok(()) };
        let weight =
            |file, default| Ok::<_, io::Error>(limit(own, file)?.filter(|weight| *weight != default));
        match (controller, self.version) {
            ("cpu", 1) => tightest("cpu-shares", weight("cpu.shares", DEFAULT_SHARES)?),
            ("cpu", _) => tightest("cpu-weight", weight("cpu.weight", DEFAULT_WEIGHT)?),
            ("cpuset", version) => tightest("cpuset", processors(own, &around, version)?),
            _ => {}
        }
        Ok(())
    }
}

/// A parent that is no container's own. A user's own slices are systemd's as well.
fn is_common(path: &str) -> bool {
    COMMON_PARENTS.contains(&path) || (path.starts_with("/user.slice/") && path.ends_with(".service"))
}

/// One file of a cgroup; `None` where it has no such file: the controller is off, or it is the root.
fn read(directory: &Path, file: &str) -> io::Result<Option<String>> {
    match lookup::read(&directory.join(file), MAX_FILE) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn undecodable(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{text:?} is no limit"))
}

/// A number that limits; `None` for `max`, a negative one, and version 1's largest.
fn limit(directory: &Path, file: &str) -> io::Result<Option<i64>> {
    read(directory, file)?.map_or(Ok(None), |text| number(&text))
}

fn number(text: &str) -> io::Result<Option<i64>> {
    if text == "max" {
        return Ok(None);
    }
    let value: i128 = text.parse().map_err(|_error| undecodable(text))?;
    let value = i64::try_from(value.clamp(i128::from(i64::MIN), i128::from(i64::MAX))).unwrap_or(i64::MAX);
    Ok(Some(value).filter(|value| (0..UNLIMITED_V1).contains(value)))
}

fn quota_v1(directory: &Path) -> io::Result<Option<i64>> {
    let quota = limit(directory, "cpu.cfs_quota_us")?;
    let period = limit(directory, "cpu.cfs_period_us")?;
    Ok(quota
        .zip(period)
        .and_then(|(quota, period)| normalised(quota, period)))
}

/// `QUOTA PERIOD`, the quota a number or `max`.
fn quota_v2(directory: &Path) -> io::Result<Option<i64>> {
    let Some(text) = read(directory, "cpu.max")? else {
        return Ok(None);
    };
    let (quota, period) = text.split_once(' ').ok_or_else(|| undecodable(&text))?;
    Ok(number(quota)?
        .zip(number(period)?)
        .and_then(|(quota, period)| normalised(quota, period)))
}

fn normalised(quota: i64, period: i64) -> Option<i64> {
    let normal = (i128::from(quota) * i128::from(PERIOD)).checked_div(i128::from(period))?;
    i64::try_from(normal).ok()
}

/// How many processors a cgroup may use, where that is fewer than one around it may.
fn processors(own: &Path, around: &Path, version: u8) -> io::Result<Option<i64>> {
    // Only this file of version 1 shows what is left while processors are offline.
    let file = if version == 1 {
        "cpuset.effective_cpus"
    } else {
        "cpuset.cpus.effective"
    };
    let count = |directory| read(directory, file)?.map_or(Ok(None), |list| count(&list).map(Some));
    Ok(match (count(own)?, count(around)?) {
        (Some(own), Some(around)) if own < around => Some(own),
        _ => None,
    })
}

/// The number of processors in a list (`0-3,8`).
fn count(list: &str) -> io::Result<i64> {
    let mut sum = 0_i64;
    for range in list.split(',').filter(|range| !range.is_empty()) {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let number = |text: &str| text.trim().parse::<u32>().map_err(|_error| undecodable(list));
        let (first, last) = (number(first)?, number(last)?);
        let length = i64::from(last) - i64::from(first) + 1;
        sum = sum.saturating_add(length.max(0));
    }
    Ok(sum)
}

#[cfg(test)]
mod tests;
