//! Reading a mount namespace through a process that is in it.

use std::io::Read;

use procfs::process::Process;
use rustix::fs::{OFlags, fstat};

use crate::model::MountLine;

/// Mounts of a namespace beyond which it is not followed.
const MAX_MOUNTS: usize = 4096;
/// Bytes of mountinfo that are read: a page for each mount.
const MAX_BYTES: u64 = 16 << 20;
/// Processes that are tried.
const MAX_PIDS: usize = 16;

/// A namespace could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ViewError {
    /// No process that is known to be in it lives.
    #[error("mount namespace is gone, or no process in it is known")]
    Gone,
    /// The processes in it are confined to a part of it by `chroot(2)`.
    #[error("mount namespace is seen only in part by its processes")]
    Partial,
    /// It has more than 4096 mounts.
    #[error("mount namespace has too many mounts")]
    TooMany,
}

/// The mounts of a namespace, through the first of these processes, or this one, that is in it and
/// sees all of it.
pub(super) fn read(pids: &[u32], mnt_ns: u32) -> Result<Vec<MountLine>, ViewError> {
    let mut error = ViewError::Gone;
    let own = std::process::id();
    for &pid in pids.iter().take(MAX_PIDS).chain([&own]) {
        match through(pid, mnt_ns) {
            Err(ViewError::Gone) => {}
            Err(ViewError::Partial) => error = ViewError::Partial,
            result => return result,
        }
    }
    Err(error)
}

/// The host's mounts, as process 1 sees them; none where they cannot be read.
pub(super) fn host() -> Vec<MountLine> {
    let init = Process::new(1).ok();
    init.and_then(|init| mounts(&init).ok()).unwrap_or_default()
}

fn through(pid: u32, mnt_ns: u32) -> Result<Vec<MountLine>, ViewError> {
    let process = i32::try_from(pid).ok().and_then(|pid| Process::new(pid).ok());
    let process = process.ok_or(ViewError::Gone)?;
    let is_inside = || namespace_of(&process) == Some(mnt_ns);
    if !is_inside() {
        return Err(ViewError::Gone);
    }
    // mountinfo shows what is below the process's root, from there.
    match process.root() {
        Ok(root) if root.as_os_str() == "/" => {}
        Ok(_) => return Err(ViewError::Partial),
        Err(_) => return Err(ViewError::Gone),
    }
    let mounts = mounts(&process);
    // It may have left in between.
    if is_inside() { mounts } else { Err(ViewError::Gone) }
}

fn namespace_of(process: &Process) -> Option<u32> {
    let file = process
        .open_relative_flags("ns/mnt", OFlags::PATH | OFlags::CLOEXEC)
        .ok()?;
    u32::try_from(fstat(file).ok()?.st_ino).ok()
}

fn mounts(process: &Process) -> Result<Vec<MountLine>, ViewError> {
    let file = process
        .open_relative("mountinfo")
        .map_err(|_gone| ViewError::Gone)?;
    let mut text = Vec::new();
    let read = file.take(MAX_BYTES + 1).read_to_end(&mut text);
    let read = read.map_err(|_gone| ViewError::Gone)?;
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let mounts: Vec<_> = lines.take(MAX_MOUNTS + 1).filter_map(MountLine::parse).collect();
    if mounts.len() > MAX_MOUNTS || !u64::try_from(read).is_ok_and(|read| read <= MAX_BYTES) {
        return Err(ViewError::TooMany);
    }
    Ok(mounts)
}
