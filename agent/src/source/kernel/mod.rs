//! The probes: offsets, attach ladder, rings, decoding.

pub mod btf;
