//! The age of the swarm's root certificate.

use serde_json::json;

use super::support::{cluster, date, days_between, item};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Evidence, Host, Severity, Source, Verdict};

pub(super) static CHECK: Check = Check {
    key: "swarm-ca-rotation",
    title: "Swarm root CA is rotated on schedule",
    section: "swarm",
    level: 1,
    early_level: 2,
    scored: &[],
    basis: Basis::Facts,
    severity: Severity::Low,
    numbers: &[
        (Benchmark::V1_1_0, "7.9"),
        (Benchmark::V1_2_0, "7.9"),
        (Benchmark::V1_3_1, "7.9"),
        (Benchmark::V1_4_0, "7.9"),
        (Benchmark::V1_5_0, "7.9"),
        (Benchmark::V1_6_0, "7.8"),
        (Benchmark::V1_7_0, "7.8"),
        (Benchmark::V1_8_0, "7.8"),
    ],
    about: "Whoever has the swarm's root key can make nodes of his own. A new root certificate makes an \
            old key worthless. The certificate's own date counts, not that of its file: it may be no \
            older than the policy's `max_ca_age_days`, by default a year.",
    remedy: "Run `docker swarm ca --rotate`",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "host",
        when: "the swarm's root certificate is older than the policy allows",
    }],
    observe: no_live_signal,
};

/// Days that are allowed where the policy says nothing.
const USUAL: u32 = 365;

fn assess(host: &Host) -> Vec<Item> {
    vec![item("the root certificate", judge(host))]
}

fn judge(host: &Host) -> Result<Verdict, Verdict> {
    let cluster = cluster(host)?;
    let issued = cluster
        .ca_issued
        .ok_or_else(|| Verdict::unknown("the engine does not tell its root certificate"))?;
    let now = host
        .taken
        .ok_or_else(|| Verdict::unknown("when the host was looked at is not known"))?;
    if issued > now {
        let why = format!(
            "the root certificate is of {}, which lies in the future",
            date(issued)
        );
        return Err(Verdict::unknown(why));
    }
    let (age, most) = (
        days_between(issued, now),
        host.policy.max_ca_age_days.unwrap_or(USUAL),
    );
    let rotating = if cluster.ca_rotating {
        "; it is being replaced"
    } else {
        ""
    };
    let reason = format!(
        "the root certificate is of {}: {age} days, {most} are allowed{rotating}",
        date(issued)
    );
    if age <= u64::from(most) {
        return Ok(Verdict::pass().because(reason));
    }
    let facts = json!({ "not_before": issued, "days": age, "rotating": cluster.ca_rotating });
    Ok(Verdict::fail(
        reason,
        vec![Evidence::new(Source::Engine, "certificate", facts)],
    ))
}

#[cfg(test)]
mod tests {
    use super::super::testing::daemon::{check_one, day, in_cluster, nobody};
    use super::*;
    use crate::model::VerdictKind::{self, Fail, NotApplicable, Pass, Unknown};

    /// Today is 2026-10-20.
    #[track_caller]
    fn check(issued: &str, most: Option<u32>, kind: VerdictKind, words: &str) {
        let vary = |host: &mut Host| {
            in_cluster(host).ca_issued = Some(day(issued));
            host.policy.max_ca_age_days = most;
        };
        check_one(&CHECK, vary, kind, words);
    }

    #[test]
    fn pass_a_young_certificate() {
        check("2025-10-20", None, Pass, "365 days, 365 are allowed");
        check("2026-10-10", Some(10), Pass, "10 days, 10 are allowed");
        check_one(&CHECK, |_| {}, NotApplicable, "in no swarm");
    }

    #[test]
    fn fail_an_old_certificate_even_while_it_is_replaced() {
        check("2025-10-19", None, Fail, "366 days, 365 are allowed");
        check("2026-10-09", Some(10), Fail, "11 days, 10 are allowed");
        let rotating = |host: &mut Host| {
            let cluster = in_cluster(host);
            cluster.ca_issued = Some(day("2020-01-01"));
            cluster.ca_rotating = true;
        };
        check_one(&CHECK, rotating, Fail, "it is being replaced");
    }

    #[test]
    fn unknown_without_certificate_or_clock() {
        check("2026-10-21", None, Unknown, "lies in the future");
        check_one(
            &CHECK,
            |host| in_cluster(host).ca_issued = None,
            Unknown,
            "does not tell",
        );
        let timeless = |host: &mut Host| {
            in_cluster(host).ca_issued = Some(day("2026-01-01"));
            host.taken = None;
        };
        check_one(&CHECK, timeless, Unknown, "is not known");
        check_one(&CHECK, nobody, Unknown, "no engine answers");
    }
}
