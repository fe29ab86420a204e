//! The shapes of docker-bench.

use std::fmt::Write;

use serde::Serialize;

use super::ReportView;
use super::chapter::{Chapter, chapters};
use super::old::{State, decisive, details, item_line, state, visible_lines};
use crate::model::{Report, ReportRow, VerdictKind};

const STATES: [State; 4] = [State::Good, State::Bad, State::Manual, State::Info];

const fn word(state: State) -> &'static str {
    match state {
        State::Good => "PASS",
        State::Bad => "FAIL",
        State::Manual => "WARN",
        State::Info => "INFO",
    }
}

fn count(rows: &[ReportRow], wanted: State) -> usize {
    rows.iter().filter(|row| state(row) == wanted).count()
}

#[derive(Serialize)]
struct Document<'a> {
    id: &'a str,
    text: &'a str,
    tests: Vec<Group<'a>>,
    total_pass: usize,
    total_fail: usize,
    total_warn: usize,
    total_info: usize,
    #[serde(rename = "DefinedConstraints")]
    defined_constraints: Option<()>,
}

#[derive(Serialize)]
struct Group<'a> {
    section: &'a str,
    desc: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(rename = "Constraints")]
    constraints: Option<()>,
    pass: usize,
    fail: usize,
    warn: usize,
    info: usize,
    results: Vec<Outcome<'a>>,
}

#[derive(Serialize)]
struct Outcome<'a> {
    test_number: &'a str,
    test_desc: &'a str,
    #[serde(rename = "SubChecks")]
    sub_checks: Option<()>,
    audit_type: &'a str,
    audit: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    test_info: [&'a str; 1],
    status: &'static str,
    actual_value: String,
    expected_result: &'a str,
    scored: bool,
    #[serde(rename = "IsMultiple")]
    is_multiple: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    key: &'a str,
}

/// The JSON object.
pub(super) fn json(report: &Report, view: &ReportView) -> serde_json::Result<String> {
    let all = &report.checks;
    serde_json::to_string(&Document {
        id: report.benchmark.strip_prefix("cis-").unwrap_or(&report.benchmark),
        text: "CIS Docker Benchmark, assessed by Hullwatch",
        tests: chapters(report).map(|chapter| group(&chapter, view)).collect(),
        total_pass: count(all, State::Good),
        total_fail: count(all, State::Bad),
        total_warn: count(all, State::Manual),
        total_info: count(all, State::Info),
        defined_constraints: None,
    })
}

fn group<'a>(chapter: &Chapter<'a>, view: &ReportView) -> Group<'a> {
    Group {
        section: chapter.number,
        desc: chapter.title,
        kind: "",
        constraints: None,
        pass: count(chapter.rows, State::Good),
        fail: count(chapter.rows, State::Bad),
        warn: count(chapter.rows, State::Manual),
        info: count(chapter.rows, State::Info),
        results: chapter.rows.iter().map(|row| outcome(row, view)).collect(),
    }
}

fn outcome<'a>(row: &'a ReportRow, view: &ReportView) -> Outcome<'a> {
    let reason = if row.verdict == VerdictKind::Pass {
        String::new()
    } else {
        details(row)
    };
    Outcome {
        test_number: &row.number,
        test_desc: &row.title,
        sub_checks: None,
        audit_type: "",
        audit: "",
        kind: if state(row) == State::Manual { "manual" } else { "" },
        test_info: [if view.remedies { &row.remedy } else { "" }],
        status: word(state(row)),
        actual_value: found(row),
        expected_result: &row.title,
        scored: row.scored,
        is_multiple: row.items.len() > 1,
        reason,
        key: &row.key,
    }
}

/// What was found: the items that decide the row, else its reason.
fn found(row: &ReportRow) -> String {
    let items: Vec<_> = decisive(row).map(item_line).collect();
    if items.is_empty() {
        details(row)
    } else {
        items.join("\n")
    }
}

/// The text.
pub(super) fn text(report: &Report, view: &ReportView) -> String {
    let mut out = String::new();
    if view.results {
        results(report, view, &mut out);
    }
    if view.remedies {
        out += "\n== Remediations ==\n";
        for row in &report.checks {
            if matches!(state(row), State::Bad | State::Manual) {
                // Writing to a string cannot fail.
                writeln!(out, "{} {}", row.number, visible_lines(&row.remedy, "      ")).unwrap_or_default();
            }
        }
    }
    if view.summary {
        out += "\n== Summary ==\n";
        for state in STATES {
            writeln!(out, "{} checks {}", count(&report.checks, state), word(state)).unwrap_or_default();
        }
    }
    out
}

fn results(report: &Report, view: &ReportView, out: &mut String) {
    let mark = |state| {
        let code = match state {
            State::Good => "32",
            State::Bad => "31",
            State::Manual => "33",
            State::Info => "34",
        };
        if view.color {
            format!("\x1b[{code}m[{}]\x1b[0m", word(state))
        } else {
            format!("[{}]", word(state))
        }
    };
    let info = mark(State::Info);
    writeln!(out, "{info} {} CIS Docker Benchmark", report.benchmark).unwrap_or_default();
    for chapter in chapters(report) {
        writeln!(out, "{info} {} {}", chapter.number, chapter.title).unwrap_or_default();
        for row in chapter.rows {
            writeln!(out, "{} {} {}", mark(state(row)), row.number, row.title).unwrap_or_default();
            if view.test_output && state(row) == State::Bad {
                for line in found(row).lines() {
                    writeln!(out, "      {line}").unwrap_or_default();
                }
            } else if row.letter_only {
                writeln!(out, "      {}", details(row)).unwrap_or_default();
            }
        }
    }
}
