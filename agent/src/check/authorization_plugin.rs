//! Who decides on requests to the engine.

use serde_json::json;

use super::support::{Setting, item};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Evidence, Host, Severity, Source, Verdict};

pub(super) static CHECK: Check = Check {
    key: "authorization-plugin",
    title: "Engine API requests pass an authorization plugin",
    section: "daemon",
    level: 2,
    early_level: 2,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "2.11"),
        (Benchmark::V1_1_0, "2.11"),
        (Benchmark::V1_2_0, "2.11"),
        (Benchmark::V1_3_1, "2.12"),
        (Benchmark::V1_4_0, "2.12"),
        (Benchmark::V1_5_0, "2.12"),
        (Benchmark::V1_6_0, "2.12"),
        (Benchmark::V1_7_0, "2.12"),
        (Benchmark::V1_8_0, "2.13"),
    ],
    about: "Without a plugin that decides on requests, whoever reaches the socket may do everything. The \
            plugins in force count, and each must be there: an enabled plugin of the engine's own, or \
            the socket or specification of a legacy one. One that is not there makes the daemon refuse, \
            or fail to start.",
    remedy: "Install a policy plugin and list it in authorization-plugins",
    assess: Assess::Host(assess),
    signals: &[
        Signal {
            kind: "host",
            when: "the engine runs without its authorization plugin, or one was disabled",
        },
        Signal {
            kind: "file",
            when: "the daemon's configuration file is changed",
        },
    ],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    match plugins(host) {
        Err(unseen) => vec![item("the daemon", Err(unseen))],
        Ok((setting, names)) if names.is_empty() => {
            let verdict = Verdict::fail("no plugin decides on requests to the engine", Vec::new());
            let remedy = format!(
                "Install an authorization plugin, and {}",
                lower(&setting.set_to(&json!(["PLUGIN"])))
            );
            vec![item("the daemon", Ok(setting.tell(verdict).remedy(remedy)))]
        }
        Ok((_, names)) => names.iter().map(|name| item(name, judge(host, name))).collect(),
    }
}

fn plugins(host: &Host) -> Result<(Setting<'_>, Vec<String>), Verdict> {
    let setting = Setting::shown(host, "authorization-plugins", |engine| {
        engine.authorization_plugins.clone()
    })?;
    let names = setting.list()?.into_iter().map(str::to_owned).collect();
    Ok((setting, names))
}

fn lower(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

fn judge(host: &Host, name: &str) -> Result<Verdict, Verdict> {
    let managed = host.facts.engine.look().and_then(|engine| engine.plugins.look());
    let enabled = managed.clone().map(|all| {
        all.get(name)
            .or_else(|| all.get(&format!("{name}:latest")))
            .copied()
    });
    if let Ok(Some(true)) = enabled {
        return Ok(Verdict::pass().because(format!("plugin {name} of the engine is enabled")));
    }
    let legacy = host
        .facts
        .system
        .look()
        .and_then(|system| system.legacy_plugins.look());
    if let Ok(names) = &legacy
        && names.iter().any(|other| other == name)
    {
        return Ok(Verdict::pass().because(format!("legacy plugin {name} is there")));
    }
    let shown = Evidence::new(
        Source::Engine,
        "plugin",
        json!({ "name": name, "enabled": enabled.clone().ok() }),
    );
    if enabled == Ok(Some(false)) {
        let verdict = Verdict::fail(format!("plugin {name} is disabled"), vec![shown]);
        return Ok(verdict.remedy(format!("Run `docker plugin enable {name}`")));
    }
    managed?;
    legacy?;
    Ok(Verdict::fail(
        format!("plugin {name} is asked for, and is not there"),
        vec![shown],
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::testing::daemon::{check_items, check_one, engine, nobody, set};
    use super::*;
    use crate::model::Fact;
    use crate::model::VerdictKind::{Fail, Pass, Unknown};

    fn managed(host: &mut Host, plugins: &[(&str, bool)]) {
        let owned = plugins.iter().map(|&(name, on)| (name.to_owned(), on));
        engine(host).plugins = Fact::Known(owned.collect::<BTreeMap<_, _>>());
    }

    #[test]
    fn pass_managed_and_legacy_plugins_that_are_there() {
        check_one(&CHECK, |_| {}, Pass, "plugin authz of the engine is enabled");
        let vary = |host: &mut Host| {
            engine(host).authorization_plugins = Some(vec!["old".into(), "new:1".into()]);
            managed(host, &[("new:1", true)]);
            host.facts.system.get_mut().unwrap().legacy_plugins = Fact::Known(vec!["old".into()]);
        };
        check_items(&CHECK, vary, &[("old", Pass), ("new:1", Pass)]);
    }

    #[test]
    fn fail_none_and_plugins_that_are_not_there() {
        let none = |host: &mut Host| engine(host).authorization_plugins = Some(Vec::new());
        let verdict = check_one(&CHECK, none, Fail, "no plugin decides");
        let remedy = "Install an authorization plugin, and put \"authorization-plugins\": [\"PLUGIN\"] in \
                      /etc/docker/daemon.json, then reload the engine";
        assert_eq!(verdict.remedy.as_deref(), Some(remedy));
        check_one(
            &CHECK,
            |host| managed(host, &[("authz:latest", false)]),
            Fail,
            "is disabled",
        );
        check_one(
            &CHECK,
            |host| managed(host, &[("authz2:latest", true)]),
            Fail,
            "is not there",
        );
    }

    #[test]
    fn fail_by_the_file_where_the_engine_does_not_answer() {
        let vary = |host: &mut Host| host.facts.engine = Fact::unknown("no engine answers");
        check_one(&CHECK, vary, Fail, "no plugin decides");
    }

    #[test]
    fn unknown_where_plugins_are_not_seen() {
        check_one(&CHECK, nobody, Unknown, "no dockerd was found");
        let vary = |host: &mut Host| {
            host.facts.engine = Fact::unknown("no engine answers");
            set(host, "authorization-plugins", json!(["authz"]));
        };
        check_one(&CHECK, vary, Unknown, "no engine answers");
    }
}
