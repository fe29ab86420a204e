//! `cargo xtask test`: everything that says whether the tree is good, in stages.

mod counts;
mod e2e;
mod packages;
mod stages;

use std::time::Instant;

use anyhow::Result;

use crate::console;
use counts::Counts;
use stages::{Outcome, STAGES};

/// How to test.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Let end-to-end tests change this host (accounts, audit rules); implied by CI=true
    #[arg(long)]
    allow_host_changes: bool,
    /// Run this stage alone
    #[arg(long, value_name = "STAGE", value_parser = clap::builder::PossibleValuesParser::new(STAGES.iter().map(|stage| stage.name)))]
    only: Option<String>,
    /// Run only those end-to-end tests whose names contain this
    #[arg(value_name = "E2E FILTER")]
    filters: Vec<String>,
}

/// Runs the stages up to the first that fails; true where none does.
pub(crate) fn run(args: &Args) -> Result<bool> {
    let mut counts = Counts::default();
    let mut stages = STAGES
        .iter()
        .filter(|stage| args.only.as_deref().is_none_or(|only| only == stage.name));
    let mut good = true;
    for stage in stages.by_ref() {
        console::say(&format!("== {}: {}", stage.name, stage.about));
        let start = Instant::now();
        let before = counts;
        let outcome =
            (stage.run)(args, &mut counts).unwrap_or_else(|error| Outcome::Failed(format!("{error:#}")));
        let seconds = start.elapsed().as_secs_f64();
        console::say(&format!("== {}: {outcome} ({seconds:.1} s)", stage.name));
        if let Outcome::Failed(_) = outcome {
            // A summary without a failure would read as success.
            if counts.failed == before.failed {
                counts.failed += 1;
            }
            good = false;
            break;
        }
    }
    let rest: Vec<_> = stages.map(|stage| stage.name).collect();
    if !rest.is_empty() {
        console::say(&format!("not run: {}", rest.join(", ")));
    }
    console::say(&counts.to_string());
    Ok(good)
}
