//! Why nothing is known of an engine.

use super::{RequestError, in_full};

/// An engine that does not answer.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("the engine at {address} was asked and {why}")]
pub struct SurveyError {
    address: String,
    /// The error and its causes: they are HTTP's own, and of no use apart.
    why: String,
}

impl SurveyError {
    pub(super) fn new(address: &str, error: &RequestError) -> Self {
        Self {
            address: address.to_owned(),
            why: in_full(error),
        }
    }
}
