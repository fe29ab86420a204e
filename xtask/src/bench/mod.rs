//! `cargo xtask bench`: what a running `hullwatch watch` costs its host, and how soon it speaks.
//!
//! Rounds alternate between the bare machine and the watched one, so that a machine that grows
//! slower meanwhile slows both sides. With `--assessment`, what `hullwatch bench` takes instead. A tool: nothing here
//! passes or fails.

mod agent;
mod assess;
mod cgroup;
mod chmod;
mod connect;
mod exec;
mod getppid;
mod latency;
mod mount;
mod open;
mod proc;
mod report;
mod round;
mod statistics;
mod trail;
mod workload;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::{console, host, process, workspace};
use report::Report;
use trail::Trail;
use workload::{AUDITED, WORKLOADS};
pub(crate) use workload::{WorkerArgs, work};

/// Fewer rounds say nothing of the spread.
const FEWEST_ROUNDS: u64 = 11;

/// How to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Rounds, each once bare and once watched
    #[arg(long, default_value_t = FEWEST_ROUNDS, value_parser = clap::value_parser!(u64).range(FEWEST_ROUNDS..=1000))]
    rounds: u64,
    /// Violations made to measure how soon they are told
    #[arg(long, default_value_t = 300)]
    samples: u32,
    /// Program under test, instead of a release build of the tree
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Probe that the agent does without: what is left shows what the others cost (may be repeated)
    #[arg(long, value_name = "PROBE")]
    without: Vec<String>,
    /// Measure `hullwatch bench` instead of `hullwatch watch`
    #[arg(long)]
    assessment: bool,
    /// Measure what `hullwatch watch` costs beside an audit daemon: changes the machine's audit rules meanwhile, and needs
    /// HULLWATCH_ALLOW_HOST_CHANGES=1
    #[arg(long, conflicts_with = "assessment")]
    audit: bool,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// Programs of a run.
#[derive(Debug)]
struct Programs {
    /// Under test.
    hullwatch: PathBuf,
    /// Probes that it does without.
    without: Vec<String>,
    /// Runs the workloads: this program, optimized.
    worker: PathBuf,
}

/// Measures and reports.
pub(crate) fn run(args: &Args) -> Result<bool> {
    ensure!(
        host::is_root(),
        "bench needs root: the agent loads probes, and one workload mounts"
    );
    let programs = programs(args)?;
    if args.assessment {
        assess::run(&programs.hullwatch, args.rounds, args.json)?;
        return Ok(true);
    }
    let scratch = tempfile::Builder::new().prefix("hullwatch-bench-").tempdir()?;
    let trail = args.audit.then(|| Trail::begin(scratch.path())).transpose()?;
    let workloads = if trail.is_some() { AUDITED } else { WORKLOADS };
    let rounds = round::all(&programs, workloads, scratch.path(), args.rounds, |number| {
        if !args.json {
            console::say(&format!("round {number} of {}", args.rounds));
        }
    })?;
    let latency = match trail {
        Some(_) => None,
        None => Some(latency::measure(&programs, scratch.path(), args.samples)?),
    };
    let report = Report::new(workloads, &rounds, latency.as_ref(), &args.without)?;
    console::say(&if args.json {
        serde_json::to_string(&report)?
    } else {
        report.to_string()
    });
    Ok(true)
}

/// Builds what is to be run, in release: unoptimized workloads would hide what they cost.
fn programs(args: &Args) -> Result<Programs> {
    let build = |package: &str| -> Result<PathBuf> {
        let flags = [
            "build",
            "--quiet",
            "--release",
            "--locked",
            "--package",
            package,
            "--bin",
            package,
        ];
        process::run(process::cargo().args(flags).current_dir(workspace::root()?))?;
        Ok(workspace::target()?.join("release").join(package))
    };
    let hullwatch = match &args.binary {
        Some(file) => file
            .canonicalize()
            .with_context(|| format!("no program {}", file.display()))?,
        None => build("hullwatch")?,
    };
    Ok(Programs {
        hullwatch,
        without: args.without.clone(),
        worker: build("xtask")?,
    })
}
