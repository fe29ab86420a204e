//! Whether there is a swarm where none is wanted.

use serde_json::json;

use super::support::item;
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Evidence, Host, Severity, Source, Verdict};

pub(super) static CHECK: Check = Check {
    key: "swarm-mode-off-unless-needed",
    title: "Swarm mode is active only where wanted",
    section: "swarm",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "2.15"),
        (Benchmark::V1_1_0, "7.1"),
        (Benchmark::V1_2_0, "7.1"),
        (Benchmark::V1_3_1, "7.1"),
        (Benchmark::V1_4_0, "7.1"),
        (Benchmark::V1_5_0, "7.1"),
        (Benchmark::V1_6_0, "5.1"),
        (Benchmark::V1_7_0, "5.1"),
        (Benchmark::V1_8_0, "5.1"),
    ],
    about: "A node of a swarm listens on more ports, and takes orders from its managers. Where no swarm \
            is wanted, none should be: the policy says where one is.",
    remedy: "Run `docker swarm leave`, or set `swarm_expected` in the policy",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "host",
        when: "the engine joined or made a swarm",
    }],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    vec![item("the engine", judge(host))]
}

fn judge(host: &Host) -> Result<Verdict, Verdict> {
    let swarm = &host.facts.engine.look()?.swarm;
    let role = if swarm.manager { "a manager" } else { "a worker" };
    match swarm.state.as_str() {
        "" => Err(Verdict::unknown(
            "the engine does not say whether it is in a swarm",
        )),
        "inactive" => Ok(Verdict::pass().because("the engine is in no swarm")),
        state if host.policy.swarm_expected => {
            Ok(Verdict::pass().because(format!("the engine is {role} ({state}), as the policy expects")))
        }
        state => {
            let facts = json!({ "state": state, "manager": swarm.manager, "address": swarm.node_address });
            let shown = Evidence::new(Source::Engine, "swarm", facts);
            let reason = format!("the engine is {role} of a swarm ({state}), and the policy expects none");
            Ok(Verdict::fail(reason, vec![shown]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::daemon::{check_one, engine, nobody};
    use super::*;
    use crate::model::VerdictKind::{Fail, Pass, Unknown};

    fn state(host: &mut Host, state: &str) {
        engine(host).swarm.state = state.into();
    }

    #[test]
    fn pass_no_swarm_and_one_that_is_expected() {
        check_one(&CHECK, |_| {}, Pass, "in no swarm");
        let expected = |host: &mut Host| {
            state(host, "active");
            host.policy.swarm_expected = true;
        };
        check_one(&CHECK, expected, Pass, "as the policy expects");
    }

    #[test]
    fn fail_every_other_state() {
        for other in ["active", "pending", "locked", "error"] {
            check_one(
                &CHECK,
                |host| state(host, other),
                Fail,
                &format!("({other}), and the policy expects none"),
            );
        }
    }

    #[test]
    fn unknown_where_the_engine_does_not_say() {
        check_one(&CHECK, |host| state(host, ""), Unknown, "does not say");
        check_one(&CHECK, nobody, Unknown, "no engine answers");
    }
}
