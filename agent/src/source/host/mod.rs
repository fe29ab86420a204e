//! The host: its facts, and what /proc says of running containers.
