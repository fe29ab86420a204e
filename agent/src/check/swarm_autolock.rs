//! Whether managers' keys are locked at rest.

use serde_json::json;

use super::support::{cluster, item};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Evidence, Host, Severity, Source, Verdict};

pub(super) static CHECK: Check = Check {
    key: "swarm-autolock",
    title: "Manager keys are locked at rest",
    section: "swarm",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "2.23"),
        (Benchmark::V1_1_0, "7.6"),
        (Benchmark::V1_2_0, "7.6"),
        (Benchmark::V1_3_1, "7.6"),
        (Benchmark::V1_4_0, "7.6"),
        (Benchmark::V1_5_0, "7.6"),
        (Benchmark::V1_6_0, "7.5"),
        (Benchmark::V1_7_0, "7.5"),
        (Benchmark::V1_8_0, "7.5"),
    ],
    about: "A manager keeps the keys of the cluster on its disk, and whoever reads the disk has them, \
            unless they are locked with a key that an operator gives at each start. The cluster's own \
            settings count; the key itself is never asked for.",
    remedy: "Run `docker swarm update --autolock=true`, and keep the key that it prints away from the managers",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "host",
        when: "the cluster no longer locks its managers' keys",
    }],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    vec![item("the swarm", judge(host))]
}

fn judge(host: &Host) -> Result<Verdict, Verdict> {
    if host
        .facts
        .engine
        .get()
        .is_some_and(|engine| engine.swarm.state == "locked")
    {
        return Ok(Verdict::pass().because("the manager waits for its unlock key"));
    }
    let cluster = cluster(host)?;
    match cluster.autolock {
        Some(true) => Ok(Verdict::pass().because("the cluster locks its managers' keys")),
        Some(false) => {
            let facts = json!({ "field": "Spec.EncryptionConfig.AutoLockManagers", "value": false });
            let reason = "the cluster does not lock its managers' keys";
            Ok(Verdict::fail(
                reason,
                vec![Evidence::new(Source::Engine, "config", facts)],
            ))
        }
        None => Err(Verdict::unknown(
            "the engine does not tell whether managers' keys are locked",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::daemon::{check_one, engine, in_cluster, in_swarm, nobody};
    use super::*;
    use crate::model::VerdictKind::{self, Fail, NotApplicable, Pass, Unknown};

    #[track_caller]
    fn check(autolock: Option<bool>, kind: VerdictKind, words: &str) {
        check_one(&CHECK, |host| in_cluster(host).autolock = autolock, kind, words);
    }

    #[test]
    fn pass_locked_keys_and_a_manager_that_waits_for_its_own() {
        check(Some(true), Pass, "locks its managers' keys");
        check_one(
            &CHECK,
            |host| engine(host).swarm.state = "locked".into(),
            Pass,
            "waits for its unlock key",
        );
        check_one(&CHECK, |_| {}, NotApplicable, "in no swarm");
        check_one(
            &CHECK,
            |host| in_swarm(host).manager = false,
            NotApplicable,
            "a worker",
        );
    }

    #[test]
    fn fail_keys_that_are_not_locked() {
        check(Some(false), Fail, "does not lock");
    }

    #[test]
    fn unknown_where_the_cluster_does_not_tell() {
        check(None, Unknown, "does not tell");
        check_one(&CHECK, nobody, Unknown, "no engine answers");
    }
}
