//! Audit records in the place of probes that are not attached: which are taken, and what they are worth as the rules are.

use std::fmt;

use super::PipelineError;
use crate::model::{AuditFacts, AuditRule, AuditStatus, Fact, Status, StatusState, Time};
use crate::source::audit::{AuditError, AuditLook, Facts, Recorded, readable, recorded};
use crate::source::kernel::{Probe, ProbeReport, Probes};

/// What decides whether records come: the state of the audit and its rules, or why there are none.
pub(crate) type Trail<'a> = Result<(&'a AuditStatus, &'a [AuditRule]), String>;

/// The trail of a look, where its records can be read here.
pub(crate) fn trail(look: &Result<AuditLook, AuditError>) -> Trail<'_> {
    match look {
        Ok(look) => where_readable(&look.status, &look.rules),
        Err(error) => Err(error.to_string()),
    }
}

/// The trail of the host's facts, where its records can be read here.
pub(super) fn trail_now(facts: &Fact<AuditFacts>) -> Trail<'_> {
    match facts {
        Fact::Known(facts) => where_readable(&facts.status, &facts.rules),
        Fact::Unknown(why) => Err(why.clone()),
    }
}

fn where_readable<'a>(status: &'a AuditStatus, rules: &'a [AuditRule]) -> Trail<'a> {
    match readable() {
        Ok(()) => Ok((status, rules)),
        Err(error) => Err(error.to_string()),
    }
}

/// What records of some system calls are worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Worth {
    /// None come: why, and what would change that.
    Nothing(String),
    /// Some come.
    Records {
        /// Calls of which they do.
        told: Vec<&'static str>,
        /// Those of them that are not recorded for everybody, or that a rule may keep from it.
        sometimes: Vec<&'static str>,
        /// Calls of which none come.
        never: Vec<&'static str>,
    },
}

impl Worth {
    /// By the rules as they are.
    pub(crate) fn of(calls: &[&'static str], trail: &Trail<'_>) -> Self {
        let (status, rules) = match trail {
            Ok(trail) => trail,
            Err(why) => return Self::Nothing(why.clone()),
        };
        let that = |is_it: fn(Recorded) -> bool| -> Vec<_> {
            let calls = calls.iter().copied();
            calls.filter(|call| is_it(recorded(rules, call))).collect()
        };
        let told = that(|recorded| recorded > Recorded::Never);
        let never = that(|recorded| recorded == Recorded::Never);
        match (status.enabled != 0, told.is_empty()) {
            (true, false) => Self::Records {
                told,
                sometimes: that(|recorded| recorded == Recorded::Sometimes),
                never,
            },
            (true, true) => Self::Nothing(missing(&never)),
            (false, false) => Self::Nothing(DISABLED.to_owned()),
            (false, true) => Self::Nothing(format!("{DISABLED}, and {}", missing(&never))),
        }
    }

    /// Whether each call is recorded, whoever makes it.
    fn is_whole(&self) -> bool {
        matches!(self, Self::Records { sometimes, never, .. } if sometimes.is_empty() && never.is_empty())
    }
}

const DISABLED: &str = "auditing is disabled (auditctl -e 1)";

fn missing(calls: &[&str]) -> String {
    let calls = calls.join(",");
    format!("no rule is loaded as by: auditctl -a always,exit -F arch=b64 -S {calls}")
}

impl fmt::Display for Worth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (told, sometimes, never) = match self {
            Self::Nothing(why) => return write!(f, "no records: {why}"),
            Self::Records {
                told,
                sometimes,
                never,
            } => (told, sometimes, never),
        };
        write!(f, "records of {} stand in for it", told.join(", "))?;
        if !sometimes.is_empty() {
            write!(f, "; of {} only as far as rules go", sometimes.join(", "))?;
        }
        if !never.is_empty() {
            write!(f, "; {}", missing(never))?;
        }
        Ok(())
    }
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

/// The probes that are not attached and in whose place records are taken. Those of a probe that is attached are not: nothing
/// is told twice.
#[derive(Debug, Default)]
pub(crate) struct StandIn {
    places: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    probe: &'static Probe,
    calls: &'static [&'static str],
    worth: Worth,
}

impl StandIn {
    /// By what became of the probes, and by the rules as they are.
    pub(crate) fn new(reports: &[ProbeReport], trail: &Trail<'_>) -> Self {
        let missing = reports.iter().filter(|report| !report.is_attached());
        let place = |report: &ProbeReport| {
            calls(report.probe.name).map(|calls| Place {
                probe: report.probe,
                calls,
                worth: Worth::of(calls, trail),
            })
        };
        Self {
            places: missing.filter_map(place).collect(),
        }
    }

    /// The facts that no probe tells.
    pub(super) fn facts(&self) -> Facts {
        let lacks = |name| self.worth(name).is_some();
        Facts {
            exec: lacks("exec"),
            connect: lacks("connect"),
            mount: lacks("mount"),
        }
    }

    /// What records are worth in the place of this probe; none where it is attached, or no record carries what it sees.
    pub(super) fn worth(&self, probe: &str) -> Option<&Worth> {
        let mut places = self.places.iter();
        places
            .find(|place| place.probe.name == probe)
            .map(|place| &place.worth)
    }

    /// Probes in whose place records come.
    pub(super) fn told(&self) -> Vec<&'static str> {
        let places = self.places.iter();
        let told = places.filter(|place| matches!(place.worth, Worth::Records { .. }));
        told.map(|place| place.probe.name).collect()
    }

    /// Lets the probes pass where something is seen, by one of them or by records.
    ///
    /// # Errors
    /// [`PipelineError::Blind`].
    pub(crate) fn refuse_blindness(
        &self,
        probes: Probes,
        trail: &Trail<'_>,
    ) -> Result<Probes, PipelineError> {
        match (probes, self.nothing(trail)) {
            (Probes::Absent(absence), Some(records)) => Err(PipelineError::Blind {
                records,
                probes: absence.reason,
            }),
            (probes, _) => Ok(probes),
        }
    }

    /// Why no records come in the place of any probe; none where some do.
    fn nothing(&self, trail: &Trail<'_>) -> Option<String> {
        let calls: Vec<_> = self
            .places
            .iter()
            .flat_map(|place| place.calls)
            .copied()
            .collect();
        match Worth::of(&calls, trail) {
            Worth::Nothing(why) => Some(why),
            Worth::Records { .. } => None,
        }
    }

    /// Takes the rules as they are now. Returns what is to be told: probes whose records are worth more, or less, than before.
    pub(super) fn update(&mut self, trail: &Trail<'_>, time: Time) -> Vec<Status> {
        let mut told = Vec::new();
        for place in &mut self.places {
            let worth = Worth::of(place.calls, trail);
            if worth != place.worth {
                place.worth = worth;
                told.push(place.status(time));
            }
        }
        told
    }

    /// Whether no probe is missing for which records could be taken.
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

impl Place {
    fn status(&self, time: Time) -> Status {
        let state = match self.worth.is_whole() {
            true => StatusState::Recovered,
            false => StatusState::Degraded,
        };
        Status {
            time,
            state,
            component: component(self.probe),
            reason: format!("{}: not seen by a probe; audit: {}", self.probe.sees, self.worth),
        }
    }
}

/// The name of a probe in the stream.
pub(super) fn component(probe: &Probe) -> String {
    format!("probe {}", probe.name)
}

#[cfg(test)]
mod tests;
