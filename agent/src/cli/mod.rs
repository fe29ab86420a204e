//! The command line: one file per subcommand.

pub mod checks;
pub mod replay;

use std::process::ExitCode;

/// Parses the command line, runs it, and says how it went.
#[must_use]
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
