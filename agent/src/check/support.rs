//! Questions that several checks ask.

pub(super) mod files;
mod namespace;
mod path;
mod privilege;
mod weigh;

pub(super) use namespace::{HostNamespace, enters_host};
pub(super) use path::{Exposure, exposure, is_within, resolved};
pub(super) use privilege::{
    beyond_default, beyond_its_container, caps_in_words, declares_root, granted, host_root_of,
    in_own_user_namespace, is_grave, is_privileged, is_privileged_set,
};
pub(super) use weigh::{Word, failed, lives, weigh};

use crate::model::{EngineKind, Evidence, ExecSession, Observation, Source};
use serde_json::{Value, json};

/// Items of a list that are kept as evidence.
const LISTED: usize = 64;

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
