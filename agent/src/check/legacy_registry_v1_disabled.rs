//! Version 1 of the registry protocol.

use super::support::{Setting, Version, item};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Evidence, Host, Severity, Source, Verdict};
use serde_json::json;

pub(super) static CHECK: Check = Check {
    key: "legacy-registry-v1-disabled",
    title: "Registry protocol v1 is off",
    section: "daemon",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_1_0),
    basis: Basis::Facts,
    severity: Severity::Low,
    numbers: &[(Benchmark::V1_13_0, "2.13"), (Benchmark::V1_1_0, "2.13")],
    about: "Version 1 of the registry protocol checks no digest of what it downloads. Engines before \
            17.12 speak it where they are told to, those before 17.06 unless they are told not to; later \
            ones do not have it, and refuse to start with the option.",
    remedy: "Upgrade the engine; drop the dead option",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "host",
        when: "the engine speaks version 1 of the registry protocol",
    }],
    observe: no_live_signal,
};

const OPTION: &str = "disable-legacy-registry";

fn assess(host: &Host) -> Vec<Item> {
    vec![item("the daemon", judge(host))]
}

fn judge(host: &Host) -> Result<Verdict, Verdict> {
    let told = host.facts.engine.get().map(|engine| engine.version.as_str());
    let Some(text) = told.or(host.facts.engine_version.as_deref()) else {
        host.facts.engine.look()?;
        return Err(Verdict::unknown("the engine does not tell its version"));
    };
    let version = Version::parse(text)
        .ok_or_else(|| Verdict::unknown(format!("the engine calls itself {text}, which is no version")))?;
    if version.is_since(17, 12) {
        return Ok(gone(host, text));
    }
    let setting = Setting::of(host, OPTION)?;
    let off = setting.flag(version.is_since(17, 6))?;
    Ok(if off {
        setting.tell(Verdict::pass().because(setting.is(true)))
    } else {
        setting
            .tell(Verdict::fail(setting.is(false), Vec::new()))
            .remedy(setting.set_to(&json!(true)))
    })
}

/// An engine that does not know the protocol: it does not start with the option.
fn gone(host: &Host, version: &str) -> Verdict {
    let file = host.facts.daemon.get().map(|daemon| &daemon.config_file);
    let content = file.and_then(|file| file.content.get()?.as_ref());
    match (file, content) {
        (Some(file), Some(content)) if content.contains_key(OPTION) => {
            let reason =
                format!("engine {version} does not know `{OPTION}`, and will not start again with it");
            let shown = json!({ "file": file.path, "option": OPTION });
            Verdict::fail(reason, vec![Evidence::new(Source::Assessment, "option", shown)])
                .remedy(format!("Remove \"{OPTION}\" from {}", file.path))
        }
        _ => Verdict::not_applicable(format!("engine {version} does not have the protocol any more")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::testing::daemon::{check_one, daemon, engine, nobody, set, set_by_flag};
    use super::*;
    use crate::model::Fact;
    use crate::model::VerdictKind::{Fail, NotApplicable, Pass, Unknown};

    fn version(host: &mut Host, version: &str) {
        engine(host).version = version.into();
    }

    #[test]
    fn pass_old_engines_that_refuse_it_and_not_applicable_later_ones() {
        check_one(&CHECK, |host| version(host, "17.09.1-ce"), Pass, "by default");
        let told = |host: &mut Host| {
            version(host, "1.13.1");
            set_by_flag(host, OPTION, json!(true));
        };
        check_one(&CHECK, told, Pass, "by the flag --disable-legacy-registry");
        check_one(
            &CHECK,
            |_| {},
            NotApplicable,
            "does not have the protocol any more",
        );
        check_one(
            &CHECK,
            |host| version(host, "17.12.0-ce"),
            NotApplicable,
            "any more",
        );
    }

    #[test]
    fn fail_old_engines_that_speak_it() {
        check_one(
            &CHECK,
            |host| version(host, "1.13.1"),
            Fail,
            "`disable-legacy-registry` is false by default",
        );
        let told = |host: &mut Host| {
            version(host, "17.09.0");
            set(host, OPTION, json!(false));
        };
        check_one(&CHECK, told, Fail, "in /etc/docker/daemon.json");
    }

    #[test]
    fn fail_a_dead_option_in_the_file() {
        let vary = |host: &mut Host| {
            let content = BTreeMap::from([(OPTION.to_owned(), json!(true))]);
            daemon(host).config_file.content = Fact::Known(Some(content));
        };
        let verdict = check_one(&CHECK, vary, Fail, "will not start again");
        assert_eq!(
            verdict.remedy.as_deref(),
            Some("Remove \"disable-legacy-registry\" from /etc/docker/daemon.json")
        );
    }

    #[test]
    fn unknown_without_a_version() {
        check_one(
            &CHECK,
            |host| version(host, "dev"),
            Unknown,
            "which is no version",
        );
        let silent = |host: &mut Host| {
            nobody(host);
            host.facts.engine_version = None;
        };
        check_one(&CHECK, silent, Unknown, "no engine answers");
    }
}
