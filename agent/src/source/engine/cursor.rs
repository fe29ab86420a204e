//! How far the engine's events have been read.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use bollard::models::EventMessage;

/// Events remembered, to know them again when the engine repeats them.
const REMEMBERED: usize = 256;

/// The last event read. An engine that is asked for events since then repeats that one, and any of the same time.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    newest: Option<i64>,
    recent: VecDeque<u64>,
}

impl Cursor {
    /// What to ask for, as the engine reads it: seconds and nanoseconds since the epoch.
    pub(super) fn since(&self) -> Option<String> {
        let newest = self.newest?;
        let (seconds, nanos) = (newest.div_euclid(1_000_000_000), newest.rem_euclid(1_000_000_000));
        Some(format!("{seconds}.{nanos:09}"))
    }

    /// Starts from this time, nanoseconds since the epoch, where nothing was read yet.
    pub(super) fn begin(&mut self, nanos: i64) {
        self.newest.get_or_insert(nanos);
    }

    /// Forgets where it was: for an event that cannot be read and would be repeated for ever.
    pub(super) fn skip_to(&mut self, nanos: i64) {
        self.newest = Some(nanos);
    }

    /// Whether the event is new.
    pub(super) fn is_new(&mut self, event: &EventMessage) -> bool {
        let Some(nanos) = event.time_nano else { return true };
        let mark = mark(event);
        if self.recent.contains(&mark) {
            return false;
        }
        if self.recent.len() >= REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back(mark);
        self.newest = Some(self.newest.map_or(nanos, |newest| newest.max(nanos)));
        true
    }
}

fn mark(event: &EventMessage) -> u64 {
    let mut hasher = DefaultHasher::new();
    event.time_nano.hash(&mut hasher);
    event.action.hash(&mut hasher);
    let actor = event.actor.as_ref();
    actor.and_then(|actor| actor.id.as_ref()).hash(&mut hasher);
    let attributes = actor.and_then(|actor| actor.attributes.as_ref());
    // One network event differs from the next only in its container.
    attributes.and_then(|all| all.get("container")).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(nanos: Option<i64>, action: &str) -> EventMessage {
        EventMessage {
            action: Some(action.into()),
            time_nano: nanos,
            ..EventMessage::default()
        }
    }

    #[test]
    fn the_engine_is_asked_for_what_follows_the_newest_event() {
        let mut cursor = Cursor::default();
        assert_eq!(cursor.since(), None);
        cursor.begin(1_700_000_000_000_000_007);
        assert_eq!(cursor.since().as_deref(), Some("1700000000.000000007"));
        assert!(cursor.is_new(&event(Some(1_700_000_001_000_000_000), "start")));
        assert!(cursor.is_new(&event(Some(1_700_000_000_500_000_000), "late")));
        cursor.begin(1);
        assert_eq!(cursor.since().as_deref(), Some("1700000001.000000000"));
    }

    #[test]
    fn an_event_is_new_once_and_its_twin_of_another_kind_is_not_it() {
        let mut cursor = Cursor::default();
        assert!(cursor.is_new(&event(Some(5), "start")));
        assert!(!cursor.is_new(&event(Some(5), "start")));
        assert!(cursor.is_new(&event(Some(5), "die")));
        assert!(cursor.is_new(&event(None, "start")) && cursor.is_new(&event(None, "start")));
    }
}
