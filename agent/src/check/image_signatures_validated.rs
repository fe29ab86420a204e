//! Images whose signatures nothing checks.

use serde_json::json;

use super::support::is_on;
use super::{Assess, Basis, Benchmark, Check, Signal, no_live_signal};
use crate::check::Item;
use crate::model::{Evidence, Host, Severity, Source, Verdict};

pub(super) static CHECK: Check = Check {
    key: "image-signatures-validated",
    title: "Signed artifacts are validated before use",
    section: "images",
    level: 1,
    early_level: 1,
    scored: &[],
    basis: Basis::Heuristic,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_4_0, "4.12"),
        (Benchmark::V1_5_0, "4.12"),
        (Benchmark::V1_6_0, "4.12"),
        (Benchmark::V1_7_0, "4.12"),
        (Benchmark::V1_8_0, "4.12"),
    ],
    about: "A signature that nothing checks protects nobody. What enforces signatures when images are \
            pulled is looked for: verifiers of containerd, a policy for container images that does not \
            accept anything, and content trust in the daemon. Content trust that is switched off fails \
            where there is none of these. Otherwise images may still be verified elsewhere, before they \
            are deployed, which no fact of this host shows.",
    remedy: "Enforce signature verification where images are pulled",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "host",
        when: "a verifier of images is added or removed",
    }],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    vec![Item {
        subject: "verification of images".to_owned(),
        verdict: judge(host).unwrap_or_else(|verdict| verdict),
    }]
}

fn judge(host: &Host) -> Result<Verdict, Verdict> {
    let system = host.facts.system.look()?;
    let verifiers = system.image_verifiers.get().map_or(&[][..], Vec::as_slice);
    if !verifiers.is_empty() {
        let reason = format!("signatures are enforced by {}", verifiers.join(", "));
        return Ok(Verdict::pass().because(reason));
    }
    let mode = daemons_mode(host);
    if mode == Some("enforced") {
        return Ok(Verdict::pass().because("signatures are enforced by the daemon's content trust"));
    }
    if let Some(mode) = mode {
        let shown = json!({ "content-trust": { "mode": mode } });
        let shown = Evidence::new(Source::Assessment, "daemon", shown);
        return Ok(Verdict::fail(
            format!("the daemon's content trust is {mode}, not enforced"),
            vec![shown],
        ));
    }
    system.image_verifiers.look()?;
    let mut files = system.content_trust.get().into_iter().flatten();
    let off = files.find(|(_, value)| value.as_deref().is_some_and(|value| !is_on(value)));
    if let Some((file, value)) = off {
        let shown = json!({ "path": file, "DOCKER_CONTENT_TRUST": value });
        let shown = Evidence::new(Source::Assessment, "file", shown);
        let reason =
            format!("nothing enforces signatures, and {file} switches the clients' content trust off");
        return Ok(Verdict::fail(reason, vec![shown]));
    }
    Err(Verdict::unknown(
        "nothing on this host enforces signatures; whether images are verified elsewhere, no fact of it shows",
    ))
}

/// `content-trust.mode` of the daemon.
fn daemons_mode(host: &Host) -> Option<&str> {
    let option = host.facts.daemon.get()?.option("content-trust")?;
    option.value.get("mode")?.as_str()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_passes, assert_unknown, host};
    use super::*;
    use crate::model::{DaemonOption, Fact, OptionSource, VerdictKind};

    /// The verdict with these verifiers, this mode of the daemon, and this in the environment of clients.
    #[track_caller]
    fn check(verifiers: Option<&[&str]>, mode: Option<&str>, value: Option<&str>) -> Verdict {
        let mut host = host();
        let system = host.facts.system.get_mut().unwrap();
        if let Some(verifiers) = verifiers {
            system.image_verifiers = Fact::Known(verifiers.iter().map(|&name| name.into()).collect());
        }
        let file = ("/etc/environment".to_owned(), value.map(Into::into));
        system.content_trust = Fact::Known([file].into());
        let option = mode.map(|mode| DaemonOption {
            value: json!({ "mode": mode }),
            source: OptionSource::File,
            pending: None,
        });
        let daemon = host.facts.daemon.get_mut().unwrap();
        daemon
            .options
            .extend(option.map(|option| ("content-trust".to_owned(), option)));
        let mut items = assess(&host);
        assert_eq!(items.len(), 1);
        items.remove(0).verdict
    }

    #[track_caller]
    fn check_fails(verdict: &Verdict, words: &str) {
        assert_eq!(verdict.kind(), VerdictKind::Fail);
        assert!(verdict.reason.contains(words), "{}", verdict.reason);
    }

    #[test]
    fn pass_an_enforcing_verifier() {
        assert_passes(&check(Some(&["containerd's image verifier"]), None, Some("0")));
        assert_passes(&check(None, Some("enforced"), None));
    }

    #[test]
    fn fail_where_verification_is_switched_off() {
        check_fails(
            &check(None, Some("permissive"), None),
            "is permissive, not enforced",
        );
        check_fails(&check(Some(&[]), None, Some("0")), "/etc/environment switches");
    }

    #[test]
    fn unknown_where_nothing_is_found_or_could_be_looked_for() {
        assert_unknown(&check(Some(&[]), None, Some("1")), "verified elsewhere");
        assert_unknown(&check(None, None, Some("0")), "not looked at");
        assert_unknown(&assess(&Host::default()).remove(0).verdict, "not looked at");
    }
}
