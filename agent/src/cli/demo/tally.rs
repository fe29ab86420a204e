//! What was done, and what of it was caught.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use tokio::time::Instant;

use super::PATIENCE;
use super::watcher::Watcher;
use crate::check::{self, Benchmark};
use crate::cli::Fault;
use crate::format::{Human, visible};
use crate::model::{ContainerId, Line, Violation};

/// A deed, and the check that must be told for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Act {
    pub(super) key: &'static str,
    pub(super) what: &'static str,
}

/// Deeds so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    done: usize,
    missed: Vec<Act>,
}

impl Tally {
    /// Shows the violations of this container as they come, until all of these acts are there or patience is
    /// over.
    pub(super) async fn catch(
        &mut self,
        watcher: &mut Watcher,
        id: &ContainerId,
        mut acts: Vec<Act>,
    ) -> Result<(), Fault> {
        let human = Human {
            color: io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
            verbose: 0,
            remedy: |_| None,
        };
        self.done += acts.len();
        let deadline = Instant::now() + PATIENCE;
        while !acts.is_empty() {
            let Some(line) = watcher.next(deadline).await else {
                break;
            };
            let Line::Violation(violation) = &line else {
                continue;
            };
            if is_of(violation, id) {
                say(&human.line(&line))?;
                acts.retain(|act| act.key != violation.check.key);
            }
        }
        self.missed.append(&mut acts);
        Ok(())
    }

    /// The last lines, and the exit code.
    pub(super) fn report(&self) -> Result<ExitCode, Fault> {
        if self.missed.is_empty() {
            say(&format!(
                "all {} were caught; `hullwatch watch` does this for real",
                self.done
            ))?;
            return Ok(ExitCode::SUCCESS);
        }
        for Act { key, what } in &self.missed {
            let title = check::find(key, Benchmark::default()).map_or("", |check| check.title);
            say(&format!(
                "NOT CAUGHT: {what} ({key}: {title}); `hullwatch doctor` says what is blind here"
            ))?;
        }
        Ok(ExitCode::FAILURE)
    }
}

fn is_of(violation: &Violation, id: &ContainerId) -> bool {
    violation
        .container
        .as_ref()
        .and_then(|container| container.id.as_ref())
        == Some(id)
}

/// Says what is going to be done.
pub(super) fn announce(heading: &str, acts: &[Act]) -> Result<(), Fault> {
    say(heading)?;
    acts.iter().try_for_each(|act| say(&format!("  · {}", act.what)))
}

/// Says why something is left out. Where the reason is another program's, a terminal must not obey it.
pub(super) fn explain(what: &str, reason: &str) -> Result<(), Fault> {
    say(&format!("{what}: {}", visible(reason)))
}

pub(super) fn say(text: &str) -> Result<(), Fault> {
    match writeln!(io::stdout(), "{}", text.trim_end()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Fault::other(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_act_names_a_check() {
        for Act { key, what } in super::super::ACTS.iter().chain(super::super::engine::acts()) {
            assert!(check::find(key, Benchmark::default()).is_some(), "{what}: {key}");
        }
    }
}
