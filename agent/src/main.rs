//! The `hullwatch` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    hullwatch::cli::main()
}
