//! The kernel's audit, through its netlink sockets: state, rules, and the records on the read-only group.
//!
//! Nothing here takes the audit daemon's place, sets anything, or judges. The only room that names netlink.

mod assemble;
mod batch;
mod error;
mod fact;
mod files;
mod follow;
mod interest;
mod link;
mod listeners;
mod look;
mod observe;
mod record;
pub mod rule;
#[cfg(test)]
mod tests;
mod trail;
mod unaudited;
mod watch;

pub use assemble::{Assembler, AuditEvent};
pub use error::AuditError;
pub use fact::{Facts, sighting};
pub use files::rule_files;
pub use follow::follow;
pub use interest::Interest;
pub use listeners::listeners;
pub use look::{AuditLook, look};
pub use observe::observations;
pub use record::{EventId, Field, Fields, Record, Value};
pub use rule::{Recorded, parse_rule, recorded, render};
pub use trail::{Heard, Trail, readable};
pub use unaudited::unaudited_processes;

use crate::model::{Gap, Observation, Sighting, Status};

/// What the trail tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditItem {
    /// The trail was changed ([`Event::AuditChange`](crate::model::Event::AuditChange)), or tells of objects
    /// ([`Event::AuditRecord`](crate::model::Event::AuditRecord)).
    Observation(Box<Observation>),
    /// What a probe would have seen, as far as records tell: no container, and of the process neither namespaces nor
    /// start.
    Sighting(Box<Sighting>),
    /// Records were lost.
    Gap(Gap),
    /// Whether records can be expected.
    Status(Status),
}
