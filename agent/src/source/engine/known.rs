//! What the engine last said, for when it says no more.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::model::{Container, ContainerId, ExecSession};

/// Most containers remembered.
pub(super) const MAX_CONTAINERS: usize = 16_384;
/// Most exec sessions remembered; the oldest go first.
const MAX_SESSIONS: usize = 4_096;
/// Removed containers remembered, so that none is removed twice.
const MAX_GONE: usize = 1_024;

/// Last-known facts. Bounded: what does not fit is not remembered.
#[derive(Debug, Default)]
pub(super) struct Known {
    containers: HashMap<ContainerId, Entry>,
    sessions: HashMap<String, ExecSession>,
    session_order: VecDeque<String>,
    gone: VecDeque<ContainerId>,
    unread: HashSet<ContainerId>,
    round: u64,
}

#[derive(Debug)]
struct Entry {
    facts: Container,
    round: u64,
    inspected: bool,
}

impl Known {
    /// Begins a new round: nothing is fresh until it is told again.
    pub(super) fn begin_round(&mut self) {
        self.round += 1;
    }

    /// Remembers what an inspection told (`inspected`), or as much as an event did. False where there is no room.
    pub(super) fn put(&mut self, facts: &Container, inspected: bool) -> bool {
        if self.is_full() && !self.containers.contains_key(&facts.id) {
            return false;
        }
        self.gone.retain(|gone| *gone != facts.id);
        self.unread.remove(&facts.id);
        let entry = Entry {
            facts: facts.clone(),
            round: self.round,
            inspected,
        };
        self.containers.insert(facts.id.clone(), entry);
        true
    }

    /// Remembers that a container exists which could not be inspected.
    pub(super) fn put_unread(&mut self, id: &ContainerId) {
        match self.containers.get_mut(id) {
            Some(entry) => entry.inspected = false,
            None if self.unread.len() < MAX_CONTAINERS => {
                self.unread.insert(id.clone());
            }
            None => {}
        }
    }

    /// Last-known facts.
    pub(super) fn get(&self, id: &ContainerId) -> Option<&Container> {
        self.containers.get(id).map(|entry| &entry.facts)
    }

    /// Whether the container was inspected in this round.
    pub(super) fn is_fresh(&self, id: &ContainerId) -> bool {
        self.containers
            .get(id)
            .is_some_and(|entry| entry.inspected && entry.round == self.round)
    }

    /// Whether the container is known to exist and what it is is not.
    pub(super) fn is_unread(&self, id: &ContainerId) -> bool {
        self.containers
            .get(id)
            .map_or_else(|| self.unread.contains(id), |entry| !entry.inspected)
    }

    /// Whether another container would not be remembered.
    pub(super) fn is_full(&self) -> bool {
        self.containers.len() >= MAX_CONTAINERS
    }

    /// Forgets a container and its sessions; gives its last-known facts.
    pub(super) fn remove(&mut self, id: &ContainerId) -> Option<Container> {
        self.unread.remove(id);
        self.sessions.retain(|_, session| session.container != *id);
        self.session_order.retain(|name| self.sessions.contains_key(name));
        if !self.gone.contains(id) {
            if self.gone.len() >= MAX_GONE {
                self.gone.pop_front();
            }
            self.gone.push_back(id.clone());
        }
        self.containers.remove(id).map(|entry| entry.facts)
    }

    /// Whether the container's removal was told already.
    pub(super) fn is_gone(&self, id: &ContainerId) -> bool {
        self.gone.contains(id)
    }

    /// Known containers that are not in this list.
    pub(super) fn missing_from(&self, list: &HashSet<ContainerId>) -> Vec<ContainerId> {
        let mut missing: Vec<_> = self
            .containers
            .keys()
            .filter(|id| !list.contains(*id))
            .cloned()
            .collect();
        missing.sort();
        missing
    }

    /// Remembers a session; gives whether it says anything new.
    pub(super) fn put_session(&mut self, session: &ExecSession) -> bool {
        match self.sessions.insert(session.id.clone(), session.clone()) {
            Some(before) => before != *session,
            None => {
                self.session_order.push_back(session.id.clone());
                if self.session_order.len() > MAX_SESSIONS
                    && let Some(oldest) = self.session_order.pop_front()
                {
                    self.sessions.remove(&oldest);
                }
                true
            }
        }
    }

    /// Whether anything was told of the session.
    pub(super) fn has_session(&self, session: &str) -> bool {
        self.sessions.contains_key(session)
    }

    /// Forgets a session that is over.
    pub(super) fn remove_session(&mut self, session: &str) {
        if self.sessions.remove(session).is_some() {
            self.session_order.retain(|name| name != session);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::engine::testing::{facts, id};

    fn session(name: &str, container: &ContainerId) -> ExecSession {
        ExecSession {
            id: name.into(),
            container: container.clone(),
            privileged: Some(false),
            user: None,
            command: Vec::new(),
            pid: None,
        }
    }

    #[test]
    fn facts_are_fresh_only_in_the_round_of_their_inspection() {
        let mut known = Known::default();
        assert!(known.put(&facts(&id(1)), true) && known.put(&facts(&id(2)), false));
        assert!(known.is_fresh(&id(1)) && !known.is_fresh(&id(2)));
        known.begin_round();
        assert!(!known.is_fresh(&id(1)) && known.get(&id(1)).is_some());
        assert_eq!(known.missing_from(&HashSet::from([id(1)])), [id(2)]);
    }

    #[test]
    fn a_container_is_unread_until_it_is_inspected() {
        let mut known = Known::default();
        known.put(&facts(&id(1)), true);
        for number in [1, 2] {
            known.put_unread(&id(number));
            assert!(known.is_unread(&id(number)) && !known.is_fresh(&id(number)));
            known.put(&facts(&id(number)), true);
            assert!(!known.is_unread(&id(number)));
        }
        known.put_unread(&id(3));
        known.remove(&id(3));
        assert!(!known.is_unread(&id(3)));
    }

    #[test]
    fn with_a_container_go_its_sessions_and_its_return_is_news() {
        let mut known = Known::default();
        known.put(&facts(&id(1)), true);
        known.put_session(&session("a", &id(1)));
        known.put_session(&session("b", &id(2)));
        assert!(known.remove(&id(1)).is_some() && known.is_gone(&id(1)));
        assert!(!known.has_session("a") && known.has_session("b"));
        assert!(known.remove(&id(1)).is_none());
        known.put(&facts(&id(1)), true);
        assert!(!known.is_gone(&id(1)));
    }

    #[test]
    fn nothing_grows_without_bound() {
        let mut known = Known::default();
        for number in 0..MAX_CONTAINERS {
            assert!(known.put(&facts(&id(number)), true));
        }
        assert!(!known.put(&facts(&id(MAX_CONTAINERS)), true) && known.put(&facts(&id(0)), true));
        for number in 0..=MAX_SESSIONS {
            known.put_session(&session(&number.to_string(), &id(0)));
        }
        assert!(!known.has_session("0") && known.has_session(&MAX_SESSIONS.to_string()));
        assert_eq!(known.sessions.len(), MAX_SESSIONS);
        for number in 0..=MAX_GONE {
            known.remove(&id(number));
        }
        assert!(!known.is_gone(&id(0)) && known.gone.len() == MAX_GONE);
    }

    #[test]
    fn a_session_told_again_is_no_news_until_it_changes() {
        let mut known = Known::default();
        let made = session("a", &id(1));
        assert!(known.put_session(&made) && !known.put_session(&made));
        let started = ExecSession { pid: Some(7), ..made };
        assert!(known.put_session(&started));
        known.remove_session("a");
        assert!(!known.has_session("a") && known.session_order.is_empty());
    }
}
