//! Being asked to stop.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, sleep_until};

use super::PipelineError;

/// Interrupt, termination, or the end of the time that was asked for.
#[derive(Debug)]
pub(crate) struct Stop {
    interrupt: Signal,
    terminate: Signal,
    deadline: Option<Instant>,
}

impl Stop {
    pub(crate) fn new(lasting: Option<Duration>) -> Result<Self, PipelineError> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(PipelineError::Signals)?,
            terminate: signal(SignalKind::terminate()).map_err(PipelineError::Signals)?,
            deadline: lasting.and_then(|lasting| Instant::now().checked_add(lasting)),
        })
    }

    /// Waits for whichever comes first, and names it.
    pub(crate) async fn requested(&mut self) -> &'static str {
        let deadline = async {
            match self.deadline {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => "interrupted",
            _ = self.terminate.recv() => "terminated",
            () = deadline => "the time asked for is over",
        }
    }
}
