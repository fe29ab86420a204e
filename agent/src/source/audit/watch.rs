//! State, looked at again and again: what the trail's own records cannot tell, since they are no longer written.

use super::AuditError;
use super::link::Link;
use super::look;
use crate::model::{AuditChange, AuditStatus, Event, Gap, Observation, Source, Time};

/// Compares each look at the state with the one before.
#[derive(Debug)]
pub(super) struct Watch {
    link: Link,
    /// As it was at the last look, or as records have told since.
    known: AuditStatus,
    /// Settings that differed at the last look: told at the next one unless a record comes.
    differing: Vec<&'static str>,
    /// Whether the daemon's process was there at the last look.
    alive: bool,
    /// When the last look was.
    looked: Time,
}

/// What a look brought.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// What nobody else has told.
    pub(super) observations: Vec<Observation>,
    /// Records that the kernel gave up.
    pub(super) gap: Option<Gap>,
}

impl Watch {
    /// Takes the first look. Blocks.
    pub(super) fn open() -> Result<Self, AuditError> {
        let mut link = Link::open()?;
        let known = look::status(&mut link)?;
        let alive = known.daemon.is_some();
        let looked = Time::now();
        Ok(Self {
            link,
            known,
            differing: Vec::new(),
            alive,
            looked,
        })
    }

    /// The state as it is known.
    pub(super) const fn known(&self) -> &AuditStatus {
        &self.known
    }

    /// Looks again. Blocks.
    pub(super) fn look(mut self) -> Result<(Self, Changes), AuditError> {
        let status = look::status(&mut self.link)?;
        let changes = self.compare(status, Time::now());
        Ok((self, changes))
    }

    /// Hears of a change from a record, so that it is not told twice.
    pub(super) fn hear(&mut self, change: &AuditChange) {
        let Some(value) = change.new.as_deref().and_then(|new| new.parse().ok()) else {
            return;
        };
        if let Some(setting) = SETTINGS.iter().find(|setting| setting.name == change.what) {
            *(setting.place)(&mut self.known) = value;
            self.differing.retain(|name| *name != setting.name);
        }
        self.alive |= change.op == "daemon-start";
    }

    fn compare(&mut self, mut status: AuditStatus, now: Time) -> Changes {
        let mut changes = Changes::default();
        if let Some((observation, gap)) = self.newly_lost(&status, now) {
            changes.observations.push(observation);
            changes.gap = Some(gap);
        }
        self.known.lost = status.lost;
        let mut differing = Vec::new();
        for setting in SETTINGS {
            let (old, new) = (*(setting.place)(&mut self.known), *(setting.place)(&mut status));
            if old == new {
                continue;
            }
            if self.differing.contains(&setting.name) {
                *(setting.place)(&mut self.known) = new;
                changes.observations.push(setting.told(old, new, now));
            } else {
                differing.push(setting.name);
            }
        }
        changes.observations.extend(self.daemon_died(&status, now));
        self.differing = differing;
        self.alive = status.daemon.is_some();
        self.known.backlog = status.backlog;
        self.known.daemon = status.daemon;
        self.looked = now;
        changes
    }

    /// The kernel keeps the number of a daemon that was killed until it cannot send it a record.
    fn daemon_died(&self, status: &AuditStatus, now: Time) -> Option<Observation> {
        let died = self.alive && status.daemon.is_none() && status.pid != 0 && status.pid == self.known.pid;
        died.then(|| observed("daemon-end", "audit_pid", status.pid, None, now))
    }

    fn newly_lost(&self, status: &AuditStatus, now: Time) -> Option<(Observation, Gap)> {
        let lost = status
            .lost
            .checked_sub(self.known.lost)
            .filter(|lost| *lost > 0)?;
        let gap = Gap {
            time: now,
            source: "audit".to_owned(),
            reason: "kernel-lost".to_owned(),
            lost: Some(lost.into()),
            from: self.looked,
            to: now,
            container: None,
            detail: "the kernel gave up audit records: its backlog limit or rate limit is too low for what the rules \
                     record (auditctl -b, -r), or the audit daemon is too slow"
                .to_owned(),
        };
        Some((
            observed("lost", "lost", self.known.lost, Some(status.lost), now),
            gap,
        ))
    }
}

/// A setting that records and `AUDIT_GET` both tell.
struct Setting {
    /// As records name it.
    name: &'static str,
    place: fn(&mut AuditStatus) -> &mut u32,
}

const SETTINGS: &[Setting] = &[
    Setting {
        name: "audit_enabled",
        place: |status| &mut status.enabled,
    },
    Setting {
        name: "audit_failure",
        place: |status| &mut status.failure,
    },
    Setting {
        name: "audit_pid",
        place: |status| &mut status.pid,
    },
    Setting {
        name: "audit_rate_limit",
        place: |status| &mut status.rate_limit,
    },
    Setting {
        name: "audit_backlog_limit",
        place: |status| &mut status.backlog_limit,
    },
];

impl Setting {
    fn told(&self, old: u32, new: u32, now: Time) -> Observation {
        let op = match (self.name, new) {
            ("audit_pid", 0) => "daemon-end",
            ("audit_pid", _) => "daemon-start",
            _ => "set",
        };
        observed(op, self.name, old, Some(new), now)
    }
}

fn observed(op: &str, what: &str, old: u32, new: Option<u32>, time: Time) -> Observation {
    Observation {
        time,
        source: Source::Audit,
        process: None,
        container: None,
        plumbing: false,
        event: Event::AuditChange(AuditChange {
            op: op.to_owned(),
            what: what.to_owned(),
            old: Some(old.to_string()),
            new: new.map(|new| new.to_string()),
            login_uid: None,
            serial: None,
        }),
    }
}
