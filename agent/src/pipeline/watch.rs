//! `hullwatch watch`: attach here and now, and tell.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::hold::{Held, Hold};
use super::outlet::Outlet;
use super::reader::{self, Read};
use super::scene::{Scene, Seen};
use super::signals::Stop;
use super::startup::{WatchConfig, probe_status, started};
use super::{PipelineError, engine};
use crate::check;
use crate::correlate::{Correlator, Settings};
use crate::model::{
    CgroupId, CgroupOp, ContainerAction, ContainerId, Event, Gap, HostFacts, Line, Namespaces, Observation, Policy, Source,
    Status, StatusState, Time,
};
use crate::sink::stdout::{Ended, StdoutError};
use crate::source::engine::{EngineFacts, EngineItem};
use crate::source::host;
use crate::source::kernel::{Kernel, KernelConfig, KernelError, LossMeter};

/// How often losses are counted, sockets looked for, and folded counts told.
const TICK: Duration = Duration::from_secs(1);
/// How often events that wait for the engine are looked at, while there are any.
const HOLD_TICK: Duration = Duration::from_millis(25);
/// Ticks between two looks for the runtimes' executables.
const RUNTIMES_EVERY: u64 = 30;

/// Why the loop ended.
enum End {
    /// Nobody reads.
    Ended,
    /// The probes' maps cannot be written.
    Kernel(KernelError),
}

impl From<Ended> for End {
    fn from(_: Ended) -> Self {
        Self::Ended
    }
}

impl From<KernelError> for End {
    fn from(error: KernelError) -> Self {
        Self::Kernel(error)
    }
}
