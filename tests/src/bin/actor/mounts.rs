//! Deeds with mounts, by both families of calls.

use std::ffi::OsStr;

use anyhow::{Context, Result};
use rustix::fs::CWD;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MountPropagationFlags, MoveMountFlags,
    OpenTreeFlags, UnmountFlags, fsconfig_create, fsmount, fsopen, mount_bind, mount_change, mount_remount,
    move_mount, open_tree, unmount,
};

/// A new file system by `mount(2)`.
pub(crate) fn mount(fstype: &OsStr, target: &OsStr) -> Result<()> {
    rustix::mount::mount(fstype, target, fstype, MountFlags::empty(), None).context("mount")
}

/// A new file system by `fsopen`, `fsmount` and `move_mount`.
pub(crate) fn mount_new(fstype: &OsStr, target: &OsStr) -> Result<()> {
    let context = fsopen(fstype, FsOpenFlags::FSOPEN_CLOEXEC).context("fsopen")?;
    fsconfig_create(&context).context("fsconfig")?;
    let tree =
        fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty()).context("fsmount")?;
    move_mount(&tree, "", CWD, target, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).context("move_mount")
}

/// A directory at a second place by `mount(2)`.
pub(crate) fn bind(source: &OsStr, target: &OsStr) -> Result<()> {
    mount_bind(source, target).context("bind")
}

/// A directory at a second place by `open_tree` and `move_mount`.
pub(crate) fn bind_new(source: &OsStr, target: &OsStr) -> Result<()> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let tree = open_tree(CWD, source, flags).context("open_tree")?;
    move_mount(&tree, "", CWD, target, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).context("move_mount")
}

/// A mount point made shared.
pub(crate) fn make_shared(target: &OsStr) -> Result<()> {
    mount_change(target, MountPropagationFlags::SHARED).context("make shared")
}

/// A read-only bind made writable.
pub(crate) fn make_writable(target: &OsStr) -> Result<()> {
    mount_remount(target, MountFlags::BIND, "").context("remount")
}

/// A mount taken away.
pub(crate) fn umount(target: &OsStr) -> Result<()> {
    unmount(target, UnmountFlags::empty()).context("umount")
}
