//! Releases that are still mended.

use serde_json::json;

use super::support::{Line, Support, TABLE_DATE, Version, date, day, days_between, item, shipped, support};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Engine, Evidence, Host, Severity, Source, Verdict};

pub(super) static CHECK: Check = Check {
    key: "docker-up-to-date",
    title: "Engine, containerd and runc are at a supported release",
    section: "host",
    level: 1,
    early_level: 1,
    scored: &[],
    basis: Basis::Heuristic,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "1.3"),
        (Benchmark::V1_1_0, "1.3"),
        (Benchmark::V1_2_0, "1.1.2"),
        (Benchmark::V1_3_1, "1.2.2"),
        (Benchmark::V1_4_0, "1.2.2"),
        (Benchmark::V1_5_0, "1.2.2"),
        (Benchmark::V1_6_0, "1.2.2"),
        (Benchmark::V1_7_0, "1.2.2"),
        (Benchmark::V1_8_0, "1.2.2"),
    ],
    about: "Break-outs are found and mended every year, but only in releases that are supported. The \
            versions of the engine, containerd and runc are held against a table of supported lines that \
            comes with Hullwatch, or against the policy's own; nothing is asked over the network, so \
            that a table older than half a year passes nobody. A daemon whose program was replaced still \
            runs the old one. Distributions mend old releases under their old number: such a failure is \
            of low severity.",
    remedy: "Upgrade the packages and restart the daemon; live restore keeps containers up meanwhile",
    assess: Assess::Host(assess),
    signals: &[
        Signal {
            kind: "exec",
            when: "a daemon or runtime of another version is started",
        },
        Signal {
            kind: "host",
            when: "the engine is of another version, or its program was replaced",
        },
    ],
    observe: no_live_signal,
};

/// Age in days at which the table passes nobody any more.
const TOO_OLD: u64 = 180;

fn assess(host: &Host) -> Vec<Item> {
    let engine = host.facts.engine.get();
    let component = |name: &str| {
        engine
            .and_then(|engine| engine.components.get(name))
            .map(String::as_str)
    };
    let version = engine
        .map(engine_version)
        .or(host.facts.engine_version.as_deref());
    vec![
        item("docker", judge(host, "docker", version)),
        item("containerd", judge(host, "containerd", component("containerd"))),
        item("runc", judge(host, "runc", component("runc"))),
        item("the daemon's program", replaced(host)),
    ]
}

fn engine_version(engine: &Engine) -> &str {
    &engine.version
}

fn judge(host: &Host, component: &str, told: Option<&str>) -> Result<Verdict, Verdict> {
    let Some(told) = told else {
        host.facts.engine.look()?;
        return Err(Verdict::unknown(format!(
            "the engine does not tell the version of {component}"
        )));
    };
    let version = Version::parse(told)
        .ok_or_else(|| Verdict::unknown(format!("{component} calls itself {told}, which is no version")))?;
    let (lines, by_policy) = lines(host, component)?;
    let shown = Evidence::new(
        Source::Engine,
        "version",
        json!({ "component": component, "version": told, "by_policy": by_policy, "table": TABLE_DATE }),
    );
    let what = match support(version, &lines, host.taken) {
        Support::Good => return Ok(good(host, component, told, by_policy).evidence(shown)),
        Support::Below((major, minor, patch)) => format!("is older than {major}.{minor}.{patch}"),
        Support::Ended(end) => format!("is of a line whose support ended on {}", date(end)),
        Support::Unlisted => "is of a line that is not supported any more".to_owned(),
    };
    let verdict = Verdict::fail(format!("{component} {told} {what}"), vec![shown]);
    Ok(if version.patched {
        let reason = format!("{}, though its distribution may have mended it", verdict.reason);
        verdict.because(reason).severity(Severity::Low)
    } else {
        verdict
    })
}

/// Supported lines, and whether they are the policy's.
fn lines(host: &Host, component: &str) -> Result<(Vec<Line>, bool), Verdict> {
    let Some(listed) = host.policy.minimum_versions.get(component) else {
        return Ok((shipped(component), false));
    };
    let line = |text: &String| {
        let why = || {
            Verdict::unknown(format!(
                "`minimum_versions` of {component} lists {text}, which is no version"
            ))
        };
        Line::from(text).ok_or_else(why)
    };
    Ok((listed.iter().map(line).collect::<Result<_, _>>()?, true))
}

/// A release that is good by the list, as far as the list can be relied on.
fn good(host: &Host, component: &str, told: &str, by_policy: bool) -> Verdict {
    if by_policy {
        return Verdict::pass().because(format!("{component} {told} is supported by the policy's list"));
    }
    let age = day(TABLE_DATE)
        .zip(host.taken)
        .map(|(made, now)| days_between(made, now));
    match age {
        Some(age) if age <= TOO_OLD => {
            Verdict::pass().because(format!("{component} {told} is supported as of {TABLE_DATE}"))
        }
        Some(age) => Verdict::unknown(format!(
            "{component} {told} was supported on {TABLE_DATE}, {age} days ago; `minimum_versions` in the policy decides"
        )),
        None => Verdict::unknown(format!(
            "{component} {told} was supported on {TABLE_DATE}; how long ago that is is not known"
        )),
    }
}

fn replaced(host: &Host) -> Result<Verdict, Verdict> {
    let daemon = host.facts.daemon.look()?;
    let exe = &daemon.exe;
    if !daemon.exe_replaced {
        return Ok(Verdict::pass().because(format!("dockerd (pid {}) runs the file at {exe}", daemon.pid)));
    }
    let facts = json!({ "pid": daemon.pid, "exe": exe, "started": daemon.started });
    let reason = format!(
        "{exe} was replaced since dockerd (pid {}) was started from it",
        daemon.pid
    );
    Ok(
        Verdict::fail(reason, vec![Evidence::new(Source::Assessment, "process", facts)])
            .remedy("Restart docker.service"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::daemon::{check_items, daemon, day as at, engine, judged, nobody};
    use super::*;
    use crate::model::VerdictKind::{self, Fail, Pass, Unknown};

    /// What is said of the engine of this version, and how bad it is.
    #[track_caller]
    fn check(
        version: &str,
        vary: impl FnOnce(&mut Host),
        kind: VerdictKind,
        words: &str,
    ) -> Option<Severity> {
        let vary = |host: &mut Host| {
            engine(host).version = version.into();
            vary(host);
        };
        let verdict = judged(&CHECK, vary).remove(0).verdict;
        assert_eq!(verdict.kind, kind, "{}", verdict.reason);
        assert!(verdict.reason.contains(words), "{}", verdict.reason);
        verdict.severity
    }

    fn policy(host: &mut Host, lines: &[&str]) {
        let owned = lines.iter().map(|&line| line.to_owned()).collect();
        host.policy.minimum_versions.insert("docker".into(), owned);
    }

    #[test]
    fn pass_supported_releases_and_what_the_policy_lists() {
        let parts = ["docker", "containerd", "runc", "the daemon's program"];
        check_items(&CHECK, |_| {}, &parts.map(|part| (part, Pass)));
        check(
            "20.10.24+dfsg1",
            |host| policy(host, &["20.10"]),
            Pass,
            "the policy's list",
        );
        check(
            "20.10.24+dfsg1",
            |host| policy(host, &["20.10.24", "29.3"]),
            Pass,
            "the policy's list",
        );
    }

    #[test]
    fn fail_old_releases_and_lines() {
        assert_eq!(
            check("29.3.0", |_| {}, Fail, "docker 29.3.0 is older than 29.3.1"),
            None
        );
        check("24.0.9", |_| {}, Fail, "a line that is not supported any more");
        check("26.1.4", |_| {}, Fail, "a line that is not supported any more");
        let patched = check(
            "20.10.24+dfsg1",
            |_| {},
            Fail,
            "its distribution may have mended it",
        );
        assert_eq!(patched, Some(Severity::Low));
        check(
            "20.10.23",
            |host| policy(host, &["20.10.24"]),
            Fail,
            "is older than 20.10.24",
        );
        let ended = |host: &mut Host| {
            engine(host)
                .components
                .insert("containerd".into(), "2.2.4".into());
            host.taken = Some(at("2026-11-10"));
        };
        let items = judged(&CHECK, ended);
        assert!(
            items[1].verdict.reason.ends_with("support ended on 2026-11-06"),
            "{:?}",
            items[1]
        );
    }

    #[test]
    fn fail_a_daemon_whose_program_was_replaced() {
        let items = judged(&CHECK, |host| daemon(host).exe_replaced = true);
        let verdict = &items[3].verdict;
        assert_eq!(verdict.kind, Fail);
        assert_eq!(
            verdict.reason,
            "/usr/bin/dockerd was replaced since dockerd (pid 1000) was started from it"
        );
    }

    #[test]
    fn unknown_by_an_old_table_without_a_clock_and_what_is_no_version() {
        check(
            "29.8.2",
            |host| host.taken = Some(at("2027-04-13")),
            Pass,
            "as of 2026-10-15",
        );
        check(
            "29.8.2",
            |host| host.taken = Some(at("2027-04-14")),
            Unknown,
            "181 days ago",
        );
        check(
            "29.8.2",
            |host| host.taken = None,
            Unknown,
            "how long ago that is",
        );
        check("dev", |_| {}, Unknown, "which is no version");
        check(
            "29.8.2",
            |host| policy(host, &["all"]),
            Unknown,
            "lists all, which is no version",
        );
        let silent = |host: &mut Host| {
            nobody(host);
            host.facts.engine_version = None;
        };
        let kinds: Vec<_> = judged(&CHECK, silent)
            .iter()
            .map(|item| item.verdict.kind)
            .collect();
        assert_eq!(kinds, [Unknown; 4]);
        let podman = judged(&CHECK, |host| engine(host).components.clear());
        assert_eq!(
            podman[1].verdict.reason,
            "the engine does not tell the version of containerd"
        );
    }
}
