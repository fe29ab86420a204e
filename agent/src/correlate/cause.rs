//! Who made a verdict turn: the change that bears on the item, as far as facts tell it from others.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::json;

use super::change::{Changes, Seen};
use super::posture::{Assessed, TRAIL};
use crate::check::Check;
use crate::model::{
    Event, Evidence, FileAttributes, FileChange, Observation, Role, Source, Time, VerdictKind,
};

/// How long after a change an assessment may turn because of it.
const BEARS_FOR: Duration = Duration::from_secs(5);
/// Changes that are not this far apart may both have come before the same look at the host.
const TOGETHER: Duration = Duration::from_millis(250);
/// Suspects that are named.
const NAMED: usize = 8;
/// Key of the check that asks who can open the engine's socket.
const ACCESS: &str = "docker-group-trusted-members";

/// What made a verdict turn.
#[derive(Debug)]
pub(super) enum Cause<'a> {
    /// No change that was seen bears on it.
    Unseen,
    /// This change, with its ticket.
    Known(u64, &'a Observation),
    /// One of these, the latest first: what was seen does not say which.
    Uncertain(Vec<Seen<'a>>),
}

impl<'a> Cause<'a> {
    /// Finds it among the changes that were seen.
    ///
    /// A daemon's end is found a moment before it is told; what else was changed just then is not to blame for it.
    pub(super) fn find(changes: &'a Changes, one: &Assessed, now: Time) -> Self {
        let unkept = one.verdict.evidence.iter().any(is_unkept);
        let listens = |kind: &str| one.check.signals.iter().any(|signal| signal.kind == kind);
        let recent = changes.recent(now, BEARS_FOR, (one.check.key, &one.subject));
        let bearing = recent.filter(|seen| match &seen.observation.event {
            Event::File(file) => !unkept && listens("file") && bears(one.check, file, &one.subject),
            Event::AuditChange(change) if unkept => change.op == "daemon-end" && listens("audit-change"),
            Event::AuditChange(_) => listens("audit-change"),
            _ => false,
        });
        let bearing: Vec<_> = bearing.collect();
        let mut suspects = match attribute(one.check) {
            Some(of) => by_attribute(&bearing, &one.subject, of),
            None => by_time(&bearing, one),
        };
        // What was found out already is to blame only where nothing else is: an engine may speak late.
        if suspects.iter().any(|seen| !seen.is_told) {
            suspects.retain(|seen| !seen.is_told);
        }
        let mut doers = HashSet::new();
        suspects.retain(|seen| doers.insert(doer(seen)));
        match suspects.as_slice() {
            [] => Self::Unseen,
            [seen] => Self::Known(seen.ticket, seen.observation),
            _ => Self::Uncertain(suspects),
        }
    }
}

/// In so short a time no process id is given to another.
fn doer(seen: &Seen<'_>) -> Option<u32> {
    seen.observation.process.as_ref().map(|process| process.pid)
}

fn file<'a>(seen: &Seen<'a>) -> Option<&'a FileChange> {
    match &seen.observation.event {
        Event::File(file) => Some(file),
        _ => None,
    }
}

fn is_of(suspect: &Seen<'_>, subject: &str) -> bool {
    file(suspect).is_some_and(|file| file.path == subject)
}

/// Takes one of a file's attributes.
type Attribute = fn(&FileAttributes) -> (u32, u32);

/// What of a file's attributes a check judges, if it judges them.
fn attribute(check: &Check) -> Option<Attribute> {
    if check.key.ends_with("-mode") {
        Some(|seen| (seen.mode, 0))
    } else if check.key.ends_with("-owner") {
        Some(|seen| (seen.uid, seen.gid))
    } else {
        None
    }
}

/// Who can have made a file's attribute what it was last seen to be. The file is looked at whenever a change of it is
/// read. The first look that shows the attribute as it is now clears whoever came later, unless nothing at all was
/// changed between the two looks: then both changes came before the first. A directory above it may have brought the file
/// as it is: that leaves no trace on the file.
fn by_attribute<'a>(bearing: &[Seen<'a>], subject: &str, of: Attribute) -> Vec<Seen<'a>> {
    let look = |suspect: &Seen<'_>| file(suspect).and_then(|file| file.attributes);
    let is_own = |suspect: &Seen<'_>| is_of(suspect, subject);
    let newest = bearing.iter().find(|suspect| is_own(suspect));
    let now = newest.and_then(look).as_ref().map(of);
    let since = bearing
        .iter()
        .take_while(|suspect| !is_own(suspect) || look(suspect).as_ref().map(of) == now);
    let since: Vec<_> = since.copied().collect();
    let first = since.iter().rfind(|suspect| is_own(suspect));
    let first = first.and_then(look).map(|first| first.changed);
    let latest = bearing.first().map(|seen| seen.observation.time);
    let suspected = |suspect: &Seen<'_>| {
        if is_own(suspect) {
            look(suspect).map(|seen| seen.changed) == first
        } else {
            latest.is_some_and(|latest| latest.since(suspect.observation.time) <= TOGETHER)
        }
    };
    since.into_iter().filter(suspected).collect()
}

/// Who did what bears on the item most directly, together with the latest.
fn by_time<'a>(bearing: &[Seen<'a>], one: &Assessed) -> Vec<Seen<'a>> {
    let Some(latest) = bearing.first() else {
        return Vec::new();
    };
    let together = bearing
        .iter()
        .copied()
        .take_while(|seen| latest.observation.time.since(seen.observation.time) <= TOGETHER);
    let together: Vec<_> = together.collect();
    let rank = |suspect: &Seen<'_>| directness(suspect, one);
    let most = together.iter().map(rank).max();
    together
        .into_iter()
        .filter(|suspect| Some(rank(suspect)) == most)
        .collect()
}

/// How well a change explains a verdict, beside others of the same moment.
fn directness(seen: &Seen<'_>, one: &Assessed) -> u8 {
    match &seen.observation.event {
        Event::File(file) if file.role != Some(Role::ConfigDir) || file.path == one.subject => 1,
        // Another rule seldom makes a trail that shows less, and one rule less never one that shows more.
        Event::AuditChange(change) => {
            let fails = one.verdict.kind() == VerdictKind::Fail;
            let against = if fails { "add_rule" } else { "remove_rule" };
            // One that was noticed by its effect has no doer.
            u8::from(change.op != against) * 2 + u8::from(seen.observation.process.is_some())
        }
        _ => 0,
    }
}

/// The suspects in words, and as evidence.
pub(super) fn suspicion(suspects: &[Seen<'_>]) -> (String, Evidence) {
    let named = suspects.iter().take(NAMED).map(|seen| seen.observation);
    let words: Vec<_> = named
        .clone()
        .map(|seen| match &seen.process {
            Some(process) => format!("{} (pid {})", process.comm, process.pid),
            None => "an unknown program".to_owned(),
        })
        .collect();
    let facts: Vec<_> = named
        .map(|seen| {
            let process = seen.process.as_ref();
            json!({
                "time": seen.time,
                "pid": process.map(|process| process.pid),
                "comm": process.map(|process| process.comm.as_str()),
                "exe": process.map(|process| process.exe.as_str()),
                "change": seen.event,
            })
        })
        .collect();
    let facts = json!({ "certain": false, "suspects": facts, "count": suspects.len() });
    (words.join(" or "), Evidence::new(Source::Kernel, "cause", facts))
}

/// Whether evidence is of a rule that has everything recorded, and nobody who writes it down.
fn is_unkept(evidence: &Evidence) -> bool {
    let fact = |name: &str| evidence.facts().get(name);
    fact("decision").and_then(|decision| decision.as_str()) == Some("covered")
        && fact("daemon").is_some_and(serde_json::Value::is_null)
}

/// Whether a change of a file can turn a check's verdict on an item.
fn bears(check: &Check, file: &FileChange, subject: &str) -> bool {
    let below = |inner: &str, outer: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let did = |wanted: fn(&str) -> bool| file.ops.iter().any(|op| wanted(op));
    if attribute(check).is_some() && file.path != subject {
        // Another file may come into its place, with a directory above it.
        return below(subject, &file.path) && did(|op| op.starts_with("move") || op == "delete");
    }
    if check.key.starts_with(TRAIL) && file.role != Some(Role::AuditRules) {
        // A rule goes with what it watches, and with nothing that is done to that or in it.
        return below(subject, &file.path) && did(|op| op != "write" && op != "attributes");
    }
    // What a file holds does not say whose it is.
    if attribute(check).is_some() && !did(|op| op != "write") {
        return false;
    }
    if below(subject, &file.path) || below(&file.path, subject) {
        return true;
    }
    match file.role {
        Some(Role::ConfigFile) => check.section == "daemon" && did(|op| op != "attributes"),
        Some(Role::ConfigDir) => check.section == "daemon" && did(|op| op != "attributes" && op != "write"),
        Some(Role::EngineSocket) => check.key == ACCESS,
        Some(Role::Accounts) => check.key == ACCESS || check.key == "userns-remap",
        Some(Role::AuditRules) => check.key.starts_with(TRAIL),
        Some(Role::LoginEnvironment) => check.key == "content-trust-enabled",
        _ => false,
    }
}
