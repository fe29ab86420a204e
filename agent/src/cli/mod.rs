//! The command line: one file per subcommand.

pub mod audit;
pub mod bench;
pub mod checks;
pub mod demo;
pub mod doctor;
mod duration;
mod fault;
mod policy;
pub mod replay;
pub mod watch;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

pub use fault::Fault;

/// Runtime compliance for Linux container hosts: violations of the CIS Docker Benchmark, as they happen.
#[derive(Debug, Parser)]
#[command(name = "hullwatch", version, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Attach here and now, and stream violations to standard output.
    Watch(Box<watch::WatchCommand>),
    /// Assess this host by the benchmark, and report.
    Bench(Box<bench::BenchCommand>),
    /// Judge what the kernel's audit rules record of changes to the engine's files.
    Audit(audit::AuditCommand),
    /// Say what this kernel and host allow, which probe runs on which hook, and what stays unseen.
    Doctor(doctor::DoctorCommand),
    /// Make harmless violations on this very host and catch them live.
    Demo(demo::DemoCommand),
    /// List or explain the checks.
    Checks(checks::ChecksCommand),
    /// Hold a recorded stream against the checks again.
    Replay(replay::ReplayCommand),
}

/// Parses the command line, runs it, and says how it went.
#[must_use]
pub fn main() -> ExitCode {
    crate::telemetry::init();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    match cli.command.run() {
        Ok(code) => code,
        Err(fault) => fault.report(),
    }
}

impl Command {
    fn run(self) -> Result<ExitCode, Fault> {
        match self {
            Self::Watch(command) => command.run(),
            Self::Bench(command) => command.run(),
            Self::Audit(command) => command.run(),
            Self::Doctor(command) => command.run(),
            Self::Demo(command) => command.run(),
            Self::Checks(command) => {
                let mut out = io::BufWriter::new(io::stdout().lock());
                let outcome = command
                    .run(&mut out)
                    .and_then(|code| out.flush().map(|()| code).map_err(Into::into));
                outcome.or_else(|error| match error {
                    checks::ChecksError::Write(source) if source.kind() == io::ErrorKind::BrokenPipe => {
                        Ok(ExitCode::SUCCESS)
                    }
                    other => Err(Fault::usage(&other)),
                })
            }
            Self::Replay(command) => command.run().map_err(|error| Fault::usage(&error)),
        }
    }
}

/// Help and version as they are; anything else in one line.
fn usage(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // Nobody is left to tell that nobody reads.
        return error.print().map_or(ExitCode::SUCCESS, |()| ExitCode::SUCCESS);
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Fault::usage_text("a command is missing; see `hullwatch --help`".to_owned()).report();
    }
    let text = error.to_string();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let what: Vec<_> = lines
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
        .map(|line| line.trim_start_matches("error: "))
        .collect();
    // A line that ends with a colon introduces the next.
    let what = what.join("; ").replace(":; ", ": ");
    Fault::usage_text(format!("{what}; see `hullwatch --help`")).report()
}
