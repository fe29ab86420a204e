//! What a call of the mount family changed, read back from mountinfo.
//!
//! What the call asked for lies in memory that its process can change at will, so it decides
//! nothing: the namespace is held against how it looked before. Everything here blocks on `/proc`.

mod change;
mod host_path;
mod view;

use std::collections::HashMap;
use std::hash::RandomState;

pub use view::ViewError;

use crate::model::{MountEffect, MountLine, MountRequest};
use change::Known;

/// Namespaces that are remembered.
const MAX_NAMESPACES: usize = 256;
/// Mounts that are remembered over all namespaces; some hundred bytes each.
const MAX_REMEMBERED: usize = 65_536;

/// Flags of `mount(2)` that change a mount and make none: `MS_REMOUNT`, `MS_UNBINDABLE`,
/// `MS_PRIVATE`, `MS_SLAVE`, `MS_SHARED`.
const CHANGING: u64 = 1 << 5 | 1 << 17 | 1 << 18 | 1 << 19 | 1 << 20;

/// A call of the mount family that returned.
#[derive(Clone, Copy, Debug)]
pub struct MountCall<'a> {
    /// The process that called, then others that were seen in its namespace, should it be gone.
    pub pids: &'a [u32],
    /// Inode number of the caller's mount namespace.
    pub mnt_ns: u32,
    /// Namespaces that this one may be a copy of, should it not be known itself: the container's first,
    /// the host's.
    pub origins: &'a [u32],
    /// Name of the call, as in [`crate::model::Mount::call`].
    pub call: &'a str,
    /// 0, or the error number.
    pub errno: u32,
    /// What it asked for: a hint where nothing is known of the namespace before.
    pub request: &'a MountRequest,
}

/// How mount namespaces looked when they were last read, the least recently used forgotten first.
#[derive(Debug, Default)]
pub struct MountTable {
    namespaces: HashMap<u32, Remembered>,
    remembered: usize,
    clock: u64,
    hasher: RandomState,
}

#[derive(Debug)]
struct Remembered {
    mounts: Vec<Known>,
    used: u64,
}

impl MountTable {
    /// A table that knows no namespace.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a namespace before anything is mounted in it: at the start for the host, at the first
    /// exec of a container for its own.
    ///
    /// # Errors
    /// None of the processes shows the whole namespace, or it has too many mounts.
    pub fn baseline(&mut self, pids: &[u32], mnt_ns: u32) -> Result<(), ViewError> {
        let mounts = view::read(pids, mnt_ns)?;
        self.remember(mnt_ns, &mounts);
        Ok(())
    }

    /// Whether a namespace is remembered.
    #[must_use]
    pub fn knows(&self, mnt_ns: u32) -> bool {
        self.namespaces.contains_key(&mnt_ns)
    }

    /// What a call changed. Calls that follow each other before the first is looked at are told
    /// together with the first; of the others, those that make a mount are told by their own alone.
    #[must_use]
    pub fn effect(&mut self, call: &MountCall<'_>) -> MountEffect {
        // A detached mount is nowhere until `move_mount` attaches it.
        if call.errno != 0 || matches!(call.call, "fsmount" | "open_tree" | "open_tree_attr") {
            return MountEffect::None;
        }
        let mounts = match view::read(call.pids, call.mnt_ns) {
            Ok(mounts) => mounts,
            Err(error) => {
                self.forget(call.mnt_ns);
                return unverified(&error.to_string());
            }
        };
        let effect = self.change(call, &mounts);
        self.remember(call.mnt_ns, &mounts);
        effect
    }

    fn change(&self, call: &MountCall<'_>, mounts: &[MountLine]) -> MountEffect {
        let known = |mnt_ns: &u32| self.namespaces.get(mnt_ns).map(|known| known.mounts.as_slice());
        // A call that makes a mount and seems to have changed nothing was looked at too late: what is known
        // of the namespace was read after it.
        let is_late = |change: &change::Change<'_>| makes_a_mount(call) && change.mounts.is_empty();
        let change = known(&call.mnt_ns)
            .and_then(|before| change::since(&self.hasher, before, mounts))
            .or_else(|| {
                let mut origins = call.origins.iter().filter_map(known);
                origins.find_map(|original| change::beyond(&self.hasher, original, mounts))
            })
            .filter(|change| !is_late(change))
            .or_else(|| {
                makes_a_mount(call)
                    .then(|| change::newest(mounts, &call.request.target))
                    .flatten()
            });
        let Some(change) = change else {
            return unverified("state of its mount namespace before the call not known");
        };
        let host = if change.mounts.is_empty() {
            Vec::new()
        } else {
            view::host()
        };
        let new: Vec<i32> = change.mounts.iter().map(|mount| mount.id).collect();
        let point = |mount: &&MountLine| mount.to_point(host_path::find(mount, &host, &new));
        MountEffect::Verified {
            mounts: change.mounts.iter().map(point).collect(),
            removed: change.removed,
        }
    }

    fn remember(&mut self, mnt_ns: u32, mounts: &[MountLine]) {
        self.forget(mnt_ns);
        while self.namespaces.len() >= MAX_NAMESPACES || self.remembered + mounts.len() > MAX_REMEMBERED {
            let oldest = self.namespaces.iter().min_by_key(|(_, known)| known.used);
            let Some((&oldest, _)) = oldest else { break };
            self.forget(oldest);
        }
        self.clock += 1;
        self.remembered += mounts.len();
        let known = Remembered {
            mounts: change::known(&self.hasher, mounts),
            used: self.clock,
        };
        self.namespaces.insert(mnt_ns, known);
    }

    fn forget(&mut self, mnt_ns: u32) {
        if let Some(known) = self.namespaces.remove(&mnt_ns) {
            self.remembered -= known.mounts.len();
        }
    }
}

fn makes_a_mount(call: &MountCall<'_>) -> bool {
    match call.call {
        "mount" => call.request.flags & CHANGING == 0,
        other => other == "move_mount",
    }
}

fn unverified(reason: &str) -> MountEffect {
    MountEffect::Unverified {
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests;
