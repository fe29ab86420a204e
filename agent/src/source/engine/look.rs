//! What the engine is and manages, beside containers and images.

use std::collections::BTreeMap;

use futures_util::future::{join, join4};
use futures_util::stream::{self, StreamExt};
use serde_json::Value;

use super::convert;
use super::convert::json;
use super::error::{RequestError, in_full};
use super::event;
use super::pool::{CONNECTIONS, Pool};
use crate::model::{Engine, Fact, Network, Swarm};

/// Most networks that are asked about one by one.
const MAX_NETWORKS: usize = 4_096;

/// What `/info` tells; enough to see whether anything else may have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outline {
    engine: Engine,
    /// `Version.Index` of the cluster, which changes with every change of it.
    cluster: Option<u64>,
}

impl Outline {
    pub(super) async fn ask(pool: &Pool, version: &Value) -> Result<Self, RequestError> {
        let info: Value = pool.list("/info", "/info").await?;
        Ok(Self::read(&info, version))
    }

    fn read(info: &Value, version: &Value) -> Self {
        Self {
            engine: convert::engine(info, version),
            cluster: json::count(info, "/Swarm/Cluster/Version/Index"),
        }
    }
}

/// Everything. A part that the engine does not tell is unknown; without `/info` that is nearly all.
pub(super) async fn engine(pool: &Pool, address: &str, version: &Value) -> (Option<Outline>, Engine) {
    let outline = match Outline::ask(pool, version).await {
        Ok(outline) => Some(outline),
        Err(error) => {
            tracing::debug!(error = in_full(&error), "The engine does not answer /info.");
            None
        }
    };
    let base = outline
        .clone()
        .unwrap_or_else(|| Outline::read(&Value::Null, version));
    let (networks, volumes, plugins, swarm) = join4(
        networks(pool),
        pool.list::<Value>("/volumes", "/volumes"),
        pool.list::<Value>("/plugins", "/plugins"),
        swarm(pool, base.engine.swarm),
    )
    .await;
    let engine = Engine {
        address: address.to_owned(),
        networks,
        volumes: fact(volumes.map(|answer| convert::volumes(&answer))),
        plugins: plugin_fact(plugins),
        swarm,
        ..base.engine
    };
    (outline, engine)
}

fn fact<T>(answer: Result<T, RequestError>) -> Fact<T> {
    match answer {
        Ok(fact) => Fact::Known(fact),
        Err(error) => Fact::unknown(format!("the engine was asked and {}", in_full(&error))),
    }
}

/// An engine without plugins (Podman) has none.
fn plugin_fact(answer: Result<Value, RequestError>) -> Fact<BTreeMap<String, bool>> {
    match answer {
        Err(RequestError::NotFound) => Fact::Known(BTreeMap::new()),
        answer => fact(answer.map(|answer| convert::plugins(&answer))),
    }
}

async fn networks(pool: &Pool) -> Fact<Vec<Network>> {
    let list: Value = match pool.list("/networks", "/networks").await {
        Ok(list) => list,
        Err(error) => return fact(Err(error)),
    };
    let ids: Vec<_> = json::list(&list, "")
        .into_iter()
        .flatten()
        .map(|network| json::text(network, "/Id"))
        .collect();
    if ids.len() > MAX_NETWORKS {
        return Fact::unknown(format!("there are more than {MAX_NETWORKS} networks"));
    }
    let asked = ids.into_iter().map(|id| inspect_network(pool, id));
    let answers: Vec<_> = stream::iter(asked).buffered(CONNECTIONS).collect().await;
    let found: Result<Vec<_>, RequestError> = answers.into_iter().filter_map(Result::transpose).collect();
    fact(found.map(|mut networks| {
        networks.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
        networks
    }))
}

/// A list does not say which containers are attached. None where the network is gone meanwhile.
async fn inspect_network(pool: &Pool, id: Option<String>) -> Result<Option<Network>, RequestError> {
    let nameless = || RequestError::Decode("a network without an id".to_owned());
    let id = id.filter(|id| event::is_name(id)).ok_or_else(nameless)?;
    match pool
        .inspect::<Value>("/networks/ID", &format!("/networks/{id}"))
        .await
    {
        Ok(answer) => convert::network(&answer).map(Some).ok_or_else(nameless),
        Err(RequestError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn swarm(pool: &Pool, node: Swarm) -> Swarm {
    let why = match node.state.as_str() {
        "" => "the engine does not say whether swarm mode is on",
        "inactive" => "swarm mode is off",
        "locked" => "the manager is locked",
        _ if !node.manager => "only a manager of the swarm tells",
        _ => return manager(pool, node).await,
    };
    Swarm {
        cluster: Fact::unknown(why),
        services: Fact::unknown(why),
        secrets: Fact::unknown(why),
        ..node
    }
}

async fn manager(pool: &Pool, node: Swarm) -> Swarm {
    let services = pool.list::<Value>("/services", "/services");
    let secrets = pool.list::<Vec<serde::de::IgnoredAny>>("/secrets", "/secrets");
    let cluster = pool.list::<Value>("/swarm", "/swarm");
    let (cluster, (services, secrets)) = join(cluster, join(services, secrets)).await;
    Swarm {
        cluster: fact(cluster.map(|answer| convert::cluster(&answer))),
        services: fact(services.map(|answer| convert::services(&answer))),
        secrets: fact(secrets.map(|all| u64::try_from(all.len()).unwrap_or(u64::MAX))),
        ..node
    }
}
