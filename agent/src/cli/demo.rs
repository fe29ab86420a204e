//! `hullwatch demo`: a newcomer's first minute.
//!
//! Everything is real: a second `hullwatch watch` runs as anybody would run it, and a child process of
//! ours breaks recommendations in a scratch cgroup that is named like a container's; a container engine, where
//! there is one, starts a container that breaks others. Nothing that was there before is touched, and
//! everything is removed afterwards.

mod actor;
mod engine;
mod image;
mod scratch;
mod tally;
mod watcher;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::Fault;
use crate::pipeline::{PipelineError, Stop};
use crate::source::engine::{Endpoint, Stage};
use actor::Actor;
use scratch::Scratch;
use tally::{Act, Tally, announce};
use watcher::Watcher;

/// How long to wait for the watcher to begin, and then for the violations to appear.
const PATIENCE: Duration = Duration::from_secs(15);

/// What the actor does.
const ACTS: [Act; 4] = [
    Act {
        key: "image-no-setuid-files",
        what: "execute a setuid-root file as user 65534",
    },
    Act {
        key: "runtime-not-privileged",
        what: "run a program with every capability",
    },
    Act {
        key: "runtime-no-docker-socket",
        what: "speak to a runtime's socket (a scratch one)",
    },
    Act {
        key: "runtime-no-sensitive-host-mounts",
        what: "mount the host's /etc (in a mount namespace of its own)",
    },
];

/// Makes harmless violations, in a scratch cgroup and a private mount namespace, and in a throw-away container
/// where there is an engine; catches them live, and cleans up. Needs root; needs no engine.
#[derive(Debug, clap::Args)]
pub struct DemoCommand {
    /// Engine that the watcher follows and a throw-away container is made in [default: $DOCKER_HOST, else the
    /// usual sockets].
    #[arg(long, value_name = "URI")]
    engine: Option<String>,
    /// Be the child process that breaks recommendations, in this scratch directory.
    #[arg(long, value_name = "DIR", hide = true, requires = "cgroup")]
    act: Option<PathBuf>,
    /// The scratch cgroup that the child joins.
    #[arg(long, value_name = "DIR", hide = true)]
    cgroup: Option<PathBuf>,
    /// Be the program of the throw-away container, which only has to live.
    #[arg(long, value_name = "SECONDS", hide = true)]
    stay: Option<u16>,
}

impl DemoCommand {
    /// Shows it.
    ///
    /// # Errors
    /// [`Fault`] where the host does not allow it; a violation that did not appear is exit code 1.
    pub fn run(self) -> Result<ExitCode, Fault> {
        if let Some(seconds) = self.stay {
            std::thread::sleep(Duration::from_secs(seconds.into()));
            return Ok(ExitCode::SUCCESS);
        }
        super::doctor::require_root()?;
        if let (Some(directory), Some(cgroup)) = (&self.act, &self.cgroup) {
            actor::act(directory, cgroup).map_err(|error| Fault::other(error.to_string()))?;
            return Ok(ExitCode::SUCCESS);
        }
        let endpoint = match &self.engine {
            Some(uri) => Endpoint::parse(uri),
            None => Endpoint::from_environment(),
        };
        let endpoint = endpoint.map_err(|error| Fault::usage(&error))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(PipelineError::Runtime)?;
        runtime.block_on(self.show(&endpoint))
    }

    /// Everything, until its end or until somebody ends it; then everything is removed, the engine's part last.
    async fn show(&self, endpoint: &Endpoint) -> Result<ExitCode, Fault> {
        let mut stop = Stop::new(None)?;
        let mut stage = None;
        let outcome = tokio::select! {
            outcome = self.perform(endpoint, &mut stage) => outcome,
            how = stop.requested() => Err(Fault::other(format!("demo: {how}"))),
        };
        if let Some(stage) = &mut stage {
            // Removal is cut short for whoever asks again, and does not want to wait for an engine that hangs.
            let again = async {
                if outcome.is_ok() {
                    stop.requested().await;
                }
                stop.requested().await
            };
            tokio::select! {
                cleared = engine::clear(stage) => cleared?,
                how = again => engine::left_behind(how)?,
            }
        }
        outcome?.report()
    }

    async fn perform(&self, endpoint: &Endpoint, stage: &mut Option<Stage>) -> Result<Tally, Fault> {
        let scratch = Scratch::new().map_err(|error| failed("make a scratch directory", &error))?;
        let mut watcher = Watcher::start(&scratch, self.engine.as_deref())
            .map_err(|error| failed("start watching", &error))?;
        let deadline = Instant::now() + PATIENCE;
        watcher.started(deadline).await.map_err(Fault::other)?;
        let mut tally = Tally::default();
        in_scratch(&scratch, &mut watcher, &mut tally).await?;
        *stage = engine::connect(endpoint, scratch.tag()).await?;
        if let Some(stage) = stage {
            engine::perform(stage, &mut watcher, &mut tally).await?;
        }
        Ok(tally)
    }
}

/// The part that needs no engine.
async fn in_scratch(scratch: &Scratch, watcher: &mut Watcher, tally: &mut Tally) -> Result<(), Fault> {
    announce("watching; now, in a scratch container of our own:", &ACTS)?;
    let id = scratch
        .make_container()
        .map_err(|error| failed("make a scratch cgroup", &error))?;
    let actor = Actor::start(scratch).map_err(|error| failed("run this program again", &error))?;
    tally.catch(watcher, &id, ACTS.to_vec()).await?;
    let reason = match timeout(PATIENCE, actor.dismiss()).await {
        Ok(Ok(status)) if status.success() => return Ok(()),
        Ok(Ok(status)) => status.to_string(),
        Ok(Err(error)) => error.to_string(),
        Err(_elapsed) => "they take too long".to_owned(),
    };
    Err(Fault::other(format!(
        "demo: the violations could not be made: {reason}"
    )))
}

fn failed(what: &str, error: &io::Error) -> Fault {
    Fault::other(format!("demo: cannot {what}: {error}"))
}
