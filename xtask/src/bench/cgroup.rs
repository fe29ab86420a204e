//! A cgroup with a container's name.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::latency::now;

/// Lives as long as this does.
#[derive(Debug)]
pub(super) struct Cgroup(PathBuf);

impl Cgroup {
    /// Makes one at the root of the version 2 hierarchy.
    pub(super) fn new() -> Result<Self> {
        let mounts = fs::read_to_string("/proc/self/mounts")?;
        let root = cgroup2(&mounts).context("no cgroup v2 hierarchy is mounted")?;
        let name = format!("{:032x}{:032x}", now(), std::process::id());
        let path = Path::new(root).join(name);
        fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }

    /// Moves a process into it.
    pub(super) fn take(&self, pid: u32) -> Result<()> {
        Ok(fs::write(self.0.join("cgroup.procs"), pid.to_string())?)
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // Fails only while a process is left in it; its parent has waited for all.
        fs::remove_dir(&self.0).ok();
    }
}

/// Where the version 2 hierarchy is mounted, also next to version 1.
fn cgroup2(mounts: &str) -> Option<&str> {
    mounts.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (target, kind) = (fields.next()?, fields.next()?);
        (kind == "cgroup2").then_some(target)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hierarchy_is_found_alone_and_beside_version_1() {
        assert_eq!(
            cgroup2("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n"),
            Some("/sys/fs/cgroup")
        );
        let hybrid =
            "cgroup /sys/fs/cgroup/cpu cgroup rw 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";
        assert_eq!(cgroup2(hybrid), Some("/sys/fs/cgroup/unified"));
        assert_eq!(cgroup2("proc /proc proc rw 0 0\n"), None);
    }
}
