//! The runtime itself at work.
//!
//! Before a container's program runs, runc is in its cgroup and namespaces with every capability,
//! mounts its file systems, and copies itself to a memfd to be safe from what it starts. None of that
//! breaks anything. It is told from a program of the container that pretends to be runc by what cannot
//! be pretended: the inode of the executable on the host, a parent that is the runtime too, and never
//! having run a program of the container.

use std::collections::{HashMap, HashSet};

use crate::model::{CgroupId, InodeId, ProcessKey, Sighting, What};

/// Programs of containers remembered per container.
const PAYLOAD_MAX: usize = 65_536;
/// How runc and crun name the memfd that they copy themselves to.
const CLONE_NAMES: [&str; 3] = ["memfd:runc_cloned", "memfd:crun_cloned", "runc_cloned"];

/// Tells the runtime from what it runs.
#[derive(Debug, Default)]
pub struct Plumbing {
    runtimes: HashSet<InodeId>,
    payload: HashMap<CgroupId, HashSet<ProcessKey>>,
}

impl Plumbing {
    /// Replaces the set of the runtimes' executables.
    pub fn set_runtimes(&mut self, runtimes: impl IntoIterator<Item = InodeId>) {
        self.runtimes = runtimes.into_iter().collect();
    }

    /// Whether the runtime itself did it. Remembers processes that ran a program of a container, and
    /// clears the `entry` of an exec whose process had run one before.
    pub fn judge(&mut self, sighting: &mut Sighting) -> bool {
        let key = sighting.process.key();
        let Some(root) = sighting.container else {
            return self.is_runtime(sighting);
        };
        let payload = self.payload.entry(root).or_default();
        let ran_before = payload.contains(&key);
        let parent_ran = sighting
            .ancestors
            .first()
            .is_some_and(|(parent, _)| payload.contains(parent));
        let plumbing =
            !ran_before && !parent_ran && self.is_runtime(sighting) && self.parent_is_runtime(sighting);
        if let What::Exec(exec) = &mut sighting.what
            && !plumbing
        {
            exec.entry &= !ran_before;
            let payload = self.payload.entry(root).or_default();
            if payload.len() < PAYLOAD_MAX {
                payload.insert(key);
            }
        }
        plumbing
    }

    /// Forgets a container.
    pub fn forget(&mut self, root: CgroupId) {
        self.payload.remove(&root);
    }

    fn is_runtime(&self, sighting: &Sighting) -> bool {
        let clone = match &sighting.what {
            What::Exec(exec) => exec.file.unlinked && is_clone_name(name_of(&exec.file.path)),
            // The name of a process is no proof; its parent's executable is asked for as well.
            _ => is_clone_name(name_of(&sighting.process.exe)),
        };
        self.runtimes.contains(&sighting.exe) || clone
    }

    /// Whether the nearest ancestor that is no copy of runc is a runtime.
    fn parent_is_runtime(&self, sighting: &Sighting) -> bool {
        let ancestors = sighting.ancestors.iter().zip(&sighting.process.ancestors);
        ancestors
            .map(|((_, file), ancestor)| {
                (
                    self.runtimes.contains(file),
                    is_clone_name(name_of(&ancestor.exe)),
                )
            })
            .find(|(_, clone)| !clone)
            .is_some_and(|(runtime, _)| runtime)
    }
}

fn name_of(path: &str) -> &str {
    // The memfd's own name may hold slashes: `memfd:runc_cloned:/proc/self/exe`.
    path.find("memfd:").map_or_else(
        || path.rsplit('/').next().unwrap_or(path),
        |at| path.get(at..).unwrap_or(path),
    )
}

fn is_clone_name(name: &str) -> bool {
    CLONE_NAMES.iter().any(|clone| name.starts_with(clone))
}
