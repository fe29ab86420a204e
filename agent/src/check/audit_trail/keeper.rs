//! Who writes down what the rules have recorded.
//!
//! A rule makes the kernel write a record; without anybody who takes it, it goes to the kernel's log, where a limit on
//! messages drops most of a burst and the next boot drops the rest. That is no trail, however complete the rules.

use crate::check::support::few;
use crate::model::{AuditFacts, Fact};

/// The journal, and process 1 that holds its socket for it.
const JOURNAL: [&str; 2] = ["systemd", "systemd-journald"];

/// What becomes of the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Keeper {
    /// The audit daemon takes them.
    Daemon,
    /// The journal takes them.
    Journal,
    /// Whether anybody keeps them is not known, for this reason.
    Unsure(String),
    /// Nobody takes them.
    Nobody,
}

/// Who takes the records.
pub(crate) fn keeper(facts: &AuditFacts) -> Keeper {
    // The kernel keeps the number of a daemon that was killed.
    if facts.status.pid != 0 && facts.status.daemon.is_some() {
        return Keeper::Daemon;
    }
    match &facts.listeners {
        Fact::Unknown(why) => Keeper::Unsure(format!(
            "no audit daemon runs, and whether another program takes the records is not known: {why}"
        )),
        Fact::Known(names) if names.is_empty() => Keeper::Nobody,
        Fact::Known(names) if names.iter().any(|name| JOURNAL.contains(&name.as_str())) => Keeper::Journal,
        Fact::Known(names) => Keeper::Unsure(format!(
            "no audit daemon runs, and whether {} keeps the records is not known",
            few(names)
        )),
    }
}

impl Keeper {
    /// What is to be said of it; nothing of the daemon, as it should be.
    pub(crate) fn words(&self) -> Option<&str> {
        match self {
            Self::Daemon => None,
            Self::Journal => Some("no audit daemon runs; the journal takes the records"),
            Self::Unsure(why) => Some(why),
            Self::Nobody => Some(
                "no audit daemon runs, and nobody else takes the records: they go to the kernel's log alone, which is \
                 limited",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AuditStatus;

    #[track_caller]
    fn check(pid: u32, daemon: Option<&str>, listeners: Fact<Vec<&str>>, expect: fn(&Keeper) -> bool) {
        let facts = AuditFacts {
            status: AuditStatus {
                pid,
                daemon: daemon.map(str::to_owned),
                ..AuditStatus::default()
            },
            listeners: match listeners {
                Fact::Known(names) => Fact::Known(names.into_iter().map(str::to_owned).collect()),
                Fact::Unknown(why) => Fact::Unknown(why),
            },
            ..AuditFacts::default()
        };
        let keeper = keeper(&facts);
        assert!(expect(&keeper), "{keeper:?}");
    }

    #[test]
    fn a_daemon_that_lives_keeps_them() {
        check(7, Some("auditd"), Fact::unknown("not asked"), |keeper| {
            *keeper == Keeper::Daemon
        });
    }

    #[test]
    fn one_that_was_killed_does_not() {
        check(7, None, Fact::Known(vec![]), |keeper| *keeper == Keeper::Nobody);
        check(0, None, Fact::Known(vec![]), |keeper| *keeper == Keeper::Nobody);
    }

    #[test]
    fn the_journal_does_and_others_may() {
        check(
            0,
            None,
            Fact::Known(vec!["auditbeat", "systemd-journald"]),
            |keeper| *keeper == Keeper::Journal,
        );
        check(
            0,
            None,
            Fact::Known(vec!["auditbeat"]),
            |keeper| matches!(keeper, Keeper::Unsure(why) if why.contains("auditbeat")),
        );
        check(
            0,
            None,
            Fact::unknown("no /proc"),
            |keeper| matches!(keeper, Keeper::Unsure(why) if why.contains("no /proc")),
        );
    }
}
