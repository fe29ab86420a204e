//! The two ends of the engine source.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use tokio::sync::mpsc;

use crate::source::engine::{EngineItem, Wanted};

/// Who is told, and who asks.
#[derive(Debug)]
pub(in super::super) struct Ports {
    pub(in super::super) out: mpsc::Sender<EngineItem>,
    pub(in super::super) wanted: mpsc::Receiver<Wanted>,
}

impl Ports {
    /// Waits for something while there is no connection: goes on telling what is to be told, and lets go of what the
    /// kernel saw, for a list will have it. None where nobody reads any more.
    pub(in super::super) async fn attend<T>(
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
pub(super) fn send(
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
