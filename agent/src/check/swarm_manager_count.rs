//! How many nodes manage the swarm.

use serde_json::json;

use super::support::{item, manager};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Evidence, Host, Severity, Source, Verdict};

pub(super) static CHECK: Check = Check {
    key: "swarm-manager-count",
    title: "Manager quorum is odd and no larger than needed",
    section: "swarm",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "2.16"),
        (Benchmark::V1_1_0, "7.2"),
        (Benchmark::V1_2_0, "7.2"),
        (Benchmark::V1_3_1, "7.2"),
        (Benchmark::V1_4_0, "7.2"),
        (Benchmark::V1_5_0, "7.2"),
        (Benchmark::V1_6_0, "7.1"),
        (Benchmark::V1_7_0, "7.1"),
        (Benchmark::V1_8_0, "7.1"),
    ],
    about: "Managers hold the keys of the cluster, and agree by majority: an even number of them \
            survives no more losses than one less, and each further one is one more to take over. \
            Managers are counted, not leaders.",
    remedy: "Demote or promote managers until their number is odd and no larger than 7",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "host",
        when: "a node was promoted or demoted",
    }],
    observe: no_live_signal,
};

/// More managers slow the cluster down, and make it no safer.
const MOST: u64 = 7;

fn assess(host: &Host) -> Vec<Item> {
    vec![item("the swarm", judge(host))]
}

fn judge(host: &Host) -> Result<Verdict, Verdict> {
    let (_, swarm) = manager(host)?;
    let managers = swarm
        .managers
        .ok_or_else(|| Verdict::unknown("the engine does not tell how many managers there are"))?;
    let what = match managers {
        0 => return Err(Verdict::unknown("the engine counts no manager, and is one")),
        count if count > MOST => format!("more than {MOST}"),
        count if count % 2 == 0 => "an even number".to_owned(),
        count => {
            return Ok(
                Verdict::pass().because(format!("{count} managers: an odd number, no more than {MOST}"))
            );
        }
    };
    let shown = Evidence::new(
        Source::Engine,
        "swarm",
        json!({ "managers": managers, "nodes": swarm.nodes }),
    );
    Ok(Verdict::fail(format!("{managers} managers: {what}"), vec![shown]))
}

#[cfg(test)]
mod tests {
    use super::super::testing::daemon::{check_one, engine, in_swarm, nobody};
    use super::*;
    use crate::model::VerdictKind::{self, Fail, NotApplicable, Pass, Unknown};

    #[track_caller]
    fn check(managers: Option<u64>, kind: VerdictKind) {
        let vary = |host: &mut Host| in_swarm(host).managers = managers;
        check_one(&CHECK, vary, kind, "manager");
    }

    #[test]
    fn pass_odd_numbers_and_not_applicable_elsewhere() {
        for managers in [1, 3, 5, 7] {
            check(Some(managers), Pass);
        }
        check_one(&CHECK, |_| {}, NotApplicable, "in no swarm");
        check_one(
            &CHECK,
            |host| in_swarm(host).manager = false,
            NotApplicable,
            "a worker",
        );
    }

    #[test]
    fn fail_even_numbers_and_too_many() {
        for managers in [2, 4, 8, 9, 11] {
            check(Some(managers), Fail);
        }
    }

    #[test]
    fn unknown_where_nobody_counts() {
        check(None, Unknown);
        check(Some(0), Unknown);
        check_one(
            &CHECK,
            |host| engine(host).swarm.state = String::new(),
            Unknown,
            "does not say",
        );
        check_one(&CHECK, nobody, Unknown, "no engine answers");
    }
}
