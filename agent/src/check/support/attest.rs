//! What the operator states about matters that no fact decides.

use serde_json::json;

use crate::model::{Attestation, Evidence, Host, Source, Time, Verdict};

/// The verdict by the statement that the policy holds for a check; none where it holds none. One that has expired decides
/// nothing, nor does one that is dated later than the assessment.
pub(in crate::check) fn attested(key: &str, host: &Host) -> Option<Verdict> {
    let attestation = host.policy.attestations.get(key)?;
    let verdict = match host.taken {
        Some(now) => judge(attestation, now),
        None => Verdict::unknown(
            "when the host was looked at is not known, nor whether the statement still holds",
        ),
    };
    Some(verdict.evidence(shown(attestation)))
}

/// As [`attested`]; without a statement unknown, and what would decide it.
pub(in crate::check) fn attested_or_open(key: &str, host: &Host) -> Verdict {
    attested(key, host).unwrap_or_else(|| {
        Verdict::unknown(format!(
            "no fact of the host decides it: a dated statement under attestations.{key} of the policy does"
        ))
    })
}

fn judge(attestation: &Attestation, now: Time) -> Verdict {
    let Attestation {
        by, date, expires, ..
    } = attestation;
    let (from, until) = (day(*date), day(*expires));
    if *date > now {
        Verdict::unknown(format!(
            "the statement of {by} is dated {from}, which is yet to come"
        ))
    } else if *expires <= now {
        Verdict::unknown(format!("the statement of {by} of {from} expired on {until}"))
    } else {
        Verdict::pass().because(format!("{by} stated so on {from}, which holds until {until}"))
    }
}

fn shown(attestation: &Attestation) -> Evidence {
    let Attestation {
        statement,
        by,
        date,
        expires,
    } = attestation;
    let facts = json!({ "statement": statement, "by": by, "date": date, "expires": expires });
    Evidence::new(Source::Assessment, "attestation", facts)
}

fn day(time: Time) -> String {
    let text = time.to_string();
    text.split_once('T')
        .map_or(text.as_str(), |(day, _)| day)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::host;
    use super::*;
    use crate::model::VerdictKind;

    fn time(day: &str) -> Time {
        format!("{day}T12:00:00Z").try_into().unwrap()
    }

    #[track_caller]
    fn check(now: Option<&str>, kind: VerdictKind, reason: &str) {
        let mut host = host();
        host.taken = now.map(time);
        let attestation = Attestation {
            statement: "Reviewed by an auditor".into(),
            by: "ana".into(),
            date: time("2026-01-05"),
            expires: time("2026-07-05"),
        };
        host.policy.attestations.insert("some-check".into(), attestation);
        let verdict = attested("some-check", &host).unwrap();
        assert_eq!((verdict.kind(), verdict.reason.as_str()), (kind, reason));
        assert_eq!(verdict.evidence.len(), 1);
        assert_eq!(attested("other-check", &host), None);
        let open = attested_or_open("other-check", &host);
        assert!(
            open.reason.contains("attestations.other-check"),
            "{}",
            open.reason
        );
        assert_eq!(open.kind(), VerdictKind::Unknown);
    }

    #[test]
    fn a_statement_holds_from_its_date_until_it_expires() {
        let holds = "ana stated so on 2026-01-05, which holds until 2026-07-05";
        check(Some("2026-01-05"), VerdictKind::Pass, holds);
        check(Some("2026-07-04"), VerdictKind::Pass, holds);
        let expired = "the statement of ana of 2026-01-05 expired on 2026-07-05";
        check(Some("2026-07-05"), VerdictKind::Unknown, expired);
        let early = "the statement of ana is dated 2026-01-05, which is yet to come";
        check(Some("2026-01-04"), VerdictKind::Unknown, early);
        let timeless = "when the host was looked at is not known, nor whether the statement still holds";
        check(None, VerdictKind::Unknown, timeless);
    }
}
