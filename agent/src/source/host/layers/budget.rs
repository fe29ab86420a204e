//! How much may be read.

use std::time::{Duration, Instant};

use super::LayersError;

/// Work that reading layers may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Files, directories and links that are looked at.
    pub entries: u64,
    /// Bytes of files that are read.
    pub bytes: u64,
    /// Bytes of one file: that much memory is taken at once. The largest honest package databases have ten million.
    pub largest: u32,
    /// Time that it takes.
    pub time: Duration,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            entries: 300_000,
            bytes: 256 << 20,
            largest: 64 << 20,
            time: Duration::from_secs(60),
        }
    }
}

/// What is left of it.
#[derive(Debug)]
pub(super) struct Left {
    budget: Budget,
    since: Instant,
}

impl Left {
    pub(super) fn of(budget: Budget) -> Self {
        Self {
            budget,
            since: Instant::now(),
        }
    }

    /// Bytes of the largest file that is read.
    pub(super) const fn largest(&self) -> u32 {
        self.budget.largest
    }

    pub(super) fn entry(&mut self) -> Result<(), LayersError> {
        if self.since.elapsed() > self.budget.time {
            return Err(LayersError::Time);
        }
        let entries = &mut self.budget.entries;
        *entries = entries.checked_sub(1).ok_or(LayersError::Budget)?;
        Ok(())
    }

    pub(super) fn bytes(&mut self, bytes: usize) -> Result<(), LayersError> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.budget.bytes = self.budget.bytes.checked_sub(bytes).ok_or(LayersError::Budget)?;
        Ok(())
    }
}
