//! How much may be read.

use super::LayersError;

/// Work that reading layers may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Files, directories and links that are looked at.
    pub entries: u64,
    /// Bytes of files that are read.
    pub bytes: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            entries: 300_000,
            bytes: 256 << 20,
        }
    }
}

/// What is left of it.
#[derive(Debug)]
pub(super) struct Left(Budget);

impl Left {
    pub(super) const fn of(budget: Budget) -> Self {
        Self(budget)
    }

    pub(super) fn entry(&mut self) -> Result<(), LayersError> {
        self.0.entries = self.0.entries.checked_sub(1).ok_or(LayersError::Budget)?;
        Ok(())
    }

    pub(super) fn bytes(&mut self, bytes: usize) -> Result<(), LayersError> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.0.bytes = self.0.bytes.checked_sub(bytes).ok_or(LayersError::Budget)?;
        Ok(())
    }
}
