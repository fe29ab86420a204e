//! The kernel's audit, through its netlink sockets: state, rules, and the records on the read-only group.
//!
//! Nothing here takes the audit daemon's place, sets anything, or judges. The only room that names netlink.

mod error;
mod link;
mod look;
pub mod rule;

pub use error::AuditError;
pub use look::{AuditLook, look};
pub use rule::{parse_rule, render};
