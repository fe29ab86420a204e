//! Statements of the operator about what no fact decides.

use serde_json::json;

use crate::model::{Attestation, Evidence, Host, Source, Time, Verdict};

/// What the operator states about a check; none where nothing is stated. A statement that has expired is a failure:
/// what it stood for is overdue by the operator's own word.
pub(in crate::check) fn attested(host: &Host, key: &str) -> Option<Verdict> {
    let statement = host.policy.attestations.get(key)?;
    Some(match host.taken {
        Some(now) => weigh(statement, now),
        None => {
            Verdict::unknown("when the host was looked at is not known, nor whether the attestation holds")
        }
    })
}

/// What the operator states about a check that facts leave open, else why they do.
pub(in crate::check) fn or_attested(host: &Host, key: &str, open: Verdict) -> Verdict {
    attested(host, key).unwrap_or_else(|| {
        let reason = format!(
            "{}; an attestation of `{key}` in the policy would decide it",
            open.reason
        );
        open.because(reason)
    })
}

fn weigh(statement: &Attestation, now: Time) -> Verdict {
    let Attestation {
        statement,
        by,
        date: made,
        expires,
    } = statement;
    let said = format!("{by} stated on {}: {statement}", date(*made));
    let facts = json!({ "statement": statement, "by": by, "date": made, "expires": expires });
    let shown = Evidence::new(Source::Assessment, "attestation", facts);
    if *made > now {
        return Verdict::unknown(format!("{said}; that lies in the future")).evidence(shown);
    }
    if *expires <= now {
        return Verdict::fail(
            format!("{said}; that expired on {}", last_day(*expires)),
            vec![shown],
        );
    }
    let reason = format!("{said}; that holds until {}", last_day(*expires));
    Verdict::pass().because(reason).evidence(shown)
}

/// The last day of a time that ends at this instant, as the operator wrote it: a statement holds until the end of a day.
fn last_day(end: Time) -> String {
    date(Time::from_unix_nanos(end.unix_nanos().saturating_sub(1)))
}

/// The day of an instant, in UTC.
pub(in crate::check) fn date(time: Time) -> String {
    let text = time.to_string();
    text.split('T').next().unwrap_or(&text).to_owned()
}

/// Whole days between two instants; 0 where the first is the later one.
pub(in crate::check) fn days_between(earlier: Time, later: Time) -> u64 {
    later.since(earlier).as_secs() / 86_400
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::daemon::{attest, hardened};
    use crate::model::VerdictKind;

    #[track_caller]
    fn check(made: &str, expires: &str, kind: VerdictKind, reason: &str) {
        let mut host = hardened();
        host.taken = Some("2026-10-20T00:00:00Z".to_owned().try_into().unwrap());
        attest(&mut host, "host-hardened", made, expires);
        let verdict = attested(&host, "host-hardened").unwrap();
        assert_eq!((verdict.kind, verdict.reason.as_str()), (kind, reason));
        assert_eq!(verdict.evidence.len(), 1);
    }

    #[test]
    fn a_statement_holds_from_its_date_until_it_expires() {
        let said = "ops stated on 2026-01-01: done; that";
        let holds = format!("{said} holds until 2026-12-30");
        check("2026-01-01", "2026-12-31", VerdictKind::Pass, &holds);
        let expired = format!("{said} expired on 2026-10-19");
        check("2026-01-01", "2026-10-20", VerdictKind::Fail, &expired);
        let future = "ops stated on 2026-10-21: done; that lies in the future";
        check("2026-10-21", "2026-12-31", VerdictKind::Unknown, future);
    }

    #[test]
    fn without_a_clock_nothing_holds_and_without_a_statement_the_check_is_open() {
        let mut host = hardened();
        let open = or_attested(&host, "some-key", Verdict::unknown("nobody knows"));
        let reason = "nobody knows; an attestation of `some-key` in the policy would decide it";
        assert_eq!((open.kind, open.reason.as_str()), (VerdictKind::Unknown, reason));
        attest(&mut host, "some-key", "2026-01-01", "2026-12-31");
        host.taken = None;
        assert_eq!(attested(&host, "some-key").unwrap().kind, VerdictKind::Unknown);
    }
}
