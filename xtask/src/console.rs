//! Lines for the person who runs a task.

use std::io::Write;

/// Prints a line to stdout. A reader that went away is no failure of the task.
pub(crate) fn say(line: &str) {
    writeln!(std::io::stdout().lock(), "{line}").ok();
}

/// Prints a line to stderr.
pub(crate) fn complain(line: &str) {
    writeln!(std::io::stderr().lock(), "{line}").ok();
}
