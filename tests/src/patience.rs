//! Waiting for what must come, with an end to it.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How long anything may take that must happen, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

const STEP: Duration = Duration::from_millis(10);

/// Asks until there is an answer.
///
/// # Errors
/// There was none within `limit`.
pub fn eventually<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Result<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(answer) = ask() {
            return Ok(answer);
        }
        if Instant::now() >= end {
            bail!("{what}: not within {limit:?}");
        }
        std::thread::sleep(STEP);
    }
}
