//! Reasons that several rows of a report share, which a person wants to read once.

use crate::model::{Report, ReportRow, VerdictKind};

/// Rows from which on a reason is told once for all of them.
const SEVERAL: usize = 3;

/// Rows of one verdict with one reason.
#[derive(Debug)]
pub(super) struct Shared<'a> {
    /// Unknown or not applicable; a failure is always told by itself, and so is a pass.
    pub(super) verdict: VerdictKind,
    /// The reason.
    pub(super) reason: &'a str,
    /// The rows, in the report's order.
    pub(super) rows: Vec<&'a ReportRow>,
}

impl Shared<'_> {
    /// Whether the row is one of these.
    pub(super) fn has(&self, row: &ReportRow) -> bool {
        self.rows.iter().any(|one| one.key == row.key)
    }
}

/// Such rows, in the order of the first of each.
pub(super) fn shared(report: &Report) -> Vec<Shared<'_>> {
    let mut all: Vec<Shared<'_>> = Vec::new();
    for row in &report.checks {
        if !matches!(row.verdict, VerdictKind::Unknown | VerdictKind::NotApplicable) {
            continue;
        }
        let reason = cause(&row.reason);
        let known = all
            .iter_mut()
            .find(|one| one.verdict == row.verdict && one.reason == reason);
        match known {
            Some(one) => one.rows.push(row),
            None => all.push(Shared {
                verdict: row.verdict,
                reason,
                rows: vec![row],
            }),
        }
    }
    all.retain(|one| one.rows.len() >= SEVERAL);
    all
}

/// What is behind a reason: without how many items have it, and without what could not be known for it.
fn cause(reason: &str) -> &str {
    let said = match reason.split_once(": ") {
        Some((count, rest)) if is_count(count) => rest,
        _ => reason,
    };
    ["is", "are"]
        .iter()
        .filter_map(|verb| said.split_once(&format!(" {verb} not known: ")))
        .map(|(_, why)| why)
        .next()
        .unwrap_or(said)
}

/// Whether this is `2 of 3`.
fn is_count(text: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once(" of ")
        .is_some_and(|(some, all)| is_number(some) && is_number(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(reason: &str, expect: &str) {
        assert_eq!(cause(reason), expect);
    }

    #[test]
    fn the_cause_is_what_several_reasons_have_in_common() {
        check("no dockerd runs here", "no dockerd runs here");
        check(
            "`debug` is not known: no dockerd runs here",
            "no dockerd runs here",
        );
        check("the images are not known: no answer", "no answer");
        check("4 of 4: no answer", "no answer");
        check("2 of 13: `x` is not known: no answer", "no answer");
        check("", "");
    }

    #[test]
    fn a_reason_that_is_about_something_stays_whole() {
        for reason in [
            "cannot look at /var/lib/docker: No such file or directory",
            "/run/a: 4 of 4: b",
            "some of these: b",
            "the default is not known",
        ] {
            check(reason, reason);
        }
    }
}
