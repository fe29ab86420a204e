//! For those who work on Hullwatch: the trail as it is reassembled, to be held against what the audit daemon writes.

use std::time::Instant;

use serde::Serialize;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep_until;

use super::{Fault, write};
use crate::source::audit::{Assembler, AuditError, AuditEvent, Received, Record, Trail};

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
    let mut trail = Trail::open().map_err(host)?;
    let mut end = signal(SignalKind::interrupt()).map_err(|error| Fault::other(error.to_string()))?;
    let mut assembler = Assembler::default();
    let mut totals = Totals::default();
    write("{\"listening\":true}")?;
    loop {
        let deadline = assembler.deadline();
        let event = tokio::select! {
            biased;
            received = trail.next() => take(received.map_err(host)?, &mut assembler, &mut totals),
            () = sleep_until(deadline.unwrap_or_else(Instant::now).into()), if deadline.is_some() => {
                assembler.expire(Instant::now())
            }
            _ = end.recv() => break,
        };
        tell(event.as_ref())?;
    }
    // Nothing more is taken: what is open is told as it is.
    while let Some(deadline) = assembler.deadline() {
        tell(assembler.expire(deadline).as_ref())?;
    }
    totals.dropped = trail.newly_dropped();
    write(&json!({ "totals": totals }).to_string())
}

fn take(received: Received, assembler: &mut Assembler, totals: &mut Totals) -> Option<AuditEvent> {
    let Received::Record(kind, text) = received else {
        totals.malformed += u64::from(received == Received::Malformed);
        return None;
    };
    totals.taken += 1;
    match Record::parse(kind, &text) {
        Some(record) => assembler.push(record, Instant::now()),
        None => {
            totals.malformed += 1;
            None
        }
    }
}

fn tell(event: Option<&AuditEvent>) -> Result<(), Fault> {
    let Some(event) = event else { return Ok(()) };
    let line = EventLine {
        serial: event.id.serial,
        unix_ms: i64::try_from(event.id.time.unix_nanos() / 1_000_000).unwrap_or_default(),
        complete: event.complete,
        left_out: event.left_out,
        kinds: event.records.iter().map(|record| record.kind).collect(),
    };
    write(&serde_json::to_string(&line).map_err(|error| Fault::other(error.to_string()))?)
}
