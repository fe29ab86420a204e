//! Where observations come from.

pub mod audit;
pub mod engine;
pub mod host;
pub mod kernel;
pub mod replay;
