//! Experimental features of the engine.

use serde_json::Value;

use super::support::{Setting, few, item};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Host, Severity, Verdict};

pub(super) static CHECK: Check = Check {
    key: "no-experimental",
    title: "Experimental engine features are off",
    section: "daemon",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Low,
    numbers: &[
        (Benchmark::V1_13_0, "2.21"),
        (Benchmark::V1_1_0, "2.17"),
        (Benchmark::V1_2_0, "2.16"),
        (Benchmark::V1_3_1, "2.18"),
        (Benchmark::V1_4_0, "2.18"),
        (Benchmark::V1_5_0, "2.18"),
        (Benchmark::V1_6_0, "2.18"),
        (Benchmark::V1_7_0, "2.18"),
        (Benchmark::V1_8_0, "2.19"),
    ],
    about: "Experimental features are not finished, not supported, and change without notice. The engine \
            shows whether they are on, at every version. Features that are switched on one by one are \
            listed.",
    remedy: "Remove the experimental option",
    assess: Assess::Host(assess),
    signals: &[
        Signal {
            kind: "host",
            when: "the engine runs with experimental features",
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
    let setting = Setting::shown(host, "experimental", |engine| engine.experimental)?;
    if setting.flag(false)? {
        let verdict = Verdict::fail(setting.is(true), Vec::new());
        return Ok(setting.tell(verdict).remedy(setting.unset()));
    }
    let reason = match features(host) {
        names if names.is_empty() => setting.is(false),
        names => format!("{}; features that are on: {}", setting.is(false), few(&names)),
    };
    Ok(setting.tell(Verdict::pass().because(reason)))
}

/// Features that are switched on, where the daemon's options are known.
fn features(host: &Host) -> Vec<String> {
    let setting = Setting::of(host, "features").ok();
    let map = setting.as_ref().and_then(|setting| setting.map().ok().flatten());
    let on = map
        .into_iter()
        .flatten()
        .filter(|(_, on)| **on == Value::Bool(true));
    on.map(|(name, _)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::daemon::{check_one, engine, nobody, set, set_by_flag};
    use super::*;
    use crate::model::Fact;
    use crate::model::VerdictKind::{Fail, Pass, Unknown};
    use serde_json::json;

    #[test]
    fn pass_a_release_and_tell_its_features() {
        check_one(
            &CHECK,
            |_| {},
            Pass,
            "`experimental` is false as the engine shows",
        );
        let features = |host: &mut Host| set(host, "features", json!({ "buildkit": true, "cdi": false }));
        check_one(&CHECK, features, Pass, "features that are on: buildkit");
    }

    #[test]
    fn fail_experiments_at_every_version() {
        for version in ["29.8.2", "18.09.1"] {
            let vary = |host: &mut Host| {
                engine(host).version = version.into();
                engine(host).experimental = Some(true);
                set(host, "experimental", json!(true));
            };
            let verdict = check_one(&CHECK, vary, Fail, "`experimental` is true as the engine shows");
            let remedy = "Remove \"experimental\" from /etc/docker/daemon.json, then restart the engine";
            assert_eq!(verdict.remedy.as_deref(), Some(remedy));
        }
    }

    #[test]
    fn fail_the_flag_where_the_engine_does_not_answer_and_pass_its_false() {
        let flag = |value: bool| {
            move |host: &mut Host| {
                host.facts.engine = Fact::unknown("no engine answers");
                set_by_flag(host, "experimental", json!(value));
            }
        };
        check_one(&CHECK, flag(true), Fail, "by the flag --experimental");
        check_one(&CHECK, flag(false), Pass, "by the flag --experimental");
    }

    #[test]
    fn unknown_where_nobody_tells() {
        check_one(&CHECK, nobody, Unknown, "no dockerd was found");
    }
}
