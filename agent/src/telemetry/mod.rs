//! Our own log: to standard error, never into the stream.

mod memory;

use tracing_subscriber::EnvFilter;

pub use memory::give_back_memory;

/// Starts logging; `RUST_LOG` chooses what, warnings and our own notices otherwise.
pub fn init() {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_unset| EnvFilter::new("warn,hullwatch=info"));
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_target(false)
        .without_time()
        .try_init();
    if started.is_err() {
        tracing::debug!("Logging was started before.");
    }
}
