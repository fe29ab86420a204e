//! What a check may look at when an observation arrives, and what it may conclude.

use crate::model::{CapSet, Class, Container, Evidence, ExecSession, Host, Observation, Severity};

/// An observation with everything known about its surroundings.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// What happened. Never plumbing.
    pub observation: &'a Observation,
    /// The host as last known.
    pub host: &'a Host,
    /// Facts of the observation's container; none on the host, or where no engine told.
    pub container: Option<&'a Container>,
    /// The engine's exec session that this exec belongs to, where one matches.
    pub session: Option<&'a ExecSession>,
    /// Bounding set of the container's first program as the kernel showed it; none before that.
    pub first_bounding: Option<CapSet>,
}

/// A check's conclusion: the observation breaks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Kind of the violation.
    pub class: Class,
    /// How bad; the check's usual severity where none is given.
    pub severity: Option<Severity>,
    /// One sentence without a full stop, which names the program or object and the container.
    pub summary: String,
    /// What makes a repetition the same violation, beyond check, class and container: a path, a user.
    pub subject: String,
    /// What shows it, beyond the observation itself.
    pub evidence: Vec<Evidence>,
}

impl Finding {
    /// A finding at the check's usual severity and without further evidence. Summaries quote names that a
    /// container chose: their control characters are replaced, so that none can forge a line or a colour.
    #[must_use]
    pub fn new(class: Class, subject: impl Into<String>, summary: impl AsRef<str>) -> Self {
        let readable = |c: char| {
            if c.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        };
        Self {
            class,
            severity: None,
            summary: summary.as_ref().chars().map(readable).collect(),
            subject: subject.into(),
            evidence: Vec::new(),
        }
    }

    /// With this severity.
    #[must_use]
    pub fn severity(self, severity: Severity) -> Self {
        Self {
            severity: Some(severity),
            ..self
        }
    }

    /// With this evidence as well.
    #[must_use]
    pub fn evidence(mut self, evidence: Evidence) -> Self {
        self.evidence.push(evidence);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_forge_a_line() {
        let finding = Finding::new(Class::Drift, "x", "/tmp/a\n\u{1b}[31mb ran");
        assert_eq!(finding.summary, "/tmp/a\u{fffd}\u{fffd}[31mb ran");
    }
}
