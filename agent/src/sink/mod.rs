//! Where bytes go.
