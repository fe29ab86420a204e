//! What comes in unasked: events, and what the kernel saw.

use bollard::models::EventMessage;

use super::{Errand, MAX_ERRANDS, MAX_HELD, MAX_HELD_PER_CONTAINER, Session};
use crate::model::{Container, ContainerAction, ContainerId, ContainerState, Time};
use crate::source::engine::error::RequestError;
use crate::source::engine::event::{self, Hints, Notice};
use crate::source::engine::job::{Job, Outcome, SessionJob, Why};

impl Session<'_> {
    pub(super) fn heard(&mut self, event: EventMessage) {
        self.pulse.good = Time::now();
        if !self.state.cursor.is_new(&event) {
            return;
        }
        let at = event::time(&event);
        match event::notice(event) {
            Ok(Some(notice)) => self.notice(at, notice),
            Ok(None) => {}
            Err(error) => {
                let error = RequestError::Decode(error.to_string());
                self.state.desk.lost(None, at, &error);
            }
        }
    }

    fn notice(&mut self, at: Time, notice: Notice) {
        match notice {
            Notice::Container { id, action, hints } => self.container(&id, at, action, hints),
            Notice::Network { container } => {
                self.pulse.engine_changed(true);
                if let Some(id) = container {
                    self.network(&id, at);
                }
            }
            Notice::Engine => self.pulse.engine_changed(false),
            Notice::Exec {
                container,
                session,
                command,
                started,
                hints,
            } => {
                let job = SessionJob {
                    id: session,
                    command,
                    started,
                    at,
                    hints,
                };
                self.admit(&container, at, Job::Session(job));
            }
            Notice::ExecEnded { session } => self.state.desk.known.remove_session(&session),
            Notice::Sessions { container } => self.admit(&container, at, Job::Sessions { at }),
            Notice::Image { name } if self.errands.len() < MAX_ERRANDS => {
                self.errands.push_back(Errand::Image { name, at: Some(at) });
            }
            Notice::Image { .. } => self.overflow(None, at),
        }
    }

    fn container(&mut self, id: &ContainerId, at: Time, action: ContainerAction, hints: Hints) {
        let outcome = match action {
            ContainerAction::Stopped => Outcome::Stopped { at, hints },
            ContainerAction::Removed => Outcome::Removed { at, hints },
            action => {
                let why = Why::Told(action);
                return self.admit(id, at, Job::Inspect { why, at, hints });
            }
        };
        if self.has_room(id) {
            let outcomes = self.state.lanes.push_result(id, outcome);
            self.tell(id, outcomes);
        } else {
            self.overflow(Some(id), at);
        }
    }

    /// Looks at a container again.
    pub(super) fn update(&mut self, id: &ContainerId, at: Time, hints: Hints) {
        let why = Why::Told(ContainerAction::Updated);
        self.admit(id, at, Job::Inspect { why, at, hints });
    }

    /// Networks come and go with every start and stop, which are told anyway, and while it starts a container cannot
    /// be inspected.
    fn network(&mut self, id: &ContainerId, at: Time) {
        let is_still =
            |facts: &Container| !matches!(facts.state, ContainerState::Running | ContainerState::Paused);
        let starts = self.state.lanes.pends(id, Job::is_inspection);
        let still = self.state.desk.known.get(id).map_or(starts, is_still);
        if !still {
            self.update(id, at, Hints::default());
        }
    }

    pub(super) fn wanted(&mut self, id: &ContainerId) {
        let (why, at) = (Why::Wanted, Time::now());
        // An inspection under way will tell it anyway.
        if !self.state.lanes.pends(id, Job::is_inspection) {
            let hints = Hints::default();
            self.admit(id, at, Job::Inspect { why, at, hints });
        }
    }

    fn admit(&mut self, id: &ContainerId, at: Time, job: Job) {
        if job.is_update() && self.state.lanes.waits(id, Job::is_update) {
            return;
        }
        if self.has_room(id) {
            self.state.lanes.push(id, job);
        } else {
            self.overflow(Some(id), at);
        }
    }

    fn has_room(&self, id: &ContainerId) -> bool {
        self.held() < MAX_HELD && self.state.lanes.len_of(id) < MAX_HELD_PER_CONTAINER
    }

    pub(super) fn overflow(&mut self, id: Option<&ContainerId>, at: Time) {
        self.pulse.relist = true;
        let container = id.map(|id| self.state.desk.reference(id, &Hints::default()));
        self.state.desk.losses.count(1, "queue-full", at, container, || {
            "the engine told more than could be looked at in time; everything is listed again".to_owned()
        });
    }
}
