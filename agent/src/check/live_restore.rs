//! Containers that outlive their daemon.

use super::support::{Setting, item};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Host, Severity, Verdict};
use serde_json::json;

pub(super) static CHECK: Check = Check {
    key: "live-restore",
    title: "Containers survive an engine restart",
    section: "daemon",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Low,
    numbers: &[
        (Benchmark::V1_13_0, "2.14"),
        (Benchmark::V1_1_0, "2.14"),
        (Benchmark::V1_2_0, "2.13"),
        (Benchmark::V1_3_1, "2.15"),
        (Benchmark::V1_4_0, "2.15"),
        (Benchmark::V1_5_0, "2.15"),
        (Benchmark::V1_6_0, "2.15"),
        (Benchmark::V1_7_0, "2.15"),
        (Benchmark::V1_8_0, "2.16"),
    ],
    about: "With live restore, containers go on while the daemon is restarted, so that it can be updated \
            at once. The engine shows whether it is on. It cannot be on together with swarm mode.",
    remedy: "Enable live-restore",
    assess: Assess::Host(assess),
    signals: &[
        Signal {
            kind: "host",
            when: "live restore was turned off",
        },
        Signal {
            kind: "file",
            when: "the daemon's configuration file is changed",
        },
    ],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    vec![item("the daemon", judge(host))]
}

fn judge(host: &Host) -> Result<Verdict, Verdict> {
    let setting = Setting::shown(host, "live-restore", |engine| engine.live_restore)?;
    if setting.flag(false)? {
        return Ok(setting.tell(Verdict::pass().because(setting.is(true))));
    }
    if host
        .facts
        .engine
        .get()
        .is_some_and(|engine| engine.swarm.state == "active")
    {
        return Ok(Verdict::not_applicable(
            "a node of a swarm cannot have live restore",
        ));
    }
    let verdict = Verdict::fail(setting.is(false), Vec::new());
    Ok(setting.tell(verdict).remedy(setting.set_to(&json!(true))))
}

#[cfg(test)]
mod tests {
    use super::super::testing::daemon::{check_one, engine, nobody, set, set_by_flag};
    use super::*;
    use crate::model::Fact;
    use crate::model::VerdictKind::{Fail, NotApplicable, Pass, Unknown};

    fn off(host: &mut Host) {
        engine(host).live_restore = Some(false);
    }

    #[test]
    fn pass_live_restore_and_not_applicable_a_swarm_without() {
        check_one(&CHECK, |_| {}, Pass, "`live-restore` is true as the engine shows");
        let told = |host: &mut Host| {
            host.facts.engine = Fact::unknown("no engine answers");
            set(host, "live-restore", json!(true));
        };
        check_one(&CHECK, told, Pass, "in /etc/docker/daemon.json");
        let swarm = |host: &mut Host| {
            off(host);
            engine(host).swarm.state = "active".into();
        };
        check_one(&CHECK, swarm, NotApplicable, "node of a swarm");
    }

    #[test]
    fn fail_what_is_off_whatever_the_file_says() {
        let vary = |host: &mut Host| {
            off(host);
            set(host, "live-restore", json!(true));
        };
        let verdict = check_one(&CHECK, vary, Fail, "`live-restore` is false as the engine shows");
        let remedy = "Put \"live-restore\": true in /etc/docker/daemon.json, then reload the engine";
        assert_eq!(verdict.remedy.as_deref(), Some(remedy));
        let flagged = |host: &mut Host| {
            host.facts.engine = Fact::unknown("no engine answers");
            set_by_flag(host, "live-restore", json!(false));
        };
        check_one(&CHECK, flagged, Fail, "by the flag --live-restore");
    }

    #[test]
    fn unknown_where_nobody_tells() {
        check_one(&CHECK, nobody, Unknown, "no dockerd was found");
    }
}
