//! What both older tools have in common: four states, and no word for "could not look"; and lines of items.

use std::borrow::Cow;

use super::super::visible;
use crate::model::{Basis, ReportItem, ReportRow, Severity, VerdictKind};

/// A verdict in the terms of older tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// As recommended.
    Good,
    /// Not as recommended.
    Bad,
    /// For a person to decide.
    Manual,
    /// Not looked at, or without bearing.
    Info,
}

/// The state of a row. A failure that the letter of the benchmark lets pass is what a tool that reads the letter
/// says: good; its details tell otherwise.
pub(super) fn state(row: &ReportRow) -> State {
    match row.verdict {
        VerdictKind::Pass => State::Good,
        VerdictKind::Fail if row.letter_only => State::Good,
        VerdictKind::Fail if row.severity == Some(Severity::Info) => State::Manual,
        VerdictKind::Fail => State::Bad,
        VerdictKind::NotApplicable => State::Info,
        VerdictKind::Unknown if row.basis == Basis::Facts => State::Info,
        VerdictKind::Unknown => State::Manual,
    }
}

/// The row's reason, safe for a line; marked where the state alone would mislead.
pub(super) fn details(row: &ReportRow) -> String {
    let reason = visible(&row.reason);
    match row.verdict {
        VerdictKind::Fail if row.letter_only => format!("by the letter only: {reason}"),
        VerdictKind::Unknown => format!("unknown: {reason}"),
        VerdictKind::NotApplicable => format!("not applicable: {reason}"),
        _ => reason.into_owned(),
    }
}

/// Items that decide the row.
pub(super) fn decisive(row: &ReportRow) -> impl Iterator<Item = &ReportItem> {
    let bad = matches!(row.verdict, VerdictKind::Fail | VerdictKind::Unknown);
    row.items
        .iter()
        .filter(move |item| bad && item.verdict == row.verdict)
}

/// An item with its reason, for a line.
pub(super) fn item_line(item: &ReportItem) -> String {
    let name: Cow<'_, str> = visible(&item.item);
    if item.reason.is_empty() {
        name.into_owned()
    } else if item.reason.contains(&item.item) {
        visible(&item.reason).into_owned()
    } else {
        format!("{name}: {}", visible(&item.reason))
    }
}

/// A text that may have several lines, safe for a terminal; those after the first are indented.
pub(super) fn visible_lines(text: &str, indent: &str) -> String {
    let lines: Vec<_> = text.lines().map(visible).collect();
    lines.join(&format!("\n{indent}"))
}
