//! Verdicts that turned: a line for each, and a violation where what passed fails now.

use serde_json::json;

use super::Correlator;
use super::cause::{Cause, suspicion};
use super::change::{audited_by, patience};
use super::draft;
use super::fold::FoldKey;
use super::posture::{Assessed, TRAIL};
use super::world::Reassessed;
use crate::check::{Check, Finding, Of};
use crate::model::{
    AuditRecord, Class, ContainerRef, Event, Evidence, FileChange, Identity, Observation, PostureChange,
    Severity, Source, Time, VerdictKind, Violation,
};

/// Objects that are told one by one when they are audited no longer.
const TRAIL_ITEMS: usize = 3;
/// Changes of verdicts that may wait to be written; more come of no one observation that is not hostile.
const CHANGES: usize = 65_536;

impl Correlator {
    /// The changes of verdicts that the last observation brought, to be written before its violations.
    pub fn take_changes(&mut self) -> Vec<PostureChange> {
        std::mem::take(&mut self.turned)
    }

    /// Tells of verdicts on what the observation did not tell of itself.
    pub(super) fn on_reassessed(
        &mut self,
        all: Vec<Reassessed>,
        observation: &Observation,
    ) -> Vec<Violation> {
        let mut told = Vec::new();
        let mut trail = Vec::new();
        for Reassessed { of, mut one } in all {
            let cause = self.cause(&mut one, observation.time);
            let by = cause.as_ref().map_or(observation, |(_, seen)| seen);
            if one.is_change() {
                self.turn(&of, &one, by, observation.time);
            }
            if !one.is_drift() || of != Of::Host {
                continue;
            }
            let ticket = cause.as_ref().map(|(ticket, _)| *ticket);
            if one.check.key.starts_with(TRAIL) {
                trail.push((one, ticket, by.clone()));
            } else {
                told.extend(self.drift(one, ticket, by));
            }
        }
        told.extend(self.on_trail(trail));
        told
    }

    /// The change that made a verdict turn, with its ticket. Where there are several suspects, the verdict tells of them.
    fn cause(&mut self, one: &mut Assessed, now: Time) -> Option<(u64, Observation)> {
        let (cause, tickets) = match Cause::find(&self.changes, one, now) {
            Cause::Unseen => return None,
            Cause::Known(ticket, seen) => (Some((ticket, seen.clone())), vec![ticket]),
            Cause::Uncertain(suspects) => {
                let (words, evidence) = suspicion(&suspects);
                one.verdict.reason = format!("{}; who did it is uncertain: {words}", one.verdict.reason);
                one.verdict.evidence.push(evidence);
                (None, suspects.iter().map(|seen| seen.ticket).collect())
            }
        };
        for ticket in tickets {
            self.changes.explains(ticket, one.check.key, &one.subject);
        }
        cause
    }

    /// What became of the trail: item by item, or in one line where it is gone altogether.
    fn on_trail(&mut self, mut all: Vec<(Assessed, Option<u64>, Observation)>) -> Vec<Violation> {
        if all.len() > TRAIL_ITEMS {
            let lost: Vec<_> = all
                .iter()
                .map(|(one, ..)| json!({ "key": one.check.key, "item": one.subject, "reason": one.verdict.reason }))
                .collect();
            let gravest = all
                .iter()
                .map(|(one, ..)| one.verdict.severity.unwrap_or(one.check.severity));
            let gravest = gravest.max();
            let count = all.len();
            all.truncate(1);
            for (one, ..) in &mut all {
                one.verdict.severity = gravest;
                one.verdict.reason = format!(
                    "{} (and {} other objects are audited no longer)",
                    one.verdict.reason,
                    count.saturating_sub(1)
                );
                let also = json!({ "checks": lost });
                let also = Evidence::new(Source::Assessment, "also-fails", also);
                one.verdict.evidence.push(also);
            }
        }
        let mut told = Vec::new();
        for (one, ticket, by) in all {
            told.extend(self.drift(one, ticket, &by));
        }
        told
    }

    /// Notes the changes of a container's own verdicts.
    pub(super) fn on_assessed(&mut self, assessed: &[Assessed], observation: &Observation) {
        let Event::Container { facts, .. } = &observation.event else {
            return;
        };
        let of = Of::Container(facts.id.clone());
        for one in assessed.iter().filter(|one| one.is_change()) {
            self.turn(&of, one, observation, observation.time);
        }
    }

    fn turn(&mut self, of: &Of, one: &Assessed, by: &Observation, time: Time) {
        let fails = one.verdict.kind() == VerdictKind::Fail;
        let severity = one.verdict.severity.unwrap_or(one.check.severity);
        let remedy = one.verdict.remedy.as_deref().unwrap_or(one.check.remedy);
        let container = match of {
            Of::Container(id) => self.world.container(Some(id)),
            _ => None,
        };
        let change = PostureChange {
            time,
            check: draft::reference_of(one.check, self.benchmark),
            item: one.subject.clone(),
            of: of.name().to_owned(),
            before: one.before,
            verdict: one.verdict.kind(),
            reason: one.verdict.reason.clone(),
            severity: fails.then_some(severity),
            evidence: one.verdict.evidence.clone(),
            remedy: fails.then(|| remedy.to_owned()),
            process: by.process.clone(),
            container: container.map(|facts| ContainerRef::from_container(facts, Identity::Confirmed)),
            host: self.world.host.facts.host.clone(),
        };
        if self.turned.len() < CHANGES {
            self.turned.push(change);
        } else {
            self.world.lost += 1;
        }
    }

    /// What passed on the host fails now.
    fn drift(&mut self, one: Assessed, ticket: Option<u64>, by: &Observation) -> Vec<Violation> {
        let severity = one.verdict.severity.unwrap_or(one.check.severity);
        // Known, and no more than that: the line of the verdict says it.
        if severity == Severity::Info {
            return Vec::new();
        }
        let finding = Finding {
            severity: one.verdict.severity,
            evidence: one.verdict.evidence,
            ..Finding::new(Class::Drift, one.subject, one.verdict.reason)
        };
        let (mut key, mut violation) = draft::live(&self.world, self.benchmark, one.check, finding, by);
        tell_apart(&mut key, &by.event);
        key.subject = draft::again(key.subject, one.round);
        let Some(ticket) = ticket else {
            return self.note(vec![(key, violation)]);
        };
        match self.changes.audit_of(ticket) {
            Some(audit) => {
                violation.audit = audit;
                self.note(vec![(key, violation)])
            }
            None => match self.changes.hold(ticket, (key, violation)) {
                Some(unheld) => self.note(vec![unheld]),
                None => Vec::new(),
            },
        }
    }

    /// A watched object was changed.
    pub(super) fn on_file(&mut self, observation: &Observation, file: &FileChange) -> Vec<Violation> {
        let verdict = |check: &Check| self.world.posture.of_host(check.key);
        let wanted_by = file
            .role
            .and_then(audited_by)
            .and_then(|key| self.checks.iter().copied().find(|check| check.key == key))
            .filter(|check| !matches!(verdict(check), None | Some(VerdictKind::NotApplicable)));
        let patience = wanted_by.and_then(|check| patience(verdict(check)));
        self.changes.file(observation, file, wanted_by, patience);
        self.dispatch(observation, None)
    }

    /// The trail tells of an object: the change that waited for it, and what waited for the change.
    pub(super) fn on_record(&mut self, observation: &Observation, record: &AuditRecord) -> Vec<Violation> {
        let mut told = Vec::new();
        for settled in self.changes.record(observation, record) {
            told.extend(self.note(settled.violations().collect()));
        }
        told.extend(self.dispatch(observation, None));
        told
    }

    /// A change that the trail did not show in time, and the violations that waited for it.
    pub(super) fn tell_unshown(&mut self, due: super::change::Due) -> Vec<Violation> {
        let found = self.unshown(due);
        let Some(settled) = self.changes.give_up(due) else {
            return Vec::new();
        };
        let held = settled.violations().map(|(key, mut violation)| {
            late(&mut violation, due.0);
            (key, violation)
        });
        let all = held.chain(found).collect();
        self.note(all)
    }

    /// Whether a change that the trail did not show leaves a line.
    pub(super) fn unshown_is_news(&self, due: super::change::Due) -> bool {
        self.changes.holds(due) || self.unshown(due).is_some_and(|(key, _)| !self.fold.knows(&key))
    }

    fn unshown(&self, due: super::change::Due) -> Option<(FoldKey, Violation)> {
        let (observation, check) = self.changes.at(due)?;
        let Event::File(file) = &observation.event else {
            return None;
        };
        let covered = self.world.posture.of_host(check.key) == Some(VerdictKind::Pass);
        let why = if covered {
            "although a rule that covers it is loaded"
        } else {
            "for no loaded rule covers it"
        };
        let doer = observation.process.as_ref();
        let doer = doer.map_or("an unknown program", |process| match process.exe.as_str() {
            "" => process.comm.as_str(),
            exe => exe,
        });
        let summary = format!(
            "{doer} changed {} ({}) and the audit trail does not show it, {why}",
            file.path,
            file.ops.join(", "),
        );
        let mut finding = Finding::new(Class::BlindSpot, file.path.as_str(), summary);
        if covered {
            finding = finding.severity(check.severity.max(Severity::High));
        }
        let (key, mut violation) = draft::live(&self.world, self.benchmark, check, finding, observation);
        violation.audit.expected = true;
        violation.audit.confirmed = Some(false);
        late(&mut violation, due.0);
        Some((key, violation))
    }
}

/// That the daemon was stopped is no repetition of that auditing was switched off, though both blind the same.
fn tell_apart(key: &mut FoldKey, by: &Event) {
    if let Event::AuditChange(change) = by {
        // What else is changed has names that anybody chooses.
        let setting = if change.op == "set" {
            change.what.as_str()
        } else {
            ""
        };
        key.subject = format!("{} {} {setting}", key.subject, change.op);
    }
}

/// Told when its time came, and not when it happened.
fn late(violation: &mut Violation, due: Time) {
    if violation.time < due {
        violation.first = Some(violation.time);
        violation.time = due;
    }
}

#[cfg(test)]
mod tests;
