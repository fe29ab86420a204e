//! The options in force: of flags, file and what the engine itself shows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::option::is_reloadable;
use crate::model::{DaemonOption, Engine, OptionSource, Registries};

type Options = BTreeMap<String, Value>;

/// Joins them. A flag beats the file; the engine's word beats both. `newer`: the file was changed after the daemon
/// was started, so that of what neither can be reloaded nor is shown it is not known what it was started with.
pub(super) fn effective(
    flags: Options,
    file: &Options,
    newer: bool,
    engine: Option<&Engine>,
) -> BTreeMap<String, DaemonOption> {
    let shown = engine.map(shown).unwrap_or_default();
    let mut options = BTreeMap::new();
    for (key, value) in file {
        let unsure = newer && !is_reloadable(key) && !shown.contains_key(key.as_str());
        let option = DaemonOption {
            value: if unsure { Value::Null } else { value.clone() },
            source: OptionSource::File,
            pending: unsure.then(|| value.clone()),
        };
        options.insert(key.clone(), option);
    }
    for (key, value) in flags {
        let in_file = file.get(&key);
        let option = DaemonOption {
            value: merged(&key, value, in_file),
            source: OptionSource::Flag,
            pending: None,
        };
        options.insert(key, option);
    }
    for (key, truth) in shown {
        correct(&mut options, key, truth, file.get(key));
    }
    options
}

/// Runtimes are the one option that the daemon takes from both.
fn merged(key: &str, flag: Value, file: Option<&Value>) -> Value {
    match (flag, file) {
        (Value::Object(mut flag), Some(Value::Object(file))) if key == "runtimes" => {
            for (name, runtime) in file {
                flag.entry(name).or_insert_with(|| runtime.clone());
            }
            Value::Object(flag)
        }
        (flag, _) => flag,
    }
}

/// What the engine shows of an option, and its default.
struct Shown {
    value: Value,
    default: Value,
}

fn correct(options: &mut BTreeMap<String, DaemonOption>, key: &str, shown: Shown, file: Option<&Value>) {
    let given = options.get(key).map_or(&shown.default, |option| &option.value);
    if same(given, &shown.value) {
        return;
    }
    let pending = file.filter(|value| !same(value, &shown.value)).cloned();
    let option = DaemonOption {
        value: shown.value,
        source: OptionSource::Engine,
        pending,
    };
    options.insert(key.to_owned(), option);
}

/// Lists are sets here.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            // The engine ends the address of a mirror with a slash.
            let text = |value: &Value| match value {
                Value::String(text) => text.trim_end_matches('/').to_owned(),
                other => other.to_string(),
            };
            let texts = |list: &[Value]| list.iter().map(text).collect::<BTreeSet<_>>();
            texts(one) == texts(other)
        }
        _ => one == other,
    }
}

/// The options that the engine's API shows.
fn shown(engine: &Engine) -> BTreeMap<&'static str, Shown> {
    let switch = |value: Option<bool>| value.map(|value| (json!(value), json!(false)));
    let text = |value: Option<&String>, default: Value| value.map(|value| (json!(value), default));
    let driver = engine.storage_driver.as_ref();
    let registries = engine.registries.as_ref();
    let secured = engine.security_options.as_ref();
    let has = |name: &str| secured.map(|list| list.iter().any(|option| option == name));
    // Engines before 23 do not show it: absence says nothing.
    let restrained = has("name=no-new-privileges").filter(|on| *on);
    [
        (
            "authorization-plugins",
            engine
                .authorization_plugins
                .as_ref()
                .map(|list| (json!(list), json!([]))),
        ),
        ("debug", switch(engine.debug)),
        (
            "default-runtime",
            text(engine.default_runtime.as_ref(), json!("runc")),
        ),
        ("experimental", switch(engine.experimental)),
        ("icc", icc(engine).map(|on| (json!(on), json!(true)))),
        (
            "insecure-registries",
            registries.map(|known| (json!(insecure(known)), json!([]))),
        ),
        ("live-restore", switch(engine.live_restore)),
        (
            "log-driver",
            text(engine.logging_driver.as_ref(), json!("json-file")),
        ),
        ("no-new-privileges", switch(restrained)),
        (
            "registry-mirrors",
            registries.map(|known| (json!(known.mirrors), json!([]))),
        ),
        ("selinux-enabled", switch(has("name=selinux"))),
        // Which driver is the default depends on the host: any is.
        ("storage-driver", text(driver, json!(driver))),
    ]
    .into_iter()
    .filter_map(|(key, shown)| shown.map(|(value, default)| (key, Shown { value, default })))
    .collect()
}

/// Containers on the default bridge may talk to each other, as that network's own options say.
fn icc(engine: &Engine) -> Option<bool> {
    let networks = engine.networks.get()?;
    let bridge = networks
        .iter()
        .find(|network| network.name == "bridge" && network.driver == "bridge")?;
    let option = bridge.options.get("com.docker.network.bridge.enable_icc")?;
    option.parse().ok()
}

/// Registries that are not verified, but for the loopback ranges that never are.
fn insecure(registries: &Registries) -> Vec<&String> {
    let cidrs = registries.insecure_cidrs.iter();
    cidrs
        .filter(|cidr| !matches!(cidr.as_str(), "127.0.0.0/8" | "::1/128"))
        .chain(&registries.insecure_names)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Fact, Network};

    fn map(value: Value) -> Options {
        serde_json::from_value(value).unwrap()
    }

    #[track_caller]
    fn check(flags: Value, file: Value, newer: bool, engine: Option<&Engine>, expect: Value) {
        let found = effective(map(flags), &map(file), newer, engine);
        assert_eq!(serde_json::to_value(found).unwrap(), expect);
    }

    fn option(value: Value, source: &str, pending: Value) -> Value {
        json!({ "value": value, "source": source, "pending": pending })
    }

    #[test]
    fn a_flag_beats_the_file() {
        let (flag, file) = (
            option(json!("a"), "flag", Value::Null),
            option(json!(false), "file", Value::Null),
        );
        check(json!({}), json!({}), true, None, json!({}));
        check(
            json!({ "log-driver": "a" }),
            json!({ "log-driver": "b", "icc": false }),
            false,
            None,
            json!({ "log-driver": flag, "icc": file }),
        );
        let both = json!({ "a": { "path": "/a" }, "b": { "path": "/b" } });
        check(
            json!({ "runtimes": { "a": { "path": "/a" } } }),
            json!({ "runtimes": { "a": { "path": "/x" }, "b": { "path": "/b" } } }),
            false,
            None,
            json!({ "runtimes": option(both, "flag", Value::Null) }),
        );
    }

    #[test]
    fn what_a_newer_file_says_is_pending_unless_it_can_be_reloaded() {
        let file = json!({ "no-new-privileges": true, "debug": true, "labels": ["a"] });
        check(
            json!({}),
            file,
            true,
            None,
            json!({
                "no-new-privileges": option(Value::Null, "file", json!(true)),
                "debug": option(json!(true), "file", Value::Null),
                "labels": option(json!(["a"]), "file", Value::Null),
            }),
        );
    }

    #[test]
    fn the_engines_word_beats_both() {
        let icc = |on: &str| Network {
            name: "bridge".to_owned(),
            driver: "bridge".to_owned(),
            options: [("com.docker.network.bridge.enable_icc".to_owned(), on.to_owned())].into(),
            ..Network::default()
        };
        let engine = Engine {
            debug: Some(true),
            live_restore: Some(false),
            experimental: Some(false),
            logging_driver: Some("json-file".to_owned()),
            storage_driver: Some("overlay2".to_owned()),
            registries: Some(Registries {
                insecure_cidrs: vec!["127.0.0.0/8".to_owned(), "10.0.0.0/8".to_owned()],
                insecure_names: vec!["reg:5000".to_owned()],
                mirrors: vec!["https://m/".to_owned()],
            }),
            networks: Fact::Known(vec![icc("true")]),
            security_options: Some(vec!["name=seccomp,profile=default".to_owned()]),
            ..Engine::default()
        };
        let file = json!({
            "live-restore": true, "icc": false, "storage-driver": "overlay2",
            "insecure-registries": ["reg:5000", "10.0.0.0/8"], "selinux-enabled": true,
        });
        let pending = |value| option(json!(false), "engine", value);
        check(
            json!({ "registry-mirrors": ["https://m"] }),
            file,
            true,
            Some(&engine),
            json!({
                "debug": option(json!(true), "engine", Value::Null),
                "icc": option(json!(true), "engine", json!(false)),
                "insecure-registries": option(json!(["reg:5000", "10.0.0.0/8"]), "file", Value::Null),
                "live-restore": pending(json!(true)),
                "registry-mirrors": option(json!(["https://m"]), "flag", Value::Null),
                "selinux-enabled": pending(json!(true)),
                "storage-driver": option(json!("overlay2"), "file", Value::Null),
            }),
        );
        check(json!({}), json!({}), false, Some(&Engine::default()), json!({}));
    }
}
