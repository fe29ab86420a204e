//! Rounds: each workload once bare, and once watched.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::agent::Agent;
use super::proc::Resident;
use super::workload::{self, Workload};
use super::{Programs, proc};

/// The start's own work is over after this.
const SETTLING: Duration = Duration::from_millis(700);
/// How long the agent is watched doing nothing.
const IDLE: Duration = Duration::from_secs(2);

/// What one round measured.
#[derive(Debug)]
pub(super) struct Round {
    /// Nanoseconds per operation, in the order of the workloads.
    pub(super) bare: Vec<f64>,
    pub(super) watched: Vec<f64>,
    /// The agent's own processor time per operation, beyond what it uses while nothing happens, in
    /// nanoseconds, in the same order.
    pub(super) agent_cpu: Vec<f64>,
    /// The agent's own processor time while nothing happens, in nanoseconds per second.
    pub(super) idle_cpu: f64,
    /// The agent's resident set at the end.
    pub(super) resident: Resident,
}

pub(super) fn all(
    programs: &Programs,
    workloads: &[Workload],
    scratch: &Path,
    rounds: u64,
    mut progress: impl FnMut(u64),
) -> Result<Vec<Round>> {
    (1..=rounds)
        .map(|number| {
            progress(number);
            one(programs, workloads, scratch)
        })
        .collect()
}

fn one(programs: &Programs, workloads: &[Workload], scratch: &Path) -> Result<Round> {
    let measure = |workload| workload::measure(workload, &programs.worker, scratch);
    let bare = workloads.iter().map(measure).collect::<Result<_>>()?;
    let agent = Agent::start(&programs.hullwatch, &programs.without, scratch)?;
    // What it does at the start is over after a moment; then it is measured doing nothing.
    std::thread::sleep(SETTLING);
    let idle_cpu = spent(&agent, || {
        std::thread::sleep(IDLE);
        Ok(())
    })?
    .0 / IDLE.as_secs_f64();
    let (mut watched, mut agent_cpu) = (Vec::new(), Vec::new());
    for workload in workloads {
        let mut nanos = 0.0;
        let (cpu, seconds) = spent(&agent, || {
            nanos = measure(workload)?;
            Ok(())
        })?;
        watched.push(nanos);
        agent_cpu.push((cpu - idle_cpu * seconds).max(0.0) / f64::from(workload.operations));
    }
    let resident = proc::resident(agent.pid())?;
    agent.stop()?;
    Ok(Round {
        bare,
        watched,
        agent_cpu,
        idle_cpu,
        resident,
    })
}

/// Processor time that the agent spends meanwhile, in nanoseconds, and how long that takes, in seconds.
fn spent(agent: &Agent, mut meanwhile: impl FnMut() -> Result<()>) -> Result<(f64, f64)> {
    let (start, before) = (Instant::now(), proc::cpu_nanos(agent.pid())?);
    meanwhile()?;
    let cpu = proc::cpu_nanos(agent.pid())?.saturating_sub(before);
    Ok((cpu as f64, start.elapsed().as_secs_f64()))
}
