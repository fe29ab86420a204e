//! Whether swarm recommendations bear on this node.

use crate::model::{Cluster, Engine, Host, Swarm, Verdict};

/// The engine in a swarm; early verdicts where it is in none, or what it is in cannot be seen.
///
/// # Errors
/// Not applicable, or unknown.
pub(in crate::check) fn member(host: &Host) -> Result<(&Engine, &Swarm), Verdict> {
    let engine = host.facts.engine.look()?;
    let swarm = &engine.swarm;
    match swarm.state.as_str() {
        "active" => Ok((engine, swarm)),
        "inactive" => Err(Verdict::not_applicable("the engine is in no swarm")),
        "" => Err(Verdict::unknown(
            "the engine does not say whether it is in a swarm",
        )),
        state => Err(Verdict::unknown(format!(
            "the engine's part in the swarm is {state}, so that nothing more can be asked"
        ))),
    }
}

/// The same on a manager.
///
/// # Errors
/// Not applicable, or unknown.
pub(in crate::check) fn manager(host: &Host) -> Result<(&Engine, &Swarm), Verdict> {
    let (engine, swarm) = member(host)?;
    if swarm.manager {
        Ok((engine, swarm))
    } else {
        Err(Verdict::not_applicable(
            "this node is a worker, and only managers know: assess them",
        ))
    }
}

/// What a manager says of the cluster.
///
/// # Errors
/// Not applicable, or unknown.
pub(in crate::check) fn cluster(host: &Host) -> Result<&Cluster, Verdict> {
    manager(host)?.1.cluster.look()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::daemon::{engine, hardened};
    use crate::model::{Fact, VerdictKind};

    #[track_caller]
    fn check(state: &str, is_manager: bool, expect: Option<VerdictKind>) {
        let mut host = hardened();
        let swarm = &mut engine(&mut host).swarm;
        swarm.state = state.into();
        swarm.manager = is_manager;
        assert_eq!(manager(&host).err().map(|early| early.kind), expect, "{state}");
    }

    #[test]
    fn only_a_manager_of_a_swarm_can_be_asked() {
        check("active", true, None);
        check("active", false, Some(VerdictKind::NotApplicable));
        check("inactive", false, Some(VerdictKind::NotApplicable));
        for state in ["", "pending", "locked", "error"] {
            check(state, true, Some(VerdictKind::Unknown));
        }
        let silent = Host {
            facts: crate::model::HostFacts {
                engine: Fact::unknown("no engine"),
                ..Default::default()
            },
            ..Host::default()
        };
        assert_eq!(manager(&silent).unwrap_err().reason, "no engine");
    }
}
