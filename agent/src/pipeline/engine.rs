//! The engine's word, completed by what the host itself shows.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::model::{Container, Event, Status, StatusState, Time};
use crate::source::engine::{Endpoint, EngineItem, Wanted, run};
use crate::source::host;

/// Items that may wait for the loop; beyond, the engine source waits, and says what it then misses.
const QUEUE: usize = 256;
/// Questions that may wait to be asked.
const WANTED: usize = 256;
/// Between two lives of the engine source.
const BACK_OFF: Duration = Duration::from_secs(1);

/// Starts following the engine. It ends when the receiver is dropped.
pub(super) fn spawn(
    endpoint: Endpoint,
    sockets: Vec<(String, PathBuf)>,
) -> (mpsc::Receiver<EngineItem>, mpsc::Sender<Wanted>) {
    let (told, queue) = mpsc::channel(QUEUE);
    let (ask, asked) = mpsc::channel(WANTED);
    let (completed, out) = mpsc::channel(QUEUE);
    tokio::spawn(supervise(endpoint, told, asked));
    tokio::spawn(complete_all(queue, completed, sockets));
    (out, ask)
}

/// Starts the engine source again should it ever end, and says so.
async fn supervise(endpoint: Endpoint, told: mpsc::Sender<EngineItem>, mut asked: mpsc::Receiver<Wanted>) {
    while !told.is_closed() {
        let (ask, inner) = mpsc::channel(WANTED);
        let mut life = tokio::spawn(run(endpoint.clone(), told.clone(), inner));
        let reason = loop {
            tokio::select! {
                end = &mut life => break end.err().map_or_else(|| "it ended".to_owned(), |error| error.to_string()),
                wanted = asked.recv() => match wanted {
                    Some(wanted) => {
                        if ask.try_send(wanted).is_err() {
                            tracing::debug!("Too much is being asked about.");
                        }
                    }
                    None => return life.abort(),
                },
            }
        };
        let status = Status {
            time: Time::now(),
            state: StatusState::Degraded,
            component: "engine".to_owned(),
            reason: format!("the engine source failed and is started again: {reason}"),
        };
        if told.send(EngineItem::Status(status)).await.is_err() {
            return;
        }
        sleep(BACK_OFF).await;
    }
}

async fn complete_all(
    mut queue: mpsc::Receiver<EngineItem>,
    out: mpsc::Sender<EngineItem>,
    sockets: Vec<(String, PathBuf)>,
) {
    while let Some(mut item) = queue.recv().await {
        if let EngineItem::Observation(observation) = &mut item
            && let Event::Container { facts, .. } = &mut observation.event
        {
            **facts = complete(facts.clone(), sockets.clone()).await;
        }
        if out.send(item).await.is_err() {
            return;
        }
    }
}

/// Adds what the host shows of a container; what it does not show stays absent, which a check calls
/// unknown.
async fn complete(facts: Box<Container>, sockets: Vec<(String, PathBuf)>) -> Container {
    let fallback = facts.clone();
    let look = spawn_blocking(move || {
        let mut facts = facts;
        if let Err(error) = host::complete(&mut facts, &host::runtime_sockets(&sockets)) {
            tracing::debug!(container = %facts.id, %error, "A container could not be looked at.");
        }
        facts
    });
    *look.await.unwrap_or(fallback)
}
