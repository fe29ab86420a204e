//! Everything that can be known of this host, looked at once.

use std::collections::HashMap;
use std::path::Path;

use tokio::task::spawn_blocking;

use super::own;
use crate::model::{AuditFacts, Container, Fact, GraphDriver, Host, HostFacts, Image, Policy, Time};
use crate::source::audit;
use crate::source::engine::{self, Endpoint, Survey};
use crate::source::host;
use crate::source::host::layers::{Budget, LayersError, contents};

/// Threads that look at running containers; more would wait for each other's locks in the kernel.
const LOOKERS: usize = 4;

/// Where to look, and what is allowed.
#[derive(Clone, Debug)]
pub struct GatherConfig {
    /// The engine.
    pub engine: Endpoint,
    /// What the operator allows.
    pub policy: Policy,
}

/// Looks at the host, its engine, and all that the engine manages. What cannot be looked at is unknown, with the reason;
/// nothing is changed, started or written.
pub async fn gather(config: &GatherConfig) -> Host {
    let taken = Time::now();
    let audit = spawn_blocking(audit_facts);
    let told = match engine::survey(&config.engine).await {
        Ok(survey) => of_engine(survey, &config.engine),
        Err(error) => Known {
            facts: HostFacts {
                engine: Fact::unknown(error.to_string()),
                ..host::facts()
            },
            ..Known::default()
        },
    };
    let sockets = sockets(&config.engine);
    let looked = spawn_blocking(move || told.complete(&sockets)).await;
    let Known {
        mut facts,
        containers,
        images,
        ..
    } = looked.unwrap_or_else(|error| Known {
        facts: HostFacts {
            engine: Fact::unknown(format!("looking at the host failed: {error}")),
            ..HostFacts::default()
        },
        ..Known::default()
    });
    facts.audit = audit
        .await
        .unwrap_or_else(|error| Fact::unknown(format!("looking at the audit trail failed: {error}")));
    Host {
        taken: Some(taken),
        own_container: own::find(containers.as_deref()),
        facts,
        containers,
        images,
        policy: config.policy.clone(),
    }
}

/// What is known so far.
#[derive(Default)]
struct Known {
    facts: HostFacts,
    containers: Option<Vec<Container>>,
    images: Option<Vec<Image>>,
    layers: Vec<GraphDriver>,
}

/// The host's own facts with the engine's word.
fn of_engine(survey: Survey, endpoint: &Endpoint) -> Known {
    let socket = endpoint.socket_path();
    let facts = HostFacts {
        engine_version: Some(survey.engine.version.clone()),
        security_options: survey.engine.security_options.clone(),
        engine_socket: socket.map(|path| path.to_string_lossy().into_owned()),
        socket_access: socket.and_then(host::socket_access),
        engine: Fact::Known(survey.engine),
        ..host::facts()
    };
    Known {
        facts,
        containers: Some(survey.containers),
        images: Some(survey.images),
        layers: survey.layers,
    }
}

impl Known {
    /// Adds what the host itself shows; images and containers meanwhile, for both take many small reads.
    fn complete(mut self, sockets: &[host::SocketFile]) -> Self {
        std::thread::scope(|scope| {
            if let Some(images) = &mut self.images {
                scope.spawn(|| read_layers(images, &self.layers));
            }
            if let Some(containers) = &mut self.containers {
                scope.spawn(|| complete(containers, sockets));
            }
            host::collect(&mut self.facts);
        });
        self
    }
}

fn sockets(endpoint: &Endpoint) -> Vec<host::SocketFile> {
    let own = endpoint
        .socket_path()
        .map(|path| ("docker".to_owned(), path.to_owned()));
    host::runtime_sockets(&own.into_iter().collect::<Vec<_>>())
}

/// Adds what the host shows of containers, several at a time.
fn complete(containers: &mut [Container], sockets: &[host::SocketFile]) {
    let share = containers.len().div_ceil(LOOKERS).max(1);
    std::thread::scope(|scope| {
        for part in containers.chunks_mut(share) {
            scope.spawn(move || {
                for container in part {
                    if let Err(error) = host::complete(container, sockets) {
                        tracing::debug!(container = %container.id, %error, "A container could not be looked at.");
                    }
                }
            });
        }
    });
}

/// Adds what the files of images tell.
fn read_layers(images: &mut [Image], layers: &[GraphDriver]) {
    let read = contents(layers, Budget::default());
    let mut files: HashMap<&str, _> = layers
        .iter()
        .map(|layers| layers.image.as_str())
        .zip(read)
        .collect();
    for image in images {
        match files.remove(image.id.as_str()) {
            Some(Ok(files)) => files.fill(image),
            Some(Err(error)) => image.unread = Some(error.in_full()),
            None => image.unread = Some(LayersError::Untold.in_full()),
        }
    }
}

/// The audit trail: rules, state, files, and who escapes it.
pub(in crate::pipeline) fn audit_facts() -> Fact<AuditFacts> {
    let look = match audit::look() {
        Ok(look) => look,
        Err(error) => return Fact::unknown(error.to_string()),
    };
    Fact::Known(AuditFacts {
        unaudited_processes: audit::unaudited_processes(&look.status),
        listeners: audit::listeners(&look.status),
        status: look.status,
        rules: look.rules,
        files: audit::rule_files(Path::new("/")),
    })
}
