//! Rounds: each workload once bare, and once watched.

use std::path::Path;

use anyhow::Result;

use super::agent::Agent;
use super::workload::{self, WORKLOADS};
use super::{Programs, proc};

/// What one round measured.
#[derive(Debug)]
pub(super) struct Round {
    /// Nanoseconds per operation, in the order of [`WORKLOADS`].
    pub(super) bare: Vec<f64>,
    pub(super) watched: Vec<f64>,
    /// The agent's own processor time per operation, in nanoseconds, in the same order.
    pub(super) agent_cpu: Vec<f64>,
    /// The agent's largest resident set, in KiB.
    pub(super) peak_resident: u64,
}

pub(super) fn all(
    programs: &Programs,
    scratch: &Path,
    rounds: u64,
    mut progress: impl FnMut(u64),
) -> Result<Vec<Round>> {
    (1..=rounds)
        .map(|number| {
            progress(number);
            one(programs, scratch)
        })
        .collect()
}

fn one(programs: &Programs, scratch: &Path) -> Result<Round> {
    let measure = |workload| workload::measure(workload, &programs.worker, scratch);
    let bare = WORKLOADS.iter().map(measure).collect::<Result<_>>()?;
    let agent = Agent::start(&programs.hullwatch, scratch)?;
    let (mut watched, mut agent_cpu) = (Vec::new(), Vec::new());
    for workload in WORKLOADS {
        let before = proc::cpu_nanos(agent.pid())?;
        watched.push(measure(workload)?);
        let spent = proc::cpu_nanos(agent.pid())?.saturating_sub(before);
        agent_cpu.push(spent as f64 / f64::from(workload.operations));
    }
    let peak_resident = proc::peak_resident_kib(agent.pid())?;
    agent.stop()?;
    Ok(Round {
        bare,
        watched,
        agent_cpu,
        peak_resident,
    })
}
