//! Whose an audit record is: it names a process by its number, and the rest is looked up while that lives.

use std::collections::HashMap;
use std::time::Duration;

use super::scene::Scene;
use crate::model::{CgroupId, ContainerId, Exec, InodeId, Process, ProcessKey, Sighting, Time, What};
use crate::source::files::{Doer, container_of, doer, exe_file};
use crate::source::host;
use crate::source::kernel::{BootClock, RecentExec};

/// `/proc` tells when a process started in hundredths of a second, a record its time in thousandths.
const GRAIN_NANOS: u64 = 11_000_000;

/// Processes whose file is remembered; beyond, all are forgotten.
const EXECUTED_MAX: usize = 16_384;

/// How long a process that is gone answers for where its children are: its number may be another's then.
const ANSWERS_FOR: Duration = Duration::from_secs(2);

/// What processes run, and where, by the records of execs: records come in order, so this is how it was at the record at
/// hand, when the process itself may have gone on to another, or be gone. The runtime is told by it from what it starts.
#[derive(Debug, Default)]
pub(super) struct Executed {
    last: HashMap<u32, Last>,
}

/// A process at its last exec.
#[derive(Clone, Copy, Debug)]
struct Last {
    file: InodeId,
    /// Where that was seen to be, and when.
    seen: Option<(Spot, Time)>,
}

/// Where a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spot {
    Host,
    Container(CgroupId),
}

impl Executed {
    fn note(&mut self, pid: u32, file: InodeId) {
        if self.last.len() >= EXECUTED_MAX {
            self.last.clear();
        }
        self.last.insert(pid, Last { file, seen: None });
    }

    /// Notes where a process was seen to be.
    fn seen(&mut self, pid: u32, spot: Spot, at: Time) {
        if let Some(last) = self.last.get_mut(&pid) {
            last.seen = Some((spot, at));
        }
    }

    fn file(&self, pid: u32) -> Option<InodeId> {
        self.last.get(&pid).map(|last| last.file)
    }

    /// Where a process was a moment ago.
    fn spot(&self, pid: u32, now: Time) -> Option<Spot> {
        let (spot, at) = self.last.get(&pid)?.seen?;
        (now.since(at) < ANSWERS_FOR).then_some(spot)
    }
}

/// What was found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Process and container are filled in.
    Known,
    /// Nothing that a probe would have told.
    Indifferent,
    /// The process is gone, and nothing says where it was.
    Unknown,
}

impl Scene {
    /// Fills in the process and its container.
    pub(super) fn place(&mut self, sighting: &mut Sighting) -> Place {
        let (pid, at) = (sighting.process.pid, sighting.time);
        let place = self.find(sighting);
        if let What::Exec(exec) = &sighting.what
            && has_name(exec)
            && place != Place::Unknown
        {
            let spot = sighting.container.map_or(Spot::Host, Spot::Container);
            self.executed.seen(pid, spot, at);
        }
        place
    }

    fn find(&mut self, sighting: &mut Sighting) -> Place {
        let pid = sighting.process.pid;
        let parent = sighting.process.ancestors.first().map(|parent| parent.pid);
        if let What::Exec(_) = sighting.what {
            self.executed.note(pid, sighting.exe);
        }
        // We look into the namespaces of containers ourselves.
        if pid == std::process::id() || self.is_indifferent(&sighting.what, pid) {
            return Place::Indifferent;
        }
        let found = doer(pid).filter(|found| found.exe.is_some() && was_there(&found.process, sighting.time));
        let Some(found) = found else {
            return self.place_by_others(sighting);
        };
        let place = self.settle(sighting, found.container.as_ref(), pid);
        complete(sighting, found, &self.executed);
        self.tell_file(sighting, parent);
        place
    }

    /// The file that a process ran when it called: its own, else that of the parent it was forked from.
    fn tell_file(&self, sighting: &mut Sighting, parent: Option<u32>) {
        if let What::Exec(_) = sighting.what {
            return;
        }
        let known = self.executed.file(sighting.process.pid);
        let file = known.or_else(|| {
            let unknown = sighting.exe == InodeId::default();
            parent.filter(|_| unknown).and_then(|pid| self.file_of(pid))
        });
        if let Some(file) = file {
            sighting.exe = file;
        }
    }

    fn file_of(&self, pid: u32) -> Option<InodeId> {
        let recent = || self.recent(pid).map(|recent| recent.exe);
        self.executed.file(pid).or_else(recent).or_else(|| exe_file(pid))
    }

    /// Ordinary programs on the host, and connections to other sockets: a host may record each of them.
    fn is_indifferent(&self, what: &What, pid: u32) -> bool {
        match what {
            What::Exec(exec) => !is_privileged(exec) && container_of(pid) == Some(None),
            What::Connect { connect, inode, .. } => !self.may_be_runtime(*inode, &connect.socket.path),
            _ => false,
        }
    }

    /// Of a process that is gone: what the probe of execs has kept, else where its parent is.
    fn place_by_others(&mut self, sighting: &mut Sighting) -> Place {
        // What it has executed since is no word of it.
        let same = |recent: &RecentExec| recent.process.exe_name() == sighting.process.exe_name();
        if let Some(recent) = self.recent(sighting.process.pid).filter(same) {
            sighting.container = recent.container;
            sighting.exe = recent.exe;
            sighting.process = recent.process;
            return Place::Known;
        }
        let parent_pid = sighting.process.ancestors.first().map(|parent| parent.pid);
        self.tell_file(sighting, parent_pid);
        let parent = parent_pid.and_then(doer);
        if let Some(found) = &parent {
            let file = self.executed.file(found.process.pid).or(found.exe);
            sighting.ancestors = vec![(found.process.key(), file.unwrap_or_default())];
        }
        match parent {
            // A runtime's child may be in a container already.
            Some(parent) if parent.container.is_some() => {
                sighting.by_namespace = true;
                sighting.process.namespaces = host::namespaces_of(parent.process.pid).unwrap_or_default();
                self.settle(sighting, parent.container.as_ref(), parent.process.pid)
            }
            Some(parent) if !parent.exe.is_some_and(|exe| self.is_runtime_file(exe)) => {
                self.settle(sighting, None, parent.process.pid)
            }
            Some(_runtime) => Place::Unknown,
            None => self.place_by_the_dead(sighting, parent_pid),
        }
    }

    /// Of a process that is gone, as its parent is: where that was a moment ago. A runtime's child may be anywhere.
    fn place_by_the_dead(&self, sighting: &mut Sighting, parent: Option<u32>) -> Place {
        let of_program = |pid: &u32| {
            let file = self.executed.file(*pid);
            file.is_some_and(|file| !self.is_runtime_file(file))
        };
        let spot = parent
            .filter(of_program)
            .and_then(|pid| self.executed.spot(pid, sighting.time));
        match (spot, &sighting.what) {
            (None, _) => Place::Unknown,
            (Some(Spot::Host), What::Exec(exec)) if !is_privileged(exec) => Place::Indifferent,
            (Some(Spot::Host), _) => Place::Known,
            (Some(Spot::Container(root)), _) => {
                sighting.container = Some(root);
                sighting.by_namespace = true;
                Place::Known
            }
        }
    }

    /// Into the container, if any, that this process is in.
    fn settle(&mut self, sighting: &mut Sighting, container: Option<&ContainerId>, pid: u32) -> Place {
        sighting.container = container.and_then(|id| self.root_of(id, pid));
        match (&sighting.what, sighting.container, container) {
            (_, None, Some(_)) => Place::Unknown,
            (What::Exec(exec), None, None) if !is_privileged(exec) => Place::Indifferent,
            _ => Place::Known,
        }
    }
}

const fn is_privileged(exec: &Exec) -> bool {
    exec.file.setuid || exec.file.setgid || matches!(exec.file.file_caps, Some(true)) || exec.gained.any()
}

/// The runtime's copy of itself has none, and its children may be anywhere.
fn has_name(exec: &Exec) -> bool {
    !exec.file.unlinked && exec.file.path != "/"
}

/// Whether the process had started when something happened: its number may be another's by now.
fn was_there(process: &Process, at: Time) -> bool {
    let started = BootClock::now().time(process.start_time.saturating_sub(GRAIN_NANOS));
    started <= at
}

fn complete(sighting: &mut Sighting, found: Doer, executed: &Executed) {
    let Sighting { process, exe, .. } = sighting;
    let same_file = found.exe.is_some_and(|file| file == *exe);
    // It may have executed another program since: then that one's arguments and capabilities say nothing of it.
    // The root of a mount that is nowhere, as that of the runtime's own copy, is no name.
    let same_path = found.process.exe == process.exe && process.exe != "/";
    if same_file || same_path {
        take_over(process, &found.process, matches!(sighting.what, What::Exec(_)));
        *exe = found.exe.unwrap_or_default();
    }
    process.start_time = found.process.start_time;
    process.namespaces = host::namespaces_of(process.pid).unwrap_or_default();
    process.cgroup = sighting.container.unwrap_or(CgroupId(0));
    // The parent at the call may be gone meanwhile, and the process another's child.
    let then = std::mem::replace(&mut process.ancestors, found.process.ancestors);
    let now = process.ancestors.first().map(|parent| parent.pid);
    let gone = then.into_iter().next().filter(|parent| Some(parent.pid) != now);
    let gone = gone.filter(|parent| executed.file(parent.pid).is_some());
    process.ancestors.splice(0..0, gone);
    let ancestors = process.ancestors.iter().map(|ancestor| {
        let key = ProcessKey {
            pid: ancestor.pid,
            start_time: ancestor.start_time,
        };
        let file = executed.file(ancestor.pid).or_else(|| exe_file(ancestor.pid));
        (key, file.unwrap_or_default())
    });
    sighting.ancestors = ancestors.collect();
    let parent = process
        .ancestors
        .first()
        .and_then(|parent| container_of(parent.pid));
    if let What::Exec(exec) = &mut sighting.what {
        exec.entry = found.container.is_some() && parent != Some(found.container);
    }
}

/// What of a process stays as it is while it runs one program. A record of an exec has its arguments whole, others a title
/// that is cut off.
fn take_over(process: &mut Process, now: &Process, is_exec: bool) {
    if !is_exec {
        process.args.clone_from(&now.args);
        process.args_truncated = now.args_truncated;
    }
    // What the kernel told of an exec is truer: a program may have given capabilities up since.
    if process.caps_permitted.is_empty() {
        process.caps_effective = now.caps_effective;
        process.caps_permitted = now.caps_permitted;
    }
    process.caps_bounding = now.caps_bounding;
    process.no_new_privs = now.no_new_privs;
    process.seccomp = now.seccomp;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::{at, exec};
    use crate::model::{AncestorRef, CapSet, Event, Seccomp};
    use crate::pipeline::sight::Maps;

    /// Numbers that no process has.
    const GONE: u32 = 1 << 30;
    const PARENT: u32 = GONE + 1;
    const ROOT: CgroupId = CgroupId(77);

    /// Where a program is placed that is gone, as is its parent, which was seen there and then.
    #[track_caller]
    fn check_dead(parent: Option<(Spot, u64)>, privileged: bool, expect: (Place, Option<CgroupId>)) {
        let mut scene = Scene::new(Maps::Nobody, Vec::new(), 0, false).unwrap();
        if let Some((spot, millis)) = parent {
            scene.executed.note(PARENT, InodeId { dev: 1, ino: 3 });
            scene.executed.seen(PARENT, spot, at(millis));
        }
        let (mut sighting, _) = own();
        sighting.time = at(100_000);
        sighting.process.pid = GONE;
        sighting.process.ancestors = vec![AncestorRef {
            pid: PARENT,
            comm: "sh".to_owned(),
            exe: "/bin/sh".to_owned(),
            start_time: 0,
        }];
        if let What::Exec(exec) = &mut sighting.what {
            exec.file.setuid = privileged;
        }
        assert_eq!((scene.place(&mut sighting), sighting.container), expect);
    }

    #[test]
    fn the_dead_are_where_their_parent_was_a_moment_ago() {
        check_dead(Some((Spot::Host, 99_000)), false, (Place::Indifferent, None));
        check_dead(Some((Spot::Host, 99_000)), true, (Place::Known, None));
        let container = Some((Spot::Container(ROOT), 99_000));
        check_dead(container, false, (Place::Known, Some(ROOT)));
        // Its number may be another's by now.
        check_dead(Some((Spot::Host, 90_000)), false, (Place::Unknown, None));
        check_dead(None, true, (Place::Unknown, None));
    }

    /// This very process, as a record names it.
    fn own() -> (Sighting, Doer) {
        let observation = exec(0, "web", std::process::id(), &["/bin/true", "now"]);
        let Event::Exec(exec) = observation.event else {
            panic!("an exec")
        };
        let sighting = Sighting {
            time: at(0),
            container: None,
            by_namespace: false,
            process: observation.process.unwrap(),
            exe: InodeId { dev: 1, ino: 2 },
            ancestors: Vec::new(),
            what: What::Exec(exec),
        };
        (sighting, doer(std::process::id()).unwrap())
    }

    #[test]
    fn what_runs_still_is_told_by_proc() {
        let (mut sighting, found) = own();
        sighting.exe = found.exe.unwrap();
        sighting.process.caps_permitted = CapSet::EMPTY;
        complete(&mut sighting, found.clone(), &Executed::default());
        let Sighting { process, .. } = &sighting;
        assert_eq!(process.args, ["/bin/true", "now"], "the record has them whole");
        assert_eq!(process.caps_permitted, found.process.caps_permitted);
        assert_eq!(process.start_time, found.process.start_time);
        assert!(process.namespaces.mnt > 0 && process.namespaces.user > 0);
        assert_eq!(sighting.ancestors.len(), process.ancestors.len());
    }

    #[test]
    fn of_a_program_that_has_given_way_to_another_only_the_process_is_known() {
        let (mut sighting, mut found) = own();
        found.process.caps_permitted = CapSet(1 << 21);
        found.process.seccomp = Seccomp::Strict;
        let (exe, before) = (sighting.exe, sighting.process.clone());
        complete(&mut sighting, found.clone(), &Executed::default());
        let Sighting { process, .. } = &sighting;
        assert_eq!(
            (process.caps_permitted, process.seccomp, sighting.exe),
            (before.caps_permitted, before.seccomp, exe)
        );
        assert_eq!(process.start_time, found.process.start_time);
    }

    #[test]
    fn a_process_that_began_after_the_event_is_another() {
        let (_, found) = own();
        assert!(was_there(&found.process, Time::now()));
        assert!(!was_there(&found.process, at(0)));
    }
}
