//! An assessment of the whole host: its facts, then every check over them, then the report.

mod own;
mod report;

pub use own::leave_out_own_container;
pub use report::{Plan, report};

use crate::model::{Host, Policy, Time};
use crate::source::engine::Endpoint;
use crate::source::host;

/// Where to look, and what is allowed.
#[derive(Clone, Debug)]
pub struct GatherConfig {
    /// The engine.
    pub engine: Endpoint,
    /// What the operator allows.
    pub policy: Policy,
}

/// Everything that can be known of this host now. What cannot be looked at is unknown, with the reason; nothing is
/// changed, started or written.
pub async fn gather(config: &GatherConfig) -> Host {
    let mut gathered = Host {
        taken: Some(Time::now()),
        facts: host::facts(),
        policy: config.policy.clone(),
        ..Host::default()
    };
    gathered.own_container = own::find(gathered.containers.as_deref());
    gathered
}
