//! Regular security audits take place.

use super::support::or_attested;
use super::{Assess, Basis, Benchmark, Check, Item, no_live_signal};
use crate::model::{Host, Severity, Verdict};

pub(super) static CHECK: Check = Check {
    key: "ops-security-audit",
    title: "Regular security audits take place",
    section: "operations",
    level: 1,
    early_level: 1,
    scored: &[],
    basis: Basis::Attested,
    severity: Severity::Low,
    numbers: &[(Benchmark::V1_13_0, "6.1")],
    about: "What nobody reviews decays unseen. Whether audits take place is no fact of the host: a dated \
            statement in the policy says so, and holds until it expires.",
    remedy: "Assess the host and its containers regularly, keep the reports, and state it under \
        attestation of `ops-security-audit` of the policy",
    assess: Assess::Host(assess),
    signals: &[],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    let subject = "security audits".to_owned();
    let verdict = or_attested(
        host,
        CHECK.key,
        Verdict::unknown("no fact of the host decides it"),
    );
    vec![Item { subject, verdict }]
}

#[cfg(test)]
mod tests {
    use super::super::testing::host;
    use super::*;
    use crate::model::{Attestation, Time, Verdict, VerdictKind};

    fn judged(vary: impl FnOnce(&mut Host)) -> Verdict {
        let mut host = host();
        vary(&mut host);
        let mut items = assess(&host);
        assert_eq!(items.len(), 1);
        items.remove(0).verdict
    }

    fn state(host: &mut Host) {
        let time = |nanos| Time::from_unix_nanos(nanos);
        host.taken = Some(time(2));
        let attestation = Attestation {
            statement: "Done and reviewed".into(),
            by: "ana".into(),
            date: time(1),
            expires: time(3),
        };
        host.policy.attestations.insert(CHECK.key.into(), attestation);
    }

    #[test]
    fn pass_with_a_statement_that_holds() {
        let verdict = judged(state);
        assert_eq!(verdict.kind(), VerdictKind::Pass);
        assert!(verdict.reason.starts_with("ana stated"), "{}", verdict.reason);
    }

    #[test]
    fn unknown_without_one() {
        let verdict = judged(|_| ());
        assert_eq!(verdict.kind(), VerdictKind::Unknown);
        assert!(
            verdict.reason.contains("attestation of `ops-security-audit`"),
            "{}",
            verdict.reason
        );
    }
}
