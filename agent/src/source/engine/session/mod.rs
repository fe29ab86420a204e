//! One connection to an engine, from its first answer to its end.

mod listing;
mod pulse;

use std::collections::{HashSet, VecDeque};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use bollard::models::EventMessage;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::mpsc;

use super::client::Client;
use super::cursor::Cursor;
use super::desk::Desk;
use super::error::RequestError;
use super::event::{self, Hints, Notice};
use super::health::{Ailment, Health};
use super::job::{self, Job, Outcome, SessionJob, Why};
use super::lanes::{Lanes, Start, Ticket};
use super::timing::Timing;
use super::{EngineFacts, EngineItem};
use crate::model::{Container, ContainerAction, ContainerId, ContainerState, Image, Time};
use pulse::Pulse;

/// Inspections of containers under way at once, and as many of sessions beside them.
const IN_FLIGHT: usize = 16;
/// Of those, how many may serve a list rather than an event.
const SLOW_IN_FLIGHT: usize = 4;
/// Items and jobs held for a reader that is slower than the engine.
const MAX_HELD: usize = 4_096;
/// Of those, what one container may take.
const MAX_HELD_PER_CONTAINER: usize = 256;
/// Above this, lists wait.
const HELD_FOR_LISTS: usize = 1_024;
/// Most containers or images of a list that are inspected.
const MAX_ERRANDS: usize = super::known::MAX_CONTAINERS;

/// What outlives a connection.
#[derive(Debug)]
pub(super) struct State {
    pub(super) timing: Timing,
    pub(super) desk: Desk,
    pub(super) lanes: Lanes<Job, Outcome>,
    pub(super) cursor: Cursor,
    pub(super) health: Health,
    pub(super) outbox: VecDeque<EngineItem>,
}

/// The two ends of the engine source.
#[derive(Debug)]
pub(super) struct Ports {
    pub(super) out: mpsc::Sender<EngineItem>,
    pub(super) wanted: mpsc::Receiver<ContainerId>,
}

/// Why a connection ended.
#[derive(Debug)]
pub(super) enum End {
    /// Nobody reads what we tell.
    Unread,
    /// The engine is gone or of no use.
    Lost {
        ailment: Ailment,
        what: String,
        /// Nothing was missed before this.
        blind_from: Time,
        /// Whether everything had been told once.
        settled: bool,
    },
}

/// Something to look at when there is time.
#[derive(Debug)]
enum Errand {
    Container(ContainerId),
    Image { name: String, at: Option<Time> },
}

/// What a request was for, and what it brought.
enum Landing {
    Answer {
        lane: ContainerId,
        ticket: Ticket,
        free: bool,
        outcome: Outcome,
    },
    Image {
        at: Time,
        answer: Result<Image, RequestError>,
    },
    Listed {
        asked: Time,
        answer: Result<Vec<ContainerId>, RequestError>,
    },
    Compared {
        answer: Result<Vec<ContainerId>, RequestError>,
    },
    Images(Result<Vec<String>, RequestError>),
    Facts(EngineFacts),
    Pong(Result<(), RequestError>),
}

enum Step {
    Event(Option<Result<EventMessage, RequestError>>),
    Landed(Landing),
    Wanted(ContainerId),
    Sent,
    Tick,
    Unread,
}

/// One connection.
pub(super) struct Session<'a> {
    state: &'a mut State,
    client: Arc<Client>,
    flights: FuturesUnordered<BoxFuture<'static, Landing>>,
    errands: VecDeque<Errand>,
    exclusive: usize,
    free: usize,
    slow: usize,
    pulse: Pulse,
    suspects: HashSet<ContainerId>,
}

impl<'a> Session<'a> {
    pub(super) fn new(state: &'a mut State, client: Client) -> Self {
        state.desk.engine = client.kind();
        state.desk.known.begin_round();
        state.lanes.restart();
        let pulse = Pulse::new(&state.timing);
        Self {
            state,
            client: Arc::new(client),
            flights: FuturesUnordered::new(),
            errands: VecDeque::new(),
            exclusive: 0,
            free: 0,
            slow: 0,
            pulse,
            suspects: HashSet::new(),
        }
    }

    /// Follows the engine until it is lost.
    pub(super) async fn follow(mut self, version: String, socket: Option<PathBuf>, ports: &mut Ports) -> End {
        let since = self.state.cursor.since();
        // Subscribed before anything is listed; `since` covers the moment between the two.
        let mut events = Box::pin(self.client.events(since.as_deref()));
        self.ask_facts(version, socket);
        self.ask_lists();
        loop {
            self.launch();
            let wake = self.pulse.next();
            let step = tokio::select! {
                event = events.next() => Step::Event(event),
                Some(landing) = self.flights.next() => Step::Landed(landing),
                Some(id) = ports.wanted.recv() => Step::Wanted(id),
                permit = ports.out.reserve(), if !self.state.outbox.is_empty() => {
                    if send(permit, &mut self.state.outbox).is_break() { Step::Unread } else { Step::Sent }
                }
                () = ports.out.closed() => Step::Unread,
                () = tokio::time::sleep_until(wake) => Step::Tick,
            };
            if let Some(end) = self.take(step) {
                return end;
            }
        }
    }

    fn take(&mut self, step: Step) -> Option<End> {
        match step {
            Step::Event(Some(Ok(event))) => self.heard(event),
            Step::Event(Some(Err(error))) => return Some(self.stream_failed(&error)),
            Step::Event(None) => {
                return Some(self.lost(
                    Ailment::Broken,
                    "the engine closed the stream of events",
                    Time::now(),
                ));
            }
            Step::Landed(landing) => return self.landed(landing),
            Step::Wanted(id) => self.wanted(&id),
            Step::Sent => {}
            Step::Tick => self.tick(),
            Step::Unread => return Some(End::Unread),
        }
        None
    }

    /// Starts what may be started.
    fn launch(&mut self) {
        while self.slow < SLOW_IN_FLIGHT && self.held() < HELD_FOR_LISTS {
            let Some(errand) = self.errands.pop_front() else {
                break;
            };
            self.run_errand(errand);
        }
        for free in [false, true] {
            while self.under_way(free) < IN_FLIGHT {
                let Some(start) = self.state.lanes.start(!free) else {
                    break;
                };
                self.ask(start, free);
            }
        }
        self.settle();
    }

    fn ask(&mut self, start: Start<Job>, free: bool) {
        let client = Arc::clone(&self.client);
        *self.counter(free) += 1;
        self.flights.push(Box::pin(async move {
            let Start { lane, ticket, job } = start;
            let outcome = job::perform(&client, &lane, job).await;
            Landing::Answer {
                lane,
                ticket,
                free,
                outcome,
            }
        }));
    }

    fn landed(&mut self, landing: Landing) -> Option<End> {
        match landing {
            Landing::Answer {
                lane,
                ticket,
                free,
                outcome,
            } => {
                let counter = self.counter(free);
                *counter = counter.saturating_sub(1);
                if matches!(outcome, Outcome::Inspected { why: Why::Listed, .. }) {
                    self.slow = self.slow.saturating_sub(1);
                }
                let busy = matches!(outcome, Outcome::Busy { .. });
                let outcomes = self.state.lanes.finish(&lane, ticket, outcome);
                self.tell(&lane, outcomes);
                if busy {
                    self.update(&lane, Time::now(), Hints::default());
                }
            }
            Landing::Image { at, answer } => self.image(at, answer),
            Landing::Listed { asked, answer } => self.listed(asked, answer),
            Landing::Compared { answer } => return self.compared(answer),
            Landing::Images(answer) => self.images(answer),
            Landing::Facts(facts) => self.state.outbox.push_back(EngineItem::Engine(facts)),
            Landing::Pong(answer) => return self.pong(answer.err().as_ref()),
        }
        None
    }

    fn heard(&mut self, event: EventMessage) {
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
            Notice::Network { container } => self.network(&container, at),
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
    fn update(&mut self, id: &ContainerId, at: Time, hints: Hints) {
        let why = Why::Told(ContainerAction::Updated);
        self.admit(id, at, Job::Inspect { why, at, hints });
    }

    /// Networks come and go with every start and stop, which are told anyway, and while it starts a container cannot
    /// be inspected.
    fn network(&mut self, id: &ContainerId, at: Time) {
        let is_still =
            |facts: &Container| !matches!(facts.state, ContainerState::Running | ContainerState::Paused);
        let still = self
            .state
            .desk
            .known
            .get(id)
            .map_or(self.state.lanes.holds(id), is_still);
        if !still {
            self.update(id, at, Hints::default());
        }
    }

    fn wanted(&mut self, id: &ContainerId) {
        let (why, at) = (Why::Wanted, Time::now());
        // What is under way for it will be told anyway.
        if !self.state.lanes.holds(id) {
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

    fn overflow(&mut self, id: Option<&ContainerId>, at: Time) {
        self.pulse.relist = true;
        let container = id.and_then(|id| self.state.desk.known.get(id));
        let container = container.map(|facts| {
            crate::model::ContainerRef::from_container(facts, crate::model::Identity::Confirmed)
        });
        self.state.desk.losses.count("queue-full", at, container, || {
            "the engine told more than could be looked at in time; everything is listed again".to_owned()
        });
    }

    fn tell(&mut self, id: &ContainerId, outcomes: Vec<Outcome>) {
        for outcome in outcomes {
            let items = self.state.desk.tell(id, outcome);
            self.state.outbox.extend(items);
        }
    }

    fn held(&self) -> usize {
        self.state.lanes.len() + self.state.outbox.len()
    }

    const fn under_way(&self, free: bool) -> usize {
        if free { self.free } else { self.exclusive }
    }

    const fn counter(&mut self, free: bool) -> &mut usize {
        if free { &mut self.free } else { &mut self.exclusive }
    }

    fn lost(&self, ailment: Ailment, what: impl Into<String>, blind_from: Time) -> End {
        End::Lost {
            ailment,
            what: what.into(),
            blind_from,
            settled: self.pulse.settled,
        }
    }
}

impl Ports {
    /// Waits for something while there is no connection: goes on telling what is to be told, and lets go of what the
    /// kernel saw, for a list will have it. None where nobody reads any more.
    pub(super) async fn attend<T>(
        &mut self,
        outbox: &mut VecDeque<EngineItem>,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Some(done),
                permit = self.out.reserve(), if !outbox.is_empty() => {
                    if send(permit, outbox).is_break() {
                        return None;
                    }
                }
                () = self.out.closed() => return None,
                Some(_) = self.wanted.recv() => {}
            }
        }
    }
}

/// Sends the oldest item; breaks where nobody reads any more.
fn send(
    permit: Result<mpsc::Permit<'_, EngineItem>, mpsc::error::SendError<()>>,
    outbox: &mut VecDeque<EngineItem>,
) -> ControlFlow<()> {
    let Ok(permit) = permit else {
        return ControlFlow::Break(());
    };
    if let Some(item) = outbox.pop_front() {
        permit.send(item);
    }
    ControlFlow::Continue(())
}
