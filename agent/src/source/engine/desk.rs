//! What is told of an answer: pure, but for the memory of what was told before.

use super::EngineItem;
use super::client::Inspection;
use super::error::RequestError;
use super::event::Hints;
use super::job::{Outcome, Running, SessionJob, Why};
use super::known::Known;
use super::losses::Losses;
use crate::model::{
    Container, ContainerAction, ContainerId, ContainerRef, ContainerState, EngineKind, Event, ExecSession,
    Identity, Image, Observation, Source, Time,
};

/// Turns answers into observations, with what it remembers where the engine no longer knows.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) known: Known,
    pub(super) losses: Losses,
    pub(super) engine: EngineKind,
}

impl Desk {
    pub(super) fn new() -> Self {
        Self {
            known: Known::default(),
            losses: Losses::default(),
            engine: EngineKind::Unknown,
        }
    }

    /// What an answer about this container is worth telling.
    pub(super) fn tell(&mut self, id: &ContainerId, outcome: Outcome) -> Vec<EngineItem> {
        match outcome {
            Outcome::Inspected {
                why,
                at,
                hints,
                answer,
                running,
            } => {
                let mut items: Vec<_> = self.inspected(id, why, at, &hints, answer).into_iter().collect();
                self.unseen(id, at, running.unseen);
                items.extend(
                    running
                        .sessions
                        .iter()
                        .map(|session| self.session(at, session, &hints)),
                );
                items
            }
            Outcome::Busy { at, hints } => {
                let facts = self.remembered(id, &hints, ContainerAction::Created);
                vec![self.container(at, ContainerAction::Created, facts, false)]
            }
            Outcome::Session { job, answer } => self.told_session(id, job, answer).into_iter().collect(),
            Outcome::Sessions { at, answer } => self.found_sessions(id, at, answer),
            Outcome::Stopped { at, hints } => self.stopped(id, at, &hints).into_iter().collect(),
            Outcome::Removed { at, hints } => self.removed(id, at, &hints).into_iter().collect(),
        }
    }

    /// An image.
    pub(super) fn image(at: Time, image: Image) -> EngineItem {
        item(at, None, Event::Image(image))
    }

    /// An image that is gone.
    pub(super) fn image_removed(at: Time, id: String) -> EngineItem {
        item(at, None, Event::ImageRemoved { id })
    }

    /// Counts something that could not be looked at.
    pub(super) fn lost(&mut self, id: Option<&ContainerId>, at: Time, error: &RequestError) {
        let container = id.map(|id| self.reference(id, &Hints::default()));
        self.losses.count(1, error.gap_reason(), at, container, || {
            format!("the engine was asked about an object and {error}; what it is stays unknown until it is asked again")
        });
    }

    fn unseen(&mut self, id: &ContainerId, at: Time, sessions: u64) {
        if sessions > 0 {
            let container = Some(self.reference(id, &Hints::default()));
            self.losses.count(sessions, "fault", at, container, || {
                "exec sessions that run in a container could not be looked at".to_owned()
            });
        }
    }

    fn inspected(
        &mut self,
        id: &ContainerId,
        why: Why,
        at: Time,
        hints: &Hints,
        answer: Result<Inspection, RequestError>,
    ) -> Option<EngineItem> {
        let error = match answer {
            Ok(inspection) if inspection.facts.id == *id => {
                let action = match why {
                    Why::Listed => ContainerAction::Listed,
                    Why::Wanted if self.known.get(id).is_none() => ContainerAction::Listed,
                    Why::Wanted => ContainerAction::Updated,
                    Why::Told(action) => action,
                };
                return Some(self.container(at, action, inspection.facts, true));
            }
            Ok(_) => RequestError::Decode("it is about another container".to_owned()),
            Err(error) => error,
        };
        let gone = matches!(error, RequestError::NotFound);
        let item = match why {
            // It was there: what the event said of it must do.
            Why::Told(action @ (ContainerAction::Created | ContainerAction::Started)) => {
                let facts = self.remembered(id, hints, action);
                Some(self.container(at, action, facts, false))
            }
            _ => None,
        };
        if !gone {
            self.lost(Some(id), at, &error);
            self.known.put_unread(id);
        }
        item
    }

    fn stopped(&mut self, id: &ContainerId, at: Time, hints: &Hints) -> Option<EngineItem> {
        if self.known.is_gone(id) {
            return None;
        }
        let facts = self.remembered(id, hints, ContainerAction::Stopped);
        let inspected = self.known.is_fresh(id);
        Some(self.container(at, ContainerAction::Stopped, facts, inspected))
    }

    fn removed(&mut self, id: &ContainerId, at: Time, hints: &Hints) -> Option<EngineItem> {
        if self.known.is_gone(id) {
            return None;
        }
        let facts = self.remembered(id, hints, ContainerAction::Removed);
        self.known.remove(id);
        Some(container_item(at, ContainerAction::Removed, facts))
    }

    /// Last-known facts, or those of the event, in the state that the event implies.
    fn remembered(&self, id: &ContainerId, hints: &Hints, action: ContainerAction) -> Container {
        let facts = self.known.get(id).cloned();
        let mut facts = facts.unwrap_or_else(|| self.sketch(id, hints));
        facts.pid = None;
        facts.state = match action {
            ContainerAction::Created => ContainerState::Created,
            ContainerAction::Started => ContainerState::Running,
            ContainerAction::Stopped | ContainerAction::Removed => ContainerState::Exited,
            ContainerAction::Listed | ContainerAction::Updated => facts.state,
        };
        facts
    }

    fn container(
        &mut self,
        at: Time,
        action: ContainerAction,
        facts: Container,
        inspected: bool,
    ) -> EngineItem {
        if !self.known.put(&facts, inspected) {
            let container = ContainerRef::from_container(&facts, Identity::Confirmed);
            self.losses.count(1, "map-full", at, Some(container), || {
                "more containers than can be remembered; the removal of some will be told without their settings"
                    .to_owned()
            });
        }
        container_item(at, action, facts)
    }

    fn told_session(
        &mut self,
        id: &ContainerId,
        job: SessionJob,
        answer: Result<ExecSession, RequestError>,
    ) -> Option<EngineItem> {
        let error = match answer {
            Ok(session) if session.container == *id && session.id == job.id => {
                let news = self.known.put_session(&session);
                return news.then(|| self.session(job.at, &session, &job.hints));
            }
            Ok(_) => RequestError::Decode("it is about another session".to_owned()),
            Err(error) => error,
        };
        if !matches!(error, RequestError::NotFound) {
            self.lost(Some(id), job.at, &error);
        }
        if self.known.has_session(&job.id) {
            return None;
        }
        let session = ExecSession {
            id: job.id,
            container: id.clone(),
            privileged: None,
            user: None,
            command: job.command,
            pid: None,
        };
        self.known.put_session(&session);
        Some(self.session(job.at, &session, &job.hints))
    }

    fn found_sessions(
        &mut self,
        id: &ContainerId,
        at: Time,
        answer: Result<Running, RequestError>,
    ) -> Vec<EngineItem> {
        match answer {
            Ok(running) => {
                self.unseen(id, at, running.unseen);
                let mut news = running.sessions;
                news.retain(|session| self.known.put_session(session));
                let tell = |session| self.session(at, session, &Hints::default());
                news.iter().map(tell).collect()
            }
            Err(RequestError::NotFound) => Vec::new(),
            Err(error) => {
                self.lost(Some(id), at, &error);
                Vec::new()
            }
        }
    }

    fn session(&self, at: Time, session: &ExecSession, hints: &Hints) -> EngineItem {
        let container = self.reference(&session.container, hints);
        item(at, Some(container), Event::ExecSession(session.clone()))
    }

    /// The container of this id as far as it is known.
    pub(super) fn reference(&self, id: &ContainerId, hints: &Hints) -> ContainerRef {
        match self.known.get(id) {
            Some(facts) => ContainerRef::from_container(facts, Identity::Confirmed),
            None => ContainerRef {
                id: Some(id.clone()),
                name: hints.name.clone(),
                image: hints.image.clone(),
                privileged: None,
                engine: self.engine,
                identity: Identity::Confirmed,
            },
        }
    }

    fn sketch(&self, id: &ContainerId, hints: &Hints) -> Container {
        let unknown = Container::unknown(id.clone(), self.engine);
        Container {
            name: hints.name.clone().unwrap_or_else(|| unknown.name.clone()),
            image: hints.image.clone().unwrap_or_default(),
            ..unknown
        }
    }
}

fn container_item(at: Time, action: ContainerAction, facts: Container) -> EngineItem {
    let reference = ContainerRef::from_container(&facts, Identity::Confirmed);
    let facts = Box::new(facts);
    item(at, Some(reference), Event::Container { action, facts })
}

fn item(time: Time, container: Option<ContainerRef>, event: Event) -> EngineItem {
    EngineItem::Observation(Observation {
        time,
        source: Source::Engine,
        process: None,
        container,
        plumbing: false,
        event,
    })
}
