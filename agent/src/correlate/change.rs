//! Changes of the host that were seen: who made an assessment turn, and whether the audit trail shows it.

use std::collections::VecDeque;
use std::time::Duration;

use super::fold::FoldKey;
use crate::check::Check;
use crate::model::{
    AuditRecord, AuditTrail, Event, FileChange, Observation, Role, Time, VerdictKind, Violation,
};

/// Changes that are remembered.
const CHANGES: usize = 256;
/// Records of the audit trail that are remembered: an object is opened, and recorded, before it is written.
const RECORDS: usize = 512;
/// How long a record of the trail is waited for.
const PATIENCE: Duration = Duration::from_secs(1);
/// And where none is to be expected.
const BRIEF: Duration = Duration::from_millis(200);
/// How long before a change its record may have been written by the same process: while the file was open.
const OPEN_FOR: Duration = Duration::from_secs(600);

/// Items that one change explains, at most; beyond, it stays suspect.
const EXPLAINED: usize = 256;
/// Looks after which a change was looked at: the first may have begun before it.
const SURELY: u64 = 2;

/// A change that was seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    pub(super) ticket: u64,
    pub(super) observation: &'a Observation,
    /// Whether what it made of this item was found and told before.
    pub(super) is_told: bool,
}

/// Whether the audit trail shows a change.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Shown {
    /// The benchmark does not ask for it.
    NotExpected,
    /// Nobody looks at the trail.
    NotLooked,
    /// A record may still come.
    Awaited(Time),
    /// Recorded, by the rule with this key.
    Confirmed { serial: u64, key: Option<String> },
    /// No record came.
    Missing,
}

/// One change.
#[derive(Debug)]
struct Change {
    ticket: u64,
    observation: Observation,
    /// Looks at the host that were told before it.
    looks: u64,
    /// Checks and items whose turning it has explained already.
    explained: Vec<(&'static str, String)>,
    /// The check that wants it audited.
    wanted_by: Option<&'static Check>,
    shown: Shown,
    /// Violations of this change, which wait for what the trail says.
    held: Vec<(FoldKey, Violation)>,
}

/// What waited for the trail to speak of a change, and what it said.
#[derive(Debug)]
pub(super) struct Settled {
    held: Vec<(FoldKey, Violation)>,
    audit: AuditTrail,
}

impl Settled {
    /// The violations, with what the trail said.
    pub(super) fn violations(self) -> impl Iterator<Item = (FoldKey, Violation)> {
        let Self { held, audit } = self;
        held.into_iter().map(move |(key, violation)| {
            let audit = audit.clone();
            (key, Violation { audit, ..violation })
        })
    }
}

/// The changes that were seen of late.
#[derive(Debug, Default)]
pub(super) struct Changes {
    changes: VecDeque<Change>,
    records: VecDeque<(Time, Option<u32>, AuditRecord)>,
    tickets: u64,
    /// Looks at the host that were told.
    looks: u64,
    /// Changes that were pushed out while a record was awaited.
    pub(super) lost: u64,
}

/// Place of a change whose time has come.
pub(super) type Due = (Time, u64);

impl Changes {
    /// Takes in a change of a file. `patience` is how long its record is waited for; none where nobody looks for one.
    pub(super) fn file(
        &mut self,
        observation: &Observation,
        change: &FileChange,
        wanted_by: Option<&'static Check>,
        patience: Option<Duration>,
    ) {
        let shown = match (wanted_by, self.record_of(observation, change), patience) {
            (None, ..) => Shown::NotExpected,
            (Some(_), Some(record), _) => confirmed(record),
            (Some(_), None, None) => Shown::NotLooked,
            (Some(_), None, Some(patience)) => Shown::Awaited(observation.time.after(patience)),
        };
        self.push(observation, wanted_by, shown);
    }

    /// Takes in a change of the audit trail itself.
    pub(super) fn audit(&mut self, observation: &Observation) {
        self.push(observation, None, Shown::NotExpected);
    }

    /// Takes in a record; gives the changes that waited for it.
    pub(super) fn record(&mut self, observation: &Observation, record: &AuditRecord) -> Vec<Settled> {
        let pid = observation.process.as_ref().map(|process| process.pid);
        if self.records.len() >= RECORDS {
            self.records.pop_front();
        }
        self.records.push_back((observation.time, pid, record.clone()));
        let mut settled = Vec::new();
        for change in &mut self.changes {
            let Event::File(file) = &change.observation.event else {
                continue;
            };
            let doer = change.observation.process.as_ref().map(|process| process.pid);
            if matches!(change.shown, Shown::Awaited(_)) && fits(doer, pid, record, file) {
                change.shown = confirmed(record);
                settled.push(settle(change));
            }
        }
        settled
    }

    /// The next change, after the one passed over, for which no record came until now.
    pub(super) fn next_due(&self, passed: Option<Due>, now: Time) -> Option<Due> {
        self.changes
            .iter()
            .filter_map(|change| match change.shown {
                Shown::Awaited(due) => Some((due, change.ticket)),
                _ => None,
            })
            .filter(|due| due.0 <= now && passed.is_none_or(|passed| *due > passed))
            .min()
    }

    /// The change at this place, without what waits for it.
    pub(super) fn at(&self, due: Due) -> Option<(&Observation, &'static Check)> {
        let change = self.changes.iter().find(|change| change.ticket == due.1)?;
        Some((&change.observation, change.wanted_by?))
    }

    /// Whether violations wait for this change.
    pub(super) fn holds(&self, due: Due) -> bool {
        let mut changes = self.changes.iter();
        changes.any(|change| change.ticket == due.1 && !change.held.is_empty())
    }

    /// Gives up waiting for the record of this change.
    pub(super) fn give_up(&mut self, due: Due) -> Option<Settled> {
        let change = self.changes.iter_mut().find(|change| change.ticket == due.1)?;
        change.shown = Shown::Missing;
        Some(settle(change))
    }

    /// What changed this long before, the latest first, as to an item of a check.
    pub(super) fn recent(
        &self,
        now: Time,
        within: Duration,
        item: (&str, &str),
    ) -> impl Iterator<Item = Seen<'_>> {
        self.changes
            .iter()
            .rev()
            .filter(move |change| now.since(change.observation.time) <= within)
            .map(move |change| Seen {
                ticket: change.ticket,
                observation: &change.observation,
                is_told: self.looks.saturating_sub(change.looks) >= SURELY
                    || change
                        .explained
                        .iter()
                        .any(|(check, subject)| (*check, subject.as_str()) == item),
            })
    }

    /// A change explains that an item of a check turned.
    pub(super) fn explains(&mut self, ticket: u64, check: &'static str, subject: &str) {
        let found = self.changes.iter_mut().find(|change| change.ticket == ticket);
        if let Some(change) = found.filter(|change| change.explained.len() < EXPLAINED) {
            change.explained.push((check, subject.to_owned()));
        }
    }

    /// The host was looked at, and what was found is told.
    pub(super) const fn looked(&mut self) {
        self.looks += 1;
    }

    /// What the trail says of a change; none where that is not settled yet.
    pub(super) fn audit_of(&self, ticket: u64) -> Option<AuditTrail> {
        let change = self.changes.iter().find(|change| change.ticket == ticket)?;
        (!matches!(change.shown, Shown::Awaited(_))).then(|| trail(&change.shown))
    }

    /// Keeps a violation until the trail has spoken of its change. Gives it back where that is gone.
    pub(super) fn hold(&mut self, ticket: u64, found: (FoldKey, Violation)) -> Option<(FoldKey, Violation)> {
        match self.changes.iter_mut().find(|change| change.ticket == ticket) {
            Some(change) => {
                change.held.push(found);
                None
            }
            None => Some(found),
        }
    }

    fn push(&mut self, observation: &Observation, wanted_by: Option<&'static Check>, shown: Shown) {
        if self.changes.len() >= CHANGES
            && let Some(old) = self.changes.pop_front()
        {
            let awaited = matches!(old.shown, Shown::Awaited(_));
            self.lost += u64::from(awaited);
        }
        self.tickets += 1;
        self.changes.push_back(Change {
            ticket: self.tickets,
            observation: observation.clone(),
            looks: self.looks,
            explained: Vec::new(),
            wanted_by,
            shown,
            held: Vec::new(),
        });
    }

    fn record_of(&self, observation: &Observation, file: &FileChange) -> Option<&AuditRecord> {
        let doer = observation.process.as_ref().map(|process| process.pid);
        let found = |(time, pid, record): &&(Time, Option<u32>, AuditRecord)| {
            let patience = if doer.is_some() && *pid == doer {
                OPEN_FOR
            } else {
                PATIENCE
            };
            observation.time.since(*time) <= patience && fits(doer, *pid, record, file)
        };
        self.records.iter().rev().find(found).map(|(_, _, record)| record)
    }
}

fn confirmed(record: &AuditRecord) -> Shown {
    Shown::Confirmed {
        serial: record.serial,
        key: record.keys.first().cloned(),
    }
}

fn settle(change: &mut Change) -> Settled {
    Settled {
        held: std::mem::take(&mut change.held),
        audit: trail(&change.shown),
    }
}

fn trail(shown: &Shown) -> AuditTrail {
    let (confirmed, key, serial) = match shown {
        Shown::NotExpected | Shown::NotLooked | Shown::Awaited(_) => (None, None, None),
        Shown::Confirmed { serial, key } => (Some(true), key.clone(), Some(*serial)),
        Shown::Missing => (Some(false), None, None),
    };
    AuditTrail {
        expected: *shown != Shown::NotExpected,
        confirmed,
        key,
        serial,
    }
}

/// Whether a record can be of this change: of the same process as far as both are known, and naming what was changed by
/// inode or by path. A name within a directory, which may be relative to anything, counts with the very same process alone, and
/// where the name is what was changed.
fn fits(doer: Option<u32>, pid: Option<u32>, record: &AuditRecord, file: &FileChange) -> bool {
    if doer.is_some() && pid.is_some() && doer != pid {
        return false;
    }
    let renames = file
        .ops
        .iter()
        .any(|op| !matches!(op.as_str(), "write" | "attributes"));
    let last = |path: &str| path.trim_end_matches('/').rsplit('/').next().map(str::to_owned);
    record.paths.iter().any(|path| {
        let by_inode = file.ino.is_some() && path.ino == file.ino && path.dev == file.dev;
        let name = path.name.as_deref().unwrap_or_default();
        let by_name = renames && doer.is_some() && doer == pid && last(name) == last(&file.path);
        by_inode || name == file.path || by_name
    })
}

/// Key of the check that wants changes of such an object audited.
pub(super) const fn audited_by(role: Role) -> Option<&'static str> {
    Some(match role {
        Role::ConfigDir | Role::RegistryCert | Role::RegistryCertDir => "audit-etc-docker",
        Role::ConfigFile => "audit-daemon-json",
        Role::ServiceUnit => "audit-docker-service-unit",
        Role::SocketUnit | Role::EngineSocket => "audit-docker-socket",
        Role::DefaultFile => "audit-etc-default-docker",
        Role::SysconfigFile => "audit-etc-sysconfig-docker",
        Role::ContainerdSocket => "audit-containerd-socket",
        Role::ContainerdConfig => "audit-containerd-config",
        Role::RunContainerd => "audit-run-containerd",
        Role::DataRoot => "audit-docker-root",
        Role::DockerdBinary | Role::DockerBinary => "audit-docker-daemon",
        Role::ContainerdBinary => "audit-containerd-binary",
        Role::Shim => "audit-containerd-shim",
        Role::ShimRuncV1 => "audit-containerd-shim-runc-v1",
        Role::ShimRuncV2 => "audit-containerd-shim-runc-v2",
        Role::RuncBinary => "audit-runc-binary",
        Role::TlsCa
        | Role::TlsCert
        | Role::TlsKey
        | Role::SeccompProfile
        | Role::Accounts
        | Role::AuditRules
        | Role::LoginEnvironment
        | Role::SwarmState => return None,
    })
}

/// How long a record of a change is waited for where the check that wants it audited stands so; none where nothing can be
/// said of it. Where no rule covers it, seldom one comes, and violations are not to wait for that.
pub(super) const fn patience(verdict: Option<VerdictKind>) -> Option<Duration> {
    match verdict {
        Some(VerdictKind::Pass) => Some(PATIENCE),
        Some(VerdictKind::Fail) => Some(BRIEF),
        None | Some(VerdictKind::Unknown | VerdictKind::NotApplicable) => None,
    }
}
