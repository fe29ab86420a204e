//! One test and how it is run.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use hullwatch_tests::Skip;
use libtest_mimic::{Completion, Failed, Trial};

use crate::stage::{self, Stage};

/// What a test needs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Test {
    /// The shared world with its watching `hullwatch`.
    Staged(fn(&mut Stage) -> Result<()>),
    /// Nothing but the built programs.
    Alone(fn() -> Result<()>),
}

/// A named test.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) test: Test,
}

/// Lists a suite's tests: `cases! { staged: one, two; alone: three }`.
macro_rules! cases {
    ($(staged: $($staged:ident),+ $(,)?;)? $(alone: $($alone:ident),+ $(,)?;)?) => {
        pub(crate) const CASES: &[crate::case::Case] = &[
            $($(crate::case::Case {
                name: concat!(module_path!(), "::", stringify!($staged)),
                test: crate::case::Test::Staged($staged),
            },)+)?
            $($(crate::case::Case {
                name: concat!(module_path!(), "::", stringify!($alone)),
                test: crate::case::Test::Alone($alone),
            },)+)?
        ];
    };
}
pub(crate) use cases;

impl Case {
    pub(crate) fn trial(&self) -> Trial {
        let Self { name, test } = *self;
        let name = name.strip_prefix("e2e::").unwrap_or(name);
        Trial::ignorable_test(name, move || {
            let outcome = match test {
                Test::Staged(run) => stage::perform(run),
                Test::Alone(run) => run(),
            };
            conclude(name, outcome)
        })
    }
}

static SKIPPED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Says, where a person and `cargo xtask test` see it, what was skipped: after everything else, one line each.
pub(crate) fn tell_skips() -> std::io::Result<()> {
    let skipped = SKIPPED.lock().unwrap_or_else(PoisonError::into_inner);
    skipped
        .iter()
        .try_for_each(|line| writeln!(std::io::stderr(), "{line}"))
}

fn conclude(name: &str, outcome: Result<()>) -> Result<Completion, Failed> {
    let Err(error) = outcome else {
        return Ok(Completion::Completed);
    };
    match error.downcast_ref::<Skip>() {
        Some(skip) => {
            let mut skipped = SKIPPED.lock().unwrap_or_else(PoisonError::into_inner);
            skipped.push(format!("skipped: {name}: {skip}"));
            Ok(Completion::ignored_with(skip))
        }
        None => Err(format!("{error:#}").into()),
    }
}
