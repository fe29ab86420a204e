//! Why watching could not begin or go on.

use crate::sink::stdout::StdoutError;
use crate::source::kernel::KernelError;

/// Why watching could not begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The kernel does not let us look.
    #[error("cannot watch this host")]
    Kernel(#[source] KernelError),
    /// No probe is attached, and no audit records stand in: nothing that happens would be seen.
    #[error(
        "cannot watch this host: audit records ({records}) do not stand in for probes, of which none is attached"
    )]
    Blind {
        /// Why no records come, and what would change that.
        records: String,
        /// Why no probe is attached.
        #[source]
        probes: KernelError,
    },
    /// The stream cannot be written.
    #[error("the stream is lost")]
    Stdout(#[source] StdoutError),
    /// The runtime cannot be set up.
    #[error("cannot set up the event loop")]
    Runtime(#[source] std::io::Error),
    /// Signals cannot be handled.
    #[error("cannot listen for signals")]
    Signals(#[source] std::io::Error),
}
