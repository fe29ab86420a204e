//! What observations break: dispatch to checks, posture, folding of repetitions.
//!
//! Pure and deterministic: all that is known comes from the observations, and time from them and from
//! [`Correlator::advance`]. A recording that is replayed therefore gives the lines that were recorded,
//! provided that both keep this order:
//!
//! 1. the line of an observation, then what [`Correlator::take_changes`] and [`Correlator::on`] give for it;
//! 2. what [`Correlator::advance`] gives, at any moment between two observations. It changes nothing
//!    unless it gives something, and what it gives bears the time at which it was due, so a replay that
//!    advances to the time of each recorded violation is where the live stream was;
//! 3. what [`Correlator::finish`] gives, then the status `stopped` of the same time, if one is written.

mod bounded;
mod cause;
mod change;
mod dispatch;
mod draft;
mod fold;
mod identity;
mod posture;
mod release;
mod session;
mod start;
mod turn;
mod world;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use fold::FoldSettings;

use std::collections::HashMap;
use std::time::Duration;

use crate::check::{Benchmark, Check};
use crate::model::{ContainerAction, Event, Gap, Observation, PostureChange, Time, Violation};
use change::Changes;
use fold::Fold;
use release::Mover;
use session::Sessions;
use world::World;

/// How late an observation may come.
const LATE: Duration = Duration::from_secs(60);

/// How observations are held against the checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Whose numbers violations carry.
    pub benchmark: Benchmark,
    /// How repetitions are folded.
    pub fold: FoldSettings,
}

/// Holds observations against the checks.
#[derive(Debug)]
pub struct Correlator {
    benchmark: Benchmark,
    checks: &'static [&'static Check],
    /// The checks that listen, by kind of the observation.
    listeners: HashMap<&'static str, Vec<&'static Check>>,
    world: World,
    sessions: Sessions,
    changes: Changes,
    fold: Fold,
    /// Verdicts that turned, to be taken.
    turned: Vec<PostureChange>,
    /// The time that observations have brought, see [`Self::time_after`].
    clock: Option<Time>,
    /// What was already told of lost facts, and when.
    lost: (u64, Option<Time>),
}

impl Correlator {
    /// A correlator for these checks, [`crate::check::ALL`] outside tests.
    #[must_use]
    pub fn new(settings: Settings, checks: &'static [&'static Check]) -> Self {
        let mut listeners: HashMap<_, Vec<_>> = HashMap::new();
        for check in checks.iter().copied() {
            for signal in check.signals {
                let listening = listeners.entry(signal.kind).or_default();
                // A check may have several signals of one kind, for people.
                if !listening.iter().any(|other: &&Check| std::ptr::eq(*other, check)) {
                    listening.push(check);
                }
            }
        }
        Self {
            benchmark: settings.benchmark,
            checks,
            listeners,
            world: World::new(checks),
            sessions: Sessions::default(),
            changes: Changes::default(),
            turned: Vec::new(),
            fold: Fold::new(settings.fold),
            clock: None,
            lost: (0, None),
        }
    }

    /// What is to be told after an observation: first what fell due until then, then what it breaks.
    pub fn on(&mut self, observation: &Observation) -> Vec<Violation> {
        let now = self.time_after(observation);
        self.clock = Some(now);
        self.lost.1.get_or_insert(observation.time);
        let mut told = self.release(now, Mover::Stream);
        self.fold.forget(now);
        self.sessions.forget(now);
        let mut learnt = self.world.learn(observation);
        told.extend(self.on_reassessed(std::mem::take(&mut learnt.reassessed), observation));
        if matches!(observation.event, Event::Host(_)) {
            self.changes.looked();
        }
        self.on_assessed(&learnt.assessed, observation);
        match &observation.event {
            // What was there before us is posture, and not news.
            Event::Container { action, .. } if *action == ContainerAction::Listed => {}
            Event::Container { facts, .. } => {
                for (check, finding) in start::findings(learnt, facts) {
                    let of = (observation, facts.as_ref());
                    let (key, violation) = draft::start(&self.world, self.benchmark, check, finding, of);
                    told.extend(self.fold.note(key, violation));
                }
                told.extend(self.dispatch(observation, None));
            }
            Event::ExecSession(session) => told.extend(self.on_session(observation, session)),
            Event::Exec(exec) if exec.entry && !observation.plumbing => {
                told.extend(self.on_entry(observation));
            }
            _ if observation.plumbing => {}
            Event::File(file) => told.extend(self.on_file(observation, file)),
            Event::AuditRecord(record) => told.extend(self.on_record(observation, record)),
            Event::AuditChange(_) => {
                self.changes.audit(observation);
                told.extend(self.dispatch(observation, None));
            }
            _ => told.extend(self.dispatch(observation, None)),
        }
        told.extend(self.release(now, Mover::Stream));
        told
    }

    /// What fell due by `now`: counts of repetitions, and exec sessions whose program was not seen.
    pub fn advance(&mut self, now: Time) -> Vec<Violation> {
        self.release(now, Mover::Clock)
    }

    /// Everything that was held back, at the end of the stream.
    pub fn finish(&mut self, now: Time) -> Vec<Violation> {
        let now = self.clock.map_or(now, |clock| clock.max(now));
        // As the clock moves it, so that a replay which comes here step by step is at the same place.
        let mut told = self.release(now, Mover::Clock);
        while let Some(place) = self.sessions.next_due(None, Time::from_unix_nanos(i128::MAX)) {
            told.extend(self.tell_session(place, now));
        }
        while let Some(due) = self.changes.next_due(None, Time::from_unix_nanos(i128::MAX)) {
            told.extend(self.tell_unshown((now, due.1)));
        }
        told.extend(self.fold.finish(now));
        told
    }

    /// What was forgotten for want of room since this was last asked. Not for replays: a recording holds
    /// the gaps of its time.
    pub fn take_loss(&mut self, now: Time) -> Option<Gap> {
        let (told, since) = self.lost;
        let lost = self.world.lost - told;
        self.lost = (self.world.lost, Some(now));
        (lost > 0).then(|| Gap {
            time: now,
            source: "correlate".to_owned(),
            reason: "table-full".to_owned(),
            lost: Some(lost),
            from: since.unwrap_or(now),
            to: now,
            container: None,
            detail:
                "more containers or images than are remembered: checks know the rest only by kernel facts"
                    .to_owned(),
        })
    }

    /// The time that an observation brings. One that is a little old came late, and the time stands. One that
    /// is much older is from a clock that was set back, or the one before was from a clock gone wrong: the
    /// time goes with it, or nothing would fall due until the clock is there again.
    fn time_after(&self, observation: &Observation) -> Time {
        match self.clock {
            Some(clock) if clock > observation.time && clock.since(observation.time) <= LATE => clock,
            _ => observation.time,
        }
    }
}
