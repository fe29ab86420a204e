//! The audit trail, followed for as long as somebody listens.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::model::{Status, StatusState, Time};
use crate::source::audit::{AuditItem, Interest, follow};

/// Items that may wait for the loop; beyond, the kernel drops our copy, and that is told.
const QUEUE: usize = 512;
/// Between two lives of the audit source.
const BACK_OFF: Duration = Duration::from_secs(10);

/// Starts following what of the trail is of interest. It ends when the receiver is dropped.
pub(super) fn spawn(interest: Arc<Interest>) -> mpsc::Receiver<AuditItem> {
    let (out, queue) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        let mut told = None;
        while !out.is_closed() {
            let reason = match tokio::spawn(follow(out.clone(), Arc::clone(&interest))).await {
                Ok(Ok(())) => return,
                Ok(Err(error)) => error.to_string(),
                Err(error) => error.to_string(),
            };
            // What cannot be had is said once, and tried again: a module may be loaded, a daemon may make room.
            if told.as_ref() != Some(&reason) {
                let status = Status {
                    time: Time::now(),
                    state: StatusState::Degraded,
                    component: "audit".to_owned(),
                    reason: format!("the audit trail is not seen: {reason}"),
                };
                told = Some(reason);
                if out.send(AuditItem::Status(status)).await.is_err() {
                    return;
                }
            }
            sleep(BACK_OFF).await;
        }
    });
    queue
}
