//! Which container a cgroup is.
//!
//! A cgroup's name says which container it claims to be; the engine says which containers there are.
//! Only together they make an identity that is `confirmed`: a cgroup that bears a container's name
//! while another already does is an impostor or a leftover, and stays `inferred`.

use std::collections::HashMap;
use std::time::Duration;

use hullwatch_common::{CGROUP_NAME_MAX, CONTAINER_ID_LEN, container_id_at};

use crate::model::{CgroupId, Container, ContainerId, ContainerRef, EngineKind, Identity, Time};

/// Containers remembered after their end, for events still on their way.
const KEEP: Duration = Duration::from_secs(60);
/// Cgroups and containers held at most.
const CAPACITY: usize = 32_768;

/// A container's outermost cgroup as it was first seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Birth {
    /// The cgroup.
    pub root: CgroupId,
    /// The container that its name claims.
    pub container: ContainerId,
}

#[derive(Debug)]
struct Entry {
    container: ContainerId,
    /// Whether the engine was asked in vain: it is another engine's container, or nobody's.
    given_up: bool,
    gone: Option<Time>,
}

/// What the engine says of a container.
#[derive(Debug)]
struct Known {
    reference: ContainerRef,
    /// Whether it told the settings too: a container that it is just starting is first told by name.
    complete: bool,
    gone: Option<Time>,
}

/// Cgroups of containers, and what the engine says of them.
#[derive(Debug, Default)]
pub struct ContainerTable {
    cgroups: HashMap<CgroupId, Entry>,
    /// The first living cgroup that bears each container's name.
    owners: HashMap<ContainerId, CgroupId>,
    known: HashMap<ContainerId, Known>,
}

impl ContainerTable {
    /// Notes a container's outermost cgroup. None where the last component of its path is no
    /// container's name, or the table is full.
    pub fn born(&mut self, root: CgroupId, path: &str) -> Option<Birth> {
        let container = container_in(path)?;
        if self.cgroups.len() >= CAPACITY {
            return None;
        }
        self.owners.entry(container.clone()).or_insert(root);
        self.cgroups.insert(
            root,
            Entry {
                container: container.clone(),
                given_up: false,
                gone: None,
            },
        );
        Some(Birth { root, container })
    }

    /// Notes that a container's outermost cgroup was removed.
    pub fn died(&mut self, root: CgroupId, at: Time) {
        let Some(entry) = self.cgroups.get_mut(&root) else {
            return;
        };
        entry.gone = Some(at);
        if self.owners.get(&entry.container) == Some(&root) {
            self.owners.remove(&entry.container);
        }
    }

    /// Notes what the engine says of a container.
    pub fn told(&mut self, facts: &Container) {
        if self.known.len() < CAPACITY || self.known.contains_key(&facts.id) {
            let reference = ContainerRef::from_container(facts, Identity::Confirmed);
            let complete = facts.privileged.is_some();
            self.known.insert(
                facts.id.clone(),
                Known {
                    reference,
                    complete,
                    gone: None,
                },
            );
        }
    }

    /// Notes that the engine removed a container.
    pub fn removed(&mut self, container: &ContainerId, at: Time) {
        if let Some(known) = self.known.get_mut(container) {
            known.gone = Some(at);
        }
    }

    /// Whether the engine may still tell of the container of this cgroup.
    #[must_use]
    pub fn awaits_name(&self, root: CgroupId) -> bool {
        let told = |entry: &Entry| {
            self.known
                .get(&entry.container)
                .is_some_and(|known| known.complete)
        };
        self.cgroups
            .get(&root)
            .is_some_and(|entry| !entry.given_up && !told(entry))
    }

    /// Notes that the engine was asked in vain about the container of this cgroup.
    pub fn give_up(&mut self, root: CgroupId) {
        if let Some(entry) = self.cgroups.get_mut(&root) {
            entry.given_up = true;
        }
    }

    /// Whether the cgroup is there, as far as is known.
    #[must_use]
    pub fn is_alive(&self, root: CgroupId) -> bool {
        self.cgroups.get(&root).is_some_and(|entry| entry.gone.is_none())
    }

    /// The living cgroup that bears a container's name.
    #[must_use]
    pub fn root(&self, container: &ContainerId) -> Option<CgroupId> {
        self.owners.get(container).copied()
    }

    /// The container that a cgroup claims to be.
    #[must_use]
    pub fn id(&self, root: CgroupId) -> Option<&ContainerId> {
        self.cgroups.get(&root).map(|entry| &entry.container)
    }

    /// The container of a cgroup, as an event carries it. `weak` where only a namespace ties the event
    /// to it.
    #[must_use]
    pub fn reference(&self, root: CgroupId, weak: bool) -> ContainerRef {
        let Some(entry) = self.cgroups.get(&root) else {
            return unknown();
        };
        let rightful = entry.gone.is_some() || self.owners.get(&entry.container) == Some(&root);
        match self.known.get(&entry.container) {
            Some(known) if rightful && !weak => known.reference.clone(),
            Some(known) => ContainerRef {
                identity: Identity::Inferred,
                ..known.reference.clone()
            },
            None => ContainerRef {
                id: Some(entry.container.clone()),
                identity: Identity::Inferred,
                ..unknown()
            },
        }
    }

    /// Forgets what has been gone for a while.
    pub fn forget(&mut self, now: Time) {
        let stays = |gone: Option<Time>| gone.is_none_or(|gone| now.since(gone) < KEEP);
        self.cgroups.retain(|_, entry| stays(entry.gone));
        self.known.retain(|_, known| stays(known.gone));
    }
}

fn unknown() -> ContainerRef {
    ContainerRef {
        id: None,
        name: None,
        image: None,
        privileged: None,
        engine: EngineKind::Unknown,
        identity: Identity::Unknown,
    }
}

/// The container id in the last component of a cgroup's path.
fn container_in(path: &str) -> Option<ContainerId> {
    let name = path.rsplit('/').next()?;
    let mut padded = [0; CGROUP_NAME_MAX];
    padded.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
    let at = container_id_at(&padded)?;
    name.get(at..at + CONTAINER_ID_LEN)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing;

    const ROOT: CgroupId = CgroupId(100);

    fn at(seconds: i128) -> Time {
        Time::from_unix_nanos(seconds * 1_000_000_000)
    }

    fn path(container: &Container) -> String {
        format!("/docker/{}", container.id)
    }

    #[test]
    fn a_name_alone_is_inferred_and_the_engine_confirms_it() {
        let container = testing::container("web");
        let mut table = ContainerTable::default();
        let birth = table.born(ROOT, &path(&container)).unwrap();
        assert_eq!(birth.container, container.id);
        assert_eq!(table.reference(ROOT, false).identity, Identity::Inferred);
        table.told(&container);
        let reference = table.reference(ROOT, false);
        assert_eq!(
            (reference.identity, reference.name.as_deref()),
            (Identity::Confirmed, Some("web"))
        );
        assert_eq!(table.reference(ROOT, true).identity, Identity::Inferred);
    }

    #[test]
    fn a_name_without_settings_is_waited_for_until_that_is_given_up() {
        let container = Container {
            privileged: None,
            ..testing::container("web")
        };
        let mut table = ContainerTable::default();
        table.born(ROOT, &path(&container));
        table.told(&container);
        assert!(table.awaits_name(ROOT));
        assert_eq!(table.reference(ROOT, false).identity, Identity::Confirmed);
        table.told(&testing::container("web"));
        assert!(!table.awaits_name(ROOT));
        table.born(CgroupId(200), &format!("/docker/{}", testing::id("other")));
        assert!(table.awaits_name(CgroupId(200)));
        table.give_up(CgroupId(200));
        assert!(!table.awaits_name(CgroupId(200)));
        assert!(
            !table.awaits_name(CgroupId(300)),
            "nobody's cgroup has no name to wait for"
        );
    }

    #[test]
    fn a_second_cgroup_of_the_same_name_is_not_confirmed() {
        let container = testing::container("web");
        let mut table = ContainerTable::default();
        table.told(&container);
        table.born(ROOT, &path(&container));
        table.born(
            CgroupId(200),
            &format!("/elsewhere/docker-{}.scope", container.id),
        );
        assert_eq!(table.reference(ROOT, false).identity, Identity::Confirmed);
        assert_eq!(table.reference(CgroupId(200), false).identity, Identity::Inferred);
    }

    #[test]
    fn a_restarted_container_is_confirmed_in_its_new_cgroup() {
        let container = testing::container("web");
        let mut table = ContainerTable::default();
        table.told(&container);
        table.born(ROOT, &path(&container));
        table.died(ROOT, at(2));
        table.born(CgroupId(200), &path(&container));
        assert_eq!(
            table.reference(CgroupId(200), false).identity,
            Identity::Confirmed
        );
        assert_eq!(table.reference(ROOT, false).identity, Identity::Confirmed);
    }

    #[test]
    fn the_dead_are_named_for_a_while_and_then_forgotten() {
        let container = testing::container("web");
        let mut table = ContainerTable::default();
        table.told(&container);
        table.born(ROOT, &path(&container));
        table.died(ROOT, at(2));
        table.removed(&container.id, at(2));
        table.forget(at(30));
        assert_eq!(table.reference(ROOT, false).identity, Identity::Confirmed);
        table.forget(at(90));
        assert_eq!(table.reference(ROOT, false).identity, Identity::Unknown);
        assert!(table.cgroups.is_empty() && table.known.is_empty() && table.owners.is_empty());
    }

    #[test]
    fn other_cgroups_are_nobodys() {
        let mut table = ContainerTable::default();
        assert_eq!(table.born(ROOT, "/system.slice/ssh.service"), None);
        assert_eq!(table.reference(ROOT, false).identity, Identity::Unknown);
    }
}
