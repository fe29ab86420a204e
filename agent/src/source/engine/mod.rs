//! Container engines, through their API (Docker Engine 20.10 and later, Podman 4 and later).
//!
//! [`run`] follows one engine: it tells every container, image and exec session that is there, then what becomes of
//! them. An engine that is absent, hangs, dies or talks nonsense is said to be so, once, and tried again; what happened
//! meanwhile is a gap. Memory is bounded whatever the engine says.

mod client;
mod convert;
mod cursor;
mod desk;
mod endpoint;
mod error;
mod event;
mod health;
mod job;
mod known;
mod lanes;
mod look;
mod losses;
mod pool;
mod run;
mod session;
mod stage;
mod survey;
#[cfg(test)]
mod testing;
mod timing;
mod transport;

use std::path::PathBuf;

pub use endpoint::{Endpoint, EndpointError};
pub use run::run;
pub use stage::{ContainerSpec, Stage, StageError};
pub use survey::{Survey, SurveyError, survey};

use crate::model::{ContainerId, Engine, EngineKind, Gap, GraphDriver, Observation, Status};

/// What the engine source tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineItem {
    /// A container, an image or an exec session.
    Observation(Observation),
    /// The engine is seen no longer, or again.
    Status(Status),
    /// Where the layers of the image that was just told are; nothing but its id where the engine does not say.
    Layers(GraphDriver),
    /// Something was missed.
    Gap(Gap),
    /// What the engine is and manages: after every connection, and when it changed.
    Engine(Box<EngineFacts>),
}

/// What is to be asked of an engine out of turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// What this container is.
    Container(ContainerId),
    /// What the engine is and manages: it may have changed without a word.
    Engine,
}

/// What an engine says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineFacts {
    /// Which engine.
    pub kind: EngineKind,
    /// Socket it was reached through; none behind TCP.
    pub socket: Option<PathBuf>,
    /// Everything else.
    pub engine: Engine,
}
