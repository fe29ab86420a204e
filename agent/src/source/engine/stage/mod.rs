//! A throw-away container, made through the engine's API to be seen.
//!
//! It gets what its engine is asked for and no more: an image from an archive of ours, nothing from a
//! registry. Image and container bear a label, by which a later stage finds and removes what was left behind.

mod error;
mod removal;
mod requests;
mod spec;

use std::time::Duration;

use bollard::Docker;
use bollard::exec::StartExecOptions;
use bollard::models::ExecConfig;
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, CreateImageOptionsBuilder, StartContainerOptions,
};
use futures_util::TryStreamExt;

pub use error::StageError;
use requests::Requests;
pub use spec::ContainerSpec;

use super::client::within;
use super::convert;
use super::endpoint::Endpoint;
use super::error::RequestError;
use super::transport::bounded;
use crate::model::{ContainerId, EngineKind};

/// Name of image repository and prefix of container names.
const NAME: &str = "hullwatch-demo";
/// What image and container are labelled with.
const LABEL: &str = "hullwatch.demo=1";
/// Bytes that an answer may have.
const ANSWER_BYTES: u64 = 8 << 20;

/// How long the engine may take.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    /// To say what it is.
    pub(super) hello: Duration,
    /// To unpack the image.
    pub(super) import: Duration,
    /// For any other request.
    pub(super) request: Duration,
    /// To finish what is not waited for any more, before it is removed.
    pub(super) settle: Duration,
}

const LIMITS: Limits = Limits {
    hello: Duration::from_secs(2),
    import: Duration::from_secs(30),
    request: Duration::from_secs(10),
    settle: Duration::from_secs(2),
};

/// An engine in which one image and one container may be made. [`Self::clear`] removes them.
#[derive(Debug)]
pub struct Stage {
    docker: Docker,
    kind: EngineKind,
    /// Tells this stage's image and container from others'.
    tag: String,
    requests: Requests,
    /// Whether there may be anything to remove.
    begun: bool,
    limits: Limits,
}

impl Stage {
    /// Asks the engine at this address what it is. `tag` has letters and digits that no other stage has.
    ///
    /// # Errors
    /// There is no engine, or it does not answer within two seconds.
    pub async fn connect(endpoint: &Endpoint, tag: &str) -> Result<Self, StageError> {
        Self::connect_within(endpoint, tag, LIMITS).await
    }

    pub(super) async fn connect_within(
        endpoint: &Endpoint,
        tag: &str,
        limits: Limits,
    ) -> Result<Self, StageError> {
        let failed = |error| StageError::new("reach an engine", error);
        let docker = bounded(&endpoint.address(), ANSWER_BYTES).map_err(|error| failed(error.into()))?;
        let version = within("/version", limits.hello, docker.version())
            .await
            .map_err(failed)?;
        Ok(Self {
            docker,
            kind: convert::engine_kind(&serde_json::to_value(version).unwrap_or_default()),
            tag: tag.to_owned(),
            requests: Requests::default(),
            begun: false,
            limits,
        })
    }

    /// Which engine it is.
    #[must_use]
    pub const fn kind(&self) -> EngineKind {
        self.kind
    }

    /// Makes the image of a tar archive of its root file system.
    ///
    /// # Errors
    /// The engine refuses it, or does not answer within half a minute.
    pub async fn import(&mut self, archive: Vec<u8>) -> Result<(), StageError> {
        let options = CreateImageOptionsBuilder::new()
            .from_src("-")
            .repo(NAME)
            .tag(&self.tag)
            .changes(vec![format!("LABEL {LABEL}")])
            .build();
        let docker = self.docker.clone();
        let import = async move {
            let progress = docker.create_image(Some(options), Some(bollard::body_full(archive.into())), None);
            progress.try_for_each(|_step| async { Ok(()) }).await
        };
        self.begun = true;
        self.requests
            .make("/images/create", self.limits.import, import)
            .await
            .map_err(|error| StageError::new("import an image", error))
    }

    /// Makes the container of the image; it does not run yet.
    ///
    /// # Errors
    /// The engine refuses it, or does not answer in time.
    pub async fn create(&mut self, spec: ContainerSpec) -> Result<ContainerId, StageError> {
        let options = CreateContainerOptionsBuilder::new()
            .name(&self.container())
            .build();
        let (docker, body) = (self.docker.clone(), spec::body(self.image(), spec));
        let create = async move { docker.create_container(Some(options), body).await };
        let made = self.request("/containers/create", create).await;
        made.and_then(|made| {
            made.id
                .parse()
                .map_err(|_error| RequestError::Decode("a container without an id".to_owned()))
        })
        .map_err(|error| StageError::new("make a container", error))
    }

    /// Starts the container.
    ///
    /// # Errors
    /// The engine refuses it, or does not answer in time.
    pub async fn start(&mut self) -> Result<(), StageError> {
        let (docker, name) = (self.docker.clone(), self.container());
        let start = async move { docker.start_container(&name, None::<StartContainerOptions>).await };
        self.request("/containers/ID/start", start)
            .await
            .map_err(|error| StageError::new("start the container", error))
    }

    /// Runs a program in the running container with every privilege, and does not wait for its end.
    ///
    /// # Errors
    /// The engine refuses it, and nothing ran; or it does not answer in time.
    pub async fn exec_privileged(&mut self, command: &[&str]) -> Result<(), StageError> {
        let session = ExecConfig {
            cmd: Some(command.iter().map(|&word| word.to_owned()).collect()),
            privileged: Some(true),
            ..ExecConfig::default()
        };
        let (docker, name) = (self.docker.clone(), self.container());
        let exec = async move {
            let made = docker.create_exec(&name, session).await?;
            let options = StartExecOptions {
                detach: true,
                ..StartExecOptions::default()
            };
            docker
                .start_exec(&made.id, Some(options))
                .await
                .map(|_detached| ())
        };
        self.request("/exec/ID/start", exec)
            .await
            .map_err(|error| StageError::new("start a privileged exec session", error))
    }

    async fn request<T: Send + 'static>(
        &mut self,
        what: &'static str,
        request: impl Future<Output = Result<T, bollard::errors::Error>> + Send + 'static,
    ) -> Result<T, RequestError> {
        self.requests.make(what, self.limits.request, request).await
    }

    fn container(&self) -> String {
        format!("{NAME}-{}", self.tag)
    }

    fn image(&self) -> String {
        format!("{NAME}:{}", self.tag)
    }
}
