//! The report for a person at a terminal.

use std::fmt::Write;

use super::super::visible;
use super::ReportView;
use super::chapter::{Chapter, chapters};
use super::old::{item_line, visible_lines};
use super::shared::{Shared, shared};
use super::wrap::wrapped;
use crate::model::{Report, ReportItem, ReportRow, Severity, VerdictKind};

/// Failing items of a row that are written unless all are asked for.
const SHOWN: usize = 5;
/// Below the title of a row.
const INDENT: &str = "                ";
const DIM: &str = "2";
const BOLD: &str = "1";

/// The text.
pub(super) fn text(report: &Report, view: &ReportView) -> String {
    let mut page = Page {
        out: String::new(),
        view,
        shared: if view.verbose { Vec::new() } else { shared(report) },
    };
    page.line(&heading(report), BOLD);
    for one in &report.excluded {
        let note = format!(
            "left out: {} {}: {}",
            one.of,
            visible(&one.item),
            visible(&one.why)
        );
        page.line(&note, DIM);
    }
    if view.results {
        for chapter in chapters(report) {
            page.chapter(&chapter);
        }
        page.shared_reasons();
    }
    if view.summary {
        page.summary(report);
    }
    page.out
}

fn heading(report: &Report) -> String {
    let engine = report.engine.as_ref().map_or_else(
        || "no engine answered".to_owned(),
        |engine| {
            format!(
                "engine {}, {}, {}",
                visible(&engine.version),
                counted(engine.containers, "container"),
                counted(engine.images, "image")
            )
        },
    );
    format!(
        "Hullwatch {} · {} · {} · {engine}",
        report.version,
        report.benchmark,
        visible(&report.host.name)
    )
}

fn counted(count: impl Into<u64>, what: &str) -> String {
    match count.into() {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

struct Page<'a> {
    out: String,
    view: &'a ReportView,
    shared: Vec<Shared<'a>>,
}

impl Page<'_> {
    fn paint(&self, code: &str, text: &str) -> String {
        if self.view.color {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn line(&mut self, text: &str, code: &str) {
        self.put(&self.paint(code, text), INDENT);
    }

    /// A line; what it is continued with on a narrow terminal begins with the indent, so that no
    /// name in it can pose as a row.
    fn put(&mut self, line: &str, indent: &str) {
        self.out.push_str(&wrapped(line, self.view.width, indent));
        self.out.push('\n');
    }

    fn chapter(&mut self, chapter: &Chapter<'_>) {
        let is_told_below = |row: &&ReportRow| self.shared.iter().any(|one| one.has(row));
        let (below, here): (Vec<_>, Vec<_>) = chapter.rows.iter().partition(is_told_below);
        let mut line = self.paint(BOLD, &format!("\n{} {}", chapter.number, chapter.title));
        if !below.is_empty() {
            let note = if here.is_empty() {
                " · all below".to_owned()
            } else {
                format!(" · {} of {} below", below.len(), chapter.rows.len())
            };
            line += &self.paint(DIM, &note);
        }
        self.put(&line, INDENT);
        for row in here {
            self.row(row);
        }
    }

    /// What would be the same line many times over.
    fn shared_reasons(&mut self) {
        let shared = std::mem::take(&mut self.shared);
        if shared.is_empty() {
            return;
        }
        let title = self.paint(BOLD, "\nOne reason for several checks");
        let note = self.paint(DIM, " · -v tells each");
        self.put(&(title + &note), INDENT);
        for one in shared {
            let (word, code) = word(one.verdict);
            let line = format!(
                "{} {:<8} {}",
                self.paint(code, &format!("[{word}]")),
                format!("{} ×", one.rows.len()),
                visible(one.reason)
            );
            self.put(&line, INDENT);
            let numbers: Vec<_> = one.rows.iter().map(|row| row.number.as_str()).collect();
            self.put(&format!("{INDENT}{}", numbers.join(" ")), INDENT);
        }
    }

    fn row(&mut self, row: &ReportRow) {
        let (word, code) = word(row.verdict);
        let severity = row.severity.map_or("", Severity::name);
        let mut line = format!(
            "{} {:<8} {}",
            self.paint(code, &format!("[{word}]")),
            row.number,
            row.title
        );
        // Writing to a string cannot fail.
        if !row.reason.is_empty() {
            write!(line, " — {}", visible(&row.reason)).unwrap_or_default();
        }
        if !severity.is_empty() {
            line += &self.paint(DIM, &format!(" ({severity})"));
        }
        if row.letter_only {
            line += &self.paint(DIM, " (kept by the letter only)");
        }
        self.put(&line, INDENT);
        self.items(row);
        if self.view.remedies && row.verdict == VerdictKind::Fail {
            self.remedies(row);
        }
    }

    fn items(&mut self, row: &ReportRow) {
        let worth = |item: &&ReportItem| self.view.verbose || item.verdict == VerdictKind::Fail;
        let all: Vec<_> = row.items.iter().filter(worth).collect();
        // What the row has said of the one item already.
        let is_said = |item: &ReportItem| row.items.len() == 1 || row.reason.contains(&item_line(item));
        if all.len() <= 1 && all.iter().all(|item| is_said(item)) && !self.view.verbose {
            return;
        }
        let limit = if self.view.verbose { usize::MAX } else { SHOWN };
        for item in all.iter().take(limit) {
            let mark = if self.view.verbose {
                format!("{} ", word(item.verdict).0.trim_end().to_lowercase())
            } else {
                String::new()
            };
            let line = format!("{INDENT}{mark}{}", item_line(item));
            self.put(&line, &format!("{INDENT}  "));
        }
        if all.len() > limit {
            let more = format!("{INDENT}and {} more; -v shows all", all.len() - limit);
            self.line(&more, DIM);
        }
    }

    fn remedies(&mut self, row: &ReportRow) {
        let mut said = vec![&row.remedy];
        for remedy in row.items.iter().filter_map(|item| item.remedy.as_ref()) {
            if !said.contains(&remedy) {
                said.push(remedy);
            }
        }
        let limit = if self.view.verbose { usize::MAX } else { SHOWN };
        for remedy in said.into_iter().take(limit) {
            let lines = visible_lines(remedy, &format!("{INDENT}  "));
            // Not broken: a rule or a command is copied from here.
            self.out += &self.paint("36", &format!("{INDENT}→ {lines}"));
            self.out.push('\n');
        }
    }

    fn summary(&mut self, report: &Report) {
        let counts = &report.counts;
        let mut line = String::from("\n");
        for (kind, count) in [
            (VerdictKind::Pass, counts.pass),
            (VerdictKind::Fail, counts.fail),
            (VerdictKind::Unknown, counts.unknown),
            (VerdictKind::NotApplicable, counts.not_applicable),
        ] {
            let name = match kind {
                VerdictKind::Pass => "pass",
                VerdictKind::Fail => "fail",
                VerdictKind::Unknown => "unknown",
                VerdictKind::NotApplicable => "not applicable",
            };
            line += &self.paint(word(kind).1, &format!("{count} {name}"));
            line += ", ";
        }
        write!(
            line,
            "score {}, {} checks in {} ms",
            counts.score,
            report.checks.len(),
            report.elapsed_ms
        )
        .unwrap_or_default();
        self.put(&line, INDENT);
    }
}

/// Word in a row, and its colour.
const fn word(verdict: VerdictKind) -> (&'static str, &'static str) {
    match verdict {
        VerdictKind::Pass => ("PASS", "32"),
        VerdictKind::Fail => ("FAIL", "1;31"),
        VerdictKind::Unknown => ("UNKN", "33"),
        VerdictKind::NotApplicable => ("N/A ", DIM),
    }
}
