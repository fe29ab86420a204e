//! What `hullwatch bench` takes: wall time and memory, over a real engine without and with containers, and over
//! recordings of larger hosts.

mod recording;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hullwatch_tests::{Audit, Programs, World};
use serde::Serialize;

use super::proc;
use super::statistics::{median, percentile};
use crate::{console, process, workspace};

/// Containers that run beside the engine in the second case.
const CONTAINERS: usize = 20;
/// Containers of the recordings.
const RECORDED: [usize; 3] = [0, 50, 500];
/// Audit rules in the last case.
const RULES: usize = 500;
/// How often a run's memory is looked at.
const LOOK: Duration = Duration::from_micros(500);

/// One case. Times are in milliseconds, memory in KiB.
#[derive(Debug, Serialize)]
struct Case {
    name: String,
    runs: u64,
    wall_ms: f64,
    wall_ms_p10: f64,
    wall_ms_p90: f64,
    peak_resident_kib: u64,
}

/// The cases of a run.
#[derive(Debug, Serialize)]
struct Cases {
    kernel: String,
    cases: Vec<Case>,
}

/// Measures, and prints a table or one JSON object.
pub(super) fn run(hullwatch: &Path, runs: u64, json: bool) -> Result<()> {
    let programs = Programs {
        hullwatch: hullwatch.to_owned(),
        actor: build("actor")?,
        shim: build("oci-shim")?,
    };
    let world = World::new(&programs)?;
    let mut cases = vec![of_engine(&world, "engine, 0 containers", runs)?];
    let containers: Vec<_> = (0..CONTAINERS)
        .map(|_| world.detached(&[], &["/bin/sleep", "100000"]))
        .collect::<Result<_>>()?;
    cases.push(of_engine(
        &world,
        &format!("engine, {} containers", containers.len()),
        runs,
    )?);
    let recorded = world.path("recorded.json");
    let uri = world.dockerd.uri();
    let record = ["--engine", &uri, "--outputfile", "/dev/null", "--record"];
    process::run(world.hullwatch().arg("bench").args(record).arg(&recorded))?;
    for containers in RECORDED {
        let snapshot = recording::multiplied(&recorded, containers)?;
        let mut command = world.hullwatch();
        command.args(["bench", "--json", "--snapshot"]).arg(&snapshot);
        cases.push(case(
            &format!("recorded, {containers} containers"),
            runs,
            &mut command,
        )?);
    }
    match of_rules(&world, runs) {
        Ok(case) => cases.push(case),
        Err(why) => console::say(&format!("skipped: audit rules: {why:#}")),
    }
    let cases = Cases {
        kernel: proc::kernel()?,
        cases,
    };
    console::say(&if json {
        serde_json::to_string(&cases)?
    } else {
        cases.to_string()
    });
    Ok(())
}

/// Reading so many audit rules of the kernel, and deciding by them: timed by the program itself, without its start.
fn of_rules(world: &World, runs: u64) -> Result<Case> {
    let audit = Audit::take_unheard()?;
    let rules: String = (0..RULES)
        .map(|number| {
            format!(
                "-w {} -p wa -k bench\n",
                world.path(&format!("watched-{number}")).display()
            )
        })
        .collect();
    audit.load(&world.path(""), &rules)?;
    let (runs_text, uri) = (runs.to_string(), world.dockerd.uri());
    let mut command = world.hullwatch();
    command.args(["audit", "--time", &runs_text, "--engine", &uri]);
    let output = command.output()?;
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).context("hullwatch audit --time")?;
    let told = told
        .get("milliseconds")
        .and_then(|times| times.as_array())
        .context("no times")?;
    let times: Vec<f64> = told.iter().filter_map(serde_json::Value::as_f64).collect();
    command.stdout(Stdio::null());
    let share = |percent| percentile(&times, percent).context("there are no runs");
    Ok(Case {
        name: format!("{RULES} audit rules, decided"),
        runs,
        wall_ms: median(&times).context("there are no runs")?,
        wall_ms_p10: share(10)?,
        wall_ms_p90: share(90)?,
        peak_resident_kib: peak(&mut command)?,
    })
}

/// A program of the tests, in release.
fn build(name: &str) -> Result<PathBuf> {
    let flags = [
        "build",
        "--quiet",
        "--release",
        "--locked",
        "--package",
        "hullwatch-tests",
        "--bin",
        name,
    ];
    process::run(process::cargo().args(flags).current_dir(workspace::root()?))?;
    Ok(workspace::target()?.join("release").join(name))
}

fn of_engine(world: &World, name: &str, runs: u64) -> Result<Case> {
    let mut command = world.hullwatch();
    command.args(["bench", "--json", "--engine", &world.dockerd.uri()]);
    case(name, runs, &mut command)
}

/// Runs a command so many times for its time, and once more for its memory: looking takes time too.
fn case(name: &str, runs: u64, command: &mut Command) -> Result<Case> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let times: Vec<f64> = (0..runs).map(|_| timed(command)).collect::<Result<_>>()?;
    let share = |percent| percentile(&times, percent).context("there are no runs");
    Ok(Case {
        name: name.to_owned(),
        runs,
        wall_ms: median(&times).context("there are no runs")?,
        wall_ms_p10: share(10)?,
        wall_ms_p90: share(90)?,
        peak_resident_kib: peak(command)?,
    })
}

fn timed(command: &mut Command) -> Result<f64> {
    let start = Instant::now();
    let status = command.status()?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(start.elapsed().as_secs_f64() * 1e3)
}

/// Largest resident set that was seen before the end: the kernel keeps it only while the process lives.
fn peak(command: &mut Command) -> Result<u64> {
    let mut child = command.spawn()?;
    let mut peak = 0;
    while child.try_wait()?.is_none() {
        // It may end between the two looks.
        if let Ok(resident) = proc::resident(child.id()) {
            peak = peak.max(resident.peak);
        }
        std::thread::sleep(LOOK);
    }
    ensure!(peak > 0, "{command:?} ended before its memory could be looked at");
    Ok(peak)
}

impl fmt::Display for Cases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Linux {}, `hullwatch bench --json`\n", self.kernel)?;
        writeln!(
            f,
            "{:<26} {:>5} {:>9} {:>17} {:>9}",
            "", "runs", "wall ms", "p10..p90", "peak MiB"
        )?;
        for case in &self.cases {
            let spread = format!("{:.1}..{:.1}", case.wall_ms_p10, case.wall_ms_p90);
            let mib = case.peak_resident_kib as f64 / 1024.0;
            writeln!(
                f,
                "{:<26} {:>5} {:>9.1} {spread:>17} {mib:>9.1}",
                case.name, case.runs, case.wall_ms
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_timed_and_its_memory_seen() {
        let measured = case("sleep", 3, Command::new("sleep").arg("0.05")).unwrap();
        assert!(measured.wall_ms >= 50.0 && measured.wall_ms_p10 <= measured.wall_ms_p90);
        assert!(measured.peak_resident_kib > 0);
        assert!(case("false", 1, &mut Command::new("false")).is_err());
        let table = Cases {
            kernel: "6".into(),
            cases: vec![measured],
        };
        assert!(table.to_string().contains("sleep"), "{table}");
    }
}
