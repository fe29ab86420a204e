//! What a static assessment of the whole host says: `bench --json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Evidence, HostRef, Severity, Time, VerdictKind};

/// An assessment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Benchmark, `cis-1.6.0`.
    pub benchmark: String,
    /// Version of Hullwatch.
    pub version: String,
    /// When it was made.
    pub time: Time,
    /// How long the assessment took, in milliseconds.
    pub elapsed_ms: u64,
    /// Where.
    pub host: HostRef,
    /// The engine; null where none answered.
    pub engine: Option<EngineRef>,
    /// What was left out on purpose.
    pub excluded: Vec<Excluded>,
    /// Checks by verdict.
    pub counts: Counts,
    /// The checks, in the order of the benchmark.
    pub checks: Vec<ReportRow>,
}

/// The engine of an assessment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EngineRef {
    /// Version.
    pub version: String,
    /// Address.
    pub address: String,
    /// Containers that were judged.
    pub containers: u64,
    /// Images that were judged.
    pub images: u64,
}

/// A container or image that was left out of an assessment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Excluded {
    /// Its name.
    pub item: String,
    /// `container` or `image`.
    pub of: String,
    /// Its full id.
    pub id: String,
    /// Who or what left it out.
    pub why: String,
}

/// Checks by verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "see Verdict")]
pub struct Counts {
    pub pass: u64,
    pub fail: u64,
    pub not_applicable: u64,
    pub unknown: u64,
    /// Passes of scored checks less failures of scored checks.
    pub score: i64,
}

/// What decides a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// Facts.
    Facts,
    /// Only live observations.
    Live,
    /// Signs, which may mislead.
    Heuristic,
    /// A dated statement of the operator.
    Attested,
    /// Nothing any more: it is about a product that is gone.
    Withdrawn,
}

/// One check of an assessment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportRow {
    /// Our stable key.
    pub key: String,
    /// Number in the report's benchmark.
    pub number: String,
    /// Title in our words.
    pub title: String,
    /// Section.
    pub section: String,
    /// Level of the benchmark's profile.
    pub level: u8,
    /// Whether the benchmark scores it, or calls it automated.
    pub scored: bool,
    /// What decides it.
    pub basis: Basis,
    /// The worst verdict of its items.
    pub verdict: VerdictKind,
    /// One sentence: the worst item's, or how many were judged.
    pub reason: String,
    /// How bad a failure is; null for another verdict.
    pub severity: Option<Severity>,
    /// A failure that the letter of the benchmark would let pass.
    pub letter_only: bool,
    /// How many items were judged.
    pub evaluated: u64,
    /// What was judged.
    pub items: Vec<ReportItem>,
    /// What to do about a failure on this host, else in general.
    pub remedy: String,
}

/// One item of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportItem {
    /// What was judged: a container's name, an image's tag, a path, an account.
    pub item: String,
    /// What sort of thing that is: `container`, `image` or `host`.
    pub of: String,
    /// Full id of a container or image; null for anything else.
    pub id: Option<String>,
    /// The verdict.
    pub verdict: VerdictKind,
    /// One sentence; may be empty for a pass.
    pub reason: String,
    /// How bad a failure is; null for another verdict.
    pub severity: Option<Severity>,
    /// What decided it.
    pub evidence: Vec<Evidence>,
    /// What to do about a failure on this host; null where the check's own remedy says it.
    pub remedy: Option<String>,
    /// A failure that the letter of the benchmark would let pass.
    pub letter_only: bool,
}
