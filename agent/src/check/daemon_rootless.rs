//! An engine without root.

use super::support::{item, or_attested, security_option};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Evidence, Host, Severity, Source, Verdict};
use serde_json::json;

pub(super) static CHECK: Check = Check {
    key: "daemon-rootless",
    title: "Engine runs without root on the host",
    section: "daemon",
    level: 1,
    early_level: 1,
    scored: &[],
    basis: Basis::Facts,
    severity: Severity::Low,
    numbers: &[
        (Benchmark::V1_3_1, "2.1"),
        (Benchmark::V1_4_0, "2.1"),
        (Benchmark::V1_5_0, "2.1"),
        (Benchmark::V1_6_0, "2.1"),
        (Benchmark::V1_7_0, "2.1"),
        (Benchmark::V1_8_0, "2.1"),
    ],
    about: "A daemon that is root on the host gives root on the host to whoever breaks out of it. The \
            engine's own word counts, and so does the user that its process is on the host. The \
            benchmark leaves it to the operator whether a host can do without root: the policy's \
            `rootless_required`, or an attestation, says so.",
    remedy: "Install the rootless set-up for hosts that can accept its network and cgroup limits",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "host",
        when: "the daemon is started again as root",
    }],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    vec![item("the daemon", judge(host))]
}

fn judge(host: &Host) -> Result<Verdict, Verdict> {
    let option = security_option(host, "rootless");
    if let Ok(Some(_)) = option {
        return Ok(Verdict::pass().because("the engine says that it runs rootless"));
    }
    let Some(daemon) = host.facts.daemon.get() else {
        option?;
        let shown = Evidence::new(
            Source::Engine,
            "config",
            json!({ "field": "SecurityOptions", "rootless": false }),
        );
        return Ok(as_root(
            host,
            "the engine does not say that it runs rootless",
            shown,
        ));
    };
    let (pid, uid) = (daemon.pid, daemon.uid);
    if uid != 0 {
        return Ok(Verdict::pass().because(format!("dockerd (pid {pid}) is uid {uid} on the host")));
    }
    let shown = Evidence::new(
        Source::Assessment,
        "process",
        json!({ "pid": pid, "uid": uid, "exe": daemon.exe }),
    );
    let reason = format!("dockerd (pid {pid}) is root on the host");
    Ok(as_root(host, &reason, shown))
}

fn as_root(host: &Host, reason: &str, shown: Evidence) -> Verdict {
    if host.policy.rootless_required {
        return Verdict::fail(
            format!("{reason}, and the policy requires that it is not"),
            vec![shown],
        );
    }
    let open = Verdict::unknown(format!("{reason}, and the policy does not say whether it may be"));
    or_attested(host, CHECK.key, open).evidence(shown)
}

#[cfg(test)]
mod tests {
    use super::super::testing::daemon::{check_one, daemon, engine, nobody};
    use super::*;
    use crate::model::Fact;
    use crate::model::VerdictKind::{Fail, Pass, Unknown};

    /// Nobody attests that the engine may be root.
    #[track_caller]
    fn check(vary: impl FnOnce(&mut Host), kind: crate::model::VerdictKind, words: &str) {
        let vary = |host: &mut Host| {
            host.policy.attestations.clear();
            vary(host);
        };
        check_one(&CHECK, vary, kind, words);
    }

    #[test]
    fn pass_the_engines_word_or_its_process() {
        let rootless = |host: &mut Host| engine(host).security_options = Some(vec!["name=rootless".into()]);
        check(rootless, Pass, "rootless");
        check(|host| daemon(host).uid = 1000, Pass, "uid 1000 on the host");
        check_one(&CHECK, |_| {}, Pass, "ops stated on 2026-06-01");
    }

    #[test]
    fn fail_root_where_the_policy_requires_none() {
        let required = |host: &mut Host| host.policy.rootless_required = true;
        check(
            required,
            Fail,
            "dockerd (pid 1000) is root on the host, and the policy requires",
        );
        let unseen = |host: &mut Host| {
            host.policy.rootless_required = true;
            host.facts.daemon = Fact::unknown("no permission");
        };
        check(unseen, Fail, "the engine does not say");
    }

    #[test]
    fn unknown_root_without_a_policy_and_an_engine_that_nobody_sees() {
        check(
            |_| {},
            Unknown,
            "the policy does not say whether it may be; an attestation of `daemon-rootless`",
        );
        check(nobody, Unknown, "no engine answers");
    }
}
