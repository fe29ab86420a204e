//! The stream's way out: which lines, in which shape.

use crate::format::{Human, json};
use crate::model::{Line, Status, StatusState, Time};
use crate::sink::stdout::{Ended, Stdout, StdoutError};

/// How lines look.
#[derive(Clone, Copy, Debug)]
pub enum Style {
    /// One JSON object per line.
    Json,
    /// For people.
    Human(Human),
}

/// Standard output, with a choice of lines.
#[derive(Debug)]
pub struct Outlet {
    stdout: Stdout,
    style: Style,
    observations: bool,
}

impl Outlet {
    /// Takes over standard output.
    ///
    /// # Errors
    /// [`StdoutError`].
    pub fn open(style: Style, observations: bool) -> Result<Self, StdoutError> {
        Ok(Self {
            stdout: Stdout::open()?,
            style,
            observations,
        })
    }

    /// Writes a line, or not. An observation is dropped, and counted, where the reader is too slow;
    /// everything else waits.
    pub(super) async fn line(&self, line: &Line) -> Result<(), Ended> {
        match line {
            Line::Observation(_) if !self.observations => Ok(()),
            Line::Observation(observation) => self
                .stdout
                .offer(self.bytes(line), observation.time)
                .map(|_kept| ()),
            // Part of the stream for machines; people read it beside the stream.
            Line::Status(status) if matches!(self.style, Style::Human(_)) => {
                tell(status);
                Ok(())
            }
            _ => self.stdout.send(self.bytes(line)).await,
        }
    }

    /// Reports the observations that were dropped since the last time.
    pub(super) async fn report_dropped(&self, now: Time) -> Result<(), Ended> {
        match self.stdout.take_gap(now) {
            Some(gap) => self.line(&Line::Gap(gap)).await,
            None => Ok(()),
        }
    }

    /// Writes what is still queued, and says how the stream ended.
    pub(super) async fn close(self) -> Result<(), StdoutError> {
        self.stdout.close().await
    }

    fn bytes(&self, line: &Line) -> Vec<u8> {
        match &self.style {
            Style::Json => json(line),
            Style::Human(human) => human.line(line).into_bytes(),
        }
    }
}

fn tell(status: &Status) {
    let Status {
        time: _,
        state,
        component,
        reason,
    } = status;
    match state {
        StatusState::Degraded => tracing::warn!("{component}: {reason}"),
        StatusState::Started | StatusState::Recovered | StatusState::Stopped => {
            tracing::info!("{component}: {reason}");
        }
    }
}
