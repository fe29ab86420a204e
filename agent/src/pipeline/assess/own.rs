//! Our own container is no subject of the assessment.

use crate::model::{Container, ContainerId, Excluded, Host};
use crate::source::host;

/// The container that we run in, among those that the engine knows.
pub(super) fn find(known: Option<&[Container]>) -> Option<ContainerId> {
    let candidates = host::own_containers();
    let listed = |id: &&ContainerId| known.is_some_and(|all| all.iter().any(|one| one.id == **id));
    candidates.iter().find(listed).or(candidates.first()).cloned()
}

/// Takes our own container out of the facts, and says so.
#[must_use]
pub fn leave_out_own_container(host: &mut Host) -> Option<Excluded> {
    let own = host.own_container.as_ref()?;
    let containers = host.containers.as_mut()?;
    let place = containers.iter().position(|container| container.id == *own)?;
    let container = containers.remove(place);
    Some(Excluded {
        item: container.name,
        of: "container".to_owned(),
        id: container.id.into(),
        why: "Hullwatch runs in it".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EngineKind;

    #[test]
    fn only_the_own_container_is_left_out() {
        let ids = ["aa", "bb"].map(|two| two.repeat(32).parse::<ContainerId>().unwrap());
        let containers = ids.clone().map(|id| Container::unknown(id, EngineKind::Docker));
        let mut host = Host {
            containers: Some(containers.to_vec()),
            ..Host::default()
        };
        assert_eq!(leave_out_own_container(&mut host), None);
        host.own_container = Some(ids[1].clone());
        let excluded = leave_out_own_container(&mut host).unwrap();
        assert_eq!(excluded.id, ids[1].as_str());
        let left: Vec<_> = host.containers.iter().flatten().map(|one| &one.id).collect();
        assert_eq!(left, [&ids[0]]);
        assert_eq!(leave_out_own_container(&mut host), None);
    }
}
