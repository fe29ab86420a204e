//! What the audit trail is worth where a probe is not attached.

use crate::pipeline::stand_in::calls;
use crate::source::audit::{AuditError, AuditLook, Recorded, recorded};

/// The trail, or why it cannot be looked at.
pub(super) type Trail = Result<AuditLook, AuditError>;

/// What records tell in the place of a probe.
#[derive(Debug)]
pub(super) struct StandIn {
    /// Whether they do.
    pub(super) said: String,
    /// What they do not tell; none where they tell nothing.
    pub(super) blind: Option<Vec<String>>,
}

/// What records tell in the place of this probe; none where no record carries what it sees.
pub(super) fn of(probe: &str, trail: &Trail) -> Option<StandIn> {
    let calls = calls(probe)?;
    let look = match trail {
        Ok(look) => look,
        Err(error) => return Some(StandIn::nothing(format!("no records: {error}"))),
    };
    if look.status.enabled == 0 {
        let said = format!(
            "no records: auditing is disabled (auditctl -e 1); then those of {} would stand in",
            calls.join(", ")
        );
        return Some(StandIn::nothing(said));
    }
    let lacking = |enough: Recorded| -> Vec<_> {
        let lacks = |call: &&str| recorded(&look.rules, call) < enough;
        calls.iter().copied().filter(lacks).collect()
    };
    let (never, not_always) = (lacking(Recorded::Sometimes), lacking(Recorded::Always));
    if never.len() == calls.len() {
        let said = format!(
            "no records: no rule for {} is loaded, as would be: auditctl -a always,exit -F arch=b64 -S {}",
            calls.join(", "),
            calls.join(",")
        );
        return Some(StandIn::nothing(said));
    }
    let mut blind: Vec<_> = not_told(probe).iter().map(|text| (*text).to_owned()).collect();
    if !not_always.is_empty() {
        let list = not_always.join(", ");
        blind.push(format!(
            "calls of {list} that no rule has recorded, or that a rule keeps from it"
        ));
    }
    Some(StandIn {
        said: format!("records of {} stand in for it", calls.join(", ")),
        blind: Some(blind),
    })
}

impl StandIn {
    const fn nothing(said: String) -> Self {
        Self { said, blind: None }
    }
}

/// What no record tells of what the probe sees.
fn not_told(probe: &str) -> &'static [&'static str] {
    match probe {
        "exec" => &[
            "credentials before the exec, and whether the mount is nosuid",
            "container, namespaces, seccomp, no_new_privs and capabilities of a program that has ended before it is \
             looked at",
            "programs of 32 bits, and processes started before auditing, unless rules and audit=1 see to them",
        ],
        "connect" => &[
            "the other end: the socket is known by the path that was looked up, not by who listens",
            "use of a connection that somebody else made, and sockets that were renamed since",
            "connections by io_uring, and by programs of 32 bits unless rules see to them",
        ],
        "mount" => &[
            "type of the filesystem and flags of move_mount and mount_setattr as asked for",
            "what came of it, where the process and all others of its mount namespace have ended",
        ],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AuditStatus;
    use crate::source::audit::parse_rule;

    fn trail(enabled: u32, rules: &[&str]) -> Trail {
        Ok(AuditLook {
            status: AuditStatus {
                enabled,
                ..AuditStatus::default()
            },
            rules: rules.iter().map(|rule| parse_rule(rule).unwrap()).collect(),
        })
    }

    /// How the words begin, and how many blind spots there are.
    #[track_caller]
    fn check(probe: &str, trail: &Trail, expect: Option<(&str, Option<usize>)>) {
        let found = of(probe, trail);
        let (said, blind) = expect.unzip();
        assert_eq!(
            found.as_ref().map(|one| one.blind.as_ref().map(Vec::len)),
            blind,
            "{found:?}"
        );
        assert!(
            found.is_none_or(|one| one.said.starts_with(said.unwrap())),
            "{said:?}"
        );
    }

    const EXECS: &str = "-a always,exit -F arch=b64 -S execve,execveat";

    #[test]
    fn records_stand_in_where_rules_are_loaded_and_auditing_is_enabled() {
        let records = Some(("records of execve, execveat stand in", Some(3)));
        check("exec", &trail(1, &[EXECS]), records);
        check("exec", &trail(0, &[EXECS]), Some(("no records: auditing", None)));
        check(
            "exec",
            &trail(1, &[]),
            Some(("no records: no rule for execve", None)),
        );
        check(
            "connect",
            &trail(1, &[EXECS]),
            Some(("no records: no rule", None)),
        );
        check(
            "exec",
            &Err(AuditError::NoControl),
            Some(("no records: reading", None)),
        );
    }

    #[test]
    fn what_rules_leave_out_is_blind() {
        let some = ["-a always,exit -F arch=b64 -S mount,umount2"];
        check("mount", &trail(1, &some), Some(("records of mount", Some(3))));
        let narrow = ["-a always,exit -F arch=b64 -S connect -F auid=1000"];
        check(
            "connect",
            &trail(1, &narrow),
            Some(("records of connect", Some(4))),
        );
    }

    #[test]
    fn no_record_tells_of_cgroups() {
        check("cgroup", &trail(1, &[EXECS]), None);
        check("namespace", &trail(1, &[EXECS]), None);
    }
}
