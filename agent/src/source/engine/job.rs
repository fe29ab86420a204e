//! What is asked of the engine about one container, and what came back.

use super::client::{Client, Inspection};
use super::error::RequestError;
use super::event::{self, Hints};
use super::lanes;
use crate::model::{ContainerAction, ContainerId, ExecSession, Time};

/// Most running sessions of one container that are looked at.
const MAX_SESSIONS: usize = 256;
/// Looks at a session that is about to have a process.
const START_LOOKS: u32 = 5;

/// Why a container is inspected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// It is in the engine's list.
    Listed,
    /// The kernel saw it.
    Wanted,
    /// An event said this.
    Told(ContainerAction),
}

/// A question.
#[derive(Clone, Debug)]
pub(super) enum Job {
    /// What is this container?
    Inspect { why: Why, at: Time, hints: Hints },
    /// What is this session?
    Session(SessionJob),
    /// Which sessions run in this container?
    Sessions { at: Time },
}

/// A question about a session that an event named.
#[derive(Clone, Debug)]
pub(super) struct SessionJob {
    pub(super) id: String,
    /// As the event has it.
    pub(super) command: Vec<String>,
    pub(super) started: bool,
    pub(super) at: Time,
    pub(super) hints: Hints,
}

/// Sessions that run in a container.
#[derive(Debug, Default)]
pub(super) struct Running {
    pub(super) sessions: Vec<ExecSession>,
    /// How many could not be looked at.
    pub(super) unseen: u64,
}

/// An answer, or an event that needs none.
#[derive(Debug)]
pub(super) enum Outcome {
    Inspected {
        why: Why,
        at: Time,
        hints: Hints,
        answer: Result<Inspection, RequestError>,
        /// Those that run in it, where they were asked for.
        running: Running,
    },
    /// A new container that the engine does not let be inspected yet.
    Busy {
        at: Time,
        hints: Hints,
    },
    Session {
        job: SessionJob,
        answer: Result<ExecSession, RequestError>,
    },
    Sessions {
        at: Time,
        answer: Result<Running, RequestError>,
    },
    Stopped {
        at: Time,
        hints: Hints,
    },
    Removed {
        at: Time,
        hints: Hints,
    },
}

impl lanes::Job for Job {
    fn exclusive(&self) -> bool {
        self.is_inspection()
    }

    fn yields(&self) -> bool {
        self.is_update()
    }
}

impl Job {
    /// Whether it tells what a container is.
    pub(super) const fn is_inspection(&self) -> bool {
        matches!(self, Self::Inspect { .. })
    }

    /// Whether it serves a list.
    pub(super) const fn is_listed(&self) -> bool {
        matches!(self, Self::Inspect { why: Why::Listed, .. })
    }

    /// Whether it only brings what is known up to date.
    pub(super) const fn is_update(&self) -> bool {
        let why = match self {
            Self::Inspect { why, .. } => *why,
            _ => return false,
        };
        matches!(
            why,
            Why::Listed | Why::Wanted | Why::Told(ContainerAction::Updated)
        )
    }
}

/// Asks.
pub(super) async fn perform(client: &Client, container: &ContainerId, job: Job) -> Outcome {
    match job {
        Job::Inspect {
            why: Why::Told(ContainerAction::Created),
            at,
            hints,
        } => created(client, container, at, hints).await,
        Job::Inspect { why, at, hints } => {
            let answer = client.container(container).await;
            let running = match &answer {
                Ok(inspection) if why == Why::Listed => {
                    running(client, container, &inspection.sessions).await
                }
                _ => Running::default(),
            };
            Outcome::Inspected {
                why,
                at,
                hints,
                answer,
                running,
            }
        }
        Job::Session(job) => {
            let answer = session(client, container, &job).await;
            Outcome::Session { job, answer }
        }
        Job::Sessions { at } => {
            let answer = match client.container(container).await {
                Ok(inspection) => Ok(running(client, container, &inspection.sessions).await),
                Err(error) => Err(error),
            };
            Outcome::Sessions { at, answer }
        }
    }
}

async fn created(client: &Client, container: &ContainerId, at: Time, hints: Hints) -> Outcome {
    let why = Why::Told(ContainerAction::Created);
    match tokio::time::timeout(client.patience(), client.container(container)).await {
        Ok(answer) => Outcome::Inspected {
            why,
            at,
            hints,
            answer,
            running: Running::default(),
        },
        Err(_elapsed) => Outcome::Busy { at, hints },
    }
}

/// Sessions that end meanwhile are none; an engine that stops answering is not asked for the rest.
async fn running(client: &Client, container: &ContainerId, ids: &[String]) -> Running {
    let mut sessions = Vec::new();
    let mut seen = 0;
    for id in ids.iter().filter(|id| event::is_session(id)).take(MAX_SESSIONS) {
        match client.session(id, container).await {
            Ok(inspection) if !inspection.over => sessions.push(inspection.session),
            Ok(_) | Err(RequestError::NotFound) => {}
            Err(_) => break,
        }
        seen += 1;
    }
    let unseen = u64::try_from(ids.len().saturating_sub(seen)).unwrap_or(u64::MAX);
    Running { sessions, unseen }
}

/// The event of a start comes before the process: looks again a few times until there is one.
async fn session(
    client: &Client,
    container: &ContainerId,
    job: &SessionJob,
) -> Result<ExecSession, RequestError> {
    let mut first = client.session(&job.id, container).await?;
    let looks = if job.started { START_LOOKS } else { 0 };
    for look in 0..looks {
        if first.over || first.session.pid.is_some() {
            break;
        }
        tokio::time::sleep(client.start_wait(look)).await;
        match client.session(&job.id, container).await {
            Ok(later) => first = later,
            // What the first look told still holds.
            Err(_) => break,
        }
    }
    Ok(first.session)
}
