//! `hullwatch replay`: a recorded stream through the same correlation.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::check::{self, Benchmark};
use crate::correlate::{Correlator, Settings};
use crate::format::{Human, json};
use crate::model::{Line, Status, StatusState, Time, Violation};
use crate::source::replay::{Recording, ReplayError};

/// Holds a recorded stream against the checks as they are in this version.
///
/// Observations go through the same correlation as in `watch`; violations of the recording are found anew,
/// not repeated. What `watch --observations --json` wrote comes out unchanged.
#[derive(Debug, clap::Args)]
pub struct ReplayCommand {
    /// Recording made with `watch --observations --json`; `-` is standard input.
    file: PathBuf,
    /// One JSON object per line.
    #[arg(long)]
    json: bool,
    /// Write the observations too.
    #[arg(long)]
    observations: bool,
    /// Follow violations by their evidence.
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Benchmark whose numbers violations carry, `cis-1.6.0`.
    #[arg(long, default_value = Benchmark::default().name())]
    benchmark: Benchmark,
}

/// Why a replay did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReplayCommandError {
    /// The recording could not be opened.
    #[error("cannot open {}", .path.display())]
    Open {
        /// As it was given.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A line of the recording is none; those before it were written.
    #[error("{name}:{}", .source.line())]
    Line {
        /// Name of the recording.
        name: String,
        /// What is wrong with it.
        source: ReplayError,
    },
    /// The stream could not be written.
    #[error("cannot write to standard output")]
    Write(#[source] io::Error),
}

impl ReplayCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// All of [`ReplayCommandError`] are errors of usage, exit code 2. A reader that closes standard output
    /// is none.
    pub fn run(&self) -> Result<ExitCode, ReplayCommandError> {
        let stdout = io::stdout();
        let color = stdout.is_terminal();
        let mut out = BufWriter::new(stdout.lock());
        let result = self.open().and_then(|input| self.replay(input, &mut out, color));
        // What came before an error is written before the error is told.
        match result.and(out.flush().map_err(ReplayCommandError::Write)) {
            Err(ReplayCommandError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => {}
            Err(error) => return Err(error),
            Ok(()) => {}
        }
        Ok(ExitCode::SUCCESS)
    }

    fn open(&self) -> Result<Box<dyn BufRead>, ReplayCommandError> {
        if self.file == Path::new("-") {
            return Ok(Box::new(io::stdin().lock()));
        }
        let file = File::open(&self.file).map_err(|source| ReplayCommandError::Open {
            path: self.file.clone(),
            source,
        })?;
        Ok(Box::new(BufReader::new(file)))
    }

    fn replay(
        &self,
        input: impl BufRead,
        out: &mut impl Write,
        color: bool,
    ) -> Result<(), ReplayCommandError> {
        let settings = Settings {
            benchmark: self.benchmark,
            ..Settings::default()
        };
        let mut player = Player {
            correlator: Correlator::new(settings, check::ALL),
            observations: self.observations,
            last: None,
        };
        let mut write = |line: &Line| {
            if self.json {
                out.write_all(&json(line))
            } else {
                out.write_all(self.human(color).line(line).as_bytes())
            }
        };
        for line in Recording::new(input) {
            let line = line.map_err(|source| ReplayCommandError::Line {
                name: self.file.display().to_string(),
                source,
            })?;
            for line in player.play(line) {
                write(&line).map_err(ReplayCommandError::Write)?;
            }
        }
        for line in player.end() {
            write(&line).map_err(ReplayCommandError::Write)?;
        }
        Ok(())
    }

    fn human(&self, color: bool) -> Human {
        Human {
            color,
            verbose: self.verbose,
            remedy: |key| check::find(key, Benchmark::default()).map(|check| check.remedy),
        }
    }
}

/// A recording at play: which lines come of each recorded one, in the order that
/// [`crate::correlate`] lays down.
#[derive(Debug)]
struct Player {
    correlator: Correlator,
    observations: bool,
    /// Time of the last line: the moment at which the recording ends.
    last: Option<Time>,
}

impl Player {
    fn play(&mut self, line: Line) -> Vec<Line> {
        self.last = Some(time(&line));
        match line {
            Line::Observation(observation) => {
                let violations = told(self.correlator.on(&observation));
                let changes = self.correlator.take_changes().into_iter();
                let changes = changes.map(|change| Line::Posture(Box::new(change)));
                let seen = self.observations.then_some(Line::Observation(observation));
                seen.into_iter().chain(changes).chain(violations).collect()
            }
            // Its place in the recording is where the time had come; what it says is found anew.
            Line::Violation(violation) => told(self.correlator.advance(violation.time)).collect(),
            // Found anew as well, where its observation comes.
            Line::Posture(_) => Vec::new(),
            Line::Status(status) if ends(&status) => told(self.correlator.finish(status.time))
                .chain([Line::Status(status)])
                .collect(),
            Line::Gap(_) | Line::Status(_) => vec![line],
        }
    }

    fn end(mut self) -> Vec<Line> {
        self.last
            .map_or_else(Vec::new, |now| told(self.correlator.finish(now)).collect())
    }
}

fn told(violations: Vec<Violation>) -> impl Iterator<Item = Line> {
    violations
        .into_iter()
        .map(|violation| Line::Violation(Box::new(violation)))
}

/// Whether a status is the last line of a stream.
fn ends(status: &Status) -> bool {
    status.state == StatusState::Stopped && status.component == "hullwatch"
}

fn time(line: &Line) -> Time {
    match line {
        Line::Violation(violation) => violation.time,
        Line::Posture(change) => change.time,
        Line::Observation(observation) => observation.time,
        Line::Gap(gap) => gap.time,
        Line::Status(status) => status.time,
    }
}

#[cfg(test)]
mod tests;
