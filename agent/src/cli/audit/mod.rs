//! `hullwatch audit`: what the kernel's audit rules would record of changes to the engine's files.

mod deed;
mod emit;
mod prove;
mod records;
mod report;
mod text;
mod timing;

use std::io::{self, IsTerminal as _, Write};
use std::process::ExitCode;

use tokio::runtime::{Builder, Runtime};

use super::Fault;
use crate::check::audit_trail::{Keeper, keeper};
use crate::model::{AuditDecision, AuditReport, Host};
use crate::pipeline::PipelineError;
use crate::pipeline::assess::{self, GatherConfig};
use crate::source::audit;
use crate::source::engine::Endpoint;

/// Judges the kernel's audit rules by what they mean for the files that the benchmark wants audited.
#[derive(Debug, clap::Args)]
pub struct AuditCommand {
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// Try a change of attributes and a write on each object, and see whether they are recorded.
    ///
    /// The mode is set to what it is. Files and sockets are opened for writing, and closed as they are. Programs are not,
    /// since whoever starts one at that moment would be refused: the kernel is asked to remove them as the directories
    /// that they are not; and in directories to make one of the name ".". Both it refuses, always. Nothing but the time of
    /// the last change of attributes is changed; but whatever watches files for changes, such as a path unit of systemd,
    /// is woken by it.
    #[arg(long)]
    prove: bool,
    /// Print a rule file with what is missing, and nothing else.
    #[arg(long, conflicts_with_all = ["json", "prove"])]
    emit_rules: bool,
    /// Engine to ask: unix:///PATH, /PATH, or tcp://HOST:PORT [default: $DOCKER_HOST, else the usual sockets].
    #[arg(long, value_name = "URI")]
    engine: Option<String>,
    /// Print every event of the trail as it is reassembled, until Ctrl-C.
    #[arg(long, hide = true, conflicts_with_all = ["json", "prove", "emit_rules"])]
    records: bool,
    /// Read the rules and decide so many times, and print how long each took.
    #[arg(long, hide = true, value_name = "TIMES", conflicts_with_all = ["json", "prove", "emit_rules", "records"])]
    time: Option<u32>,
}

impl AuditCommand {
    /// Looks, and says. Exit code 1 where something is not recorded that should be, or nobody is known to keep the records.
    ///
    /// # Errors
    /// [`Fault`] where the kernel's rules cannot be read.
    pub fn run(self) -> Result<ExitCode, Fault> {
        let engine = match &self.engine {
            Some(uri) => Endpoint::parse(uri),
            None => Endpoint::from_environment(),
        };
        let config = GatherConfig {
            engine: engine.map_err(|error| Fault::usage(&error))?,
            policy: crate::model::Policy::default(),
        };
        // Told for what it is, before the rest of the host is looked at.
        audit::look().map_err(|error| Fault::host(&error))?;
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(4)
            .build()
            .map_err(PipelineError::Runtime)?;
        if self.records {
            return runtime.block_on(records::print()).map(|()| ExitCode::SUCCESS);
        }
        let host = runtime.block_on(assess::gather(&config));
        let outcome = match self.time {
            Some(times) => timing::print(host, times).map(|()| ExitCode::SUCCESS),
            None => self.tell(&host, &runtime),
        };
        // A request to an engine that hangs is not waited for.
        runtime.shutdown_background();
        outcome
    }

    fn tell(&self, host: &Host, runtime: &Runtime) -> Result<ExitCode, Fault> {
        let facts = host
            .facts
            .audit
            .look()
            .map_err(|verdict| Fault::other(verdict.reason))?;
        if self.emit_rules {
            write(&emit::rule_file(&host.facts, facts))?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut report = report::report(host, facts);
        if self.prove {
            runtime.block_on(prove::prove(&mut report, host))?;
        }
        let text = if self.json {
            serde_json::to_string(&report).map_err(|error| Fault::other(error.to_string()))?
        } else {
            let color = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            text::Text::new(&report, color).to_string()
        };
        write(&text)?;
        let kept = matches!(keeper(facts), Keeper::Daemon | Keeper::Journal);
        Ok(if is_sound(&report) && kept {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(1)
        })
    }
}

/// Whether everything that is there is recorded, and what was tried was.
fn is_sound(report: &AuditReport) -> bool {
    report.paths.iter().filter(|row| row.required).all(|row| {
        let disproved = row
            .proof
            .as_ref()
            .is_some_and(|proof| proof.proven == Some(false));
        row.path.is_none() || (row.decision == Some(AuditDecision::Covered) && !disproved)
    })
}

fn write(text: &str) -> Result<(), Fault> {
    match writeln!(io::stdout(), "{}", text.trim_end()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Fault::other(format!("cannot write the report: {error}")))
        }
        _ => Ok(()),
    }
}
