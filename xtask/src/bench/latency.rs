//! How soon a violation is told: from the return of the call that made it to its line.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::time::{ClockId, clock_gettime};

use super::agent::{Agent, Heard};
use super::cgroup::Cgroup;
use super::{Programs, exec};
use crate::console;

/// Name under which a worker makes violations.
pub(super) const WORKER: &str = "violations";

/// Between two violations, so that each finds the agent asleep: the slowest case, and the usual one.
const PAUSE: Duration = Duration::from_millis(20);
/// Violations in one container.
const CONTAINER_SAMPLES: u32 = 20;
const PER_CONTAINER: usize = CONTAINER_SAMPLES as usize;
/// After the last, for lines still on their way; one that takes longer counts as not told.
const GRACE: Duration = Duration::from_secs(2);

/// How soon violations were told.
#[derive(Debug)]
pub(super) struct Latency {
    /// Violations made.
    pub(super) made: usize,
    /// Nanoseconds for each that was told.
    pub(super) nanos: Vec<f64>,
}

/// The monotonic clock, the same for every process, in nanoseconds.
pub(super) fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    seconds * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or_default()
}

/// Runs programs with every capability in cgroups with a container's name. Each is a name of its own, and
/// few are run in each container: repetitions of the same violation would be folded, and so would ever new
/// ones in one place.
pub(super) fn measure(programs: &Programs, scratch: &Path, samples: u32) -> Result<Latency> {
    let original = scratch.join("program");
    fs::copy(exec::program(), &original)?;
    let containers: Vec<_> = (0..samples)
        .step_by(PER_CONTAINER)
        .map(|first| (first, (samples - first).min(CONTAINER_SAMPLES)))
        .collect();
    for (first, count) in &containers {
        let directory = container(scratch, *first);
        fs::create_dir(&directory)?;
        for number in 0..*count {
            fs::hard_link(&original, file(&directory, number))?;
        }
    }
    let agent = Agent::start(&programs.hullwatch, &programs.without, scratch)?;
    let mut made = Vec::new();
    for (first, count) in containers {
        made.extend(make_violations(
            &programs.worker,
            &container(scratch, first),
            count,
        )?);
    }
    std::thread::sleep(GRACE);
    Ok(pair(&made, &agent.stop()?))
}

/// Where the programs of one container are; of one length, as [`file`].
fn container(scratch: &Path, first: u32) -> PathBuf {
    scratch.join(format!("container-{first:06}"))
}

/// Path and time of return of each exec.
fn make_violations(worker: &Path, scratch: &Path, samples: u32) -> Result<Vec<(String, u64)>> {
    let cgroup = Cgroup::new()?;
    let mut child = Command::new(worker)
        .args(["bench-worker", WORKER, &samples.to_string()])
        .arg(scratch)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    cgroup.take(child.id())?;
    // The end of its input is the worker's sign to begin.
    drop(child.stdin.take());
    let stdout = child.stdout.take().context("the worker has no stdout")?;
    let mut made = Vec::new();
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        let (time, path) = line.split_once(' ').context("the worker said something else")?;
        made.push((path.to_owned(), time.parse()?));
    }
    ensure!(child.wait()?.success(), "the worker failed");
    Ok(made)
}

/// The worker: waits to be moved, then runs one program after the other.
pub(super) fn work(samples: u32, scratch: &Path) -> Result<()> {
    std::io::stdin().read_to_end(&mut Vec::new())?;
    for number in 0..samples {
        let path = file(scratch, number);
        let mut child = exec::command(&path).spawn()?;
        // The parent goes on when the exec is done.
        console::say(&format!("{} {}", now(), path.display()));
        child.wait()?;
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

/// Of one length, so that none is the start of another.
fn file(scratch: &Path, number: u32) -> PathBuf {
    scratch.join(format!("violation-{number:06}"))
}

/// First line that names each program.
fn pair(made: &[(String, u64)], heard: &[Heard]) -> Latency {
    let told = made.iter().filter_map(|(path, at)| {
        let line = heard.iter().find(|heard| heard.line.contains(path))?;
        Some(line.at.saturating_sub(*at) as f64)
    });
    Latency {
        made: made.len(),
        nanos: told.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_paired_with_what_they_tell_of() {
        let made = [
            ("/x/violation-000000".to_owned(), 100),
            ("/x/violation-000001".to_owned(), 200),
        ];
        let heard = |name: &str, at| Heard {
            line: format!("{{\"summary\":\"/x/{name} ran\"}}"),
            at,
        };
        let latency = pair(
            &made,
            &[heard("violation-000001", 260), heard("violation-000001", 900)],
        );
        assert_eq!((latency.made, latency.nanos), (2, vec![60.0]));
    }
}
