//! What of the trail matters to who listens.

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};

use super::assemble::AuditEvent;
use super::fact::Facts;
use super::observe::{device, is_change, named_call};
use super::record::{Record, kind};
use crate::model::{Fact, Object};

/// An inode with its device, major and minor number.
type Inode = (u64, (u32, u32));

/// Which events are wanted. Changes of the trail itself always are.
#[derive(Debug, Default)]
pub struct Interest {
    facts: Facts,
    everything: bool,
    /// Watched objects, and the directories that hold them.
    inodes: RwLock<HashSet<Inode>>,
}

impl Interest {
    /// In events that carry one of these facts, and in those on watched objects; or in everything.
    #[must_use]
    pub fn new(facts: Facts, everything: bool) -> Self {
        Self {
            facts,
            everything,
            inodes: RwLock::default(),
        }
    }

    /// The facts.
    #[must_use]
    pub const fn facts(&self) -> Facts {
        self.facts
    }

    /// Watches exactly these objects from now on.
    pub fn watch(&self, objects: &[Object]) {
        let mut inodes = HashSet::new();
        for object in objects {
            if let Fact::Known(Some(state)) = &object.state {
                inodes.extend(inode(state.ino, &state.dev));
                let parents = state.parents.iter();
                inodes.extend(parents.filter_map(|entry| inode(entry.ino, &entry.dev)));
            }
        }
        *self.inodes.write().unwrap_or_else(PoisonError::into_inner) = inodes;
    }

    /// Whether processes are looked at, which are gone in a moment.
    pub(super) const fn is_urgent(&self) -> bool {
        self.facts.exec || self.facts.connect || self.facts.mount
    }

    /// Whether what an event tells of objects is wanted.
    pub(super) fn is_in_objects_of(&self, event: &AuditEvent) -> bool {
        self.everything || self.is_on_watched(event)
    }

    /// Whether anything that an event tells is wanted.
    pub(super) fn concerns(&self, event: &AuditEvent) -> bool {
        if self.everything || event.records.iter().any(|record| is_change(record.kind)) {
            return true;
        }
        let Some(call) = event.record(kind::SYSCALL) else {
            return false;
        };
        let is_fact = || named_call(call).is_some_and(|name| self.facts.may_have(name));
        (self.is_urgent() && is_fact()) || self.is_on_watched(event)
    }

    fn is_on_watched(&self, event: &AuditEvent) -> bool {
        let inodes = self.inodes.read().unwrap_or_else(PoisonError::into_inner);
        let is_watched = |path: &Record| {
            let inode = path.number("inode").zip(device(path));
            inode.is_some_and(|inode| inodes.contains(&inode))
        };
        !inodes.is_empty() && event.records_of(kind::PATH).any(is_watched)
    }
}

fn inode(ino: u64, dev: &str) -> Option<Inode> {
    let (major, minor) = dev.split_once(':')?;
    Some((ino, (major.parse().ok()?, minor.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::model::{DirEntry, ObjectState, Role};
    use crate::source::audit::Assembler;

    const CHMOD: &str = "arch=c000003e syscall=90 success=yes exit=0 pid=7 key=\"k\"";
    const EXEC: &str = "arch=c000003e syscall=59 success=yes exit=0 pid=7 key=(null)";
    const ITEM: &str = "item=0 name=\"/x\" inode=12 dev=fe:01 nametype=NORMAL";
    const NONE: Facts = Facts {
        exec: false,
        connect: false,
        mount: false,
    };

    fn event(records: &[(u16, &str)]) -> AuditEvent {
        let mut assembler = Assembler::default();
        let now = Instant::now();
        let last = (kind::EOE, "");
        let mut events = records.iter().chain([&last]).filter_map(|(kind, body)| {
            let record = Record::parse(*kind, format!("audit(1.2:3): {body}").as_bytes());
            assembler.push(record.unwrap(), now)
        });
        events.next().unwrap()
    }

    fn object(ino: u64, parent: u64) -> Object {
        let entry = DirEntry {
            ino: parent,
            dev: "254:1".to_owned(),
            ..DirEntry::default()
        };
        Object {
            role: Role::ConfigFile,
            path: "/x".to_owned(),
            state: Fact::Known(Some(ObjectState {
                ino,
                dev: "254:1".to_owned(),
                parents: vec![entry],
                ..ObjectState::default()
            })),
        }
    }

    #[track_caller]
    fn check(facts: Facts, watched: &[Object], records: &[(u16, &str)], expect: bool) {
        let interest = Interest::new(facts, false);
        interest.watch(watched);
        let event = event(records);
        assert_eq!(interest.concerns(&event), expect);
        assert!(Interest::new(NONE, true).concerns(&event));
    }

    #[test]
    fn events_on_watched_objects_and_in_their_directories_matter() {
        let records = [(kind::SYSCALL, CHMOD), (kind::PATH, ITEM)];
        check(NONE, &[], &records, false);
        check(NONE, &[object(12, 2)], &records, true);
        check(NONE, &[object(2, 12)], &records, true);
        check(NONE, &[object(13, 2)], &records, false);
        let elsewhere = ITEM.replace("fe:01", "fe:02");
        let records = [(kind::SYSCALL, CHMOD), (kind::PATH, elsewhere.as_str())];
        check(NONE, &[object(12, 2)], &records, false);
    }

    #[test]
    fn changes_of_the_trail_always_matter_and_messages_of_programs_never() {
        let change = "op=remove_rule key=\"k\" list=4 res=1";
        check(NONE, &[], &[(kind::CONFIG_CHANGE, change)], true);
        check(
            NONE,
            &[],
            &[(kind::CONFIG_CHANGE, change), (kind::SYSCALL, CHMOD)],
            true,
        );
        check(NONE, &[object(12, 2)], &[(1112, "op=login res=success")], false);
    }

    #[test]
    fn facts_matter_where_they_are_asked_for() {
        let exec = Facts { exec: true, ..NONE };
        check(exec, &[], &[(kind::SYSCALL, EXEC)], true);
        check(exec, &[], &[(kind::SYSCALL, CHMOD)], false);
        let mount = Facts { mount: true, ..NONE };
        check(mount, &[], &[(kind::SYSCALL, EXEC)], false);
        check(NONE, &[], &[(kind::SYSCALL, EXEC)], false);
    }
}
