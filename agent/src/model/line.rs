//! The stream: one JSON object per line.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ContainerRef, Observation, Time, Violation};

/// A line of the stream. The JSON field `type` names the variant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Line {
    /// An observation that breaks a recommendation.
    Violation(Box<Violation>),
    /// Something seen.
    Observation(Box<Observation>),
    /// Something lost.
    Gap(Gap),
    /// The state of our own sight.
    Status(Status),
}

/// Loss: which source, how many, from when to when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// When it was noticed.
    pub time: Time,
    /// `exec`, `connect`, `mount`, `namespace`, `cgroup`, `engine`, `correlate` or `observations`.
    pub source: String,
    /// `ring-full`, `map-full`, `quota`, `fault`, `missed-link`, `decode`, `queue-full`, `table-full`,
    /// `disconnected`.
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
