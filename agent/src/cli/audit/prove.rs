//! A harmless change to every object, and the wait for its record.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, Mode, chmodat, major, minor, stat};
use tokio::time::timeout_at;

use super::Fault;
use crate::check::audit_trail::{ASKED, Found, required};
use crate::model::{AuditPathRow, AuditProof, AuditRecord, AuditReport, Event, Host, Observation};
use crate::source::audit::{AuditError, Facts, Heard, Interest, Trail, observations, parse_rule};

/// How long records are waited for after the last change.
const PATIENCE: Duration = Duration::from_secs(2);

/// An inode and its device, `major:minor`.
type Inode = (u64, String);

/// What became of a change.
#[derive(Debug)]
enum Deed {
    /// Made, or at least tried: `Some` is how the kernel refused it, which is recorded like any other call.
    Done(Inode, Option<std::io::Error>),
    /// The object could not be looked at.
    Impossible(std::io::Error),
}

/// Fills in the proofs of a report.
pub(super) async fn prove(report: &mut AuditReport, host: &Host) -> Result<(), Fault> {
    let mut trail =
        Trail::open(Arc::new(Interest::new(Facts::default(), true))).map_err(|error| Fault::host(&error))?;
    let paths = resolved(host);
    let rows = report.paths.iter_mut().filter(|row| row.decision.is_some());
    let mut deeds: Vec<(&mut AuditPathRow, Deed)> = rows
        .filter_map(|row| {
            let path = paths.get(row.path.as_deref()?)?;
            Some((row, touch(path)))
        })
        .collect();
    let wanted: Vec<Inode> = deeds
        .iter()
        .filter_map(|(_, deed)| match deed {
            Deed::Done(inode, _) => Some(inode.clone()),
            Deed::Impossible(_) => None,
        })
        .collect();
    let seen = listen(&mut trail, &wanted)
        .await
        .map_err(|error| Fault::host(&error))?;
    for (row, deed) in &mut deeds {
        let proof = judge(row, deed, &seen);
        row.proof = Some(proof);
    }
    Ok(())
}

/// Where each path of the report leads.
fn resolved(host: &Host) -> HashMap<&str, &str> {
    ASKED
        .iter()
        .filter_map(|asked| required(asked, &host.facts).ok())
        .flatten()
        .filter_map(|found| match found {
            Found::Here(required) => Some((required.path, required.state.resolved.as_str())),
            Found::Unseen { .. } => None,
        })
        .collect()
}

/// Sets the mode to what it is.
fn touch(path: &str) -> Deed {
    let found = match stat(path) {
        Ok(found) => found,
        Err(error) => return Deed::Impossible(error.into()),
    };
    let inode = (
        found.st_ino,
        format!("{}:{}", major(found.st_dev), minor(found.st_dev)),
    );
    let mode = Mode::from_raw_mode(found.st_mode & 0o7777);
    let refused = chmodat(CWD, path, mode, AtFlags::empty()).err();
    Deed::Done(inode, refused.map(Into::into))
}

/// The records of our own changes, by inode; until each has one, or patience ends.
async fn listen(trail: &mut Trail, wanted: &[Inode]) -> Result<HashMap<Inode, AuditRecord>, AuditError> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let mut seen = HashMap::new();
    while !wanted.iter().all(|inode| seen.contains_key(inode)) {
        let event = match timeout_at(deadline, trail.next()).await {
            Ok(Some(Heard::Event(event))) => event,
            Ok(Some(Heard::Failed(error))) => return Err(error),
            Ok(Some(Heard::Malformed { .. } | Heard::Dropping { .. })) => continue,
            Ok(None) | Err(_) => break,
        };
        for observation in observations(&event) {
            if let Some(record) = own(observation) {
                let inodes = record
                    .paths
                    .iter()
                    .filter_map(|path| Some((path.ino?, path.dev.clone()?)));
                for inode in inodes.collect::<Vec<_>>() {
                    seen.entry(inode).or_insert_with(|| record.clone());
                }
            }
        }
    }
    Ok(seen)
}

/// The record of a change that this process made.
fn own(observation: Observation) -> Option<AuditRecord> {
    let process = observation.process?;
    match observation.event {
        Event::AuditRecord(record) if process.pid == std::process::id() => Some(record),
        _ => None,
    }
}

fn judge(row: &AuditPathRow, deed: &Deed, seen: &HashMap<Inode, AuditRecord>) -> AuditProof {
    let (inode, refused) = match deed {
        Deed::Impossible(error) => {
            return AuditProof {
                proven: None,
                reason: format!("it cannot be looked at: {error}"),
                serial: None,
                keys: Vec::new(),
            };
        }
        Deed::Done(inode, refused) => (inode, refused),
    };
    let refused = refused.as_ref().map_or_else(String::new, |error| {
        format!(" (the kernel refused the change: {error})")
    });
    let Some(record) = seen.get(inode) else {
        return AuditProof {
            proven: Some(false),
            reason: format!("not recorded: no record of its change came within {PATIENCE:?}{refused}"),
            serial: None,
            keys: Vec::new(),
        };
    };
    let expected = row.rule.as_deref().and_then(parse_rule);
    let expected = expected
        .as_ref()
        .map_or_else(Vec::new, crate::check::audit_trail::keys);
    let right = expected.is_empty() || record.keys.iter().any(|key| expected.contains(&key.as_str()));
    let keys = record.keys.join(", ");
    let reason = if right {
        format!(
            "proven: recorded as event {}, keys {keys}{refused}",
            record.serial
        )
    } else {
        format!(
            "recorded as event {} by another rule, keys {keys}{refused}",
            record.serial
        )
    };
    AuditProof {
        proven: Some(true),
        reason,
        serial: Some(record.serial),
        keys: record.keys.clone(),
    }
}
