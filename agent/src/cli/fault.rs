//! How a command fails: one line, and the right exit code.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::pipeline::PipelineError;
use crate::source::kernel::KernelError;

/// Usage or configuration is wrong.
const USAGE: u8 = 2;
/// The host does not allow it.
const HOST: u8 = 3;
/// It went wrong for another reason.
const OTHER: u8 = 1;

/// A failure with its exit code.
#[derive(Debug)]
pub struct Fault {
    line: String,
    code: u8,
}

impl Fault {
    /// Usage or configuration is wrong.
    #[must_use]
    pub fn usage(error: &dyn Error) -> Self {
        Self::usage_text(chain(error))
    }

    /// As [`Self::usage`], in words.
    #[must_use]
    pub fn usage_text(line: String) -> Self {
        Self { line, code: USAGE }
    }

    /// The host does not allow it.
    #[must_use]
    pub fn host(error: &dyn Error) -> Self {
        Self {
            line: chain(error),
            code: HOST,
        }
    }

    /// Something else went wrong.
    #[must_use]
    pub fn other(line: String) -> Self {
        Self { line, code: OTHER }
    }

    /// Writes the line to standard error.
    #[must_use]
    pub fn report(&self) -> ExitCode {
        // Where standard error is gone, the exit code is all that can be said.
        match writeln!(io::stderr(), "hullwatch: {}", self.line) {
            Ok(()) | Err(_) => ExitCode::from(self.code),
        }
    }
}

impl From<PipelineError> for Fault {
    fn from(error: PipelineError) -> Self {
        match error {
            PipelineError::Kernel(_) | PipelineError::Blind { .. } => Self::host(&error),
            _ => Self::other(chain(&error)),
        }
    }
}

impl From<KernelError> for Fault {
    fn from(error: KernelError) -> Self {
        Self::host(&error)
    }
}

/// An error with its causes, in one line.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        // Some crates' errors say what their cause will say again.
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text.replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Said {
        text: &'static str,
        source: Option<Box<Said>>,
    }

    #[track_caller]
    fn check(texts: &[&'static str], line: &str) {
        let mut error = None;
        for text in texts.iter().rev() {
            let source = error.take().map(Box::new);
            error = Some(Said { text, source });
        }
        assert_eq!(chain(&error.unwrap()), line);
    }

    #[test]
    fn causes_are_told_once_and_in_one_line() {
        check(&["cannot watch", "no\nmap"], "cannot watch: no map");
        check(
            &["map error: no map", "no map", "EPERM"],
            "map error: no map: EPERM",
        );
        check(&["no map"], "no map");
    }
}
