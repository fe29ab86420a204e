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
        let mut passed = None;
        loop {
            let session = self.sessions.next_due(passed, now);
            let report = self.fold.next_due().filter(|due| *due <= now);
            match (session, report) {
                (Some(place), report) if report.is_none_or(|due| place.0 <= due) => {
                    if mover == Mover::Clock && !self.session_is_news(place) {
                        passed = Some(place);
                        continue;
                    }
                    told.extend(self.tell_session(place, place.0));
                }
                (_, Some(_)) => told.extend(self.fold.take_due(now)),
                _ => return told,
            }
            // What was passed over may be news after this.
            passed = None;
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
