//! End-to-end tests: the release build, on this kernel, with a real engine.

use anyhow::Result;

use super::Args;
use super::counts::{Counts, Runner};
use super::packages;
use super::stages::{Outcome, cargo, tested};
use crate::{console, host, process, workspace};

/// Read by the tests: the program under test.
const BINARY: &str = "HULLWATCH_BIN";
/// Read by the tests: they may change more of the host than they can hide.
const ALLOW: &str = "HULLWATCH_ALLOW_HOST_CHANGES";

/// Cargo over the package of the tests.
const TEST: &[&str] = &["test", "--locked", "--package", "hullwatch-tests"];

pub(super) fn run(args: &Args, counts: &mut Counts) -> Result<Outcome> {
    if let Some(why) = hindrance()? {
        return skip_all(&why, counts);
    }
    process::run(cargo()?.args([
        "build",
        "--release",
        "--locked",
        "--package",
        "hullwatch",
        "--bin",
        "hullwatch",
    ]))?;
    let binary = workspace::target()?.join("release/hullwatch");
    let allowed = args.allow_host_changes || host::is_ci();
    // The harness takes one filter at a time.
    let filters = args.filters.iter().map(|filter| Some(filter.as_str()));
    let runs: Vec<_> = if args.filters.is_empty() {
        vec![None]
    } else {
        filters.collect()
    };
    let mut outcome = Outcome::Passed;
    for filter in runs {
        let mut command = cargo()?;
        command
            .args(TEST)
            .args(["--no-fail-fast", "--", "--test-threads=1"])
            .args(filter)
            .env(BINARY, &binary)
            .env_remove(ALLOW);
        if allowed {
            command.env(ALLOW, "1");
        }
        if let failed @ Outcome::Failed(_) = tested(&mut command, Runner::Harness, counts)? {
            outcome = failed;
        }
    }
    Ok(outcome)
}

/// Why no test can run here; what can be installed is.
fn hindrance() -> Result<Option<String>> {
    if !host::is_root() {
        return Ok(Some(
            "needs root (it loads probes and starts an engine of its own)".to_owned(),
        ));
    }
    let missing: Vec<_> = packages::missing().iter().map(|package| package.name).collect();
    if missing.is_empty() {
        return Ok(None);
    }
    if !host::is_debian() {
        return Ok(Some(format!("install what Debian calls {}", missing.join(" "))));
    }
    host::install(&missing)?;
    Ok(None)
}

/// Names every test that does not run, and why.
fn skip_all(why: &str, counts: &mut Counts) -> Result<Outcome> {
    let mut command = cargo()?;
    command
        .args(TEST)
        .args(["--", "--list"])
        .stderr(std::process::Stdio::inherit());
    let output = command.output()?;
    if !output.status.success() {
        return Ok(Outcome::Failed("the tests cannot be listed".to_owned()));
    }
    for name in listed(&String::from_utf8_lossy(&output.stdout)) {
        console::say(&format!("skipped: {name}: {why}"));
        counts.skipped += 1;
    }
    Ok(Outcome::Skipped(why.to_owned()))
}

/// Names of tests in a harness's list.
fn listed(list: &str) -> impl Iterator<Item = &str> {
    list.lines().filter_map(|line| line.strip_suffix(": test"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_listed_and_nothing_else() {
        let list = "sockets::a_copy: test\nflood::all: test\n\n2 tests, 0 benchmarks\nsize: benchmark\n";
        assert_eq!(
            listed(list).collect::<Vec<_>>(),
            ["sockets::a_copy", "flood::all"]
        );
    }
}
