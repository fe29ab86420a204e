//! The host's own facts, all at once.

use super::daemon::daemon_among;
use super::processes::Processes;
use super::swarm::complete_engine;
use super::system::system_among;
use crate::model::{Fact, HostFacts};

/// Fills in what this process can see of the host: the daemon, what the host adds to the engine's word, and the
/// operating system. `facts.engine` and `facts.socket_access` are to be filled in before, where they can be.
pub fn collect(facts: &mut HostFacts) {
    let processes = match Processes::read() {
        Ok(processes) => processes,
        Err(error) => {
            let why = format!("cannot list processes: {error}");
            facts.daemon = Fact::unknown(why.as_str());
            facts.system = Fact::unknown(why);
            return;
        }
    };
    facts.daemon = daemon_among(facts.engine.get(), &processes);
    if let Some(engine) = facts.engine.get_mut() {
        complete_engine(engine, facts.daemon.get());
    }
    facts.system = system_among(facts, &processes);
    // Objects follow from the engine and the daemon: they are looked for here, last.
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fact_is_known_or_says_why() {
        let mut facts = HostFacts::default();
        collect(&mut facts);
        assert_ne!(facts.daemon, Fact::default());
        let system = facts.system.get().unwrap();
        assert_ne!(system.data_root, Fact::default());
    }
}
