//! Facts that may be out of reach.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Verdict;

/// A fact, or one sentence without a full stop that says why it could not be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Fact<T> {
    /// It was looked at.
    Known(T),
    /// It could not be looked at, and why.
    Unknown(String),
}

impl<T> Default for Fact<T> {
    fn default() -> Self {
        Self::Unknown("it was not looked at".to_owned())
    }
}

impl<T> Fact<T> {
    /// Out of reach, for this reason.
    #[must_use]
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::Unknown(why.into())
    }

    /// The fact, where it is known.
    #[must_use]
    pub const fn get(&self) -> Option<&T> {
        match self {
            Self::Known(fact) => Some(fact),
            Self::Unknown(_) => None,
        }
    }

    /// The fact, to be changed.
    pub const fn get_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Known(fact) => Some(fact),
            Self::Unknown(_) => None,
        }
    }

    /// The fact, else the verdict that nothing can be said: for checks, with `?`.
    ///
    /// # Errors
    /// [`Verdict::unknown`] with the reason.
    pub fn look(&self) -> Result<&T, Verdict> {
        match self {
            Self::Known(fact) => Ok(fact),
            Self::Unknown(why) => Err(Verdict::unknown(why.as_str())),
        }
    }
}

impl<T, E: std::fmt::Display> From<Result<T, E>> for Fact<T> {
    fn from(result: Result<T, E>) -> Self {
        match result {
            Ok(fact) => Self::Known(fact),
            Err(error) => Self::Unknown(error.to_string()),
        }
    }
}
