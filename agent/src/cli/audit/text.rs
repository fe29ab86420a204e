//! The report as people read it.

use std::fmt;

use crate::format::visible;
use crate::model::{AuditDecision, AuditPathRow, AuditReport};

const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const DIM: &str = "2";

/// The report in words.
#[derive(Debug)]
pub(super) struct Text<'a> {
    report: &'a AuditReport,
    color: bool,
}

impl<'a> Text<'a> {
    /// Coloured for terminals only.
    pub(super) const fn new(report: &'a AuditReport, color: bool) -> Self {
        Self { report, color }
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.color {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = &self.report.status;
        let kernel = &state.kernel;
        let enabled = match kernel.enabled {
            0 => self.paint(RED, "disabled"),
            2 => "enabled, rules locked until the host is restarted".to_owned(),
            _ => "enabled".to_owned(),
        };
        let daemon = match (&kernel.daemon, kernel.pid) {
            (_, 0) => "none".to_owned(),
            (Some(name), pid) => format!("{} ({pid})", visible(name)),
            (None, pid) => format!("process {pid}"),
        };
        let failure = match kernel.failure {
            0 => "silent",
            1 => "told in the kernel's log",
            2 => "panic",
            _ => "unknown",
        };
        writeln!(f, "audit     {enabled}, {} rules", self.report.rules)?;
        writeln!(f, "daemon    {daemon}")?;
        writeln!(
            f,
            "records   {} lost, {} of {} waiting",
            kernel.lost, kernel.backlog, kernel.backlog_limit
        )?;
        writeln!(f, "failure   {failure}")?;
        for note in &state.notes {
            writeln!(f, "          {}", self.paint(YELLOW, note))?;
        }
        Ok(())
    }

    fn row(&self, row: &AuditPathRow, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, code) = match row.decision {
            Some(decision @ AuditDecision::Covered) => (decision.name(), GREEN),
            Some(decision) if !row.required => (decision.name(), DIM),
            Some(decision @ AuditDecision::Partial) => (decision.name(), YELLOW),
            Some(decision) => (decision.name(), RED),
            None if row.path.is_none() => ("none", DIM),
            None => ("unknown", YELLOW),
        };
        let word = self.paint(code, &format!("{word:<9}"));
        let path = row.path.as_deref().unwrap_or("-");
        writeln!(f, "{word} {:<7} {:<30} {}", row.number, row.key, visible(path))?;
        let mut line = |head: &str, text: &str| writeln!(f, "          {head:<8}{}", visible(text));
        line("", &row.reason)?;
        if let Some(rule) = &row.rule {
            line("rule", rule)?;
        }
        for note in &row.notes {
            line("note", note)?;
        }
        if row.decision.is_some() {
            line("kept", row.persistence.words())?;
        }
        if let Some(proof) = &row.proof {
            line("proof", &format!("attributes {}", proof.attribute.reason))?;
            line("", &format!("writes {}", proof.write.reason))?;
        }
        Ok(())
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head(f)?;
        for row in &self.report.paths {
            writeln!(f)?;
            self.row(row, f)?;
        }
        let required = || {
            self.report
                .paths
                .iter()
                .filter(|row| row.required && row.path.is_some())
        };
        let covered = required().filter(|row| row.decision == Some(AuditDecision::Covered));
        writeln!(f, "\n{} of {} covered", covered.count(), required().count())
    }
}
