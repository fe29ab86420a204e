//! `hullwatch bench`: a static assessment of this host, or of a recorded one.

mod glob;
mod old_names;
mod options;
mod output;
mod scope;
mod select;
mod snapshot;

use std::process::ExitCode;

pub use options::BenchCommand;

use super::Fault;
use crate::check::Benchmark;
use crate::model::{Host, Report, Severity, Time};
use crate::pipeline::PipelineError;
use crate::pipeline::assess::{self, GatherConfig, Plan};

impl BenchCommand {
    /// Assesses, writes the report, and says by the exit code whether there are failures that were asked for.
    ///
    /// # Errors
    /// [`Fault`] where the options make no sense, or the report cannot be written. What cannot be looked at is none: it
    /// is unknown, with the reason, in the report.
    pub fn run(self) -> Result<ExitCode, Fault> {
        let began = Time::now();
        let mut host = self.host()?;
        if let Some(file) = &self.record {
            snapshot::write(file, &host)?;
        }
        let report = self.report(&mut host, began)?;
        output::write(&self, &report)?;
        Ok(match self.fail_on {
            Some(level) if fails(&report, level) => ExitCode::from(1),
            _ => ExitCode::SUCCESS,
        })
    }

    /// The facts: of this host now, or as recorded.
    fn host(&self) -> Result<Host, Fault> {
        let policy = self.policy()?;
        if let Some(file) = &self.snapshot {
            let mut host = snapshot::read(file)?;
            if let Some(policy) = policy {
                host.policy = policy;
            }
            return Ok(host);
        }
        let config = GatherConfig {
            engine: self.endpoint()?,
            policy: policy.unwrap_or_default(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(4)
            .build()
            .map_err(PipelineError::Runtime)?;
        let host = runtime.block_on(assess::gather(&config));
        // A request to an engine that hangs is not waited for.
        runtime.shutdown_background();
        Ok(host)
    }

    fn report(&self, host: &mut Host, began: Time) -> Result<Report, Fault> {
        let benchmark = self.benchmark(host);
        let checks = self.selection().checks(benchmark)?;
        let mut excluded: Vec<_> = assess::leave_out_own_container(host).into_iter().collect();
        excluded.extend(self.scope().narrow(host)?);
        let plan = Plan {
            benchmark,
            checks: &checks,
            excluded,
            began,
        };
        Ok(assess::report(host, plan))
    }

    /// The one asked for, else the one for the engine.
    fn benchmark(&self, host: &Host) -> Benchmark {
        let of_engine = || Benchmark::of_engine(host.facts.engine_version.as_deref()?);
        self.benchmark
            .or(self.version)
            .or_else(of_engine)
            .unwrap_or_default()
    }
}

/// Whether a check fails this badly or worse.
fn fails(report: &Report, level: Severity) -> bool {
    report.checks.iter().any(|row| row.severity >= Some(level))
}

#[cfg(test)]
mod tests;
