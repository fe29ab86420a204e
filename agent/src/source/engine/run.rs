//! Connection after connection, for as long as somebody listens.

use std::ops::ControlFlow as Flow;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::client::Client;
use super::endpoint::{Endpoint, SocketFile};
use super::error::{RequestError, in_full};
use super::health::{Ailment, BackOff};
use super::session::{End, Ports, Session, State};
use super::timing::Timing;
use super::{EngineItem, Wanted};
use crate::model::{Gap, Time};

/// Follows an engine for as long as somebody reads `out`.
///
/// After every connection it tells [`EngineFacts`](super::EngineFacts), every container, image and running exec
/// session, then what becomes of them, in order for each container. What is `wanted` is asked at once.
/// An engine that cannot be reached, or is lost, is reported once and tried again, at once where its socket appears.
/// Cancelling loses no more than what was not told yet.
pub async fn run(endpoint: Endpoint, out: mpsc::Sender<EngineItem>, wanted: mpsc::Receiver<Wanted>) {
    run_timed(endpoint, Timing::default(), out, wanted).await;
}

pub(super) async fn run_timed(
    endpoint: Endpoint,
    timing: Timing,
    out: mpsc::Sender<EngineItem>,
    wanted: mpsc::Receiver<Wanted>,
) {
    let mut follower = Follower {
        back_off: BackOff::new(timing.back_off_min, timing.back_off_max),
        endpoint,
        state: State::new(timing),
        ports: Ports { out, wanted },
        blind_from: None,
    };
    while follower.attempt().await.is_continue() {}
}

struct Follower {
    endpoint: Endpoint,
    state: State,
    ports: Ports,
    back_off: BackOff,
    /// Since when nothing was seen; none before the first connection.
    blind_from: Option<Time>,
}

impl Follower {
    /// One connection, and the wait after it.
    async fn attempt(&mut self) -> Flow<()> {
        let socket_file = self.endpoint.socket_file();
        match self.connect().await {
            Some(Ok(client)) => match self.follow(client).await {
                End::Unread => return Flow::Break(()),
                End::Lost {
                    ailment,
                    what,
                    blind_from,
                    settled,
                } => {
                    self.blind_from.get_or_insert(blind_from);
                    self.degraded(ailment, &what);
                    if settled {
                        self.back_off.reset();
                    }
                }
            },
            Some(Err(error)) => {
                let what = format!("the engine at {} is not seen: {}", self.endpoint, in_full(&error));
                self.degraded(Ailment::from(&error), &what);
            }
            None => return Flow::Break(()),
        }
        self.wait(socket_file).await
    }

    /// Connects; none where nobody reads any more.
    async fn connect(&mut self) -> Option<Result<Client, RequestError>> {
        if let (None, Some(_)) = (self.state.cursor.since(), self.endpoint.socket_path()) {
            // Its clock is ours. Behind TCP it may not be, and there the first event sets the time.
            let now = i64::try_from(Time::now().unix_nanos()).unwrap_or(i64::MAX);
            self.state.cursor.begin(now);
        }
        let address = self.endpoint.address();
        let timing = self.state.timing.clone();
        let connecting = Client::connect(&address, &timing);
        self.ports.attend(&mut self.state.outbox, connecting).await
    }

    async fn follow(&mut self, client: Client) -> End {
        if let Some(from) = self.blind_from.take() {
            let now = Time::now();
            self.state.outbox.push_back(EngineItem::Gap(blind(from, now)));
        }
        let socket = self.endpoint.socket_path().map(std::path::Path::to_owned);
        Session::new(&mut self.state, client, socket)
            .follow(&mut self.ports)
            .await
    }

    fn degraded(&mut self, ailment: Ailment, what: &str) {
        let status = self.state.health.degraded(ailment, what);
        self.state.outbox.extend(status.map(EngineItem::Status));
    }

    /// Waits before the next attempt: for a time, or for another socket.
    async fn wait(&mut self, before: Option<SocketFile>) -> Flow<()> {
        let until = Instant::now() + self.back_off.wait();
        let (endpoint, look_every) = (&self.endpoint, self.state.timing.look_every);
        let another = async {
            while endpoint.socket_file().is_none_or(|now| Some(now) == before) {
                tokio::time::sleep(look_every).await;
            }
        };
        let waited = tokio::time::timeout_at(until, another);
        match self.ports.attend(&mut self.state.outbox, waited).await {
            Some(Ok(())) => {
                // An engine is starting: it accepts connections some time before it answers.
                self.back_off.reset();
                Flow::Continue(())
            }
            Some(Err(_elapsed)) => Flow::Continue(()),
            None => Flow::Break(()),
        }
    }
}

fn blind(from: Time, to: Time) -> Gap {
    Gap {
        time: to,
        source: "engine".to_owned(),
        reason: "disconnected".to_owned(),
        lost: None,
        from,
        to,
        container: None,
        detail: "the engine was not seen; containers and exec sessions that came and went meanwhile are known only \
                 from the kernel"
            .to_owned(),
    }
}
