//! The part of the demonstration that a container engine plays, where there is one.

use super::image;
use super::tally::{Act, Tally, announce, explain};
use super::watcher::Watcher;
use crate::cli::Fault;
use crate::cli::fault::chain;
use crate::model::{ContainerId, EngineKind};
use crate::source::engine::{ContainerSpec, Endpoint, Stage, StageError};
use crate::source::host::{ProgramError, own_program};

/// How a container is started, all at once.
const START: [Act; 3] = [
    Act {
        key: "runtime-no-host-network",
        what: "start it in the host's network namespace",
    },
    Act {
        key: "runtime-no-host-uts",
        what: "start it in the host's UTS namespace",
    },
    Act {
        key: "runtime-capabilities",
        what: "start it with the capability SYS_ADMIN",
    },
];
const EXEC: Act = Act {
    key: "exec-not-privileged",
    what: "run a program in it by a privileged exec session",
};
/// Seconds that the container lives where nobody ends it: longer than all of this may take.
const LIFE: &str = "120";

/// Why the engine's part is left out.
#[derive(Debug, thiserror::Error)]
enum Obstacle {
    #[error("this program cannot be packed as an image")]
    Program(#[from] ProgramError),
    #[error("this program cannot be packed as an image")]
    Archive(#[from] std::io::Error),
    #[error(transparent)]
    Engine(#[from] StageError),
}

/// Connects to the engine on this host; where there is none, says so in one line.
pub(super) async fn connect(endpoint: &Endpoint, tag: &str) -> Result<Option<Stage>, Fault> {
    // Behind TCP it may be somebody else's host.
    if endpoint.socket_path().is_none() {
        explain("no Docker here", &format!("{endpoint} may be another host"))?;
        return Ok(None);
    }
    match Stage::connect(endpoint, tag).await {
        Ok(stage) => Ok(Some(stage)),
        Err(error) => {
            explain("no Docker here", &format!("{} ({endpoint})", chain(&error)))?;
            Ok(None)
        }
    }
}

/// Breaks recommendations in a container of this engine, and catches that. What the engine refuses is said and
/// not counted. Image and container are left to [`Stage::clear`].
pub(super) async fn perform(
    stage: &mut Stage,
    watcher: &mut Watcher,
    tally: &mut Tally,
) -> Result<(), Fault> {
    let name = match stage.kind() {
        EngineKind::Docker => "Docker",
        EngineKind::Podman => "Podman",
        EngineKind::Unknown => "a container engine",
    };
    let mut acts = START.to_vec();
    acts.push(EXEC);
    announce(
        &format!("{name} is here; in a throw-away container of it, with this program alone in it:"),
        &acts,
    )?;
    let id = match start(stage).await {
        Ok(id) => id,
        Err(obstacle) => return explain("all of that is left out", &chain(&obstacle)),
    };
    if let Err(error) = stage.exec_privileged(&[image::PROGRAM, "--version"]).await {
        acts.retain(|act| *act != EXEC);
        explain("the privileged exec session is left out", &chain(&error))?;
    }
    tally.catch(watcher, &id, acts).await
}

async fn start(stage: &mut Stage) -> Result<ContainerId, Obstacle> {
    if stage.sweep().await? > 0 {
        tracing::info!("Removed what a demonstration left behind that was killed.");
    }
    // Reading blocks, and nobody else waits for this thread.
    let program = own_program()?;
    let environment = image::library_path(&program).into_iter().collect();
    stage.import(image::pack(program)?).await?;
    let command = [image::PROGRAM, "demo", "--stay", LIFE];
    let id = stage
        .create(ContainerSpec {
            command: command.map(str::to_owned).to_vec(),
            environment,
            host_network: true,
            host_uts: true,
            cap_add: vec!["SYS_ADMIN".to_owned()],
        })
        .await?;
    stage.start().await?;
    Ok(id)
}

/// Removes what was made, and says so where that fails.
pub(super) async fn clear(stage: &mut Stage) -> Result<(), Fault> {
    match stage.clear().await {
        Ok(()) => Ok(()),
        Err(error) => left_behind(&chain(&error)),
    }
}

/// Says that something may still be there, and why.
pub(super) fn left_behind(reason: &str) -> Result<(), Fault> {
    explain("left behind, for the next demonstration to remove", reason)
}

#[cfg(test)]
pub(super) fn acts() -> impl Iterator<Item = &'static Act> {
    START.iter().chain([&EXEC])
}
