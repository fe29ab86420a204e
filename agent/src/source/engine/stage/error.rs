//! What an engine did not do for us.

use super::super::error::RequestError;

/// A request that the engine did not fulfil; the source says why.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what}")]
pub struct StageError {
    what: &'static str,
    #[source]
    source: RequestError,
}

impl StageError {
    pub(super) fn new(what: &'static str, source: RequestError) -> Self {
        Self { what, source }
    }
}
