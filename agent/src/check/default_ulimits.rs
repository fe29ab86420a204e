//! Limits that containers get from the engine.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::support::{Setting, few, item};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Evidence, Host, Severity, Source, Verdict};

pub(super) static CHECK: Check = Check {
    key: "default-ulimits",
    title: "Engine sets default process limits for containers",
    section: "daemon",
    level: 1,
    early_level: 1,
    scored: &[],
    basis: Basis::Facts,
    severity: Severity::Low,
    numbers: &[
        (Benchmark::V1_13_0, "2.7"),
        (Benchmark::V1_1_0, "2.7"),
        (Benchmark::V1_2_0, "2.7"),
        (Benchmark::V1_3_1, "2.8"),
        (Benchmark::V1_4_0, "2.8"),
        (Benchmark::V1_5_0, "2.8"),
        (Benchmark::V1_6_0, "2.8"),
        (Benchmark::V1_7_0, "2.8"),
        (Benchmark::V1_8_0, "2.9"),
    ],
    about: "Limits that the engine sets for every container keep one of them from using up the host's \
            files or processes. Whether the defaults hold the limits that the policy's \
            `required_ulimits` names is decided; which limits suit a host without such a list is not. \
            What containers inherit where none is set is shown.",
    remedy: "Define default-ulimits in daemon.json",
    assess: Assess::Host(assess),
    signals: &[
        Signal {
            kind: "host",
            when: "the daemon is started again without the limits",
        },
        Signal {
            kind: "file",
            when: "the daemon's configuration file is changed",
        },
    ],
    observe: no_live_signal,
};

/// What is looked for where the policy names nothing.
const USUAL: [&str; 2] = ["nofile", "nproc"];

fn assess(host: &Host) -> Vec<Item> {
    vec![item("the daemon", judge(host))]
}

fn judge(host: &Host) -> Result<Verdict, Verdict> {
    let setting = Setting::of(host, "default-ulimits")?;
    let none = Map::new();
    let given = setting.map()?.unwrap_or(&none);
    let asked = &host.policy.required_ulimits;
    let required: Vec<&str> = match asked.is_empty() {
        true => USUAL.to_vec(),
        false => asked.iter().map(String::as_str).collect(),
    };
    let lacking: Vec<&str> = required
        .into_iter()
        .filter(|name| !given.contains_key(*name))
        .collect();
    if lacking.is_empty() {
        let names: Vec<_> = given.iter().map(|(name, limit)| in_words(name, limit)).collect();
        return Ok(setting.tell(Verdict::pass().because(format!("the engine sets {}", few(&names)))));
    }
    let reason = format!("the engine sets no default for {}", few(&lacking));
    let verdict = if asked.is_empty() {
        Verdict::unknown(format!(
            "{reason}; `required_ulimits` in the policy decides what it should set"
        ))
        .evidence(inherited(host))
    } else {
        Verdict::fail(
            format!("{reason}, which the policy requires"),
            vec![inherited(host)],
        )
        .remedy(setting.set_to(&example(given, &lacking)))
    };
    Ok(setting.tell(verdict))
}

fn in_words(name: &str, limit: &Value) -> String {
    let number = |field: &str| limit.get(field).map_or_else(|| "?".to_owned(), Value::to_string);
    format!("{name} {}:{}", number("Soft"), number("Hard"))
}

/// What is given, with a place for what is lacking.
fn example(given: &Map<String, Value>, lacking: &[&str]) -> Value {
    let mut all = given.clone();
    for name in lacking {
        let limit = json!({ "Name": name, "Soft": 1024, "Hard": 4096 });
        all.insert((*name).to_owned(), limit);
    }
    Value::Object(all)
}

/// Limits of the containers that run now, each value once.
fn inherited(host: &Host) -> Evidence {
    let mut found: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let truths = host
        .containers
        .iter()
        .flatten()
        .filter_map(|container| container.truth.as_ref());
    for limit in truths.filter_map(|truth| truth.ulimits.as_ref()).flatten() {
        let values = found.entry(&limit.name).or_default();
        let value = format!("{}:{}", limit.soft, limit.hard);
        if !values.contains(&value) && values.len() < 8 {
            values.push(value);
        }
    }
    Evidence::new(Source::Kernel, "limits", json!({ "containers": found }))
}

#[cfg(test)]
mod tests {
    use super::super::testing::container;
    use super::super::testing::daemon::{check_one, nobody, running, set, set_by_flag, unset};
    use super::*;
    use crate::model::VerdictKind::{Fail, Pass, Unknown};

    #[test]
    fn pass_a_nested_map_with_what_is_asked_for() {
        check_one(
            &CHECK,
            |_| {},
            Pass,
            "the engine sets nofile 64000:64000, nproc 4096:4096",
        );
        let core = |host: &mut Host| {
            host.policy.required_ulimits = vec!["core".into()];
            set_by_flag(
                host,
                "default-ulimits",
                json!({ "core": { "Name": "core", "Hard": 0, "Soft": 0 } }),
            );
        };
        check_one(&CHECK, core, Pass, "core 0:0");
    }

    #[test]
    fn fail_what_the_policy_requires_and_nobody_sets() {
        let vary = |host: &mut Host| {
            host.policy.required_ulimits = vec!["nofile".into(), "core".into()];
        };
        let verdict = check_one(&CHECK, vary, Fail, "the engine sets no default for core");
        let remedy = verdict.remedy.unwrap();
        assert!(
            remedy.starts_with("Put \"default-ulimits\": {\"core\":{"),
            "{remedy}"
        );
        assert!(
            remedy.contains("\"nofile\":{\"Hard\":64000"),
            "what is set stays: {remedy}"
        );
    }

    #[test]
    fn unknown_without_limits_and_without_a_list_and_where_the_daemon_is_not_seen() {
        let vary = |host: &mut Host| {
            unset(host, "default-ulimits");
            running(host, vec![container("web"), container("db")]);
        };
        let verdict = check_one(
            &CHECK,
            vary,
            Unknown,
            "no default for nofile, nproc; `required_ulimits`",
        );
        let limits = &verdict.evidence[0].facts()["containers"];
        assert_eq!(limits, &json!({ "nofile": ["1024:4096"] }));
        check_one(
            &CHECK,
            |host| set(host, "default-ulimits", json!({})),
            Unknown,
            "no default for",
        );
        check_one(
            &CHECK,
            |host| set(host, "default-ulimits", json!("x")),
            Unknown,
            "which is no object",
        );
        check_one(&CHECK, nobody, Unknown, "no dockerd was found");
    }
}
