//! The report, for people and for machines.

use std::fmt;

use super::stand_in::{self, StandIn};
use crate::model::{DoctorReport, KernelFacts, ProbeRow};
use crate::pipeline::stand_in::Trail;
use crate::source::kernel::{ProbeReport, ProbeState};

/// The report of what was just attached, and of what the audit trail is worth where a probe is not.
pub(super) fn report(probes: &[ProbeReport], kernel: KernelFacts, trail: &Trail<'_>) -> DoctorReport {
    DoctorReport {
        kernel,
        probes: probes.iter().map(|probe| row(probe, trail)).collect(),
    }
}

fn row(report: &ProbeReport, trail: &Trail<'_>) -> ProbeRow {
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
        ProbeState::NotLoaded(reason) => (None, "failed", reason.clone()),
    };
    let stand_in = match rung {
        Some(_) => None,
        None => stand_in::of(report.probe.name, trail),
    };
    let (said, not_told) = match stand_in {
        Some(StandIn { said, blind }) => (Some(said), blind),
        None => (None, None),
    };
    let nothing = || not_told.unwrap_or_else(|| vec![report.probe.sees.to_owned()]);
    ProbeRow {
        name: report.probe.name.to_owned(),
        sees: report.probe.sees.to_owned(),
        rung: rung.map(|rung| rung.name.to_owned()),
        state: state.to_owned(),
        reason,
        stand_in: said,
        blind: rung.map_or_else(nothing, |rung| {
            rung.blind.iter().map(|text| (*text).to_owned()).collect()
        }),
        cost: rung.map_or_else(String::new, |rung| rung.cost.to_owned()),
    }
}

/// The report as people read it.
#[derive(Debug)]
pub(super) struct Text<'a>(pub(super) &'a DoctorReport);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(report) = self;
        let kernel = &report.kernel;
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
        for probe in &report.probes {
            writeln!(f)?;
            let rung = probe.rung.as_deref().unwrap_or("-");
            writeln!(f, "{:<9} {:<9} {rung}", probe.name, probe.state)?;
            writeln!(f, "          sees   {}", probe.sees)?;
            if let Some(stand_in) = &probe.stand_in {
                writeln!(f, "          audit  {stand_in}")?;
            }
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
            .map(|(probe, state)| row(&ProbeReport { probe, state }, &Err(String::new())))
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
