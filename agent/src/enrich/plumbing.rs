//! The runtime itself at work.
//!
//! Before a container's program runs, runc is in its cgroup and namespaces with every capability,
//! mounts its file systems, and copies itself to a memfd to be safe from what it starts. None of that
//! breaks anything. It is told from a program of the container that pretends to be runc by what cannot
//! be pretended: the inode of the executable on the host, a parent that is the runtime too, and never
//! having run a program of the container.

use std::collections::{HashMap, HashSet};

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use super::bounded::Bounded;
use crate::model::{CgroupId, InodeId, ProcessKey, Sighting, What};

/// Processes of one container remembered at most.
const PAYLOAD_MAX: usize = 65_536;
/// With so many, those that have ended are forgotten for the first time.
const PRUNE_FROM: usize = 1024;
/// Executables of runtimes that are remembered.
const RUNTIMES_MAX: usize = 4096;
/// Processes that only bear a runtime's name and are remembered.
const STRANGERS_MAX: usize = 1024;
/// How runc and crun name the memfd that they copy themselves to.
const CLONE_NAMES: [&str; 3] = ["memfd:runc_cloned", "memfd:crun_cloned", "runc_cloned"];

/// Processes that ran a program of one container.
#[derive(Debug)]
struct Payload {
    processes: HashSet<ProcessKey>,
    /// With so many, those that have ended are forgotten.
    prune_at: usize,
}

impl Default for Payload {
    fn default() -> Self {
        Self {
            processes: HashSet::new(),
            prune_at: PRUNE_FROM,
        }
    }
}

impl Payload {
    /// Remembers a process; a container that runs a health check every second for a year is no reason to
    /// remember them all.
    fn insert(&mut self, key: ProcessKey) {
        if self.processes.len() >= self.prune_at {
            self.processes.retain(|process| is_alive(process.pid));
            self.prune_at = PRUNE_FROM.max(self.processes.len() * 2);
        }
        if self.processes.len() < PAYLOAD_MAX {
            self.processes.insert(key);
        }
    }
}

/// Whether a process of this id exists; another that has the id by now costs a place, no more.
fn is_alive(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| test_kill_process(pid) != Err(Errno::SRCH))
}

/// Tells the runtime from what it runs.
#[derive(Debug)]
pub struct Plumbing {
    runtimes: HashSet<InodeId>,
    payload: HashMap<CgroupId, Payload>,
    strangers: Bounded<ProcessKey, ()>,
}

impl Default for Plumbing {
    fn default() -> Self {
        Self {
            runtimes: HashSet::new(),
            payload: HashMap::new(),
            strangers: Bounded::new(STRANGERS_MAX),
        }
    }
}

impl Plumbing {
    /// Adds executables of runtimes. Those known stay: an upgrade replaces a shim's file, and shims of
    /// before go on until their containers end.
    pub fn add_runtimes(&mut self, runtimes: impl IntoIterator<Item = InodeId>) {
        for runtime in runtimes {
            if self.runtimes.len() < RUNTIMES_MAX {
                self.runtimes.insert(runtime);
            }
        }
    }

    /// The nearest ancestor that bears a runtime's name and whose file is not known, to be looked at before
    /// its child is judged: a runtime that was just upgraded, or is kept in an unusual place. None where the
    /// process was looked at before.
    pub fn stranger(&mut self, sighting: &Sighting, is_name: impl Fn(&str) -> bool) -> Option<u32> {
        sighting.container?;
        let ancestors = sighting.ancestors.iter().zip(&sighting.process.ancestors);
        let (key, pid) = ancestors
            .filter(|((_, file), ancestor)| !self.runtimes.contains(file) && is_name(name_of(&ancestor.exe)))
            .map(|((key, _), ancestor)| (*key, ancestor.pid))
            .next()?;
        if self.strangers.get(&key).is_some() {
            return None;
        }
        self.strangers.insert(key, ());
        Some(pid)
    }

    /// Whether the runtime itself did it. Remembers processes that ran a program of a container, and
    /// clears the `entry` of an exec whose process had run one before.
    pub fn judge(&mut self, sighting: &mut Sighting) -> bool {
        let key = sighting.process.key();
        let Some(root) = sighting.container else {
            return self.is_runtime(sighting);
        };
        let payload = &self.payload.entry(root).or_default().processes;
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
            self.payload.entry(root).or_default().insert(key);
        }
        plumbing
    }

    /// Whether this is a runtime's executable.
    #[must_use]
    pub fn is_runtime_file(&self, file: InodeId) -> bool {
        self.runtimes.contains(&file)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::{at, exec};
    use crate::model::{AncestorRef, Event, Exec, Process};

    const ROOT: CgroupId = CgroupId(7);
    const RUNC: InodeId = InodeId { dev: 1, ino: 10 };
    const SHIM: InodeId = InodeId { dev: 1, ino: 11 };
    const SHELL: InodeId = InodeId { dev: 2, ino: 20 };
    const MEMFD: InodeId = InodeId { dev: 3, ino: 30 };
    const CLONE: &str = "/memfd:runc_cloned:/proc/self/exe";

    fn table() -> Plumbing {
        let mut plumbing = Plumbing::default();
        plumbing.add_runtimes([RUNC, SHIM]);
        plumbing
    }

    fn parts() -> (Exec, Process) {
        let observation = exec(0, "web", 42, &["/bin/sh"]);
        let Event::Exec(exec) = observation.event else {
            panic!("an exec")
        };
        (Exec { entry: true, ..exec }, observation.process.unwrap())
    }

    /// An exec in the container: pid, the file, and the parent's pid, file and name.
    fn run(pid: u32, file: InodeId, path: &str, parent: (u32, InodeId, &str)) -> Sighting {
        let (mut exec, mut process) = parts();
        exec.file.path = path.into();
        exec.file.unlinked = file == MEMFD;
        process.pid = pid;
        let (parent_pid, parent_file, name) = parent;
        let key = ProcessKey {
            pid: parent_pid,
            start_time: 1,
        };
        process.start_time = 1;
        process.ancestors = vec![AncestorRef {
            pid: parent_pid,
            comm: name.into(),
            exe: name.into(),
            start_time: 1,
        }];
        Sighting {
            time: at(0),
            container: Some(ROOT),
            by_namespace: false,
            process,
            exe: file,
            ancestors: vec![(key, parent_file)],
            what: What::Exec(exec),
        }
    }

    fn is_entry(sighting: &Sighting) -> bool {
        matches!(&sighting.what, What::Exec(exec) if exec.entry)
    }

    #[test]
    fn runc_that_copies_itself_is_the_runtime_and_what_it_starts_is_not() {
        let mut plumbing = table();
        assert!(plumbing.judge(&mut run(5, MEMFD, CLONE, (4, RUNC, "runc"))));
        let mut payload = run(5, SHELL, "/bin/sh", (3, SHIM, "containerd-shim"));
        assert!(!plumbing.judge(&mut payload));
        assert!(is_entry(&payload));
    }

    #[test]
    fn a_program_of_the_container_that_pretends_to_be_runc_is_not() {
        let mut plumbing = table();
        plumbing.judge(&mut run(5, SHELL, "/bin/sh", (3, SHIM, "containerd-shim")));
        let mut pretender = run(5, MEMFD, CLONE, (3, SHIM, "containerd-shim"));
        assert!(
            !plumbing.judge(&mut pretender),
            "it ran a program of the container before"
        );
        assert!(!is_entry(&pretender), "it is in the container already");
        assert!(
            !plumbing.judge(&mut run(6, MEMFD, CLONE, (5, SHELL, "sh"))),
            "its parent is no runtime"
        );
        assert!(
            !plumbing.judge(&mut run(7, RUNC, "/host/runc", (5, SHELL, "sh"))),
            "nor is the host's own runc"
        );
    }

    #[test]
    fn on_the_host_the_runtime_is_known_by_its_file() {
        let mut plumbing = table();
        let on_host = |file| Sighting {
            container: None,
            ..run(5, file, "/usr/bin/x", (1, SHELL, "systemd"))
        };
        assert!(plumbing.judge(&mut on_host(RUNC)));
        assert!(!plumbing.judge(&mut on_host(SHELL)));
    }

    #[test]
    fn a_runtime_of_another_file_is_looked_at_once() {
        const OTHER: InodeId = InodeId { dev: 1, ino: 12 };
        let mut plumbing = table();
        let is_name = |name: &str| name == "runc";
        let by = |pid, file, name| run(5, MEMFD, CLONE, (pid, file, name));
        let mut look = |pid, file, name| plumbing.stranger(&by(pid, file, name), is_name);
        assert_eq!(look(4, RUNC, "runc"), None, "known");
        assert_eq!(look(4, SHELL, "sh"), None, "called otherwise");
        assert_eq!(look(4, OTHER, "/opt/bin/runc"), Some(4));
        assert_eq!(look(4, OTHER, "/opt/bin/runc"), None, "looked at");
        assert_eq!(
            look(6, OTHER, "/opt/bin/runc"),
            Some(6),
            "the first may have been gone"
        );
        plumbing.add_runtimes([OTHER]);
        assert!(plumbing.judge(&mut by(7, OTHER, "runc")));
        assert!(plumbing.judge(&mut by(7, RUNC, "runc")), "those known stay");
    }

    #[test]
    fn processes_that_have_ended_are_not_kept_forever() {
        let key = |pid, start_time| ProcessKey { pid, start_time };
        let mut payload = Payload::default();
        let own = key(std::process::id(), 1);
        payload.insert(own);
        // No process has such an id: `pid_max` is at most 2^22.
        (0..100_000).for_each(|start| payload.insert(key(1 << 30, start)));
        assert!(payload.processes.contains(&own) && payload.processes.len() <= PRUNE_FROM);
        // With as many that live, it is not looked at each of them for each new one.
        (0..3_000).for_each(|start| payload.insert(key(std::process::id(), start)));
        assert!(payload.processes.len() >= 3_000 && payload.prune_at > 3_000);
    }

    #[test]
    fn a_container_that_is_gone_is_forgotten() {
        let mut plumbing = table();
        plumbing.judge(&mut run(5, SHELL, "/bin/sh", (3, SHIM, "containerd-shim")));
        plumbing.forget(ROOT);
        assert!(plumbing.payload.is_empty());
    }
}
