//! The shapes of docker-bench-security: scripts of its users depend on them.

use std::fmt::Write;

use serde::Serialize;

use super::ReportView;
use super::chapter::chapters;
use super::old::{State, decisive, details, item_line, state, visible_lines};
use crate::model::{Report, ReportRow};

const fn word(state: State) -> &'static str {
    match state {
        State::Good => "PASS",
        State::Bad => "WARN",
        State::Manual => "NOTE",
        State::Info => "INFO",
    }
}

#[derive(Serialize)]
struct Document<'a> {
    dockerbenchsecurity: &'a str,
    benchmark: &'a str,
    start: i128,
    tests: Vec<Tests<'a>>,
    checks: usize,
    score: i64,
    end: i128,
}

#[derive(Serialize)]
struct Tests<'a> {
    id: &'a str,
    desc: &'a str,
    results: Vec<Outcome<'a>>,
}

#[derive(Serialize)]
struct Outcome<'a> {
    id: &'a str,
    desc: &'a str,
    result: &'static str,
    key: &'a str,
    #[serde(skip_serializing_if = "String::is_empty")]
    details: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    items: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remediation: Option<&'a str>,
}

/// The JSON object.
pub(super) fn json(report: &Report, view: &ReportView) -> serde_json::Result<String> {
    let start = seconds(report);
    let tests = chapters(report).map(|chapter| Tests {
        id: chapter.number,
        desc: chapter.title,
        results: chapter.rows.iter().map(|row| outcome(row, view)).collect(),
    });
    serde_json::to_string(&Document {
        dockerbenchsecurity: &report.version,
        benchmark: &report.benchmark,
        start,
        tests: tests.collect(),
        checks: report.checks.len(),
        score: score(report),
        end: start + i128::from(report.elapsed_ms.div_ceil(1000)),
    })
}

fn outcome<'a>(row: &'a ReportRow, view: &ReportView) -> Outcome<'a> {
    let state = state(row);
    let all: Vec<_> = decisive(row).map(|item| item.item.as_str()).collect();
    let limit = if view.limit == 0 { all.len() } else { view.limit };
    let mut details = details(row);
    if all.len() > limit {
        details += " (truncated)";
    }
    Outcome {
        id: &row.number,
        desc: &row.title,
        result: word(state),
        key: &row.key,
        details,
        items: all.into_iter().take(limit).collect(),
        remediation: (state == State::Bad && view.remedies).then_some(row.remedy.as_str()),
    }
}

fn seconds(report: &Report) -> i128 {
    report.time.unix_nanos() / 1_000_000_000
}

/// Passes less failures of what the benchmark scores, in this shape's states.
fn score(report: &Report) -> i64 {
    let points = report
        .checks
        .iter()
        .filter(|row| row.scored)
        .map(|row| match state(row) {
            State::Good => 1,
            State::Bad => -1,
            State::Manual | State::Info => 0,
        });
    points.sum()
}

/// The text.
pub(super) fn text(report: &Report, view: &ReportView) -> String {
    let mut page = Page {
        out: String::new(),
        color: view.color,
    };
    // Writing to a string cannot fail.
    writeln!(
        page.out,
        "# Hullwatch {}, {}\n\nInitializing {}\n",
        report.version, report.benchmark, report.time
    )
    .unwrap_or_default();
    if view.results {
        page.results(report);
    }
    if view.remedies {
        page.remedies(report);
    }
    if view.summary {
        writeln!(page.out, "\nSection C - Score\n").unwrap_or_default();
        page.line("INFO", &format!("Checks: {}", report.checks.len()));
        page.line("INFO", &format!("Score: {}", score(report)));
    }
    page.out
}

struct Page {
    out: String,
    color: bool,
}

impl Page {
    fn line(&mut self, word: &str, text: &str) {
        let code = match word {
            "PASS" => "1;32",
            "WARN" => "1;31",
            "NOTE" => "1;33",
            _ => "1;34",
        };
        let mark = format!("[{word}]");
        let mark = if self.color {
            format!("\x1b[{code}m{mark}\x1b[0m")
        } else {
            mark
        };
        writeln!(self.out, "{mark} {text}").unwrap_or_default();
    }

    fn results(&mut self, report: &Report) {
        writeln!(self.out, "Section A - Check results\n").unwrap_or_default();
        for chapter in chapters(report) {
            self.line("INFO", &format!("{} - {}", chapter.number, chapter.title));
            for row in chapter.rows {
                let word = word(state(row));
                self.line(word, &format!("{} - {}", row.number, row.title));
                let items: Vec<_> = decisive(row).map(item_line).collect();
                for item in &items {
                    self.line(word, &format!("     * {item}"));
                }
                if items.is_empty() && row.verdict != crate::model::VerdictKind::Pass {
                    self.line(word, &format!("     * {}", details(row)));
                } else if row.letter_only {
                    self.line(word, "     * kept by the letter only: the aim is missed");
                }
            }
            self.out.push('\n');
        }
    }

    fn remedies(&mut self, report: &Report) {
        writeln!(self.out, "\nSection B - Remediation measures\n").unwrap_or_default();
        for row in report.checks.iter().filter(|row| state(row) == State::Bad) {
            let remedy = visible_lines(&row.remedy, "       ");
            self.line("INFO", &format!("{} - {remedy}", row.number));
        }
    }
}
