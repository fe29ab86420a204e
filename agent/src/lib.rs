//! Runtime compliance for Linux container hosts. ARCHITECTURE.md is the map of these rooms.

pub mod check;
pub mod cli;
pub mod config;
pub mod correlate;
pub mod enrich;
pub mod format;
pub mod model;
pub mod pipeline;
pub mod sink;
pub mod source;
pub mod telemetry;
