//! Builders for the tests of this room.

use serde_json::{Value, json};

use super::convert;
use crate::model::{Container, ContainerId, EngineKind};

/// A container id from a number.
pub(super) fn id(number: usize) -> ContainerId {
    format!("{number:064x}").parse().unwrap()
}

/// What an engine answers when asked about a running container.
pub(super) fn inspection(id: &ContainerId, name: &str) -> Value {
    json!({
        "Id": id.as_str(), "Name": format!("/{name}"), "Image": "sha256:1",
        "State": { "Status": "running", "Pid": 4242 },
        "Config": { "Image": "hull:1", "User": "" },
        "HostConfig": { "Privileged": false },
        "Mounts": [],
    })
}

/// Facts of a running container.
pub(super) fn facts(id: &ContainerId) -> Container {
    let answer = serde_json::from_value(inspection(id, id.short())).unwrap();
    convert::container(answer, EngineKind::Docker).unwrap()
}
