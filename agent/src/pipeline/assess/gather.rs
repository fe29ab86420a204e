//! Everything that can be known of this host, looked at once.

use std::path::Path;

use tokio::task::spawn_blocking;

use super::own;
use crate::model::{AuditFacts, Container, Fact, Host, HostFacts, Policy, Time};
use crate::source::audit;
use crate::source::engine::{self, Endpoint, Survey};
use crate::source::host;

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
    let (mut facts, containers, images) = match engine::survey(&config.engine).await {
        Ok(survey) => engine_facts(survey, &config.engine),
        Err(error) => {
            let facts = HostFacts {
                engine: Fact::unknown(error.to_string()),
                ..host::facts()
            };
            (facts, None, None)
        }
    };
    let sockets = sockets(&config.engine);
    let looked = spawn_blocking(move || {
        let containers = containers.map(|all| complete(all, &sockets));
        host::collect(&mut facts);
        facts.objects = host::objects(&facts);
        (facts, containers)
    });
    let (mut facts, containers) = looked.await.unwrap_or_else(|error| {
        let facts = HostFacts {
            engine: Fact::unknown(format!("looking at the host failed: {error}")),
            ..HostFacts::default()
        };
        (facts, None)
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

type OfEngine = (
    HostFacts,
    Option<Vec<Container>>,
    Option<Vec<crate::model::Image>>,
);

/// The host's own facts with the engine's word.
fn engine_facts(survey: Survey, endpoint: &Endpoint) -> OfEngine {
    let socket = endpoint.socket_path();
    let facts = HostFacts {
        engine_version: Some(survey.engine.version.clone()),
        security_options: survey.engine.security_options.clone(),
        engine_socket: socket.map(|path| path.to_string_lossy().into_owned()),
        socket_access: socket.and_then(host::socket_access),
        engine: Fact::Known(survey.engine),
        ..host::facts()
    };
    (facts, Some(survey.containers), Some(survey.images))
}

fn sockets(endpoint: &Endpoint) -> Vec<host::SocketFile> {
    let own = endpoint
        .socket_path()
        .map(|path| ("docker".to_owned(), path.to_owned()));
    host::runtime_sockets(&own.into_iter().collect::<Vec<_>>())
}

/// Adds what the host shows of containers, several at a time.
fn complete(mut containers: Vec<Container>, sockets: &[host::SocketFile]) -> Vec<Container> {
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
    containers
}

/// The audit trail: rules, state, files, and who escapes it.
fn audit_facts() -> Fact<AuditFacts> {
    let look = match audit::look() {
        Ok(look) => look,
        Err(error) => return Fact::unknown(error.to_string()),
    };
    Fact::Known(AuditFacts {
        unaudited_processes: audit::unaudited_processes(&look.status),
        status: look.status,
        rules: look.rules,
        files: audit::rule_files(Path::new("/")),
    })
}
