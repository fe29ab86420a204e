//! Reading the two rings, in an order that a container's birth comes before its first program.

use std::time::Duration;

use aya::Ebpf;
use aya::maps::{MapData, RingBuf};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::sleep;

use super::KernelError;
use super::clock::BootClock;
use super::decode::{DecodeError, decode};
use super::maps::take;
use crate::model::Sighting;

/// Ordinary execs are read this long after the first: long enough to be woken once for many, short
/// enough that nobody notices.
const GATHER: Duration = Duration::from_millis(4);
/// Ordinary execs read at a time; more stay in the ring for the next batch.
const BULK_AT_A_TIME: usize = 1024;

/// What was read at once, in the order in which it happened.
#[derive(Debug, Default)]
pub struct Batch {
    /// Events.
    pub sightings: Vec<Sighting>,
    /// Records that could not be understood.
    pub undecodable: u64,
}

/// The rings.
pub struct Rings {
    rare: AsyncFd<RingBuf<MapData>>,
    bulk: AsyncFd<RingBuf<MapData>>,
    clock: BootClock,
    /// Whether the last look found ordinary execs: the probes wake only for the first after the ring was
    /// empty, so until a look finds none the next comes by itself.
    busy: bool,
}

impl std::fmt::Debug for Rings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            rare: _,
            bulk: _,
            clock,
            busy,
        } = self;
        f.debug_struct("Rings")
            .field("clock", clock)
            .field("busy", busy)
            .finish_non_exhaustive()
    }
}

impl Rings {
    /// Takes the rings out of the object. Call within the tokio runtime.
    pub(super) fn take(ebpf: &mut Ebpf) -> Result<Self, KernelError> {
        let rare: RingBuf<MapData> = take(ebpf, "RARE")?;
        let bulk: RingBuf<MapData> = take(ebpf, "BULK")?;
        Ok(Self {
            rare: watch(rare)?,
            bulk: watch(bulk)?,
            clock: BootClock::now(),
            busy: false,
        })
    }

    /// Waits for events and returns all that are there.
    ///
    /// # Errors
    /// [`KernelError::Wait`].
    pub async fn next(&mut self) -> Result<Batch, KernelError> {
        tokio::select! {
            ready = self.rare.readable() => ready.map_err(KernelError::Wait)?.clear_ready(),
            ready = self.bulk.readable(), if !self.busy => {
                ready.map_err(KernelError::Wait)?.clear_ready();
                sleep(GATHER).await;
            }
            () = sleep(GATHER), if self.busy => {}
        }
        Ok(self.drain())
    }

    /// Returns all that is there, without waiting.
    pub fn drain(&mut self) -> Batch {
        self.clock = BootClock::now();
        let mut batch = Batch::default();
        // Ordinary execs first: whatever they need to be understood is in the other ring by now.
        for _ in 0..BULK_AT_A_TIME {
            let Some(record) = self.bulk.get_mut().next() else {
                break;
            };
            batch.push(decode(&record, self.clock));
        }
        while let Some(record) = self.rare.get_mut().next() {
            batch.push(decode(&record, self.clock));
        }
        batch.sightings.sort_by_key(|sighting| sighting.time);
        batch
    }
}

/// Registers a ring with the runtime's reactor.
#[allow(
    unsafe_code,
    reason = "tokio asks for a promise about the descriptor that the types cannot make"
)]
fn watch(ring: RingBuf<MapData>) -> Result<AsyncFd<RingBuf<MapData>>, KernelError> {
    // SAFETY: the ring owns its descriptor for as long as it lives, and always names the same one.
    let watched = unsafe { AsyncFd::register_with_interest(ring, Interest::READABLE) };
    watched.map_err(|error| KernelError::Wait(error.into()))
}

impl Batch {
    fn push(&mut self, decoded: Result<Sighting, DecodeError>) {
        match decoded {
            Ok(sighting) => self.sightings.push(sighting),
            Err(error) => {
                tracing::warn!(%error, "A record of the probes could not be understood.");
                self.undecodable += 1;
            }
        }
    }
}
