//! How services get their secrets.

use serde_json::json;

use super::support::{few, head, item, manager, or_attested};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Evidence, Host, Service, Severity, Source, Verdict};

pub(super) static CHECK: Check = Check {
    key: "swarm-secrets-used",
    title: "Swarm secrets are used instead of plain environment or config",
    section: "swarm",
    level: 1,
    early_level: 2,
    scored: &[],
    basis: Basis::Heuristic,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "2.22"),
        (Benchmark::V1_1_0, "7.5"),
        (Benchmark::V1_2_0, "7.5"),
        (Benchmark::V1_3_1, "7.5"),
        (Benchmark::V1_4_0, "7.5"),
        (Benchmark::V1_5_0, "7.5"),
        (Benchmark::V1_6_0, "7.4"),
        (Benchmark::V1_7_0, "7.4"),
        (Benchmark::V1_8_0, "7.4"),
    ],
    about: "Secrets of the swarm reach tasks in memory and are encrypted at rest; those in the \
            environment, arguments or labels of a service can be read by whoever may look at it. \
            Services are searched for what looks like a secret, which can miss one and can be wrong. \
            Values are never kept.",
    remedy: "Make it a secret with `docker secret create`, and give it to the service with --secret",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "host",
        when: "a service shows what looks like a secret",
    }],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    items(host).unwrap_or_else(|early| vec![item("the swarm", Err(early))])
}

fn items(host: &Host) -> Result<Vec<Item>, Verdict> {
    let (_, swarm) = manager(host)?;
    let services = swarm.services.look()?;
    let showing: Vec<_> = services
        .iter()
        .filter(|service| !service.hints.is_empty())
        .map(|service| item(&service.name, Ok(shown(service))))
        .collect();
    if !showing.is_empty() {
        return Ok(showing);
    }
    let verdict = match (services.len(), *swarm.secrets.look()?) {
        (0, _) => Verdict::pass().because("there are no services"),
        (_, 0) => {
            let open =
                "no service shows a secret, and the swarm keeps none: whether services need any is not known";
            or_attested(host, CHECK.key, Verdict::unknown(open))
        }
        (count, secrets) => Verdict::pass().because(format!(
            "the swarm keeps {secrets} secrets, and none of {count} services shows one"
        )),
    };
    Ok(vec![item("the swarm", Ok(verdict))])
}

/// A service that shows what looks like a secret: less bad where it knows how to do better.
fn shown(service: &Service) -> Verdict {
    let Service {
        name, secrets, hints, ..
    } = service;
    let places: Vec<_> = hints
        .iter()
        .map(|hint| format!("{} {} ({})", hint.place, hint.name, hint.kind))
        .collect();
    let reason = format!("service {name} shows what looks like a secret: {}", few(&places));
    let facts = json!({ "service": name, "secrets": secrets, "hints": head(hints) });
    let verdict = Verdict::fail(reason, vec![Evidence::new(Source::Engine, "service", facts)]);
    if *secrets > 0 {
        verdict.severity(Severity::Low)
    } else {
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::daemon::{attest, check_items, check_one, in_swarm, judged_one, nobody};
    use super::*;
    use crate::model::VerdictKind::{Fail, NotApplicable, Pass, Unknown};
    use crate::model::{Fact, SecretHint};

    fn service(name: &str, secrets: u64, hinted: bool) -> Service {
        let hint = SecretHint {
            place: "env".into(),
            name: "DB_PASSWORD".into(),
            kind: "password".into(),
            digest: "0123abcd".into(),
        };
        let hints = if hinted { vec![hint] } else { Vec::new() };
        Service {
            name: name.into(),
            secrets,
            hints,
            ..Service::default()
        }
    }

    fn swarm(services: Vec<Service>, secrets: u64) -> impl FnOnce(&mut Host) {
        move |host| {
            let swarm = in_swarm(host);
            swarm.services = Fact::Known(services);
            swarm.secrets = Fact::Known(secrets);
        }
    }

    #[test]
    fn pass_secrets_that_are_used_and_a_statement() {
        check_one(
            &CHECK,
            swarm(vec![service("web", 1, false)], 2),
            Pass,
            "keeps 2 secrets",
        );
        check_one(&CHECK, swarm(Vec::new(), 0), Pass, "there are no services");
        let stated = |host: &mut Host| {
            swarm(vec![service("web", 0, false)], 0)(host);
            attest(host, "swarm-secrets-used", "2026-06-01", "2027-06-01");
        };
        check_one(&CHECK, stated, Pass, "ops stated");
        check_one(&CHECK, |_| {}, NotApplicable, "in no swarm");
    }

    #[test]
    fn fail_each_service_that_shows_one() {
        let all = vec![
            service("web", 0, true),
            service("db", 1, true),
            service("ok", 0, false),
        ];
        check_items(&CHECK, swarm(all, 3), &[("web", Fail), ("db", Fail)]);
        let verdict = judged_one(&CHECK, swarm(vec![service("web", 0, true)], 0));
        assert_eq!(
            verdict.reason,
            "service web shows what looks like a secret: env DB_PASSWORD (password)"
        );
        assert_eq!(verdict.severity, None);
        let verdict = judged_one(&CHECK, swarm(vec![service("db", 1, true)], 1));
        assert_eq!(verdict.severity, Some(Severity::Low));
    }

    #[test]
    fn unknown_where_nothing_shows_whether_secrets_are_needed() {
        check_one(
            &CHECK,
            swarm(vec![service("web", 0, false)], 0),
            Unknown,
            "an attestation of `swarm-secrets-used`",
        );
        check_one(&CHECK, nobody, Unknown, "no engine answers");
        let blind = |host: &mut Host| in_swarm(host).services = Fact::unknown("timed out");
        check_one(&CHECK, blind, Unknown, "timed out");
    }
}
