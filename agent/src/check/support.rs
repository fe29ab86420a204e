//! Questions that several checks ask.

use crate::model::{CapSet, Container, DEFAULT_CONTAINER_CAPS, Evidence, Observation, Source};
use serde_json::json;

/// Capabilities that together only a privileged container holds.
const MARKS: [&str; 4] = ["SYS_ADMIN", "SYS_MODULE", "SYS_RAWIO", "SYS_BOOT"];

/// Whether a set is what `--privileged` grants, as far as the host itself has it to give.
pub(super) fn is_privileged_set(caps: CapSet) -> bool {
    let marks = MARKS
        .iter()
        .filter_map(|name| CapSet::named(name))
        .fold(CapSet::EMPTY, CapSet::or);
    caps.contains(marks.or(DEFAULT_CONTAINER_CAPS))
}

/// What the engine was asked to grant: the default set, without what was dropped, with what was added.
/// None where the engine did not say.
pub(super) fn granted(container: &Container) -> Option<CapSet> {
    if container.privileged? {
        return Some(CapSet::ALL);
    }
    let set = |names: &[String]| {
        names
            .iter()
            .filter_map(|name| CapSet::named(name))
            .fold(CapSet::EMPTY, CapSet::or)
    };
    let (added, dropped) = (
        set(container.cap_add.as_ref()?),
        set(container.cap_drop.as_ref()?),
    );
    Some(DEFAULT_CONTAINER_CAPS.without(dropped).or(added))
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

/// Evidence from the engine's description of a container.
pub(super) fn config(field: &str, value: impl serde::Serialize) -> Evidence {
    Evidence::new(
        Source::Engine,
        "config",
        json!({ "field": field, "value": value }),
    )
}
