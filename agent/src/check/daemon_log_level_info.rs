//! How much the daemon logs.

use super::support::{Setting, item};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Host, Severity, Verdict};

pub(super) static CHECK: Check = Check {
    key: "daemon-log-level-info",
    title: "Engine log level is info",
    section: "daemon",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Low,
    numbers: &[
        (Benchmark::V1_13_0, "2.2"),
        (Benchmark::V1_1_0, "2.2"),
        (Benchmark::V1_2_0, "2.2"),
        (Benchmark::V1_3_1, "2.3"),
        (Benchmark::V1_4_0, "2.3"),
        (Benchmark::V1_5_0, "2.3"),
        (Benchmark::V1_6_0, "2.3"),
        (Benchmark::V1_7_0, "2.3"),
        (Benchmark::V1_8_0, "2.3"),
    ],
    about: "At `info` the daemon logs what it does and no more: above it misses what an investigation \
            needs, below it drowns that and can show secrets. The level in force counts, however it was \
            given, and debug mode overrides it.",
    remedy: "Drop the option or set it to info",
    assess: Assess::Host(assess),
    signals: &[
        Signal {
            kind: "host",
            when: "the daemon runs with another log level, or in debug mode",
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
    let debug = Setting::shown(host, "debug", |engine| engine.debug)?;
    if debug.flag(false)? {
        let reason = format!("{}, which lowers the log level to debug", debug.is(true));
        return Ok(debug
            .tell(Verdict::fail(reason, Vec::new()))
            .remedy(debug.unset()));
    }
    let level = Setting::of(host, "log-level")?;
    let value = level.text()?.unwrap_or("info");
    let reason = level.is(value);
    if value.eq_ignore_ascii_case("info") {
        return Ok(level.tell(Verdict::pass().because(reason)));
    }
    Ok(level
        .tell(Verdict::fail(reason, Vec::new()))
        .remedy(level.unset()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::daemon::{check_one, engine, nobody, set, set_by_flag};
    use super::*;
    use crate::model::Fact;
    use crate::model::VerdictKind::{Fail, Pass, Unknown};
    use serde_json::json;

    #[test]
    fn pass_info_given_or_by_default() {
        check_one(&CHECK, |_| {}, Pass, "`log-level` is info by default");
        check_one(
            &CHECK,
            |host| set(host, "log-level", json!("info")),
            Pass,
            "info in /etc/docker",
        );
        check_one(
            &CHECK,
            |host| set_by_flag(host, "log-level", json!("INFO")),
            Pass,
            "by the flag --log-level",
        );
    }

    #[test]
    fn fail_other_levels_by_flag_or_file() {
        for level in ["debug", "warn", "error", "fatal"] {
            check_one(
                &CHECK,
                |host| set(host, "log-level", json!(level)),
                Fail,
                "in /etc/docker/daemon.json",
            );
            let flagged = |host: &mut Host| set_by_flag(host, "log-level", json!(level));
            let verdict = check_one(&CHECK, flagged, Fail, "by the flag --log-level");
            let remedy = "Remove the flag --log-level from the unit's ExecStart, then restart the engine";
            assert_eq!(verdict.remedy.as_deref(), Some(remedy));
        }
    }

    #[test]
    fn fail_debug_mode_whatever_the_level_says() {
        let both = |host: &mut Host| {
            set(host, "log-level", json!("info"));
            engine(host).debug = Some(true);
        };
        check_one(&CHECK, both, Fail, "`debug` is true as the engine shows");
        let silent = |host: &mut Host| {
            host.facts.engine = Fact::unknown("no engine answers");
            set_by_flag(host, "debug", json!(true));
        };
        check_one(&CHECK, silent, Fail, "`debug` is true by the flag --debug");
    }

    #[test]
    fn pass_debug_that_a_reload_took_back() {
        let vary = |host: &mut Host| set_by_flag(host, "debug", json!(true));
        check_one(&CHECK, vary, Pass, "`log-level` is info");
    }

    #[test]
    fn unknown_where_the_daemon_is_not_seen() {
        check_one(
            &CHECK,
            nobody,
            Unknown,
            "`debug` is not known: no dockerd was found",
        );
        let engine_only = |host: &mut Host| host.facts.daemon = Fact::unknown("no permission");
        check_one(
            &CHECK,
            engine_only,
            Unknown,
            "`log-level` is not known: no permission",
        );
    }
}
