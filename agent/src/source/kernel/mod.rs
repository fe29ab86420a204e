//! The probes: offsets, attach ladder, rings, decoding.
