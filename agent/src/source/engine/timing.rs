//! How long things may take.

use std::time::Duration;

/// Deadlines and intervals.
#[derive(Clone, Debug)]
pub(super) struct Timing {
    /// An inspection of one object.
    pub(super) inspect: Duration,
    /// An inspection of a new container, before it is told as its event has it: the engine locks a container while
    /// it starts it, and its first program must not run nameless.
    pub(super) patience: Duration,
    /// A list of all objects.
    pub(super) list: Duration,
    /// A sign of life.
    pub(super) ping: Duration,
    /// Between two signs of life.
    pub(super) ping_every: Duration,
    /// Between two comparisons of what we know with what the engine lists.
    pub(super) compare_every: Duration,
    /// From an event about the engine to the look at it: one change is often several events.
    pub(super) engine_after: Duration,
    /// Between two looks at the engine for what comes and goes with containers.
    pub(super) engine_rest: Duration,
    /// Between two looks whether the engine changed without an event.
    pub(super) engine_every: Duration,
    /// From a difference found to the second look that decides.
    pub(super) compare_again: Duration,
    /// Between two reports of losses.
    pub(super) report_every: Duration,
    /// Between two looks at a session whose process is about to start; each is twice the one before.
    pub(super) session_start: Duration,
    /// Shortest wait for an engine that does not answer.
    pub(super) back_off_min: Duration,
    /// Longest such wait.
    pub(super) back_off_max: Duration,
    /// Between two looks whether a new socket has appeared.
    pub(super) look_every: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            inspect: Duration::from_secs(2),
            patience: Duration::from_millis(50),
            list: Duration::from_secs(10),
            ping: Duration::from_secs(2),
            ping_every: Duration::from_secs(5),
            compare_every: Duration::from_secs(30),
            engine_after: Duration::from_millis(400),
            engine_rest: Duration::from_secs(2),
            engine_every: Duration::from_secs(30),
            compare_again: Duration::from_secs(2),
            report_every: Duration::from_secs(1),
            session_start: Duration::from_millis(10),
            back_off_min: Duration::from_millis(100),
            back_off_max: Duration::from_secs(5),
            look_every: Duration::from_millis(250),
        }
    }
}
