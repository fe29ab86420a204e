//! What the host shows beside the engine's word: collected anew whenever something it depends on changed.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::assess::audit_facts;
use crate::model::HostFacts;
use crate::source::host;

/// How long after a change the host is looked at: a change seldom comes alone.
const SETTLE: Duration = Duration::from_millis(60);

/// Starts looking at the host whenever facts to be completed are sent. It ends when the sender is dropped.
pub(super) fn spawn() -> (mpsc::Sender<HostFacts>, mpsc::Receiver<HostFacts>) {
    let (ask, mut asked) = mpsc::channel::<HostFacts>(1);
    let (out, told) = mpsc::channel(1);
    tokio::spawn(async move {
        while let Some(mut facts) = asked.recv().await {
            sleep(SETTLE).await;
            // The latest word of the engine counts.
            while let Ok(newer) = asked.try_recv() {
                facts = newer;
            }
            let looked = spawn_blocking(move || {
                host::collect(&mut facts);
                facts.audit = audit_facts();
                facts
            });
            match looked.await {
                Ok(facts) => {
                    if out.send(facts).await.is_err() {
                        return;
                    }
                }
                Err(error) => tracing::error!(%error, "The host could not be looked at."),
            }
        }
    });
    (ask, told)
}
