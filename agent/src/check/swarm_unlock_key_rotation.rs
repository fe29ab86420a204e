//! The age of the unlock key.

use serde_json::json;

use super::support::{cluster, date, days_between, item, or_attested};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Cluster, Evidence, Host, Severity, Source, Time, Verdict};

pub(super) static CHECK: Check = Check {
    key: "swarm-unlock-key-rotation",
    title: "Manager unlock key is rotated on schedule",
    section: "swarm",
    level: 1,
    early_level: 1,
    scored: &[],
    basis: Basis::Heuristic,
    severity: Severity::Low,
    numbers: &[
        (Benchmark::V1_13_0, "2.24"),
        (Benchmark::V1_1_0, "7.7"),
        (Benchmark::V1_2_0, "7.7"),
        (Benchmark::V1_3_1, "7.7"),
        (Benchmark::V1_4_0, "7.7"),
        (Benchmark::V1_5_0, "7.7"),
        (Benchmark::V1_6_0, "7.6"),
        (Benchmark::V1_7_0, "7.6"),
        (Benchmark::V1_8_0, "7.6"),
    ],
    about: "A key that never changes is known by everybody who ever knew it. Its age is told by nobody, \
            so that a dated statement in the policy decides. But every change of the key changes the \
            cluster: one that has not changed for longer than the policy allows has an older key still.",
    remedy: "Run `docker swarm unlock-key --rotate`, and state its date in the policy",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "host",
        when: "the unlock key is older than the policy allows",
    }],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    vec![item("the unlock key", judge(host))]
}

fn judge(host: &Host) -> Result<Verdict, Verdict> {
    let cluster = cluster(host)?;
    match cluster.autolock {
        Some(true) => {}
        Some(false) => {
            return Err(Verdict::not_applicable(
                "the cluster does not lock its managers' keys",
            ));
        }
        None => {
            return Err(Verdict::unknown(
                "the engine does not tell whether managers' keys are locked",
            ));
        }
    }
    if let Some(overdue) = overdue(host, cluster) {
        return Ok(overdue);
    }
    let open = Verdict::unknown("when the unlock key was last changed is told by nobody");
    Ok(or_attested(host, CHECK.key, open))
}

/// A failure, where the last change that is known of or stated is longer ago than the policy allows.
fn overdue(host: &Host, cluster: &Cluster) -> Option<Verdict> {
    let most = u64::from(host.policy.max_unlock_key_age_days?);
    let now = host.taken?;
    let stated = host.policy.attestations.get(CHECK.key);
    let age = |time: Time| days_between(time, now);
    let (time, what) = match (cluster.updated, stated) {
        (Some(updated), _) if age(updated) > most => {
            (updated, "the cluster was not changed, nor so its unlock key,")
        }
        (_, Some(stated)) if age(stated.date) > most => {
            (stated.date, "the unlock key was not stated to be changed")
        }
        _ => return None,
    };
    let facts = json!({ "since": time, "days": age(time), "allowed": most });
    let reason = format!(
        "{what} since {}: {} days, {most} are allowed",
        date(time),
        age(time)
    );
    Some(Verdict::fail(
        reason,
        vec![Evidence::new(Source::Assessment, "age", facts)],
    ))
}

#[cfg(test)]
mod tests {
    use super::super::testing::daemon::{attest, check_one, day, in_cluster, nobody};
    use super::*;
    use crate::model::VerdictKind::{Fail, NotApplicable, Pass, Unknown};

    /// A cluster that locks keys and was last changed then, at most 90 days ago if all is well.
    fn locked(host: &mut Host, updated: &str) {
        let cluster = in_cluster(host);
        cluster.autolock = Some(true);
        cluster.updated = Some(day(updated));
        host.policy.max_unlock_key_age_days = Some(90);
    }

    #[test]
    fn pass_a_recent_statement_and_not_applicable_without_lock() {
        let vary = |host: &mut Host| {
            locked(host, "2026-10-01");
            attest(host, "swarm-unlock-key-rotation", "2026-10-01", "2027-01-01");
        };
        check_one(&CHECK, vary, Pass, "ops stated on 2026-10-01");
        check_one(
            &CHECK,
            |host| in_cluster(host).autolock = Some(false),
            NotApplicable,
            "does not lock",
        );
    }

    #[test]
    fn fail_a_cluster_and_statements_that_are_too_old() {
        let words = "since 2026-07-01: 111 days, 90 are allowed";
        check_one(&CHECK, |host| locked(host, "2026-07-01"), Fail, words);
        let stated = |host: &mut Host| {
            locked(host, "2026-10-01");
            attest(host, "swarm-unlock-key-rotation", "2026-07-01", "2027-01-01");
        };
        check_one(&CHECK, stated, Fail, words);
        let expired = |host: &mut Host| {
            locked(host, "2026-10-01");
            attest(host, "swarm-unlock-key-rotation", "2026-09-01", "2026-10-01");
        };
        check_one(&CHECK, expired, Fail, "that expired on 2026-09-30");
    }

    #[test]
    fn unknown_without_a_statement() {
        check_one(
            &CHECK,
            |host| locked(host, "2026-10-01"),
            Unknown,
            "is told by nobody; an attestation of",
        );
        check_one(
            &CHECK,
            |host| in_cluster(host).autolock = None,
            Unknown,
            "does not tell",
        );
        check_one(&CHECK, nobody, Unknown, "no engine answers");
    }
}
