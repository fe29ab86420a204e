//! The swarm service that a container is a task of, and the commands that change either.

use crate::model::{Container, EngineKind, Fact, Host, Service};

/// Label of a task's container: the id of its service.
const SERVICE: &str = "com.docker.swarm.service.id";

/// Whether a container is a task of a swarm service.
#[derive(Debug)]
pub(in crate::check) enum Task<'a> {
    /// It is none.
    No,
    /// It is, of this service.
    Of(&'a Service),
    /// It is, and its service is not known, for this reason.
    Unknown(String),
}

/// The service that the container is a task of.
pub(in crate::check) fn task<'a>(container: &Container, host: &'a Host) -> Task<'a> {
    let label = container.labels.iter().find(|(name, _)| name == SERVICE);
    let Some((_, id)) = label else {
        return Task::No;
    };
    let services = match &host.facts.engine {
        Fact::Unknown(why) => return Task::Unknown(why.clone()),
        Fact::Known(engine) => &engine.swarm.services,
    };
    match services {
        Fact::Unknown(why) => Task::Unknown(format!("the swarm's services are not known: {why}")),
        Fact::Known(all) => all.iter().find(|service| service.id == *id).map_or_else(
            || Task::Unknown("its swarm service is not listed".to_owned()),
            Task::Of,
        ),
    }
}

/// Name of the client that drives the container's engine.
pub(in crate::check) const fn client(container: &Container) -> &'static str {
    match container.engine {
        EngineKind::Podman => "podman",
        EngineKind::Docker | EngineKind::Unknown => "docker",
    }
}

/// The command that changes a container in place, or the service that it is a task of.
pub(in crate::check) fn update(
    container: &Container,
    host: &Host,
    options: &str,
    service_options: &str,
) -> String {
    match task(container, host) {
        Task::Of(service) => format!("docker service update {service_options} {}", service.name),
        Task::No | Task::Unknown(_) => {
            format!("{} update {options} {}", client(container), container.name)
        }
    }
}
