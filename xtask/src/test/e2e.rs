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
    let mut command = cargo()?;
    command
        .args([
            "test",
            "--locked",
            "--package",
            "hullwatch-tests",
            "--no-fail-fast",
            "--",
            "--test-threads=1",
        ])
        .args(&args.filters)
        .env(BINARY, workspace::target()?.join("release/hullwatch"));
    match args.allow_host_changes || host::is_ci() {
        true => command.env(ALLOW, "1"),
        false => command.env_remove(ALLOW),
    };
    tested(&mut command, Runner::Harness, counts)
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
    let mut names = Vec::new();
    let mut command = cargo()?;
    command.args([
        "test",
        "--quiet",
        "--locked",
        "--package",
        "hullwatch-tests",
        "--",
        "--list",
    ]);
    let output = command.stderr(std::process::Stdio::inherit()).output()?;
    if !output.status.success() {
        return Ok(Outcome::Failed("the tests cannot be listed".to_owned()));
    }
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        names.extend(line.strip_suffix(": test").map(str::to_owned));
    }
    for name in names {
        console::say(&format!("skipped {name}: {why}"));
        counts.skipped += 1;
    }
    Ok(Outcome::Skipped(why.to_owned()))
}
