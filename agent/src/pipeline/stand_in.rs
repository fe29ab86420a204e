//! Audit records in the place of probes that did not attach, or were declined.

use crate::source::audit::Facts;
use crate::source::kernel::{ProbeReport, ProbeState};

/// The facts that no probe tells. Those of a probe that is attached are not taken from records: nothing is told twice.
pub(super) fn facts(reports: &[ProbeReport]) -> Facts {
    let lacks = |name: &str| {
        let report = reports.iter().find(|report| report.probe.name == name);
        report.is_some_and(|report| !matches!(report.state, ProbeState::Attached { .. }))
    };
    Facts {
        exec: lacks("exec"),
        connect: lacks("connect"),
        mount: lacks("mount"),
    }
}

/// What is added where a probe is not there: empty where no record could tell.
pub(super) fn instead(probe: &str) -> String {
    let Some(calls) = calls(probe) else {
        return String::new();
    };
    format!(
        "; seen by audit records only where rules for {} are loaded",
        calls.join(", ")
    )
}

/// The system calls whose records carry the fact of a probe; none where no record does.
pub(crate) fn calls(probe: &str) -> Option<&'static [&'static str]> {
    Some(match probe {
        "exec" => &["execve", "execveat"],
        "connect" => &["connect"],
        "mount" => &[
            "mount",
            "umount2",
            "move_mount",
            "open_tree",
            "fsmount",
            "mount_setattr",
            "pivot_root",
        ],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::kernel::PROBES;

    /// Which facts are asked for where these probes are declined, and these failed.
    #[track_caller]
    fn check(declined: &[&str], failed: &[&str], expect: Facts) {
        let reports: Vec<_> = PROBES
            .iter()
            .map(|probe| {
                let state = if declined.contains(&probe.name) {
                    ProbeState::Declined
                } else if failed.contains(&probe.name) {
                    ProbeState::Failed(Vec::new())
                } else {
                    ProbeState::Attached {
                        rung: &probe.rungs[0],
                        refused: Vec::new(),
                    }
                };
                ProbeReport { probe, state }
            })
            .collect();
        assert_eq!(facts(&reports), expect);
    }

    #[test]
    fn only_what_no_probe_tells_is_asked_of_records() {
        check(&[], &[], Facts::default());
        check(&["namespace", "cgroup"], &[], Facts::default());
        let expect = Facts {
            exec: true,
            connect: false,
            mount: true,
        };
        check(&["exec"], &["mount"], expect);
    }

    #[test]
    fn the_probes_that_records_can_stand_in_for_are_there() {
        for name in ["exec", "connect", "mount"] {
            assert!(PROBES.iter().any(|probe| probe.name == name), "{name}");
            assert!(instead(name).contains("only where rules for"));
        }
        assert_eq!(instead("cgroup"), "");
    }
}
