//! The host's name for a directory that a mount shows.

use crate::model::{MountLine, path_below};

/// The host's path of the directory that forms the root of a mount; `None` where the host does not
/// have that filesystem mounted.
///
/// Of several names the one through the largest part of the filesystem counts, so that `/etc` is
/// `/etc` even where the host has a bind mount of it elsewhere; `new` mounts, by id, count last, for
/// a mount on the host would otherwise explain itself.
pub(super) fn find(mount: &MountLine, host: &[MountLine], new: &[i32]) -> Option<String> {
    let named = |candidate: &MountLine| {
        let below = path_below(&mount.root, &candidate.root)?;
        let path = format!("{}{below}", candidate.path.trim_end_matches('/'));
        let path = if path.is_empty() { "/".to_owned() } else { path };
        (covering(&path, host) == Some(candidate.id)).then_some(path)
    };
    let mut candidates: Vec<&MountLine> = host.iter().filter(|line| line.dev == mount.dev).collect();
    candidates.sort_by_key(|line| (new.contains(&line.id), line.root.len()));
    candidates.into_iter().find_map(named)
}

/// Id of the mount that a path leads to: the deepest mount point above it, the last of those mounted
/// there.
fn covering(path: &str, host: &[MountLine]) -> Option<i32> {
    host.iter()
        .filter(|line| path_below(path, &line.path).is_some())
        .max_by_key(|line| line.path.len())
        .map(|line| line.id)
}
