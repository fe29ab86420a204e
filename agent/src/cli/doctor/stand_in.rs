//! What the audit trail is worth where a probe is not attached.

use crate::pipeline::stand_in::{Trail, Worth, calls};

/// What records tell in the place of a probe.
#[derive(Debug)]
pub(super) struct StandIn {
    /// Whether they do.
    pub(super) said: String,
    /// What they do not tell; none where they tell nothing.
    pub(super) blind: Option<Vec<String>>,
}

/// What records tell in the place of this probe; none where no record carries what it sees.
pub(super) fn of(probe: &str, trail: &Trail<'_>) -> Option<StandIn> {
    let worth = Worth::of(calls(probe)?, trail);
    let blind = match &worth {
        Worth::Nothing(_) => None,
        Worth::Records { sometimes, never, .. } => {
            let mut blind: Vec<_> = not_told(probe).iter().map(|text| (*text).to_owned()).collect();
            if !sometimes.is_empty() || !never.is_empty() {
                let lacking: Vec<_> = never.iter().chain(sometimes).copied().collect();
                blind.push(format!(
                    "calls of {} that no rule has recorded, or that a rule keeps from it",
                    lacking.join(", ")
                ));
            }
            Some(blind)
        }
    };
    Some(StandIn {
        said: worth.to_string(),
        blind,
    })
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
    use crate::model::{AuditRule, AuditStatus};
    use crate::source::audit::parse_rule;

    /// The state and the rules of a trail.
    fn audit(enabled: u32, rules: &[&str]) -> (AuditStatus, Vec<AuditRule>) {
        let status = AuditStatus {
            enabled,
            ..AuditStatus::default()
        };
        (
            status,
            rules.iter().map(|rule| parse_rule(rule).unwrap()).collect(),
        )
    }

    /// How the words begin, and how many blind spots there are.
    #[track_caller]
    fn check(
        probe: &str,
        (status, rules): &(AuditStatus, Vec<AuditRule>),
        expect: Option<(&str, Option<usize>)>,
    ) {
        let found = of(probe, &Ok((status, rules)));
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
        check("exec", &audit(1, &[EXECS]), records);
        check("exec", &audit(0, &[EXECS]), Some(("no records: auditing", None)));
        check(
            "exec",
            &audit(1, &[]),
            Some(("no records: no rule is loaded", None)),
        );
        check(
            "connect",
            &audit(1, &[EXECS]),
            Some(("no records: no rule", None)),
        );
    }

    #[test]
    fn what_rules_leave_out_is_blind() {
        let some = ["-a always,exit -F arch=b64 -S mount,umount2"];
        check("mount", &audit(1, &some), Some(("records of mount", Some(3))));
        let narrow = ["-a always,exit -F arch=b64 -S connect -F auid=1000"];
        check(
            "connect",
            &audit(1, &narrow),
            Some(("records of connect", Some(4))),
        );
    }

    #[test]
    fn no_record_tells_of_cgroups() {
        check("cgroup", &audit(1, &[EXECS]), None);
        check("namespace", &audit(1, &[EXECS]), None);
    }
}
