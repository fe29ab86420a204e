//! Where bytes go.

pub mod stdout;
