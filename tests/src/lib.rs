//! End-to-end tests of Hullwatch and the world they run in: the real kernel, a Docker engine of their own,
//! and the built `hullwatch` driven as its user drives it. The crate knows the product only by its
//! command line and its stream.

mod assessment;
mod audit;
mod auditd;
mod bridge;
mod cleanup;
mod container;
mod docker;
mod dockerd;
mod enclave;
mod image;
mod line;
mod patience;
mod shell;
mod skip;
mod watch;
mod world;

pub use assessment::{Assessment, text};
pub use audit::{Audit, Record as AuditRecord};
pub use auditd::AuditDaemon;
pub use container::Container;
pub use docker::Docker;
pub use dockerd::Dockerd;
pub use enclave::Enclave;
pub use line::Line;
pub use patience::{PATIENCE, eventually};
pub use shell::{Reply, Shell};
pub use skip::Skip;
pub use watch::{Mark, Watch};
pub use world::{Programs, World};
