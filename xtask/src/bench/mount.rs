//! Mounting and unmounting a tmpfs, in a mount namespace of its own.

use std::ffi::CStr;
use std::path::Path;

use anyhow::{Context, Result};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

pub(super) fn run(operations: u32, scratch: &Path) -> Result<()> {
    let target = scratch.join("mount");
    std::fs::create_dir_all(&target)?;
    for _ in 0..operations {
        mount("none", &target, "tmpfs", MountFlags::NODEV, None::<&CStr>).context("cannot mount")?;
        unmount(&target, UnmountFlags::empty()).context("cannot unmount")?;
    }
    Ok(())
}
