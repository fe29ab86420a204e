//! What observations break: dispatch to checks, posture, folding of repetitions.
//!
//! Pure and deterministic: all that is known comes from the observations, and time from them and from
//! [`Correlator::advance`]. A recording that is replayed therefore gives the lines that were recorded,
//! provided that both keep this order:
//!
//! 1. the line of an observation, then all that [`Correlator::on`] gives for it;
//! 2. what [`Correlator::advance`] gives, at any moment between two observations. It changes nothing
//!    unless it gives something, and what it gives bears the time at which it was due, so a replay that
//!    advances to the time of each recorded violation is where the live stream was;
//! 3. what [`Correlator::finish`] gives, then the status `stopped` of the same time, if one is written.

mod bounded;
mod draft;
mod fold;
mod identity;
mod posture;
mod session;
mod start;
mod world;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use fold::FoldSettings;

use std::collections::HashMap;

use crate::check::{Benchmark, Check, Finding, View};
use crate::model::{ContainerAction, Event, ExecSession, Gap, Observation, Time, Violation};
use fold::{Fold, FoldKey};
use session::{Arrival, Place, Sessions};
use world::World;

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
    /// The checks that listen, by kind of the observation.
    listeners: HashMap<&'static str, Vec<&'static Check>>,
    world: World,
    sessions: Sessions,
    fold: Fold,
    /// Time of the latest observation.
    clock: Option<Time>,
    /// What was already told of lost facts, and when.
    lost: (u64, Option<Time>),
}

/// Who moves the time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mover {
    /// An observation, which a recording holds: everything due happens.
    Stream,
    /// The clock, which no recording holds: only what leaves a line happens.
    Clock,
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
            listeners,
            world: World::new(checks),
            sessions: Sessions::default(),
            fold: Fold::new(settings.fold),
            clock: None,
            lost: (0, None),
        }
    }

    /// What is to be told after an observation: first what fell due until then, then what it breaks.
    pub fn on(&mut self, observation: &Observation) -> Vec<Violation> {
        let now = self
            .clock
            .map_or(observation.time, |clock| clock.max(observation.time));
        self.clock = Some(now);
        self.lost.1.get_or_insert(observation.time);
        let mut told = self.release(now, Mover::Stream);
        self.fold.forget(now);
        self.sessions.forget(now);
        let learnt = self.world.learn(observation);
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

    fn on_entry(&mut self, observation: &Observation) -> Vec<Violation> {
        let id = observation
            .container
            .as_ref()
            .and_then(|container| container.id.as_ref());
        let pid = observation.process.as_ref().map(|process| process.pid);
        // The container's own start is nobody's session, however alike the commands are.
        if pid.is_some() && self.world.container(id).and_then(|facts| facts.pid) == pid {
            return self.dispatch(observation, None);
        }
        if let Some(session) = self.sessions.claim(observation) {
            return self.dispatch(observation, Some(&session));
        }
        let found = self.findings(observation, None, &[]);
        self.sessions
            .stray(observation, found.iter().map(|(key, _)| key.check).collect());
        self.note(found)
    }

    fn on_session(&mut self, observation: &Observation, session: &ExecSession) -> Vec<Violation> {
        let mut told = Vec::new();
        if let Some(place) = self.sessions.crowded() {
            told.extend(self.tell_session(place, observation.time));
            self.sessions.remove(place);
        }
        let own = self
            .world
            .container(Some(&session.container))
            .and_then(|facts| facts.pid);
        if let Arrival::Late(stray) = self.sessions.add(observation, session, own) {
            // What the program broke without the session's help was told already.
            let found = self.findings(&stray.observation, Some(session), &stray.broke);
            told.extend(self.note(found));
        }
        told
    }

    /// Holds an observation against every check that listens.
    fn dispatch(&mut self, observation: &Observation, session: Option<&ExecSession>) -> Vec<Violation> {
        let found = self.findings(observation, session, &[]);
        self.note(found)
    }

    fn note(&mut self, found: Vec<(FoldKey, Violation)>) -> Vec<Violation> {
        found
            .into_iter()
            .flat_map(|(key, violation)| self.fold.note(key, violation))
            .collect()
    }

    fn findings(
        &self,
        observation: &Observation,
        session: Option<&ExecSession>,
        except: &[&'static str],
    ) -> Vec<(FoldKey, Violation)> {
        let id = observation
            .container
            .as_ref()
            .and_then(|container| container.id.as_ref());
        let view = View {
            observation,
            host: &self.world.host,
            container: self.world.container(id),
            session,
            first_bounding: self.world.first_bounding(id),
        };
        let draft = |(check, finding): (&'static Check, Finding)| {
            draft::live(&self.world, self.benchmark, check, finding, observation)
        };
        self.listeners
            .get(observation.event.kind())
            .into_iter()
            .flatten()
            .copied()
            .filter(|check| !except.contains(&check.key))
            .filter_map(|check| Some((check, (check.observe)(&view)?)))
            .map(draft)
            .collect()
    }

    /// Tells what is due by `now`, in the order in which it fell due.
    fn release(&mut self, now: Time, mover: Mover) -> Vec<Violation> {
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
    fn tell_session(&mut self, place: Place, now: Time) -> Vec<Violation> {
        let mut found = self.session_findings(place);
        self.sessions.mark_told(place);
        for (_, violation) in &mut found {
            violation.first = Some(violation.time);
            violation.time = violation.time.max(now);
        }
        self.note(found)
    }
}
