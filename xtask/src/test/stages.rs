//! The stages, cheapest first.

use std::fmt;
use std::process::Command;

use anyhow::Result;

use super::Args;
use super::counts::{Counts, Runner};
use super::e2e;
use crate::{ebpf, host, process, tidy, workspace};

/// How a stage went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Passed,
    /// Why, where it did not say so itself.
    Failed(String),
    /// Why.
    Skipped(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("passed"),
            Self::Failed(why) if why.is_empty() => f.write_str("failed"),
            Self::Failed(why) => write!(f, "failed: {why}"),
            Self::Skipped(why) => write!(f, "skipped: {why}"),
        }
    }
}

impl From<bool> for Outcome {
    fn from(good: bool) -> Self {
        if good {
            Self::Passed
        } else {
            Self::Failed(String::new())
        }
    }
}

/// One stage.
pub(super) struct Stage {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) run: fn(&Args, &mut Counts) -> Result<Outcome>,
}

/// Every stage, in order.
pub(super) const STAGES: &[Stage] = &[
    Stage {
        name: "fmt",
        about: "rustfmt finds nothing to change",
        run: fmt,
    },
    Stage {
        name: "clippy",
        about: "the compiler and clippy find nothing to say",
        run: clippy,
    },
    Stage {
        name: "tidy",
        about: "the project's own rules",
        run: |_, _| Ok(tidy::run()?.into()),
    },
    Stage {
        name: "deny",
        about: "licences, advisories and sources of dependencies",
        run: deny,
    },
    Stage {
        name: "ebpf",
        about: "the object in the tree is what the sources make",
        run: ebpf,
    },
    Stage {
        name: "unit",
        about: "unit and property tests",
        run: unit,
    },
    Stage {
        name: "e2e",
        about: "the built program on this kernel, with a real engine",
        run: e2e::run,
    },
];

fn fmt(_: &Args, _: &mut Counts) -> Result<Outcome> {
    Ok(process::succeeds(cargo()?.args(["fmt", "--all", "--check"]))?.into())
}

fn clippy(_: &Args, _: &mut Counts) -> Result<Outcome> {
    let flags = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ];
    Ok(process::succeeds(cargo()?.args(flags))?.into())
}

fn deny(_: &Args, _: &mut Counts) -> Result<Outcome> {
    if process::find("cargo-deny").is_none() {
        return Ok(Outcome::Skipped(
            "cargo-deny is not installed (cargo install cargo-deny)".to_owned(),
        ));
    }
    let deny = |args: &[&str]| -> Result<bool> {
        process::succeeds(cargo()?.args(["deny", "--workspace"]).args(args))
    };
    // These are decided by the tree alone; advisories by a database from the network, which is not everywhere.
    if !deny(&["check", "licenses", "bans", "sources"])? {
        return Ok(false.into());
    }
    if !host::is_ci() && !deny(&["fetch", "db"])? {
        return Ok(Outcome::Skipped(
            "licences, bans and sources are in order; the advisory database cannot be reached".to_owned(),
        ));
    }
    Ok(deny(&["check", "advisories"])?.into())
}

fn ebpf(_: &Args, _: &mut Counts) -> Result<Outcome> {
    Ok(match ebpf::check()? {
        ebpf::Freshness::Fresh => Outcome::Passed,
        ebpf::Freshness::Stale(why) => Outcome::Failed(why),
        ebpf::Freshness::Unknown(why) => Outcome::Skipped(why),
    })
}

/// Read by proptest: where its random numbers begin.
const SEED: &str = "PROPTEST_RNG_SEED";

/// `cargo`, for unit and property tests. Whether a change is good must not depend on luck: property tests try the same
/// cases each time, unless the environment gives another seed. Searching with fresh ones is a job of its own.
fn cargo_for_units() -> Result<Command> {
    let mut cargo = cargo()?;
    if std::env::var_os(SEED).is_none() {
        cargo.env(SEED, "1");
    }
    Ok(cargo)
}

fn unit(_: &Args, counts: &mut Counts) -> Result<Outcome> {
    let scope = [
        "--workspace",
        "--exclude",
        "hullwatch-tests",
        "--locked",
        "--no-fail-fast",
    ];
    if process::find("cargo-nextest").is_none() {
        return tested(
            cargo_for_units()?.arg("test").args(scope),
            Runner::Harness,
            counts,
        );
    }
    let outcome = tested(
        cargo_for_units()?.args(["nextest", "run"]).args(scope),
        Runner::Nextest,
        counts,
    )?;
    // The one kind of test that nextest does not run.
    let documented = tested(
        cargo()?.args(["test", "--doc"]).args(scope),
        Runner::Harness,
        counts,
    )?;
    Ok(if outcome == Outcome::Passed {
        documented
    } else {
        outcome
    })
}

/// Cargo at the root of the checkout.
pub(super) fn cargo() -> Result<Command> {
    let mut cargo = process::cargo();
    cargo.current_dir(workspace::root()?);
    Ok(cargo)
}

/// Runs tests and counts them.
pub(super) fn tested(command: &mut Command, runner: Runner, counts: &mut Counts) -> Result<Outcome> {
    Ok(process::watch(command, |line| counts.see(runner, line))?.into())
}
