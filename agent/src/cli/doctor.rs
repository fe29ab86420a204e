//! `hullwatch doctor`: what this kernel and host allow.

mod facts;
mod report;
mod stand_in;

use std::io::{self, Write};
use std::process::ExitCode;

use super::Fault;
use crate::pipeline::stand_in::{StandIn, trail};
use crate::source::audit;
use crate::source::engine::Endpoint;
use crate::source::host;
use crate::source::kernel::{Kernel, KernelConfig, KernelError};

/// Attaches every probe for a moment, and says on which rung it stands and what that cannot see.
#[derive(Debug, clap::Args)]
pub struct DoctorCommand {
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// Engine to look for: unix:///PATH, /PATH, or tcp://HOST:PORT [default: $DOCKER_HOST, else the usual sockets].
    #[arg(long, value_name = "URI")]
    engine: Option<String>,
}

impl DoctorCommand {
    /// Looks, and says.
    ///
    /// # Errors
    /// [`Fault`] where nothing can be watched at all.
    pub fn run(self) -> Result<ExitCode, Fault> {
        let engine = match &self.engine {
            Some(uri) => Endpoint::parse(uri),
            None => Endpoint::from_environment(),
        };
        let engine = engine.map_err(|error| Fault::usage(&error))?;
        require_root()?;
        let host = host::facts().namespaces.unwrap_or_default();
        let probes = Kernel::start(&KernelConfig {
            host,
            ..KernelConfig::default()
        })?;
        let look = audit::look();
        let trail = trail(&look);
        let report = report::report(probes.reports(), facts::collect(&engine), &trail);
        let text = if self.json {
            serde_json::to_string(&report).map_err(|error| Fault::other(error.to_string()))?
        } else {
            report::Text(&report).to_string()
        };
        match writeln!(io::stdout(), "{}", text.trim_end()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                return Err(Fault::other(format!("cannot write the report: {error}")));
            }
            _ => {}
        }
        // As `watch` would be refused.
        StandIn::new(probes.reports(), &trail).refuse_blindness(probes, &trail)?;
        Ok(if report.complete() {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(1)
        })
    }
}

/// Whether we are root, before anything fails less clearly.
///
/// # Errors
/// [`KernelError::NotRoot`].
pub(super) fn require_root() -> Result<(), KernelError> {
    if rustix::process::geteuid().is_root() {
        Ok(())
    } else {
        Err(KernelError::NotRoot)
    }
}
