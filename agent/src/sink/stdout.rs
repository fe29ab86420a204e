//! The stream on standard output: one thread owns it, so that a reader that stalls cannot stall the agent
//! unnoticed.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::model::{Gap, Time};

/// Bytes that may wait for the reader. Lines vary from a hundred bytes to megabytes, so a bound in lines
/// would bound nothing.
pub const QUEUE_BYTES: u32 = 8 << 20;
/// The part of the queue that is kept free of observations, as a divisor: the lines that matter have room
/// while those that may be dropped have none.
const RESERVED: usize = 4;

/// Standard output is lost.
#[derive(Debug, thiserror::Error)]
pub enum StdoutError {
    /// The reader closed its end (`EPIPE`): the stream is over, and nothing is wrong.
    #[error("the reader of standard output is gone")]
    ReaderGone,
    /// It cannot be written.
    #[error("cannot write to standard output")]
    Write(#[source] io::Error),
    /// Its thread could not be started.
    #[error("cannot start the thread that writes standard output")]
    Thread(#[source] io::Error),
}

impl From<io::Error> for StdoutError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::ReaderGone
        } else {
            Self::Write(error)
        }
    }
}

/// No more lines are taken; [`Stdout::close`] says why.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("standard output takes no more lines")]
pub struct Ended;

/// Observations that were dropped because the reader was slow.
#[derive(Clone, Copy, Debug)]
struct Dropped {
    count: u64,
    from: Time,
    to: Time,
}

/// The stream's end. Lines come out in the order in which they were accepted.
#[derive(Debug)]
pub struct Stdout {
    lines: mpsc::UnboundedSender<Vec<u8>>,
    /// One permit per free byte: this is the bound of the queue.
    room: Arc<Semaphore>,
    capacity: u32,
    dropped: Mutex<Option<Dropped>>,
    outcome: oneshot::Receiver<io::Result<()>>,
}

impl Stdout {
    /// Takes over the process's standard output.
    ///
    /// # Errors
    /// [`StdoutError::Thread`], or [`StdoutError::Write`] where standard output is closed.
    pub fn open() -> Result<Self, StdoutError> {
        // Not `io::Stdout`, which makes a system call per line.
        let out = io::stdout().as_fd().try_clone_to_owned()?;
        Self::spawn(
            io::BufWriter::with_capacity(64 << 10, File::from(out)),
            QUEUE_BYTES,
        )
    }

    /// Starts the thread that owns `out`; [`QUEUE_BYTES`] is a good capacity.
    ///
    /// # Errors
    /// [`StdoutError::Thread`].
    pub fn spawn(out: impl Write + Send + 'static, capacity: u32) -> Result<Self, StdoutError> {
        let (lines, queue) = mpsc::unbounded_channel();
        let (report, outcome) = oneshot::channel();
        let room = Arc::new(Semaphore::new(usize::try_from(capacity).unwrap_or(usize::MAX)));
        let writer = Writer {
            out,
            queue,
            room: Arc::clone(&room),
            capacity,
        };
        thread::Builder::new()
            .name("stdout".to_owned())
            .spawn(move || {
                let result = writer.run();
                // Whoever does not listen has no interest in the reason.
                drop(report.send(result));
            })
            .map_err(StdoutError::Thread)?;
        Ok(Self {
            lines,
            room,
            capacity,
            dropped: Mutex::new(None),
            outcome,
        })
    }

    /// Sends a line that must not be dropped; waits while the queue is full.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn send(&self, line: Vec<u8>) -> Result<(), Ended> {
        let permits = self
            .room
            .acquire_many(weight(&line, self.capacity))
            .await
            .map_err(|_closed| Ended)?;
        permits.forget();
        self.lines.send(line).map_err(|_closed| Ended)
    }

    /// Sends an observation seen at `time` if there is room for it, else counts it as dropped. Says whether
    /// there was.
    ///
    /// # Errors
    /// [`Ended`].
    pub fn offer(&self, line: Vec<u8>, time: Time) -> Result<bool, Ended> {
        if self.room.is_closed() {
            return Err(Ended);
        }
        let reserve = usize::try_from(self.capacity).unwrap_or(usize::MAX) / RESERVED;
        if self.room.available_permits() <= reserve {
            self.drop_one(time);
            return Ok(false);
        }
        let Ok(permits) = self.room.try_acquire_many(weight(&line, self.capacity)) else {
            self.drop_one(time);
            return Ok(false);
        };
        permits.forget();
        self.lines.send(line).map_err(|_closed| Ended)?;
        Ok(true)
    }

    /// The observations dropped since this was last asked, to be sent as a line.
    pub fn take_gap(&self, now: Time) -> Option<Gap> {
        let dropped = self
            .dropped
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()?;
        Some(Gap {
            time: now,
            source: "observations".to_owned(),
            reason: "queue-full".to_owned(),
            lost: Some(dropped.count),
            from: dropped.from,
            to: dropped.to,
            container: None,
            detail:
                "the reader of standard output is too slow for the observations; violations were waited for"
                    .to_owned(),
        })
    }

    /// Waits until every accepted line is written and flushed. A reader that neither reads nor goes away
    /// keeps this waiting.
    ///
    /// # Errors
    /// [`StdoutError::ReaderGone`] or [`StdoutError::Write`].
    pub async fn close(self) -> Result<(), StdoutError> {
        drop(self.lines);
        let outcome = self.outcome.await;
        // The thread reports before it ends unless it panicked, which its lints forbid.
        outcome.unwrap_or_else(|_gone| Err(io::ErrorKind::Other.into()))?;
        Ok(())
    }

    fn drop_one(&self, time: Time) {
        let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
        let so_far = dropped.unwrap_or(Dropped {
            count: 0,
            from: time,
            to: time,
        });
        *dropped = Some(Dropped {
            count: so_far.count + 1,
            from: so_far.from.min(time),
            to: so_far.to.max(time),
        });
    }
}

/// Bytes that a line takes of the queue. One longer than the whole queue waits for all of it.
fn weight(line: &[u8], capacity: u32) -> u32 {
    u32::try_from(line.len()).unwrap_or(u32::MAX).clamp(1, capacity)
}

struct Writer<W> {
    out: W,
    queue: mpsc::UnboundedReceiver<Vec<u8>>,
    room: Arc<Semaphore>,
    capacity: u32,
}

impl<W: Write> Writer<W> {
    fn run(mut self) -> io::Result<()> {
        let result = self.pump();
        // Whoever waits for room must not wait for ever.
        self.room.close();
        result
    }

    /// Writes what there is, then flushes: a line waits for no other, and a burst costs few system calls.
    fn pump(&mut self) -> io::Result<()> {
        while let Some(line) = self.queue.blocking_recv() {
            self.write(&line)?;
            while let Ok(line) = self.queue.try_recv() {
                self.write(&line)?;
            }
            self.out.flush()?;
        }
        Ok(())
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        self.out.write_all(line)?;
        let weight = usize::try_from(weight(line, self.capacity)).unwrap_or(0);
        self.room.add_permits(weight);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
