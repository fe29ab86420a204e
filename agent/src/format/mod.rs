//! How the lines of the stream look: to people, and to machines. Pure.

mod describe;
mod escape;
mod human;
mod native;
mod report;
pub mod schema;

pub(crate) use escape::visible;
pub use human::Human;
pub use native::json;
pub use report::{RenderError, ReportFormat, ReportView, render};

use std::str::FromStr;

/// A machine-readable format of the stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Our own: one JSON object per line, as `docs/schema` describes.
    #[default]
    Native,
}

impl Format {
    /// Every format of this version.
    pub const ALL: [Self; 1] = [Self::Native];

    /// Name in options.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
        }
    }
}

/// The text names no format of this version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("format `{given}` is not available in this version; available: {available}")]
pub struct ParseFormatError {
    given: String,
    available: String,
}

impl FromStr for Format {
    type Err = ParseFormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == text)
            .ok_or_else(|| ParseFormatError {
                given: text.to_owned(),
                available: Self::ALL.map(Self::name).join(", "),
            })
    }
}

#[cfg(test)]
mod tests;
