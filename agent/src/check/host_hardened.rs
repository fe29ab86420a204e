//! Hardening of the host itself.

use serde_json::json;

use super::support::{item, or_attested};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Evidence, Host, Severity, Source, Verdict};

pub(super) static CHECK: Check = Check {
    key: "host-hardened",
    title: "Container host follows an OS hardening baseline",
    section: "host",
    level: 1,
    early_level: 1,
    scored: &[],
    basis: Basis::Attested,
    severity: Severity::Low,
    numbers: &[
        (Benchmark::V1_13_0, "1.2"),
        (Benchmark::V1_1_0, "1.2"),
        (Benchmark::V1_2_0, "1.1.1"),
        (Benchmark::V1_3_1, "1.2.1"),
        (Benchmark::V1_4_0, "1.2.1"),
        (Benchmark::V1_5_0, "1.2.1"),
        (Benchmark::V1_6_0, "1.2.1"),
        (Benchmark::V1_7_0, "1.2.1"),
        (Benchmark::V1_8_0, "1.2.1"),
    ],
    about: "Containers are as safe as the kernel and the host below them. No single fact says whether a \
            host was hardened: a dated statement in the policy does, until it expires. What the kernel \
            and the host show of it is listed as evidence, and decides nothing.",
    remedy: "Apply an OS benchmark and record the attestation with expiry",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "host",
        when: "the attestation expired, or signs of hardening changed",
    }],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    let open = Verdict::unknown("no fact says whether this host was hardened");
    let verdict = or_attested(host, CHECK.key, open).evidence(signs(host));
    vec![item("the host", Ok(verdict))]
}

fn signs(host: &Host) -> Evidence {
    let system = host.facts.system.get();
    let audit = host.facts.audit.get().map(|audit| audit.status.enabled);
    let facts = json!({
        "indicators": system.map(|system| &system.indicators),
        "apparmor": host.facts.apparmor,
        "selinux_enforcing": host.facts.selinux_enforcing,
        "audit_enabled": audit,
    });
    Evidence::new(Source::Assessment, "indicators", facts)
}

#[cfg(test)]
mod tests {
    use super::super::testing::daemon::{attest, check_one, day};
    use super::*;
    use crate::model::VerdictKind::{Fail, Pass, Unknown};

    #[test]
    fn pass_an_attestation_that_holds() {
        let vary = |host: &mut Host| {
            let indicators = &mut host.facts.system.get_mut().unwrap().indicators;
            indicators.insert("kernel.kptr_restrict".into(), "2".into());
        };
        let reason = "ops stated on 2026-06-01: done; that holds until 2027-05-31";
        let verdict = check_one(&CHECK, vary, Pass, reason);
        let shown = &verdict.evidence[1].facts();
        assert_eq!(shown["indicators"], json!({ "kernel.kptr_restrict": "2" }));
        assert_eq!(shown["apparmor"], json!(true));
    }

    #[test]
    fn fail_an_attestation_that_expired() {
        let vary = |host: &mut Host| host.taken = Some(day("2027-06-02"));
        check_one(&CHECK, vary, Fail, "that expired on 2027-05-31");
    }

    #[test]
    fn unknown_without_an_attestation_whatever_the_signs_and_before_its_date() {
        let nothing = |host: &mut Host| host.policy.attestations.clear();
        check_one(
            &CHECK,
            nothing,
            Unknown,
            "an attestation of `host-hardened` in the policy would decide it",
        );
        let early = |host: &mut Host| attest(host, "host-hardened", "2026-12-01", "2027-12-01");
        check_one(&CHECK, early, Unknown, "lies in the future");
    }
}
