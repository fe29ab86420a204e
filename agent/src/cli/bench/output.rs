//! Where the report goes.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use super::BenchCommand;
use crate::cli::Fault;
use crate::format::{ReportFormat, ReportView, render};
use crate::model::Report;

/// Writes the report as asked.
///
/// # Errors
/// A file or standard output does not take it; a reader that closes standard output is none.
pub(super) fn write(command: &BenchCommand, report: &Report) -> Result<(), Fault> {
    let format = command.shape();
    let terminal = command.output.is_none() && io::stdout().is_terminal();
    let color = terminal && !command.no_color && std::env::var_os("NO_COLOR").is_none();
    let view = ReportView {
        width: terminal.then(columns).flatten(),
        ..command.view(format, color, command.json)
    };
    let text = text(report, format, &view)?;
    if let Some(log) = &command.log {
        write_log(command, report, log)?;
    }
    if let Some(file) = &command.output {
        return to_file(file, &text);
    }
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Fault::other(format!("cannot write the report: {error}")))
        }
        _ => Ok(()),
    }
}

/// The text, and JSON beside it, in shapes of the same kind.
fn write_log(command: &BenchCommand, report: &Report, log: &Path) -> Result<(), Fault> {
    let format = command.shape();
    let (readable, exact) = match format {
        ReportFormat::Json => (ReportFormat::Human, ReportFormat::Json),
        ReportFormat::DockerBench | ReportFormat::DockerBenchSecurity => (format, format),
        _ => (format, ReportFormat::Json),
    };
    to_file(
        log,
        &text(report, readable, &command.view(readable, false, false))?,
    )?;
    let mut beside = log.as_os_str().to_owned();
    beside.push(".json");
    let json = text(report, exact, &command.view(exact, false, true))?;
    to_file(Path::new(&beside), &json)
}

/// Columns of the terminal that standard output is.
fn columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0).then(|| size.ws_col.into())
}

fn text(report: &Report, format: ReportFormat, view: &ReportView) -> Result<String, Fault> {
    render(report, format, view).map_err(|error| Fault::other(error.to_string()))
}

fn to_file(file: &Path, text: &str) -> Result<(), Fault> {
    fs::write(file, text)
        .map_err(|error| Fault::usage_text(format!("cannot write {}: {error}", file.display())))
}

impl BenchCommand {
    pub(super) fn shape(&self) -> ReportFormat {
        match self.format {
            None if self.json => ReportFormat::Json,
            Some(ReportFormat::Human) if self.json => ReportFormat::Json,
            format => format.unwrap_or_default(),
        }
    }

    /// docker-bench writes remedies unless told not to, and both older tools do in JSON.
    pub(super) fn view(&self, format: ReportFormat, color: bool, json: bool) -> ReportView {
        let usual = match format {
            ReportFormat::DockerBench => true,
            ReportFormat::DockerBenchSecurity => json,
            _ => false,
        };
        ReportView {
            color,
            width: None,
            verbose: self.verbose,
            results: !self.no_results,
            summary: !self.no_summary,
            remedies: (usual || self.remedies) && !self.no_remedies,
            test_output: self.include_test_output,
            limit: self.limit,
            json,
        }
    }
}
