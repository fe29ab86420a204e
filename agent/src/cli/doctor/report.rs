//! The report, for people and for machines.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::source::kernel::{ProbeReport, ProbeState};

/// What `doctor --json` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DoctorReport {
    /// Facts of the kernel and the host.
    pub kernel: KernelFacts,
    /// Each probe.
    pub probes: Vec<ProbeRow>,
}

/// Facts of the kernel and the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KernelFacts {
    /// `uname -r`.
    pub release: String,
    /// `uname -m`.
    pub machine: String,
    /// Whether the kernel describes its types.
    pub btf: bool,
    /// `none`, `integrity`, `confidentiality`, or `unknown`.
    pub lockdown: String,
    /// Active security modules, or `unknown`.
    pub lsm: String,
    /// The hierarchy that tells containers apart, and where it is mounted.
    pub cgroups: String,
    /// Processors.
    pub cpus: usize,
    /// The engine.
    pub engine: EngineFact,
}

/// Whether an engine is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EngineFact {
    /// Where it is looked for.
    pub endpoint: String,
    /// Whether its socket takes connections; null where that was not tried.
    pub reachable: Option<bool>,
}

/// One probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProbeRow {
    /// Name.
    pub name: String,
    /// What it sees.
    pub sees: String,
    /// The rung in use; null where none is.
    pub rung: Option<String>,
    /// `attached`, `declined` or `failed`.
    pub state: String,
    /// Why rungs above the one in use, or all of them, did not attach; empty where the first did.
    pub reason: String,
    /// What it cannot see.
    pub blind: Vec<String>,
    /// What it costs those who do nothing of interest.
    pub cost: String,
}

impl DoctorReport {
    /// The report of what was just attached.
    #[must_use]
    pub fn new(probes: &[ProbeReport], kernel: KernelFacts) -> Self {
        Self {
            kernel,
            probes: probes.iter().map(row).collect(),
        }
    }

    /// Whether every probe is attached.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.probes.iter().all(|probe| probe.rung.is_some())
    }
}

fn row(report: &ProbeReport) -> ProbeRow {
    let list = |refused: &[(&str, String)]| {
        refused
            .iter()
            .map(|(rung, reason)| format!("{rung}: {reason}"))
            .collect::<Vec<_>>()
            .join("; ")
    };
    let (rung, state, reason) = match &report.state {
        ProbeState::Attached { rung, refused } => (Some(*rung), "attached", list(refused)),
        ProbeState::Declined => (None, "declined", "declined by the operator".to_owned()),
        ProbeState::Failed(refused) => (None, "failed", list(refused)),
    };
    let nothing = || vec![report.probe.sees.to_owned()];
    ProbeRow {
        name: report.probe.name.to_owned(),
        sees: report.probe.sees.to_owned(),
        rung: rung.map(|rung| rung.name.to_owned()),
        state: state.to_owned(),
        reason,
        blind: rung.map_or_else(nothing, |rung| {
            rung.blind.iter().map(|text| (*text).to_owned()).collect()
        }),
        cost: rung.map_or_else(String::new, |rung| rung.cost.to_owned()),
    }
}

impl fmt::Display for DoctorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kernel = &self.kernel;
        let btf = if kernel.btf { "present" } else { "absent" };
        let reachable = match kernel.engine.reachable {
            Some(true) => "answers",
            Some(false) => "does not answer",
            None => "not tried",
        };
        writeln!(
            f,
            "kernel    {} {}, {} CPUs, BTF {btf}",
            kernel.release, kernel.machine, kernel.cpus
        )?;
        writeln!(f, "lockdown  {}", kernel.lockdown)?;
        writeln!(f, "LSMs      {}", kernel.lsm)?;
        writeln!(f, "cgroups   {}", kernel.cgroups)?;
        writeln!(f, "engine    {}, {reachable}", kernel.engine.endpoint)?;
        for probe in &self.probes {
            writeln!(f)?;
            let rung = probe.rung.as_deref().unwrap_or("-");
            writeln!(f, "{:<9} {:<9} {rung}", probe.name, probe.state)?;
            writeln!(f, "          sees   {}", probe.sees)?;
            for blind in &probe.blind {
                writeln!(f, "          blind  {blind}")?;
            }
            if !probe.cost.is_empty() {
                writeln!(f, "          costs  {}", probe.cost)?;
            }
            if !probe.reason.is_empty() {
                writeln!(f, "          since  {}", probe.reason)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::kernel::PROBES;

    #[test]
    fn a_probe_on_a_lower_rung_says_why_and_a_failed_one_is_blind_to_all() {
        let [first, second, ..] = PROBES else {
            panic!("there are probes")
        };
        let refused = vec![("the rung above", "no such hook".to_owned())];
        let states = [
            ProbeState::Attached {
                rung: &first.rungs[0],
                refused: refused.clone(),
            },
            ProbeState::Failed(refused),
        ];
        let rows: Vec<_> = [first, second]
            .into_iter()
            .zip(states)
            .map(|(probe, state)| row(&ProbeReport { probe, state }))
            .collect();
        assert_eq!(
            (rows[0].state.as_str(), rows[0].reason.as_str()),
            ("attached", "the rung above: no such hook")
        );
        assert_eq!(rows[0].blind.len(), first.rungs[0].blind.len());
        assert_eq!((rows[1].state.as_str(), rows[1].rung.as_ref()), ("failed", None));
        assert_eq!(rows[1].blind, [second.sees]);
    }
}
