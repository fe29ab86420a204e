//! The stream: one JSON object per line.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    CheckRef, ContainerRef, Evidence, HostRef, Observation, Process, Severity, Time, VerdictKind, Violation,
};

/// A line of the stream. The JSON field `type` names the variant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Line {
    /// An observation that breaks a recommendation.
    Violation(Box<Violation>),
    /// A verdict changed.
    Posture(Box<PostureChange>),
    /// Something seen.
    Observation(Box<Observation>),
    /// Something lost.
    Gap(Gap),
    /// The state of our own sight.
    Status(Status),
}

/// A verdict changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PostureChange {
    /// When it was assessed.
    pub time: Time,
    /// Which recommendation.
    pub check: CheckRef,
    /// What was judged: a container's name, an image's tag, a path, an account.
    pub item: String,
    /// What sort of thing that is: `container`, `image` or `host`.
    pub of: String,
    /// The verdict before; null where there was none.
    pub before: Option<VerdictKind>,
    /// The verdict now.
    pub verdict: VerdictKind,
    /// One sentence that names the fact.
    pub reason: String,
    /// How bad a failure is; null for another verdict.
    pub severity: Option<Severity>,
    /// What decided it.
    pub evidence: Vec<Evidence>,
    /// What to do about a failure on this host; null for another verdict.
    pub remedy: Option<String>,
    /// Who changed it, where a kernel event or an audit record tells.
    pub process: Option<Process>,
    /// The container; null for anything else.
    pub container: Option<ContainerRef>,
    /// Where.
    pub host: HostRef,
}

/// Loss: which source, how many, from when to when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// When it was noticed.
    pub time: Time,
    /// `exec`, `connect`, `mount`, `namespace`, `cgroup`, `engine`, `audit`, `correlate` or `observations`.
    pub source: String,
    /// `ring-full`, `map-full`, `quota`, `fault`, `missed-link`, `decode`, `queue-full`, `table-full`,
    /// `disconnected`, `kernel-lost`.
    pub reason: String,
    /// How many events; null where only the interval is known.
    pub lost: Option<u64>,
    /// Nothing was lost before this.
    pub from: Time,
    /// Nothing was lost after this.
    pub to: Time,
    /// The container that lost them; null where the loss is not one container's.
    pub container: Option<ContainerRef>,
    /// For people: what is missing and what to do.
    pub detail: String,
}

/// State of our own sight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum StatusState {
    Started,
    Degraded,
    Recovered,
    Stopped,
}

/// A change of our own sight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// When.
    pub time: Time,
    /// What it is now.
    pub state: StatusState,
    /// `hullwatch`, `probe NAME`, `engine`, …
    pub component: String,
    /// One sentence: what cannot be seen, and the remedy where there is one.
    pub reason: String,
}
