//! What the operator writes down. Pure: texts become the model's types, with every error and its line.

mod policy;

pub use policy::{PolicyErrors, PolicyFile, TrustedUser};
