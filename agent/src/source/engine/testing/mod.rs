//! Builders for the tests of this room, and an engine that does as it is told.

mod fake;
mod faults;
mod follow;
mod stage;
mod state;
mod survey;
mod world;

use serde_json::{Value, json};

use fake::{Answer, Fake};

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

/// An event about a container.
pub(super) fn container_event(id: &ContainerId, action: &str, attributes: &Value) -> Value {
    let mut all = json!({ "name": "short", "image": "hull:1" });
    all.as_object_mut()
        .unwrap()
        .extend(attributes.as_object().unwrap().clone());
    let nanos = i64::try_from(crate::model::Time::now().unix_nanos()).unwrap();
    json!({ "Type": "container", "Action": action, "Actor": { "ID": id.as_str(), "Attributes": all },
            "time": nanos / 1_000_000_000, "timeNano": nanos })
}
