//! For those who work on Hullwatch: the trail as it is reassembled, to be held against what the audit daemon writes.

use std::sync::Arc;

use serde::Serialize;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::{Fault, write};
use crate::source::audit::{AuditError, AuditEvent, Facts, Heard, Interest, Trail};

/// One event. Records are in the order in which they came, by type; the end is none of them.
#[derive(Debug, Serialize)]
struct EventLine {
    serial: u64,
    unix_ms: i64,
    complete: bool,
    left_out: usize,
    kinds: Vec<u16>,
}

/// What came and what did not, in datagrams: each holds one record, or the end of an event.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Totals {
    taken: u64,
    malformed: u64,
    dropped: Option<u64>,
}

/// Prints every event of the trail as one JSON line, until it is asked to end; then the totals.
pub(super) async fn print() -> Result<(), Fault> {
    let host = |error: AuditError| Fault::host(&error);
    let interest = Arc::new(Interest::new(Facts::default(), true));
    let mut trail = Trail::open(interest).map_err(host)?;
    let mut end = signal(SignalKind::interrupt()).map_err(|error| Fault::other(error.to_string()))?;
    let mut malformed = 0;
    write("{\"listening\":true}")?;
    loop {
        let heard = tokio::select! {
            biased;
            heard = trail.next() => heard,
            // What is open is told as it is, and then nothing more comes.
            _ = end.recv() => {
                trail.close();
                continue;
            }
        };
        match heard {
            Some(Heard::Event(event)) => tell(&event)?,
            Some(Heard::Malformed { .. }) => malformed += 1,
            Some(Heard::Dropping { .. }) => {}
            Some(Heard::Failed(error)) => return Err(host(error)),
            None => break,
        }
    }
    let totals = Totals {
        taken: trail.taken(),
        malformed,
        dropped: trail.newly_dropped(),
    };
    write(&json!({ "totals": totals }).to_string())
}

fn tell(event: &AuditEvent) -> Result<(), Fault> {
    let line = EventLine {
        serial: event.id.serial,
        unix_ms: i64::try_from(event.id.time.unix_nanos() / 1_000_000).unwrap_or_default(),
        complete: event.complete,
        left_out: event.left_out,
        kinds: event.records.iter().map(|record| record.kind).collect(),
    };
    write(&serde_json::to_string(&line).map_err(|error| Fault::other(error.to_string()))?)
}
