//! One HTML file that needs nothing else: no script, no font, no image.

mod escape;

use std::fmt::Write;

use self::escape::{escaped, escaped_lines};
use super::chapter::{Chapter, chapters};
use crate::model::{Report, ReportItem, ReportRow, Severity, VerdictKind};

const CSS: &str = include_str!("page.css");
/// Items of a row that are not failures, beyond which only their number is written.
const LISTED: usize = 50;

/// The page. Writing to a string cannot fail.
pub(super) fn page(report: &Report) -> String {
    let mut out = String::new();
    let title = format!("{} on {}", escaped(&report.benchmark), escaped(&report.host.name));
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{CSS}</style>\n</head>\n<body>\n"
    )
    .unwrap_or_default();
    header(report, &title, &mut out);
    for chapter in chapters(report) {
        section(&chapter, &mut out);
    }
    out += "</body>\n</html>\n";
    out
}

fn header(report: &Report, title: &str, out: &mut String) {
    let engine = report.engine.as_ref().map_or_else(
        || "no engine answered".to_owned(),
        |engine| {
            let version = escaped(&engine.version);
            format!(
                "engine {version}, {} containers, {} images",
                engine.containers, engine.images
            )
        },
    );
    write!(
        out,
        "<header>\n<h1>{title}</h1>\n<p>{engine}</p>\n<p>{time}, Hullwatch {version}, score {score}</p>\n",
        time = report.time,
        version = escaped(&report.version),
        score = report.counts.score,
    )
    .unwrap_or_default();
    for one in &report.excluded {
        writeln!(
            out,
            "<p>left out: {} {}: {}</p>",
            escaped(&one.of),
            escaped(&one.item),
            escaped(&one.why)
        )
        .unwrap_or_default();
    }
    tally(&report.checks, out);
    out.push_str("</header>\n");
}

/// How many rows have which verdict, as a bar and in numbers.
fn tally(rows: &[ReportRow], out: &mut String) {
    const KINDS: [VerdictKind; 4] = [
        VerdictKind::Pass,
        VerdictKind::Fail,
        VerdictKind::Unknown,
        VerdictKind::NotApplicable,
    ];
    let counts = KINDS.map(|kind| (kind, rows.iter().filter(|row| row.verdict == kind).count()));
    out.push_str("<div class=\"bar\" aria-hidden=\"true\">");
    for (kind, count) in counts.iter().filter(|(_, count)| *count > 0) {
        write!(
            out,
            "<i class=\"{}\" style=\"flex-grow:{count}\"></i>",
            class(*kind)
        )
        .unwrap_or_default();
    }
    out.push_str("</div>\n<ul class=\"counts\">");
    for (kind, count) in counts {
        write!(
            out,
            "<li class=\"{}\"><b>{count}</b> {}</li>",
            class(kind),
            word(kind)
        )
        .unwrap_or_default();
    }
    out.push_str("</ul>\n");
}

fn section(chapter: &Chapter<'_>, out: &mut String) {
    write!(
        out,
        "<section>\n<h2>{} {}</h2>\n",
        escaped(chapter.number),
        chapter.title
    )
    .unwrap_or_default();
    tally(chapter.rows, out);
    for one in chapter.rows {
        row(one, out);
    }
    out.push_str("</section>\n");
}

fn row(row: &ReportRow, out: &mut String) {
    let failed = row.verdict == VerdictKind::Fail;
    let mut reason = escaped(&row.reason);
    if let Some(severity) = row.severity.map(Severity::name) {
        write!(reason, " ({severity})").unwrap_or_default();
    }
    if row.letter_only {
        reason += " (kept by the letter only)";
    }
    write!(
        out,
        "<details{open} id=\"{key}\">\n<summary><span class=\"tag {class}\">{word}</span>\
         <span class=\"number\">{number}</span><span class=\"title\">{title}\
         <span class=\"reason\">{reason}</span></span></summary>\n\
         <p class=\"about\"><code>{key}</code>, level {level}{scored}, {evaluated} evaluated</p>\n",
        open = if failed { " open" } else { "" },
        key = escaped(&row.key),
        class = class(row.verdict),
        word = short(row.verdict),
        number = escaped(&row.number),
        title = escaped(&row.title),
        level = row.level,
        scored = if row.scored { ", scored" } else { "" },
        evaluated = row.evaluated,
    )
    .unwrap_or_default();
    items(row, out);
    if matches!(row.verdict, VerdictKind::Fail | VerdictKind::Unknown) {
        writeln!(out, "<div class=\"remedy\">{}</div>", escaped_lines(&row.remedy)).unwrap_or_default();
    }
    out.push_str("</details>\n");
}

/// Every failing item, and the first of the others.
fn items(row: &ReportRow, out: &mut String) {
    if row.items.is_empty() {
        return;
    }
    out.push_str("<ul class=\"items\">\n");
    let failing = |item: &&ReportItem| item.verdict == VerdictKind::Fail;
    for one in row.items.iter().filter(failing) {
        item(row, one, out);
    }
    let others = || row.items.iter().filter(|item| !failing(item));
    for one in others().take(LISTED) {
        item(row, one, out);
    }
    let more = others().count().saturating_sub(LISTED);
    if more > 0 {
        writeln!(out, "<li>and {more} more</li>").unwrap_or_default();
    }
    out.push_str("</ul>\n");
}

fn item(row: &ReportRow, item: &ReportItem, out: &mut String) {
    write!(
        out,
        "<li><span class=\"tag {}\">{}</span>",
        class(item.verdict),
        short(item.verdict)
    )
    .unwrap_or_default();
    // Most reasons name the item themselves.
    if !item.reason.contains(&item.item) {
        write!(out, " <code>{}</code>", escaped(&item.item)).unwrap_or_default();
    }
    if !item.reason.is_empty() {
        write!(out, " {}", escaped(&item.reason)).unwrap_or_default();
    }
    if let Some(remedy) = item.remedy.as_ref().filter(|remedy| **remedy != row.remedy) {
        write!(out, "<div class=\"remedy\">{}</div>", escaped_lines(remedy)).unwrap_or_default();
    }
    out.push_str("</li>\n");
}

const fn class(verdict: VerdictKind) -> &'static str {
    match verdict {
        VerdictKind::Pass => "pass",
        VerdictKind::Fail => "fail",
        VerdictKind::Unknown => "unknown",
        VerdictKind::NotApplicable => "not-applicable",
    }
}

const fn word(verdict: VerdictKind) -> &'static str {
    match verdict {
        VerdictKind::NotApplicable => "not applicable",
        other => class(other),
    }
}

const fn short(verdict: VerdictKind) -> &'static str {
    match verdict {
        VerdictKind::NotApplicable => "n/a",
        other => class(other),
    }
}
