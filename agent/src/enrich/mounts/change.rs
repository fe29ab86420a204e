//! Telling one state of a namespace from another.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use crate::model::{MountLine, path_below};

/// What is remembered of a mount: enough to see that it changed, and what to call it when it is gone.
#[derive(Debug)]
pub(super) struct Known {
    id: i32,
    fingerprint: u64,
    /// As the fingerprint, without what a copy of the namespace may change: propagation, read-only.
    content: u64,
    path: Box<str>,
}

/// What differs between two states.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Change<'a> {
    /// New or changed, as they are now.
    pub(super) mounts: Vec<&'a MountLine>,
    /// Paths at which something is no more.
    pub(super) removed: Vec<String>,
}

/// What to remember of a namespace.
pub(super) fn known(hasher: &RandomState, mounts: &[MountLine]) -> Vec<Known> {
    let remember = |mount: &MountLine| Known {
        id: mount.id,
        fingerprint: fingerprint(hasher, mount),
        content: content(hasher, mount),
        path: mount.path.as_str().into(),
    };
    mounts.iter().map(remember).collect()
}

fn fingerprint(hasher: &RandomState, mount: &MountLine) -> u64 {
    hasher.hash_one((content(hasher, mount), mount.propagation(), mount.read_only))
}

fn content(hasher: &RandomState, mount: &MountLine) -> u64 {
    hasher.hash_one((&mount.path, &mount.dev, &mount.root, &mount.fstype, &mount.source))
}

/// What a copy of a namespace has that the original had not; `None` where it is no copy of it, which
/// shows in most of it being different. Ids say nothing here: a copy has its own.
pub(super) fn beyond<'a>(
    hasher: &RandomState,
    original: &[Known],
    copy: &'a [MountLine],
) -> Option<Change<'a>> {
    let original: HashSet<u64> = original.iter().map(|known| known.content).collect();
    let mounts: Vec<_> = copy
        .iter()
        .filter(|mount| !original.contains(&content(hasher, mount)))
        .collect();
    (mounts.len() * 2 <= copy.len()).then(|| Change {
        mounts,
        removed: Vec::new(),
    })
}

/// What changed since; `None` where the two states have no mount in common, which makes them those
/// of different namespaces that had the same inode number one after the other.
pub(super) fn since<'a>(
    hasher: &RandomState,
    before: &[Known],
    after: &'a [MountLine],
) -> Option<Change<'a>> {
    let before: HashMap<i32, &Known> = before.iter().map(|known| (known.id, known)).collect();
    let ids: BTreeSet<i32> = after.iter().map(|mount| mount.id).collect();
    if !ids.iter().any(|id| before.contains_key(id)) {
        return None;
    }
    let mut change = Change::default();
    for mount in after {
        let old = before.get(&mount.id);
        if old.is_some_and(|old| old.fingerprint == fingerprint(hasher, mount)) {
            continue;
        }
        // Moved, or the id was given anew: at the old place there is nothing of it.
        let left = old.filter(|old| *old.path != *mount.path);
        change.removed.extend(left.map(|old| old.path.to_string()));
        change.mounts.push(mount);
    }
    let gone = before.values().filter(|known| !ids.contains(&known.id));
    change.removed.extend(gone.map(|known| known.path.to_string()));
    change.removed.sort_unstable();
    Some(change)
}

/// The mounts that were made last, where they are at or below a path whose last component is that
/// of `target`; `None` where they are not. The kernel lists mounts in the order in which they were
/// made.
pub(super) fn newest<'a>(mounts: &'a [MountLine], target: &str) -> Option<Change<'a>> {
    let wanted = last_component(target).filter(|name| !matches!(*name, "." | ".."))?;
    let at = mounts
        .iter()
        .rposition(|mount| last_component(&mount.path) == Some(wanted))?;
    let made = mounts.get(at..)?;
    let top = &made.first()?.path;
    made.iter()
        .all(|mount| path_below(&mount.path, top).is_some())
        .then(|| Change {
            mounts: made.iter().collect(),
            removed: Vec::new(),
        })
}

fn last_component(path: &str) -> Option<&str> {
    path.trim_end_matches('/')
        .rsplit('/')
        .next()
        .filter(|name| !name.is_empty())
}
