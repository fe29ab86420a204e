//! What the engine API says, as our model: pure, and never more than was said.

mod container;
mod engine;
mod image;
pub(super) mod json;
mod life;
mod mounts;
mod reach;
mod session;
mod swarm;

pub(super) use container::container;
pub(super) use engine::{engine, network, plugins, volumes};
pub(super) use image::{add_history, graph_driver, image};
pub(super) use session::exec_session;
pub(super) use swarm::{cluster, services};

use serde_json::Value;

use crate::model::EngineKind;

/// A field without which an answer is worth nothing is missing or wrong.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is missing or malformed")]
pub(super) struct Malformed(pub(super) &'static str);

/// Which engine answers `/version`: Podman names itself among the components, Docker calls itself "Engine".
pub(super) fn engine_kind(version: &Value) -> EngineKind {
    let components = || json::list(version, "/Components").into_iter().flatten();
    let names = || components().filter_map(|component| json::text(component, "/Name"));
    if names().any(|name| name == "Podman Engine") {
        EngineKind::Podman
    } else if names().any(|name| name == "Engine") {
        EngineKind::Docker
    } else {
        EngineKind::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expected: EngineKind) {
        assert_eq!(engine_kind(&serde_json::from_str(json).unwrap()), expected);
    }

    #[test]
    fn an_engine_is_known_by_its_components() {
        check(include_str!("../fixtures/version.json"), EngineKind::Docker);
        check(
            r#"{"Components":[{"Name":"Podman Engine","Version":"4.3.1"},{"Name":"Conmon","Version":"2"}]}"#,
            EngineKind::Podman,
        );
        check(
            r#"{"Components":[{"Name":"Balena","Version":"1"}]}"#,
            EngineKind::Unknown,
        );
        check("{}", EngineKind::Unknown);
    }
}
