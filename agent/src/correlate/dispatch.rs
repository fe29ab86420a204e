//! Observations before the checks that listen to them, with the exec session they belong to.

use super::Correlator;
use super::draft;
use super::fold::FoldKey;
use super::session::Arrival;
use crate::check::{Check, Finding, View};
use crate::model::{ExecSession, Observation, Violation};

impl Correlator {
    pub(super) fn on_entry(&mut self, observation: &Observation) -> Vec<Violation> {
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

    pub(super) fn on_session(&mut self, observation: &Observation, session: &ExecSession) -> Vec<Violation> {
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
    pub(super) fn dispatch(
        &mut self,
        observation: &Observation,
        session: Option<&ExecSession>,
    ) -> Vec<Violation> {
        let found = self.findings(observation, session, &[]);
        self.note(found)
    }

    pub(super) fn note(&mut self, found: Vec<(FoldKey, Violation)>) -> Vec<Violation> {
        found
            .into_iter()
            .flat_map(|(key, violation)| self.fold.note(key, violation))
            .collect()
    }

    pub(super) fn findings(
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
}
