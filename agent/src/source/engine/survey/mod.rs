//! Everything an engine tells, asked once.

mod error;

use std::time::Duration;

use bollard::models::ContainerInspectResponse;
use futures_util::future::join3;
use futures_util::stream::{self, StreamExt};
use serde_json::Value;

pub use error::SurveyError;

use super::convert;
use super::endpoint::Endpoint;
use super::error::{RequestError, in_full};
use super::event;
use super::look;
use super::pool::{CONNECTIONS, Pool};
use super::timing::Timing;
use crate::model::{Container, ContainerId, Engine, EngineKind, GraphDriver, Image};

/// How long an engine has for everything; what it has not told by then is unknown.
const BUDGET: Duration = Duration::from_secs(30);
/// Most containers, and most images, that are asked about; honest hosts have some thousand.
const MAX_OBJECTS: usize = 65_536;

/// What an engine told.
#[derive(Clone, Debug)]
pub struct Survey {
    /// Which engine.
    pub kind: EngineKind,
    /// The engine, and what it manages.
    pub engine: Engine,
    /// Containers, running or not; one that could not be inspected is [`Container::unknown`].
    pub containers: Vec<Container>,
    /// Images; one that could not be inspected has nothing but its id.
    pub images: Vec<Image>,
    /// Where the layers of these images are, of those whose engine says.
    pub layers: Vec<GraphDriver>,
}

/// Asks an engine everything. What comes or goes meanwhile is left out; a part that it does not tell is unknown.
///
/// # Errors
/// The engine does not answer, or does not list its containers or images: in one line.
pub async fn survey(endpoint: &Endpoint) -> Result<Survey, SurveyError> {
    survey_within(endpoint, Timing::default(), BUDGET).await
}

pub(super) async fn survey_within(
    endpoint: &Endpoint,
    timing: Timing,
    budget: Duration,
) -> Result<Survey, SurveyError> {
    let address = endpoint.address();
    let uri = address.uri();
    let failed = |error: RequestError| SurveyError::new(&uri, &error);
    let pool = Pool::new(address, timing, Some(budget));
    let version: Value = pool.inspect("/version", "/version").await.map_err(failed)?;
    let kind = convert::engine_kind(&version);
    let engine = look::engine(&pool, &uri, &version);
    let (engine, containers, images) = join3(engine, containers(&pool, kind), images(&pool)).await;
    let (images, layers): (Vec<_>, Vec<_>) = images.map_err(failed)?.into_iter().unzip();
    Ok(Survey {
        kind,
        engine: engine.1,
        containers: containers.map_err(failed)?,
        images,
        layers: layers.into_iter().flatten().collect(),
    })
}

async fn containers(pool: &Pool, kind: EngineKind) -> Result<Vec<Container>, RequestError> {
    let list: Value = pool.list("/containers/json", "/containers/json?all=true").await?;
    let asked = ids(&list)?.into_iter().map(|id| async move {
        let nameless = |_error| RequestError::Decode("a container without an id".to_owned());
        let id: ContainerId = id.parse().map_err(nameless)?;
        Ok(container(pool, id, kind).await)
    });
    let answers = stream::iter(asked).buffered(CONNECTIONS);
    let answers: Vec<Result<Option<Container>, RequestError>> = answers.collect().await;
    answers.into_iter().filter_map(Result::transpose).collect()
}

/// None where it is gone.
async fn container(pool: &Pool, id: ContainerId, kind: EngineKind) -> Option<Container> {
    let path = format!("/containers/{}/json", id.as_str());
    match pool
        .inspect::<ContainerInspectResponse>("/containers/ID/json", &path)
        .await
    {
        Ok(answer) => {
            let facts = convert::container(answer, kind)
                .ok()
                .filter(|facts| facts.id == id);
            Some(facts.unwrap_or_else(|| Container::unknown(id, kind)))
        }
        Err(RequestError::NotFound) => None,
        Err(error) => {
            let error = in_full(&error);
            tracing::debug!(
                container = id.short(),
                error,
                "A container could not be inspected."
            );
            Some(Container::unknown(id, kind))
        }
    }
}

/// An image, and where its layers are.
pub(super) type FoundImage = (Image, Option<GraphDriver>);

async fn images(pool: &Pool) -> Result<Vec<FoundImage>, RequestError> {
    let list: Value = pool.list("/images/json", "/images/json").await?;
    let ids = ids(&list)?.into_iter().filter(|id| event::is_name(id));
    let asked = ids.map(|id| async move {
        match image(pool, &id).await {
            Ok(found) => Some(found),
            Err(RequestError::NotFound) => None,
            Err(error) => {
                let error = in_full(&error);
                tracing::debug!(image = id, error, "An image could not be inspected.");
                Some((
                    Image {
                        id,
                        ..Image::default()
                    },
                    None,
                ))
            }
        }
    });
    let answers: Vec<_> = stream::iter(asked).buffered(CONNECTIONS).collect().await;
    Ok(answers.into_iter().flatten().collect())
}

/// An image with its history, and where its layers are. A history that is not told is unknown.
pub(super) async fn image(pool: &Pool, name: &str) -> Result<FoundImage, RequestError> {
    let answer: Value = pool
        .inspect("/images/NAME/json", &format!("/images/{name}/json"))
        .await?;
    let mut image = convert::image(&answer).map_err(|error| RequestError::Decode(error.to_string()))?;
    let path = format!("/images/{name}/history");
    if let Ok(history) = pool.inspect::<Value>("/images/NAME/history", &path).await {
        convert::add_history(&mut image, &history);
    }
    Ok((image, convert::graph_driver(&answer)))
}

/// Ids of a list.
fn ids(list: &Value) -> Result<Vec<String>, RequestError> {
    let all = list
        .as_array()
        .ok_or_else(|| RequestError::Decode("no list".to_owned()))?;
    let id = |entry: &Value| convert::json::text(entry, "/Id");
    Ok(all.iter().filter_map(id).take(MAX_OBJECTS).collect())
}
