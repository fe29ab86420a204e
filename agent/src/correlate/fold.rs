//! Folding of repetitions: the first is reported at once, the rest are counted and reported at a growing
//! interval. No occurrence is ever dropped: the counts of all reports add up to the occurrences.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::bounded::Bounded;
use super::identity::violation_id;
use crate::model::{CgroupId, Class, ContainerId, Severity, Time, Violation};

/// How repetitions of a violation are folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldSettings {
    /// Time from one report to the next, report by report; the last one holds from there on.
    pub intervals: Vec<Duration>,
    /// How many different violations are remembered; the one seen least recently makes room, reported.
    pub capacity: usize,
    /// How many subjects of one check are told apart in one place; further ones are counted together. Who
    /// gives each program another name shall fill neither the stream nor what is remembered.
    pub subjects: usize,
    /// After this long without a repetition a violation is new again.
    pub forget_after: Duration,
}

impl Default for FoldSettings {
    fn default() -> Self {
        Self {
            intervals: [10, 60, 300, 1800, 3600].map(Duration::from_secs).to_vec(),
            capacity: 4096,
            subjects: 32,
            forget_after: Duration::from_secs(3600),
        }
    }
}

/// Where a violation happened, as far as repetitions are concerned.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Scope {
    Host,
    Container(ContainerId),
    /// Every container of an image: what its starts have in common is said once.
    Image(String),
    /// A container without a known id, told apart by its cgroup.
    Unidentified(CgroupId),
}

/// What makes two violations the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct FoldKey {
    pub(super) check: &'static str,
    pub(super) class: Class,
    /// A worse repetition is not a repetition: it must not wait in a count.
    pub(super) severity: Severity,
    pub(super) scope: Scope,
    pub(super) subject: String,
}

/// Subject of all that are not told apart.
const CROWD: &str = "…";

impl FoldKey {
    /// What the subjects of one check in one place have in common.
    fn group(&self) -> Self {
        self.with_subject(String::new())
    }

    fn with_subject(&self, subject: String) -> Self {
        let scope = self.scope.clone();
        Self {
            scope,
            subject,
            ..*self
        }
    }
}

#[derive(Debug)]
struct Entry {
    reported: Time,
    /// Reports so far, less one: the interval that runs.
    step: usize,
    seen: Time,
    pending: Option<Box<Pending>>,
}

#[derive(Debug)]
struct Pending {
    count: u64,
    first: Time,
    /// When it is reported, and its place among those of the same time.
    due: (Time, u64),
    last: Violation,
}

/// The violations that were seen of late.
#[derive(Debug)]
pub(super) struct Fold {
    settings: FoldSettings,
    entries: Bounded<Arc<FoldKey>, Entry>,
    due: BTreeMap<(Time, u64), Arc<FoldKey>>,
    /// Entries of each group.
    groups: HashMap<FoldKey, usize>,
    tickets: u64,
}

impl Fold {
    pub(super) fn new(settings: FoldSettings) -> Self {
        Self {
            entries: Bounded::new(settings.capacity),
            due: BTreeMap::new(),
            groups: HashMap::new(),
            tickets: 0,
            settings,
        }
    }

    /// Whether this violation was reported of late, so that a repetition would only be counted.
    pub(super) fn knows(&self, key: &FoldKey) -> bool {
        self.entries.get(&self.placed(key.clone())).is_some()
    }

    /// The key under which a violation is remembered.
    fn placed(&self, key: FoldKey) -> Arc<FoldKey> {
        let key = Arc::new(key);
        let told_apart =
            || self.groups.get(&key.group()).copied().unwrap_or_default() < self.settings.subjects;
        if self.entries.get(&key).is_some() || told_apart() {
            return key;
        }
        Arc::new(key.with_subject(CROWD.to_owned()))
    }

    fn left(&mut self, key: &FoldKey) {
        let group = key.group();
        if let Some(count) = self.groups.get_mut(&group) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.groups.remove(&group);
            }
        }
    }

    /// Takes in an occurrence; gives what is to be reported at once: the occurrence itself if it is new, and
    /// before it the count of the violation that had to make room.
    pub(super) fn note(&mut self, key: FoldKey, violation: Violation) -> Vec<Violation> {
        let key = self.placed(key);
        if self.entries.get(&key).is_some() {
            self.count(&key, violation);
            return Vec::new();
        }
        let entry = Entry {
            reported: violation.time,
            step: 0,
            seen: violation.time,
            pending: None,
        };
        *self.groups.entry(key.group()).or_default() += 1;
        let pushed_out = self.entries.insert(Arc::clone(&key), entry);
        if let Some((key, _)) = &pushed_out {
            self.left(key);
        }
        let mut reports: Vec<_> = pushed_out
            .and_then(|(key, entry)| Some((key, entry.pending?)))
            .map(|(key, pending)| {
                self.due.remove(&pending.due);
                report(&key, *pending, violation.time)
            })
            .into_iter()
            .collect();
        reports.push(identified(&key, violation));
        reports
    }

    fn count(&mut self, key: &Arc<FoldKey>, violation: Violation) {
        let Some(entry) = self.entries.touch(key) else {
            return;
        };
        entry.seen = entry.seen.max(violation.time);
        if let Some(pending) = &mut entry.pending {
            pending.count += violation.count;
            pending.last = violation;
            return;
        }
        // Among many, one of another kind can hide: they are told of at the first interval for ever.
        let step = if key.subject == CROWD { 0 } else { entry.step };
        let interval = self
            .settings
            .intervals
            .get(step)
            .or(self.settings.intervals.last());
        let interval = interval.copied().unwrap_or(self.settings.forget_after);
        let due = (entry.reported.after(interval).max(violation.time), self.tickets);
        self.tickets += 1;
        self.due.insert(due, Arc::clone(key));
        entry.pending = Some(Box::new(Pending {
            count: violation.count,
            first: violation.first.unwrap_or(violation.time),
            due,
            last: violation,
        }));
    }

    /// When the next report is due.
    pub(super) fn next_due(&self) -> Option<Time> {
        self.due.keys().next().map(|(time, _)| *time)
    }

    /// The earliest report that is due by now, with the time at which it was due.
    pub(super) fn take_due(&mut self, now: Time) -> Option<Violation> {
        let (&place, _) = self.due.first_key_value().filter(|(place, _)| place.0 <= now)?;
        let key = self.due.remove(&place)?;
        // `due` and `pending` are set and cleared together, so there is one; touching would spoil the order.
        let entry = self.entries.get_mut(&key)?;
        let pending = entry.pending.take()?;
        entry.reported = place.0;
        entry.step += 1;
        Some(report(&key, *pending, place.0))
    }

    /// Everything still counted, reported now.
    pub(super) fn finish(&mut self, now: Time) -> Vec<Violation> {
        let mut reports = Vec::new();
        while let Some(((_, _), key)) = self.due.pop_first() {
            let pending = self.entries.get_mut(&key).and_then(|entry| {
                entry.reported = now;
                entry.pending.take()
            });
            reports.extend(pending.map(|pending| report(&key, *pending, now)));
        }
        reports
    }

    /// Forgets what was quiet for long and has nothing to report.
    pub(super) fn forget(&mut self, now: Time) {
        let forget_after = self.settings.forget_after;
        let stale = |entry: &Entry| entry.pending.is_none() && now.since(entry.seen) > forget_after;
        while self.entries.oldest().is_some_and(|(_, entry)| stale(entry)) {
            if let Some((key, _)) = self.entries.pop_oldest() {
                self.left(&key);
            }
        }
    }
}

fn report(key: &FoldKey, pending: Pending, due: Time) -> Violation {
    // One that is due before its last occurrence was seen late; a report never precedes what it reports.
    let time = due.max(pending.first);
    let violation = Violation {
        time,
        count: pending.count,
        first: (pending.count > 1 || pending.first != time).then_some(pending.first),
        ..pending.last
    };
    identified(key, violation)
}

fn identified(key: &FoldKey, mut violation: Violation) -> Violation {
    violation.id = violation_id(&violation, &key.subject);
    if key.subject == CROWD {
        violation
            .summary
            .push_str(", counted with others beyond those told apart");
    }
    violation
}

#[cfg(test)]
mod tests;
