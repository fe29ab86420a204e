//! `hullwatch checks`: the catalogue, for people and for scripts.

use std::io::{self, Write};
use std::process::ExitCode;

use serde_json::json;

use crate::check::{self, Assess, Benchmark, Check};

pub(super) mod closest;
mod layout;
mod markdown;

/// Width of explanations.
const WIDTH: usize = 88;

/// Show the recommendations that are checked.
#[derive(Debug, clap::Args)]
pub struct ChecksCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List every check with its number, level, severity and what it is decided by.
    List {
        /// Benchmark whose numbers are shown.
        #[arg(long, value_name = "ID", default_value_t)]
        benchmark: Benchmark,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
        /// Print the page of the documentation: every check, with its numbers in every version.
        #[arg(long, conflicts_with = "json")]
        markdown: bool,
    },
    /// Explain one check: why it matters, what is looked at, what to do.
    Explain {
        /// Key, or number in the benchmark.
        #[arg(value_name = "KEY|NUMBER")]
        check: String,
        /// Benchmark that a number is of.
        #[arg(long, value_name = "ID", default_value_t)]
        benchmark: Benchmark,
    },
}

/// Why the catalogue could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum ChecksError {
    /// No check has this key or number.
    #[error("no check `{asked}` in {benchmark}; {hint}")]
    Unknown {
        /// What was asked for.
        asked: String,
        /// Where numbers were looked up.
        benchmark: Benchmark,
        /// What may have been meant.
        hint: String,
    },
    /// The output was not taken.
    #[error("cannot write the catalogue")]
    Write(#[from] io::Error),
}

impl ChecksError {
    /// Exit code of the command: 2 for a check that is not known.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Unknown { .. } => ExitCode::from(2),
            Self::Write(_) => ExitCode::FAILURE,
        }
    }
}

impl ChecksCommand {
    /// Writes what was asked for.
    ///
    /// # Errors
    /// The check is not known, or `out` does not take it.
    pub fn run(&self, out: &mut dyn Write) -> Result<ExitCode, ChecksError> {
        match &self.action {
            Action::List { markdown: true, .. } => markdown::write(out)?,
            Action::List {
                benchmark,
                json: true,
                ..
            } => list_json(*benchmark, out)?,
            Action::List {
                benchmark,
                json: false,
                ..
            } => list(*benchmark, out)?,
            Action::Explain { check, benchmark } => explain(find(check, *benchmark)?, out)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn find(asked: &str, benchmark: Benchmark) -> Result<&'static Check, ChecksError> {
    check::find(asked, benchmark).ok_or_else(|| ChecksError::Unknown {
        asked: asked.to_owned(),
        benchmark,
        hint: closest::hint(asked),
    })
}

/// What decides a check, in the order of a container's life: its facts, its start, what is seen of it.
fn decided_by(check: &Check) -> Vec<&'static str> {
    let mut kinds = match check.assess {
        Assess::Container(_) => vec!["facts", "start"],
        Assess::Image(_) | Assess::Host(_) => vec!["facts"],
        Assess::Live => Vec::new(),
    };
    kinds.extend(check.signals.iter().map(|signal| signal.kind));
    kinds
}

fn list(benchmark: Benchmark, out: &mut dyn Write) -> io::Result<()> {
    let head = ["NUMBER", "KEY", "LEVEL", "SEVERITY", "DECIDED BY"].map(str::to_owned);
    let rows = check::ALL.iter().map(|check| {
        [
            check.number(benchmark).unwrap_or("-").to_owned(),
            check.key.to_owned(),
            check.level.to_string(),
            check.severity.name().to_owned(),
            decided_by(check).join(", "),
        ]
    });
    layout::table(&[head].into_iter().chain(rows).collect::<Vec<_>>(), out)
}

fn list_json(benchmark: Benchmark, out: &mut dyn Write) -> io::Result<()> {
    let checks: Vec<_> = check::ALL
        .iter()
        .map(|check| {
            let signals: Vec<_> = check
                .signals
                .iter()
                .map(|signal| json!({ "kind": signal.kind, "when": signal.when }))
                .collect();
            json!({
                "key": check.key,
                "number": check.number(benchmark),
                "title": check.title,
                "section": check.section,
                "level": check.level,
                "severity": check.severity,
                "assessed": assessed(check),
                "signals": signals,
            })
        })
        .collect();
    writeln!(
        out,
        "{}",
        json!({ "benchmark": benchmark.name(), "checks": checks })
    )
}

/// What a check's assessment judges one by one; null where only observations decide.
fn assessed(check: &Check) -> Option<&'static str> {
    match check.assess {
        Assess::Container(_) => Some("container"),
        Assess::Image(_) => Some("image"),
        Assess::Host(_) => Some("host"),
        Assess::Live => None,
    }
}

fn explain(check: &Check, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}\n{}\n", check.title, check.key)?;
    let judged = match check.assess {
        Assess::Container(_) => "each container, by its facts and whenever it starts",
        Assess::Image(_) => "each image, by its files",
        Assess::Host(_) => "the host, item by item",
        Assess::Live => "live only: it passes nothing, it catches what breaks it",
    };
    let facts = [
        ("Section", check.section.to_owned()),
        ("Level", check.level.to_string()),
        (
            "Severity",
            format!("{}, unless the case says otherwise", check.severity.name()),
        ),
        ("Judged", judged.to_owned()),
        ("Numbers", numbers(check)),
    ];
    for (name, value) in facts {
        layout::paragraph(&format!("{name:<10}"), &value, WIDTH, out)?;
    }
    writeln!(out)?;
    layout::paragraph("", check.about, WIDTH, out)?;
    writeln!(out, "\nLive")?;
    if check.signals.is_empty() {
        layout::paragraph("  ", "no observation of its own breaks it", WIDTH, out)?;
    }
    for signal in check.signals {
        layout::paragraph(&format!("  {:<14}", signal.kind), signal.when, WIDTH, out)?;
    }
    writeln!(out, "\nRemedy")?;
    layout::paragraph("  ", check.remedy, WIDTH, out)
}

/// `5.4 in cis-1.13.0 to cis-1.5.0, 5.5 in …`: neighbouring versions with the same number are one.
fn numbers(check: &Check) -> String {
    let same = check.numbers.chunk_by(|(_, one), (_, next)| one == next);
    let runs = same.filter_map(|run| {
        let ((first, number), (last, _)) = (run.first()?, run.last()?);
        Some(match run.len() {
            1 => format!("{number} in {first}"),
            2 => format!("{number} in {first} and {last}"),
            _ => format!("{number} in {first} to {last}"),
        })
    });
    runs.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
