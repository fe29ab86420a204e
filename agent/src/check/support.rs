//! Questions that several checks ask.

mod attest;
mod daemon;
pub(super) mod files;
mod history;
mod image;
mod item;
mod limit;
mod namespace;
mod path;
mod ports;
mod privilege;
mod reference;
mod releases;
mod shell;
pub(super) mod storage;
mod swarm;
mod task;
mod trust;
mod weigh;
mod withdrawn;

pub(super) use attest::{attested, date, days_between, or_attested};
pub(super) use daemon::{Setting, security_option};
pub(super) use history::{Step, excerpt, ran, step, told};
pub(super) use image::{files_unread, image_failed, image_passed, is_used, users};
pub(super) use item::item;
pub(super) use limit::{bytes, cannot_limit, in_force, weigh_limit};
pub(super) use namespace::{HostNamespace, NETWORK, enters_host};
pub(super) use path::{Exposure, exposure, is_within, resolved};
pub(super) use ports::{HostPort, as_evidence, host_ports};
pub(super) use privilege::{
    beyond_default, beyond_its_container, caps_in_words, declares_root, granted, host_root_of,
    in_own_user_namespace, is_grave, is_privileged, is_privileged_set,
};
pub(crate) use reference::is_same_image;
pub(super) use reference::{Reference, in_full, is_id, resolve};
pub(super) use releases::{Line, Support, TABLE_DATE, Version, day, shipped, support};
pub(super) use shell::{Command, commands};
pub(super) use swarm::{cluster, manager, member};
pub(super) use task::{Task, client, task, update};
pub(super) use trust::is_on;
pub(super) use weigh::{Word, failed, lives, passed, weigh};
pub(super) use withdrawn::enterprise;

use crate::model::{
    Container, EngineKind, Evidence, ExecSession, Fact, Host, Image, Observation, Source, Verdict,
};
use serde_json::{Value, json};

/// Items of a list that are kept as evidence.
const LISTED: usize = 64;

/// The containers.
///
/// # Errors
/// [`Verdict::unknown`] where the engine did not list them.
pub(super) fn containers(host: &Host) -> Result<&[Container], Verdict> {
    host.containers
        .as_deref()
        .ok_or_else(|| unlisted(host, "containers"))
}

/// The images.
///
/// # Errors
/// [`Verdict::unknown`] where the engine did not list them.
pub(super) fn images(host: &Host) -> Result<&[Image], Verdict> {
    host.images.as_deref().ok_or_else(|| unlisted(host, "images"))
}

fn unlisted(host: &Host, what: &str) -> Verdict {
    let why = match &host.facts.engine {
        Fact::Unknown(why) => why.as_str(),
        Fact::Known(_) => "the engine did not list them",
    };
    Verdict::unknown(format!("the {what} are not known: {why}"))
}

/// How lines call the observation's container.
pub(super) fn container_name(observation: &Observation) -> String {
    let Some(container) = &observation.container else {
        return "the host".to_owned();
    };
    match (&container.name, &container.id) {
        (Some(name), _) => format!("container {name}"),
        (None, Some(id)) => format!("container {}", id.short()),
        (None, None) => "an unknown container".to_owned(),
    }
}

/// How lines call the program that did it: its path, else its command name.
pub(super) fn program(observation: &Observation) -> &str {
    match &observation.process {
        Some(process) if process.exe.is_empty() => &process.comm,
        Some(process) => &process.exe,
        None => "an unknown program",
    }
}

/// The command that an operator would have typed to reach the observation's container.
pub(super) fn engine_command(observation: &Observation) -> &'static str {
    match observation.container.as_ref().map(|container| container.engine) {
        Some(EngineKind::Podman) => "podman",
        _ => "docker",
    }
}

/// Up to three of a list, and how many more there are.
pub(super) fn few<T: AsRef<str>>(items: &[T]) -> String {
    let shown: Vec<_> = items.iter().take(3).map(AsRef::as_ref).collect();
    match items.len().saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The head of a list that a container can make as long as it likes, for evidence.
pub(super) fn head<T>(items: &[T]) -> &[T] {
    items.get(..LISTED).unwrap_or(items)
}

/// Evidence from the engine's description of a container.
pub(super) fn config(field: &str, value: impl serde::Serialize) -> Evidence {
    Evidence::new(
        Source::Engine,
        "config",
        json!({ "field": field, "value": value }),
    )
}

/// Evidence from what the kernel shows of a process.
pub(super) fn proc(facts: Value) -> Evidence {
    Evidence::new(Source::Kernel, "process", facts)
}

/// Evidence from the engine's exec session.
pub(super) fn session(session: &ExecSession) -> Evidence {
    Evidence::new(
        Source::Engine,
        "session",
        json!({
            "id": session.id,
            "privileged": session.privileged,
            "user": session.user,
            "command": session.command,
        }),
    )
}
