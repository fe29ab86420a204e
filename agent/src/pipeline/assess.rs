//! An assessment of the whole host: its facts, then every check over them, then the report.

mod gather;
mod own;
mod report;

pub use gather::{GatherConfig, gather};
pub use own::leave_out_own_container;
pub use report::{Plan, report};
