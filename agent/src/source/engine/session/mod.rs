//! One connection to an engine, from its first answer to its end.

mod engine;
mod intake;
mod listing;
mod ports;
mod pulse;

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use bollard::models::EventMessage;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};

use super::client::Client;
use super::cursor::Cursor;
use super::desk::Desk;
use super::error::RequestError;
use super::event::Hints;
use super::health::{Ailment, Health};
use super::job::{self, Job, Outcome, Why};
use super::lanes::{Lanes, Start, Ticket};
use super::look::Outline;
use super::survey::FoundImage;
use super::timing::Timing;
use super::{EngineItem, Wanted};
use crate::model::{ContainerId, Engine, Time};
use engine::Watched;
pub(super) use ports::Ports;
use ports::send;
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

impl State {
    pub(super) fn new(timing: Timing) -> Self {
        Self {
            timing,
            desk: Desk::new(),
            lanes: Lanes::default(),
            cursor: Cursor::default(),
            health: Health::default(),
            outbox: VecDeque::new(),
        }
    }
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
        name: String,
        /// Whether an event told of it.
        announced: bool,
        answer: Result<FoundImage, RequestError>,
    },
    Listed {
        asked: Time,
        answer: Result<Vec<ContainerId>, RequestError>,
    },
    Compared {
        answer: Result<Vec<ContainerId>, RequestError>,
    },
    Images(Result<Vec<String>, RequestError>),
    Outline(Result<Outline, RequestError>),
    Engine(Option<Outline>, Box<Engine>),
    Pong(Result<(), RequestError>),
}

enum Step {
    Event(Option<Result<EventMessage, RequestError>>),
    Landed(Landing),
    Wanted(Wanted),
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
    /// Images that are being looked at, and what is to be done then.
    looks: HashMap<String, Option<Errand>>,
    exclusive: usize,
    free: usize,
    slow: usize,
    pulse: Pulse,
    watched: Watched,
    suspects: HashSet<ContainerId>,
}

impl<'a> Session<'a> {
    pub(super) fn new(state: &'a mut State, client: Client, socket: Option<PathBuf>) -> Self {
        state.desk.engine = client.kind();
        state.desk.known.begin_round();
        let slow = state.lanes.restart(|job| job.is_listed());
        let pulse = Pulse::new(&state.timing);
        Self {
            state,
            client: Arc::new(client),
            flights: FuturesUnordered::new(),
            errands: VecDeque::new(),
            looks: HashMap::new(),
            exclusive: 0,
            free: 0,
            slow,
            pulse,
            watched: Watched::new(socket),
            suspects: HashSet::new(),
        }
    }

    /// Follows the engine until it is lost.
    pub(super) async fn follow(mut self, ports: &mut Ports) -> End {
        let since = self.state.cursor.since();
        // Subscribed before anything is listed; `since` covers the moment between the two.
        let mut events = Box::pin(self.client.events(since.as_deref()));
        self.ask_engine();
        self.ask_lists();
        loop {
            self.launch();
            let wake = self.pulse.next();
            let step = tokio::select! {
                event = events.next() => Step::Event(event),
                Some(landing) = self.flights.next() => Step::Landed(landing),
                Some(wanted) = ports.wanted.recv() => Step::Wanted(wanted),
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
            Step::Wanted(Wanted::Container(id)) => self.wanted(&id),
            Step::Wanted(Wanted::Engine) => self.pulse.engine_changed(true),
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
            Landing::Image {
                at,
                name,
                announced,
                answer,
            } => self.image_landed(at, name, announced, answer),
            Landing::Listed { asked, answer } => self.listed(asked, answer),
            Landing::Compared { answer } => return self.compared(answer),
            Landing::Images(answer) => self.images(answer),
            Landing::Outline(answer) => self.outlined(answer),
            Landing::Engine(outline, engine) => self.engine(outline, *engine),
            Landing::Pong(answer) => return self.pong(answer.err().as_ref()),
        }
        None
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
