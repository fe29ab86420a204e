//! What waited, told when its time has come.

use super::Correlator;
use super::fold::FoldKey;
use super::session::Place;
use crate::model::{Event, Time, Violation};

/// Who moves the time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mover {
    /// An observation, which a recording holds: everything due happens.
    Stream,
    /// The clock, which no recording holds: only what leaves a line happens.
    Clock,
}

impl Correlator {
    /// Tells what is due by `now`, in the order in which it fell due.
    pub(super) fn release(&mut self, now: Time, mover: Mover) -> Vec<Violation> {
        let mut told = Vec::new();
        let (mut passed, mut passed_change) = (None, None);
        loop {
            let session = self.sessions.next_due(passed, now);
            let change = self.changes.next_due(passed_change, now);
            let report = self.fold.next_due().filter(|due| *due <= now);
            let times = [session.map(|place| place.0), change.map(|due| due.0), report];
            let Some(first) = times.into_iter().flatten().min() else {
                return told;
            };
            if let Some(place) = session.filter(|place| place.0 == first) {
                if mover == Mover::Clock && !self.session_is_news(place) {
                    passed = Some(place);
                    continue;
                }
                told.extend(self.tell_session(place, place.0));
            } else if let Some(due) = change.filter(|due| due.0 == first) {
                if mover == Mover::Clock && !self.unshown_is_news(due) {
                    passed_change = Some(due);
                    continue;
                }
                told.extend(self.tell_unshown(due));
            } else {
                told.extend(self.fold.take_due(now));
            }
            // What was passed over may be news after this.
            (passed, passed_change) = (None, None);
        }
    }

    /// Whether a session that speaks for itself leaves a line.
    fn session_is_news(&self, place: Place) -> bool {
        self.session_findings(place)
            .iter()
            .any(|(key, _)| !self.fold.knows(key))
    }

    fn session_findings(&self, place: Place) -> Vec<(FoldKey, Violation)> {
        let Some(observation) = self.sessions.observation(place) else {
            return Vec::new();
        };
        let Event::ExecSession(session) = &observation.event else {
            return Vec::new();
        };
        self.findings(observation, Some(session), &[])
    }

    /// Holds a session of which no program was seen against the checks.
    pub(super) fn tell_session(&mut self, place: Place, now: Time) -> Vec<Violation> {
        let mut found = self.session_findings(place);
        self.sessions.mark_told(place);
        for (_, violation) in &mut found {
            violation.first = Some(violation.time);
            violation.time = violation.time.max(now);
        }
        self.note(found)
    }
}
