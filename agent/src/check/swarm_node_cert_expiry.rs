//! How long certificates of nodes live.

use serde_json::json;

use super::support::{cluster, date, item, manager};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Evidence, Host, Severity, Source, Verdict};

pub(super) static CHECK: Check = Check {
    key: "swarm-node-cert-expiry",
    title: "Node certificate lifetime is short enough",
    section: "swarm",
    level: 1,
    early_level: 2,
    scored: &[],
    basis: Basis::Facts,
    severity: Severity::Low,
    numbers: &[
        (Benchmark::V1_1_0, "7.8"),
        (Benchmark::V1_2_0, "7.8"),
        (Benchmark::V1_3_1, "7.8"),
        (Benchmark::V1_4_0, "7.8"),
        (Benchmark::V1_5_0, "7.8"),
        (Benchmark::V1_6_0, "7.7"),
        (Benchmark::V1_7_0, "7.7"),
        (Benchmark::V1_8_0, "7.7"),
    ],
    about: "Nodes prove who they are with certificates that are renewed by themselves: the shorter they \
            live, the sooner a stolen one is worthless. The cluster's setting must not be longer than \
            the policy's `max_node_cert_hours`, by default the engine's own 90 days, and this node's \
            certificate must bear it out.",
    remedy: "Run `docker swarm update --cert-expiry 2160h`",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "host",
        when: "the cluster gives its nodes certificates that live longer",
    }],
    observe: no_live_signal,
};

/// What the engine itself sets, in hours.
const USUAL: u64 = 90 * 24;
const NANOS_PER_HOUR: u64 = 3_600_000_000_000;

fn assess(host: &Host) -> Vec<Item> {
    match judge(host) {
        // Who cannot be asked for the setting has no certificate of interest either.
        Err(early) => vec![item("the swarm", Err(early))],
        setting => vec![
            item("the swarm", setting),
            item("this node's certificate", certificate(host)),
        ],
    }
}

fn allowed(host: &Host) -> u64 {
    host.policy.max_node_cert_hours.map_or(USUAL, u64::from)
}

fn judge(host: &Host) -> Result<Verdict, Verdict> {
    let nanos = cluster(host)?.node_cert_expiry;
    let nanos =
        nanos.ok_or_else(|| Verdict::unknown("the engine does not tell how long certificates live"))?;
    let most = allowed(host);
    let hours = nanos / NANOS_PER_HOUR;
    let reason = format!("certificates of nodes live {hours} hours, {most} are allowed");
    if nanos <= most.saturating_mul(NANOS_PER_HOUR) {
        return Ok(Verdict::pass().because(reason));
    }
    let facts = json!({ "field": "Spec.CAConfig.NodeCertExpiry", "value": nanos });
    let verdict = Verdict::fail(reason, vec![Evidence::new(Source::Engine, "config", facts)]);
    Ok(verdict.remedy(format!("Run `docker swarm update --cert-expiry {most}h`")))
}

fn certificate(host: &Host) -> Result<Verdict, Verdict> {
    let (_, swarm) = manager(host)?;
    let ends = *swarm.node_certificate_expires.look()?;
    let now = host
        .taken
        .ok_or_else(|| Verdict::unknown("when the host was looked at is not known"))?;
    // Whole hours: the engine reckons from the next minute, so that a new one lives some seconds more than is set.
    let hours = ends.since(now).as_secs() / 3600;
    let shown = Evidence::new(Source::Assessment, "certificate", json!({ "not_after": ends }));
    let most = allowed(host);
    Ok(if ends <= now {
        let reason = format!("the certificate of this node expired on {}", date(ends));
        Verdict::fail(reason, vec![shown])
            .remedy("See why the node does not reach a manager, and join it again")
    } else if hours > most {
        let reason = format!("the certificate of this node lives {hours} more hours, {most} are allowed");
        Verdict::fail(reason, vec![shown]).remedy("Run `docker swarm ca --rotate` once the setting is mended")
    } else {
        Verdict::pass().because(format!("the certificate of this node lives until {}", date(ends)))
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::testing::daemon::{check_items, check_one, day, in_cluster, in_swarm, judged, nobody};
    use super::*;
    use crate::model::Fact;
    use crate::model::VerdictKind::{Fail, NotApplicable, Pass, Unknown};

    /// Certificates live this many hours, and this node's until that day; today is 2026-10-20.
    fn live(host: &mut Host, hours: u64, until: &str) {
        in_cluster(host).node_cert_expiry = Some(hours * NANOS_PER_HOUR);
        in_swarm(host).node_certificate_expires = Fact::Known(day(until));
    }

    #[test]
    fn pass_the_usual_life_and_what_the_policy_allows() {
        check_items(
            &CHECK,
            |host| live(host, 2160, "2026-12-01"),
            &[("the swarm", Pass), ("this node's certificate", Pass)],
        );
        let short = |host: &mut Host| {
            live(host, 48, "2026-10-22");
            host.policy.max_node_cert_hours = Some(48);
        };
        check_items(
            &CHECK,
            short,
            &[("the swarm", Pass), ("this node's certificate", Pass)],
        );
        let new = |host: &mut Host| {
            live(host, 2160, "2026-12-01");
            let life = Duration::from_secs(2160 * 3600 + 59);
            in_swarm(host).node_certificate_expires = Fact::Known(day("2026-10-20").after(life));
        };
        check_items(
            &CHECK,
            new,
            &[("the swarm", Pass), ("this node's certificate", Pass)],
        );
        check_one(&CHECK, |_| {}, NotApplicable, "in no swarm");
    }

    #[test]
    fn fail_longer_lives_by_the_nanosecond_and_certificates_past_their_end() {
        let words = "certificates of nodes live 2160 hours, 48 are allowed";
        let long = |host: &mut Host| {
            live(host, 2160, "2026-10-23");
            host.policy.max_node_cert_hours = Some(48);
        };
        let items = judged(&CHECK, long);
        assert_eq!(items[0].verdict.reason, words);
        assert_eq!(
            items[0].verdict.remedy.as_deref(),
            Some("Run `docker swarm update --cert-expiry 48h`")
        );
        assert_eq!(items[1].verdict.kind, Fail);
        let edge = |host: &mut Host| {
            live(host, 2160, "2026-10-20");
            in_cluster(host).node_cert_expiry = Some(2160 * NANOS_PER_HOUR + 1);
        };
        check_items(
            &CHECK,
            edge,
            &[("the swarm", Fail), ("this node's certificate", Fail)],
        );
    }

    #[test]
    fn unknown_where_setting_or_certificate_is_not_seen() {
        check_one(&CHECK, nobody, Unknown, "no engine answers");
        check_one(
            &CHECK,
            |host| in_cluster(host).node_cert_expiry = None,
            Unknown,
            "does not tell",
        );
        let unread = |host: &mut Host| {
            live(host, 48, "2026-10-22");
            in_swarm(host).node_certificate_expires = Fact::unknown("no permission");
        };
        check_items(
            &CHECK,
            unread,
            &[("the swarm", Pass), ("this node's certificate", Unknown)],
        );
    }
}
