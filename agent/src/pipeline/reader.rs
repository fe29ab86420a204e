//! The task that reads the probes' rings.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::source::kernel::{Batch, Rings};

/// Batches that may wait for the loop. Beyond, events stay in the rings, which count what they lose.
const QUEUE: usize = 8;
const BACK_OFF: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(5),
];

/// What the reader tells.
#[derive(Debug)]
pub(super) enum Read {
    /// Events.
    Batch(Batch),
    /// Reading failed, and is tried again.
    Failed(String),
}

/// Starts reading. It ends when the receiver is dropped.
pub(super) fn spawn(mut rings: Rings) -> mpsc::Receiver<Read> {
    let (out, queue) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        let mut failures = 0;
        loop {
            let read = match rings.next().await {
                Ok(batch) => {
                    failures = 0;
                    Read::Batch(batch)
                }
                Err(error) => {
                    sleep(BACK_OFF.get(failures).copied().unwrap_or(Duration::from_secs(5))).await;
                    failures += 1;
                    Read::Failed(error.to_string())
                }
            };
            let empty =
                matches!(&read, Read::Batch(batch) if batch.sightings.is_empty() && batch.undecodable == 0);
            if !empty && out.send(read).await.is_err() {
                return;
            }
        }
    });
    queue
}

/// Where nobody reads, for there is nothing to be read.
pub(super) fn silent() -> mpsc::Receiver<Read> {
    mpsc::channel(1).1
}
