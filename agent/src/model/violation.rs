//! Conclusions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ContainerRef, Evidence, HostRef, Process, Severity, Time};

/// Kind of a violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// A standing failure is being used.
    Exercised,
    /// What passed is broken live.
    Drift,
    /// Something watched happened where a trail, or our own sight, does not show it.
    BlindSpot,
}

impl Class {
    /// Name in lines and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exercised => "exercised",
            Self::Drift => "drift",
            Self::BlindSpot => "blind-spot",
        }
    }
}

/// Which recommendation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckRef {
    /// Our stable key.
    pub key: String,
    /// Benchmark the number belongs to, `cis-1.6.0`.
    pub benchmark: String,
    /// Number in that benchmark; null where it has none there.
    pub number: Option<String>,
    /// Title in our words.
    pub title: String,
}

/// What the audit trail says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditTrail {
    /// Whether the benchmark wants this audited.
    pub expected: bool,
    /// Whether a record was seen; null where we did not look.
    pub confirmed: Option<bool>,
    /// Key of the rule; null where none.
    pub key: Option<String>,
    /// Serial number of the record; absent where none was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<u64>,
}

/// Outcome of an assessment, without its reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "see Verdict")]
pub enum VerdictKind {
    Pass,
    Fail,
    NotApplicable,
    Unknown,
}

/// Outcome of an assessment of one item, with its grounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The outcome.
    pub kind: VerdictKind,
    /// One sentence without a full stop that names the fact; may be empty for a pass.
    pub reason: String,
    /// How bad a failure is, where that differs from the check's usual severity.
    pub severity: Option<Severity>,
    /// What decided it.
    pub evidence: Vec<Evidence>,
    /// What to do about it on this very host; the check's general remedy where there is none.
    pub remedy: Option<String>,
    /// A failure that the letter of the benchmark would let pass, though its aim is missed.
    pub letter_only: bool,
}

impl Verdict {
    fn of(kind: VerdictKind, reason: String) -> Self {
        Self {
            kind,
            reason,
            severity: None,
            evidence: Vec::new(),
            remedy: None,
            letter_only: false,
        }
    }

    /// As recommended.
    #[must_use]
    pub fn pass() -> Self {
        Self::of(VerdictKind::Pass, String::new())
    }

    /// Not as recommended, at the check's usual severity: one sentence that names the fact, and what shows it.
    #[must_use]
    pub fn fail(reason: impl Into<String>, evidence: Vec<Evidence>) -> Self {
        Self {
            evidence,
            ..Self::of(VerdictKind::Fail, reason.into())
        }
    }

    /// The recommendation has no bearing here, and why.
    #[must_use]
    pub fn not_applicable(reason: impl Into<String>) -> Self {
        Self::of(VerdictKind::NotApplicable, reason.into())
    }

    /// We could not look, or facts cannot decide it, and why.
    #[must_use]
    pub fn unknown(reason: impl Into<String>) -> Self {
        Self::of(VerdictKind::Unknown, reason.into())
    }

    /// For this reason.
    #[must_use]
    pub fn because(self, reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            ..self
        }
    }

    /// As bad as this.
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

    /// To be mended so on this host.
    #[must_use]
    pub fn remedy(self, remedy: impl Into<String>) -> Self {
        Self {
            remedy: Some(remedy.into()),
            ..self
        }
    }

    /// A failure that the letter of the benchmark would let pass.
    #[must_use]
    pub fn letter_only(self) -> Self {
        Self {
            letter_only: true,
            ..self
        }
    }

    /// The outcome alone.
    #[must_use]
    pub const fn kind(&self) -> VerdictKind {
        self.kind
    }
}

/// The standing verdict that a violation is held against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PostureRef {
    /// Verdict.
    pub verdict: VerdictKind,
    /// Since when; null where it was never assessed.
    pub since: Option<Time>,
}

/// An observation that breaks a recommendation, now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Violation {
    /// UUID version 7; the same for the same observation replayed.
    pub id: String,
    /// When it happened.
    pub time: Time,
    /// Kind.
    pub class: Class,
    /// How bad.
    pub severity: Severity,
    /// What it breaks.
    pub check: CheckRef,
    /// One sentence.
    pub summary: String,
    /// Who did it; null where no process is involved.
    pub process: Option<Process>,
    /// Where; null on the host itself.
    pub container: Option<ContainerRef>,
    /// What shows it.
    pub evidence: Vec<Evidence>,
    /// The audit trail.
    pub audit: AuditTrail,
    /// The standing verdict.
    pub posture: PostureRef,
    /// Where it was seen.
    pub host: HostRef,
    /// How often this same violation was seen since it was last reported; 1 the first time.
    pub count: u64,
    /// When the first of those was seen, where `count` stands for earlier ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Time>,
}
