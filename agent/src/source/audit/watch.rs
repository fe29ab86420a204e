//! State, looked at again and again: what the trail's own records cannot tell, since they are no longer written.

use super::AuditError;
use super::link::Link;
use super::look;
use crate::model::{AuditChange, AuditStatus, Event, Gap, Observation, Process, Source, Time};

/// Looks at the state, again and again.
#[derive(Debug)]
pub(super) struct Watch {
    link: Link,
    pub(super) known: Known,
}

impl Watch {
    /// Takes the first look. Blocks.
    pub(super) fn open() -> Result<Self, AuditError> {
        let mut link = Link::open()?;
        let known = Known::at_first(look::status(&mut link)?, Time::now());
        Ok(Self { link, known })
    }

    /// Looks again. Blocks.
    pub(super) fn look(mut self) -> Result<(Self, Changes), AuditError> {
        let status = look::status(&mut self.link)?;
        let changes = self.known.compare(status, Time::now());
        Ok((self, changes))
    }
}

/// The state as it was at the last look, or as records have told since.
#[derive(Debug)]
pub(super) struct Known {
    status: AuditStatus,
    /// Settings that differed at the last look: told at the next one unless a record comes.
    differing: Vec<&'static str>,
    /// When the last look was.
    looked: Time,
    /// The audit daemon, as it was when it was last seen.
    daemon: Option<Process>,
}

/// What a look brought.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// What no record has told.
    pub(super) observations: Vec<Observation>,
    /// Records that the kernel gave up.
    pub(super) gap: Option<Gap>,
}

impl Known {
    fn at_first(status: AuditStatus, now: Time) -> Self {
        Self {
            daemon: daemon_of(&status),
            status: without_dead(status),
            differing: Vec::new(),
            looked: now,
        }
    }

    /// The state; no daemon where its process is gone.
    pub(super) const fn status(&self) -> &AuditStatus {
        &self.status
    }

    /// Whether the last look found what no record has told yet.
    pub(super) fn is_doubtful(&self) -> bool {
        !self.differing.is_empty()
    }

    /// Names the daemon that ended: no record says whose end it was, nor who made it end.
    pub(super) fn name_daemon(&self, observation: &mut Observation) {
        let Event::AuditChange(change) = &observation.event else {
            return;
        };
        if observation.process.is_none() && change.op == DAEMON_END {
            let old = change.old.as_deref().and_then(|old| old.parse().ok());
            let daemon = self.daemon.as_ref();
            observation.process = daemon.filter(|daemon| Some(daemon.pid) == old).cloned();
        }
    }

    /// Hears of a change from a record, so that it is not told twice.
    pub(super) fn hear(&mut self, change: &AuditChange) {
        let Some(value) = change.new.as_deref().and_then(|new| new.parse().ok()) else {
            return;
        };
        if let Some(setting) = SETTINGS.iter().find(|setting| setting.name == change.what) {
            *(setting.place)(&mut self.status) = value;
            self.differing.retain(|name| *name != setting.name);
        }
    }

    fn compare(&mut self, status: AuditStatus, now: Time) -> Changes {
        let mut status = without_dead(status);
        let mut changes = Changes::default();
        if let Some((observation, gap)) = self.newly_lost(&status, now) {
            changes.observations.push(observation);
            changes.gap = Some(gap);
        }
        let mut differing = Vec::new();
        for setting in SETTINGS {
            let (old, new) = (*(setting.place)(&mut self.status), *(setting.place)(&mut status));
            if old == new {
                continue;
            }
            if self.differing.contains(&setting.name) {
                let mut told = setting.told(old, new, now);
                self.name_daemon(&mut told);
                changes.observations.push(told);
            } else {
                // Not yet: its record may be under way.
                differing.push(setting.name);
                *(setting.place)(&mut status) = old;
            }
        }
        *self = Self {
            daemon: daemon_of(&status).or_else(|| self.daemon.take()),
            status,
            differing,
            looked: now,
        };
        changes
    }

    fn newly_lost(&self, status: &AuditStatus, now: Time) -> Option<(Observation, Gap)> {
        let before = self.status.lost;
        let lost = status.lost.checked_sub(before).filter(|lost| *lost > 0)?;
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
        Some((observed("lost", "lost", before, status.lost, now), gap))
    }
}

/// The audit daemon's process, where it lives.
fn daemon_of(status: &AuditStatus) -> Option<Process> {
    let comm = status.daemon.clone()?;
    let exe = std::fs::read_link(format!("/proc/{}/exe", status.pid)).unwrap_or_default();
    Some(Process {
        exe: exe.to_string_lossy().into_owned(),
        comm,
        ..Process::bare(status.pid)
    })
}

/// The kernel keeps the number of a daemon that was killed until it cannot send it a record.
fn without_dead(mut status: AuditStatus) -> AuditStatus {
    if status.daemon.is_none() {
        status.pid = 0;
    }
    status
}

const DAEMON_END: &str = "daemon-end";

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
            ("audit_pid", 0) => DAEMON_END,
            ("audit_pid", _) => "daemon-start",
            _ => "set",
        };
        observed(op, self.name, old, new, now)
    }
}

fn observed(op: &str, what: &str, old: u32, new: u32, time: Time) -> Observation {
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
            new: Some(new.to_string()),
            login_uid: None,
            serial: None,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(enabled: u32, pid: u32, lost: u32) -> AuditStatus {
        AuditStatus {
            enabled,
            pid,
            daemon: (pid == 7).then(|| "auditd".to_owned()),
            lost,
            ..AuditStatus::default()
        }
    }

    fn record(what: &str, new: u32) -> AuditChange {
        AuditChange {
            op: "set".to_owned(),
            what: what.to_owned(),
            old: None,
            new: Some(new.to_string()),
            login_uid: None,
            serial: Some(1),
        }
    }

    /// What is told at each of these looks.
    #[track_caller]
    fn check(known: &mut Known, looks: &[(AuditStatus, &[&str])]) {
        for (status, expect) in looks {
            let changes = known.compare(status.clone(), Time::now());
            let told = changes.observations.iter().map(|one| match &one.event {
                Event::AuditChange(change) => {
                    let old = change.old.as_deref().unwrap();
                    format!(
                        "{} {} {old} {}",
                        change.op,
                        change.what,
                        change.new.as_deref().unwrap()
                    )
                }
                other => panic!("{other:?}"),
            });
            assert_eq!(told.collect::<Vec<_>>(), *expect);
            assert_eq!(
                changes.gap.is_some(),
                expect.iter().any(|told| told.starts_with("lost"))
            );
        }
    }

    fn known() -> Known {
        Known::at_first(status(1, 7, 0), Time::now())
    }

    #[test]
    fn what_no_record_tells_is_told_at_the_second_look() {
        let mut known = known();
        check(&mut known, &[(status(0, 7, 0), &[])]);
        assert!(known.is_doubtful());
        check(
            &mut known,
            &[
                (status(0, 7, 0), &["set audit_enabled 1 0"]),
                (status(0, 7, 0), &[]),
            ],
        );
        assert!(!known.is_doubtful());
    }

    #[test]
    fn what_a_record_tells_is_not_told_again() {
        let mut known = known();
        check(&mut known, &[(status(0, 7, 0), &[])]);
        known.hear(&record("audit_enabled", 0));
        known.hear(&record("audit_pid", 0));
        check(&mut known, &[(status(0, 0, 0), &[]), (status(0, 0, 0), &[])]);
    }

    #[test]
    fn what_was_changed_back_is_not_told() {
        check(&mut known(), &[(status(0, 7, 0), &[]), (status(1, 7, 0), &[])]);
    }

    #[test]
    fn a_daemon_that_was_killed_is_told_once() {
        let killed = status(1, 8, 0);
        check(
            &mut known(),
            &[
                (killed.clone(), &[]),
                (killed.clone(), &["daemon-end audit_pid 7 0"]),
                (killed, &[]),
                (status(1, 0, 0), &[]),
            ],
        );
    }

    #[test]
    fn the_daemon_that_ended_is_named() {
        let mut known = known();
        let end = |old: &str| {
            let mut told = observed(DAEMON_END, "audit_pid", 0, 0, Time::now());
            if let Event::AuditChange(change) = &mut told.event {
                change.old = Some(old.to_owned());
            }
            told
        };
        let named = |known: &Known, mut told: Observation| {
            known.name_daemon(&mut told);
            told.process.map(|process| (process.pid, process.comm))
        };
        assert_eq!(named(&known, end("7")), Some((7, "auditd".to_owned())));
        assert_eq!(named(&known, end("8")), None);
        let gone = status(1, 0, 0);
        known.compare(gone.clone(), Time::now());
        let changes = known.compare(gone, Time::now());
        let told = changes.observations.first().unwrap();
        assert_eq!(told.process.as_ref().map(|process| process.pid), Some(7));
    }

    #[test]
    fn losses_are_told_at_once_and_by_their_number() {
        check(
            &mut known(),
            &[
                (status(1, 7, 5), &["lost lost 0 5"]),
                (status(1, 7, 5), &[]),
                // Set back by an operator.
                (status(1, 7, 0), &[]),
                (status(1, 7, 2), &["lost lost 0 2"]),
            ],
        );
    }
}
