//! A harmless change of each sort to every object, and the wait for its record.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;
use tokio::time::timeout_at;

use super::Fault;
use super::deed::{Attempt, Deed, Inode, Permission, perform};
use crate::check::audit_trail::{ASKED, Found, asks_outcome, keys, required};
use crate::model::{
    AuditDecision, AuditPathRow, AuditProof, AuditRecord, AuditReport, Event, Host, Observation,
    PermissionProof,
};
use crate::source::audit::{AuditError, AuditEvent, Facts, Heard, Interest, Trail, observations, parse_rule};

/// How long records are waited for after the last change.
const PATIENCE: Duration = Duration::from_secs(2);
/// Type of the record of a system call.
const SYSCALL: u16 = 1300;
/// The part of `open`'s flags that says what a file is opened for, and its value for writing alone.
const ACCESS_MODE: u32 = 3;
const WRITE_ONLY: u32 = 1;

/// A change that is waited for.
type Wanted = (Inode, Permission);

/// Fills in the proofs of a report.
pub(super) async fn prove(report: &mut AuditReport, host: &Host) -> Result<(), Fault> {
    let mut trail =
        Trail::open(Arc::new(Interest::new(Facts::default(), true))).map_err(|error| Fault::host(&error))?;
    let paths = resolved(host);
    let rows = report.paths.iter_mut().filter(|row| row.decision.is_some());
    let mut deeds: Vec<_> = rows
        .filter_map(|row| {
            let path = paths.get(row.path.as_deref()?)?;
            Some((row, perform(path)))
        })
        .collect();
    let done = deeds.iter().filter_map(|(_, deed)| deed.as_ref().ok());
    let wanted: HashSet<Wanted> = done.flat_map(wanted).collect();
    let seen = listen(&mut trail, &wanted)
        .await
        .map_err(|error| Fault::host(&error))?;
    let mut rules = host.facts.audit.look().into_iter().flat_map(|audit| &audit.rules);
    let by_outcome = rules.any(asks_outcome);
    for (row, deed) in &mut deeds {
        let proof = match deed {
            Ok(deed) => judge(row, deed, &seen, by_outcome),
            Err(error) => unseen(*error),
        };
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

fn wanted(deed: &Deed) -> impl Iterator<Item = Wanted> {
    let tried = [
        (Permission::Write, deed.write),
        (Permission::Attribute, deed.attribute),
    ];
    let made = tried
        .into_iter()
        .filter(|(_, attempt)| matches!(attempt, Attempt::Made(..)));
    made.map(|(permission, _)| (deed.inode.clone(), permission))
}

/// The records of our own changes; until each has one, or patience ends.
async fn listen(
    trail: &mut Trail,
    wanted: &HashSet<Wanted>,
) -> Result<HashMap<Wanted, AuditRecord>, AuditError> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let mut seen = HashMap::new();
    while !wanted.iter().all(|one| seen.contains_key(one)) {
        let event = match timeout_at(deadline, trail.next()).await {
            Ok(Some(Heard::Event(event))) => event,
            Ok(Some(Heard::Failed(error))) => return Err(error),
            Ok(Some(Heard::Malformed { .. } | Heard::Dropping { .. })) => continue,
            Ok(None) | Err(_) => break,
        };
        for record in observations(&event).into_iter().filter_map(own) {
            if let Some(permission) = permission(&event, &record) {
                note(&record, permission, &mut seen);
            }
        }
    }
    Ok(seen)
}

/// The record of a call that this process made.
fn own(observation: Observation) -> Option<AuditRecord> {
    let process = observation.process?;
    match observation.event {
        Event::AuditRecord(record) if process.pid == std::process::id() => Some(record),
        _ => None,
    }
}

/// Which of our changes a call of ours is; none for one that only looked, of which records may come late.
fn permission(event: &AuditEvent, record: &AuditRecord) -> Option<Permission> {
    match record.syscall.as_str() {
        "chmod" | "fchmodat" | "fchmodat2" => Some(Permission::Attribute),
        "mkdir" | "mkdirat" | "rmdir" | "unlinkat" => Some(Permission::Write),
        "openat" => {
            let flags = event.record(SYSCALL)?.get("a2")?.text();
            let flags = u32::from_str_radix(&flags, 16).ok()?;
            (flags & ACCESS_MODE == WRITE_ONLY).then_some(Permission::Write)
        }
        _ => None,
    }
}

fn note(record: &AuditRecord, permission: Permission, seen: &mut HashMap<Wanted, AuditRecord>) {
    for path in &record.paths {
        if let (Some(ino), Some(dev)) = (path.ino, path.dev.clone()) {
            seen.entry(((ino, dev), permission))
                .or_insert_with(|| record.clone());
        }
    }
}

fn unseen(error: Errno) -> AuditProof {
    let error = io::Error::from(error);
    let proof = without(None, format!("not proven: it cannot be looked at: {error}"));
    AuditProof::of(proof.clone(), proof)
}

fn judge(
    row: &AuditPathRow,
    deed: &Deed,
    seen: &HashMap<Wanted, AuditRecord>,
    by_outcome: bool,
) -> AuditProof {
    // What is covered is not by a rule that asks for the outcome.
    let by_outcome = by_outcome && row.decision != Some(AuditDecision::Covered);
    let rule = row.rule.as_deref().and_then(parse_rule);
    let expected = rule.as_ref().map_or_else(Vec::new, keys);
    let one = |attempt, permission| {
        let record = seen.get(&(deed.inode.clone(), permission));
        judge_one(attempt, record, &expected, by_outcome)
    };
    AuditProof::of(
        one(deed.write, Permission::Write),
        one(deed.attribute, Permission::Attribute),
    )
}

fn judge_one(
    attempt: Attempt,
    record: Option<&AuditRecord>,
    expected: &[&str],
    by_outcome: bool,
) -> PermissionProof {
    let (words, refused) = match attempt {
        Attempt::Impossible(why) => return without(None, why.to_owned()),
        Attempt::Made(words, refused) => (words, refused.map(io::Error::from)),
    };
    let done = match &refused {
        Some(error) => format!("{words}, which the kernel refused: {error}"),
        None => words.to_owned(),
    };
    if refused.is_some() && by_outcome {
        let why = "a rule asks how a call ends, so that this shows nothing of what succeeds";
        return without(None, format!("not proven: {why} ({done})"));
    }
    let Some(record) = record else {
        let why = format!("not recorded: no record came within {PATIENCE:?} ({done})");
        return without(Some(false), why);
    };
    let right = expected.is_empty() || record.keys.iter().any(|key| expected.contains(&key.as_str()));
    let by = if right { "" } else { " by another rule" };
    let keys = record.keys.join(", ");
    PermissionProof {
        proven: Some(true),
        reason: format!(
            "proven: recorded as event {}{by}, keys {keys} ({done})",
            record.serial
        ),
        serial: Some(record.serial),
        keys: record.keys.clone(),
    }
}

/// Without a record.
const fn without(proven: Option<bool>, reason: String) -> PermissionProof {
    PermissionProof {
        proven,
        reason,
        serial: None,
        keys: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &str = "it was opened for writing";

    #[track_caller]
    fn check(attempt: Attempt, keys: &[&str], by_outcome: bool, proven: Option<bool>, words: &str) {
        let record = AuditRecord {
            serial: 7,
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            syscall: "openat".to_owned(),
            success: None,
            paths: Vec::new(),
        };
        let record = (!keys.is_empty()).then_some(&record);
        let proof = judge_one(attempt, record, &["docker"], by_outcome);
        assert_eq!(proof.proven, proven, "{proof:?}");
        assert!(proof.reason.contains(words), "{}", proof.reason);
        assert_eq!(proof.serial, record.and(proven).map(|_| 7));
    }

    #[test]
    fn a_record_proves_and_its_absence_disproves() {
        let made = Attempt::Made(WORDS, None);
        check(made, &["docker"], false, Some(true), "event 7, keys docker");
        check(made, &["other"], false, Some(true), "by another rule");
        check(made, &[], false, Some(false), "not recorded");
        check(made, &[], true, Some(false), "not recorded");
    }

    #[test]
    fn what_is_refused_proves_but_where_a_rule_asks_for_the_outcome() {
        let refused = Attempt::Made(WORDS, Some(Errno::NXIO));
        check(refused, &["docker"], false, Some(true), "refused");
        check(refused, &["docker"], true, None, "how a call ends");
        check(refused, &[], true, None, "how a call ends");
        check(refused, &[], false, Some(false), "not recorded");
    }

    #[test]
    fn what_is_not_tried_is_not_proven() {
        check(Attempt::Impossible("no way"), &[], false, None, "no way");
    }
}
