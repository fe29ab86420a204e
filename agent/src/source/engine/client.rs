//! The engine's API as this room needs it: each call with its own deadline, each answer bounded.

use std::collections::HashMap;
use std::time::Duration;

use bollard::Docker;
use bollard::models::EventMessage;
use bollard::query_parameters::{
    EventsOptionsBuilder, InspectContainerOptions, ListContainersOptionsBuilder, ListImagesOptions,
};
use futures_util::{Stream, StreamExt};
use serde_json::Value;

use super::convert;
use super::endpoint::Address;
use super::error::RequestError;
use super::event;
use super::look::{self, Outline};
use super::pool::{INSPECT_BYTES, LIST_BYTES, Pool};
use super::survey::{self, FoundImage};
use super::timing::Timing;
use super::transport::{Allowance, bounded, metered};
use crate::model::{Container, ContainerId, Engine, EngineKind, ExecSession};

/// Bytes that the stream of events may bring without one event in them.
const EVENT_BYTES: u64 = 1 << 20;

/// A client of one engine.
#[derive(Clone, Debug)]
pub(super) struct Client {
    small: Docker,
    large: Docker,
    stream: Docker,
    pool: Pool,
    uri: String,
    allowance: Allowance,
    timing: Timing,
    /// Answer to `/version`.
    version: Value,
    kind: EngineKind,
}

/// What an inspection of a container tells.
#[derive(Debug)]
pub(super) struct Inspection {
    pub(super) facts: Container,
    /// Sessions that run in it.
    pub(super) sessions: Vec<String>,
}

/// What an inspection of an exec session tells.
#[derive(Debug)]
pub(super) struct SessionInspection {
    pub(super) session: ExecSession,
    /// Whether it will never have another process.
    pub(super) over: bool,
}

impl Client {
    /// A client of the engine at this address. The first request of a connection: it shows whether anybody answers.
    pub(super) async fn connect(address: &Address, timing: &Timing) -> Result<Self, RequestError> {
        let allowance = Allowance::new(EVENT_BYTES);
        let pool = Pool::new(address.clone(), timing.clone(), None);
        let version: Value = pool.inspect("/version", "/version").await?;
        Ok(Self {
            small: bounded(address, INSPECT_BYTES.into())?,
            large: bounded(address, LIST_BYTES.into())?,
            stream: metered(address, &allowance)?,
            allowance,
            timing: timing.clone(),
            kind: convert::engine_kind(&version),
            uri: address.uri(),
            pool,
            version,
        })
    }

    pub(super) const fn kind(&self) -> EngineKind {
        self.kind
    }

    /// How long a new container's inspection is waited for.
    pub(super) const fn patience(&self) -> Duration {
        self.timing.patience
    }

    /// Wait before another look at a session that is about to start.
    pub(super) fn start_wait(&self, look: u32) -> Duration {
        self.timing.session_start * 2_u32.saturating_pow(look)
    }

    /// The engine, and what tells whether it changed.
    pub(super) async fn engine(&self) -> (Option<Outline>, Engine) {
        look::engine(&self.pool, &self.uri, &self.version).await
    }

    /// What tells whether the engine changed.
    pub(super) async fn outline(&self) -> Result<Outline, RequestError> {
        Outline::ask(&self.pool, &self.version).await
    }

    pub(super) async fn ping(&self) -> Result<(), RequestError> {
        within("/_ping", self.timing.ping, self.small.ping())
            .await
            .map(|_text| ())
    }

    /// Events of the kinds that matter, from a time on. Ends at the first that cannot be read.
    pub(super) fn events(
        &self,
        since: Option<&str>,
    ) -> impl Stream<Item = Result<EventMessage, RequestError>> + use<> {
        let kinds = event::kinds(self.kind)
            .iter()
            .map(|&kind| kind.to_owned())
            .collect();
        let mut options = EventsOptionsBuilder::new().filters(&HashMap::from([("type".to_owned(), kinds)]));
        if let Some(since) = since {
            options = options.since(since);
        }
        self.allowance.renew();
        let allowance = self.allowance.clone();
        self.stream
            .events(Some(options.build()))
            .map(move |event| match event {
                Err(_) if allowance.is_spent() => Err(RequestError::TooLong),
                event => {
                    allowance.renew();
                    event.map_err(RequestError::from)
                }
            })
    }

    /// Ids of all containers, running or not.
    pub(super) async fn containers(&self) -> Result<Vec<ContainerId>, RequestError> {
        let options = ListContainersOptionsBuilder::new().all(true).build();
        let list = within(
            "/containers/json",
            self.timing.list,
            self.large.list_containers(Some(options)),
        )
        .await?;
        let ids = list.into_iter().filter_map(|summary| summary.id);
        ids.map(|id| {
            id.parse()
                .map_err(|_error| RequestError::Decode("a container without an id".to_owned()))
        })
        .collect()
    }

    /// Ids of all images.
    pub(super) async fn images(&self) -> Result<Vec<String>, RequestError> {
        let options: Option<ListImagesOptions> = None;
        let list = within("/images/json", self.timing.list, self.large.list_images(options)).await?;
        Ok(list
            .into_iter()
            .map(|summary| summary.id)
            .filter(|id| event::is_name(id))
            .collect())
    }

    pub(super) async fn container(&self, id: &ContainerId) -> Result<Inspection, RequestError> {
        let options: Option<InspectContainerOptions> = None;
        let inspect = self.small.inspect_container(id.as_str(), options);
        let mut answer = within("/containers/ID/json", self.timing.inspect, inspect).await?;
        let sessions = answer.exec_ids.take().unwrap_or_default();
        let facts =
            convert::container(answer, self.kind).map_err(|error| RequestError::Decode(error.to_string()))?;
        Ok(Inspection { facts, sessions })
    }

    pub(super) async fn image(&self, name: &str) -> Result<FoundImage, RequestError> {
        survey::image(&self.pool, name).await
    }

    pub(super) async fn session(
        &self,
        id: &str,
        container: &ContainerId,
    ) -> Result<SessionInspection, RequestError> {
        let answer = within("/exec/ID/json", self.timing.inspect, self.small.inspect_exec(id)).await?;
        // Podman gives a session that runs the exit code 0.
        let over = answer.exit_code.is_some() && answer.running != Some(true);
        let session = convert::exec_session(answer, id, container);
        Ok(SessionInspection { session, over })
    }
}

pub(super) async fn within<T>(
    what: &'static str,
    limit: Duration,
    request: impl Future<Output = Result<T, bollard::errors::Error>>,
) -> Result<T, RequestError> {
    match tokio::time::timeout(limit, request).await {
        Ok(answer) => answer.map_err(RequestError::from),
        Err(_elapsed) => Err(RequestError::Timeout { what, limit }),
    }
}
