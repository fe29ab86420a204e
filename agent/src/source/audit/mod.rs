//! The kernel's audit, through its netlink sockets: state, rules, and the records on the read-only group.
//!
//! Nothing here takes the audit daemon's place, sets anything, or judges. The only room that names netlink.

mod assemble;
mod error;
mod files;
mod link;
mod look;
mod record;
pub mod rule;
mod unaudited;

pub use assemble::{Assembler, AuditEvent};
pub use error::AuditError;
pub use files::rule_files;
pub use look::{AuditLook, look};
pub use record::{EventId, Field, Fields, Record, Value};
pub use rule::{parse_rule, render};
pub use unaudited::unaudited_processes;
