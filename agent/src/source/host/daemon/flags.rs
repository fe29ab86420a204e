//! The command line of `dockerd`, read as its flag library (pflag) reads it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::option::{Kind, Spec, by_flag, by_letter, current_name};

/// Options by their name in the configuration file. A flag that no known engine has is kept under its own name;
/// what is no flag is passed over. Of a flag that is given twice the last counts, unless it is a list.
pub(super) fn parse(argv: &[String]) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    let mut arguments = argv.iter().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            break;
        }
        if let Some(long) = argument.strip_prefix("--") {
            parse_long(long, &mut arguments, &mut found);
        } else if let Some(letters) = argument.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            parse_letters(letters, &mut arguments, &mut found);
        }
    }
    found
}

type Found = BTreeMap<String, Value>;
type Arguments<'a> = std::iter::Skip<std::slice::Iter<'a, String>>;

/// `name`, `name=value`, `name value`.
fn parse_long(long: &str, arguments: &mut Arguments<'_>, found: &mut Found) {
    let (name, given) = match long.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (long, None),
    };
    match (by_flag(name), given) {
        (Some(spec), Some(value)) => add(spec, value, found),
        (Some(spec), None) if spec.kind == Kind::Switch => add(spec, "true", found),
        (Some(spec), None) => add(spec, arguments.next().map_or("", String::as_str), found),
        (None, _) if name.is_empty() => {}
        (None, Some(value)) => keep(name, value, found),
        (None, None) => {
            // Whether it takes a value is not known; what follows is one unless it looks like a flag.
            let mut ahead = arguments.clone();
            match ahead.next().filter(|next| !next.starts_with('-')) {
                Some(value) => {
                    keep(name, value, found);
                    *arguments = ahead;
                }
                None => keep(name, "", found),
            }
        }
    }
}

/// `D`, `Dl debug`, `ldebug`, `l=debug`.
fn parse_letters(letters: &str, arguments: &mut Arguments<'_>, found: &mut Found) {
    let mut rest = letters.chars();
    while let Some(letter) = rest.next() {
        // An unknown letter: nothing of what follows can be told apart.
        let Some(spec) = by_letter(letter) else { return };
        let value = match rest.as_str().strip_prefix('=') {
            Some(value) => value,
            None if spec.kind == Kind::Switch => {
                add(spec, "true", found);
                continue;
            }
            None if rest.as_str().is_empty() => arguments.next().map_or("", String::as_str),
            None => rest.as_str(),
        };
        add(spec, value, found);
        return;
    }
}

fn keep(name: &str, value: &str, found: &mut Found) {
    let value = if value.is_empty() {
        json!(true)
    } else {
        json!(value)
    };
    found.insert(current_name(name).to_owned(), value);
}

fn add(spec: &Spec, value: &str, found: &mut Found) {
    let (name, rest) = value.split_once('=').unwrap_or((value, ""));
    match spec.kind {
        Kind::Switch => set(spec, switch(value), found),
        Kind::Text => set(spec, json!(value), found),
        Kind::Number => set(spec, number(value), found),
        Kind::List => {
            let list = found.entry(spec.key.to_owned()).or_insert_with(|| json!([]));
            if let Some(list) = list.as_array_mut() {
                list.push(json!(value));
            }
        }
        Kind::Map if spec.key == "features" => insert(spec.key, name, switch(rest), found),
        Kind::Map => insert(spec.key, name, json!(rest), found),
        Kind::Runtime => insert(spec.key, name, json!({ "path": rest }), found),
        Kind::Ulimit => insert(spec.key, name, ulimit(name, rest), found),
        Kind::Nested => {
            let (key, value) = rest.split_once('=').unwrap_or((rest, ""));
            let group = map(spec.key, found).map(|groups| groups.entry(name).or_insert_with(|| json!({})));
            if let Some(group) = group.and_then(Value::as_object_mut) {
                group.insert(key.to_owned(), json!(value));
            }
        }
    }
}

fn set(spec: &Spec, value: Value, found: &mut Found) {
    found.insert(spec.key.to_owned(), value);
}

fn insert(key: &str, name: &str, value: Value, found: &mut Found) {
    if let Some(map) = map(key, found) {
        map.insert(name.to_owned(), value);
    }
}

fn map<'a>(key: &str, found: &'a mut Found) -> Option<&'a mut Map<String, Value>> {
    let map = found.entry(key.to_owned()).or_insert_with(|| json!({}));
    map.as_object_mut()
}

/// As Go's `strconv.ParseBool`; what is no boolean stays text, so that nobody takes it for one.
fn switch(value: &str) -> Value {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => json!(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => json!(false),
        other => json!(other),
    }
}

fn number(value: &str) -> Value {
    value
        .parse::<i64>()
        .map_or_else(|_| json!(value), |number| json!(number))
}

/// As the configuration file writes it.
fn ulimit(name: &str, limits: &str) -> Value {
    let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
    json!({ "Name": name, "Soft": number(soft), "Hard": number(hard) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn argv(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[track_caller]
    fn check(line: &str, expect: Value) {
        let found = serde_json::to_value(parse(&argv(line))).unwrap();
        assert_eq!(found, expect, "{line}");
    }

    #[test]
    fn switches_take_no_second_argument() {
        check("dockerd --debug false", json!({ "debug": true }));
        check(
            "dockerd --icc=false --iptables=0",
            json!({ "icc": false, "iptables": false }),
        );
        check("dockerd --icc=no", json!({ "icc": "no" }));
        check("dockerd --debug --debug=F", json!({ "debug": false }));
    }

    #[test]
    fn values_are_joined_or_follow() {
        check("dockerd --log-level debug", json!({ "log-level": "debug" }));
        check("dockerd --log-level=", json!({ "log-level": "" }));
        check("dockerd --log-level", json!({ "log-level": "" }));
        check("dockerd --group --icc=false", json!({ "group": "--icc=false" }));
        check("dockerd --label a=b=c", json!({ "labels": ["a=b=c"] }));
        check(
            "dockerd --mtu 1400 --oom-score-adjust=-500",
            json!({ "mtu": 1400, "oom-score-adjust": -500 }),
        );
        check("dockerd --mtu x", json!({ "mtu": "x" }));
    }

    #[test]
    fn letters_are_joined() {
        check(
            "dockerd -Dl debug",
            json!({ "debug": true, "log-level": "debug" }),
        );
        check("dockerd -Dldebug", json!({ "debug": true, "log-level": "debug" }));
        check("dockerd -D=false -G=x", json!({ "debug": false, "group": "x" }));
        check(
            "dockerd -Htcp://:1 -H fd://",
            json!({ "hosts": ["tcp://:1", "fd://"] }),
        );
        check(
            "dockerd -g /d -p /p -s zfs",
            json!({ "data-root": "/d", "pidfile": "/p", "storage-driver": "zfs" }),
        );
        check("dockerd -b none -xyz -", json!({ "bridge": "none" }));
    }

    #[test]
    fn lists_and_maps_grow() {
        check(
            "dockerd --insecure-registry a --insecure-registry=b,c",
            json!({ "insecure-registries": ["a", "b,c"] }),
        );
        check(
            "dockerd --log-opt max-size=1m --log-opt tag",
            json!({ "log-opts": { "max-size": "1m", "tag": "" } }),
        );
        check(
            "dockerd --storage-opt dm.basesize=9G",
            json!({ "storage-opts": ["dm.basesize=9G"] }),
        );
        check(
            "dockerd --add-runtime kata=/k",
            json!({ "runtimes": { "kata": { "path": "/k" } } }),
        );
        check(
            "dockerd --feature cdi=true",
            json!({ "features": { "cdi": true } }),
        );
        check(
            "dockerd --default-network-opt=bridge=a.b=1 --default-network-opt bridge=c=2",
            json!({ "default-network-opts": { "bridge": { "a.b": "1", "c": "2" } } }),
        );
        let nofile = json!({ "Name": "nofile", "Soft": 10, "Hard": 20 });
        let core = json!({ "Name": "core", "Soft": -1, "Hard": -1 });
        check(
            "dockerd --default-ulimit nofile=10:20 --default-ulimit core=-1",
            json!({ "default-ulimits": { "nofile": nofile, "core": core } }),
        );
    }

    #[test]
    fn what_is_no_flag_is_passed_over() {
        check("dockerd", json!({}));
        check("dockerd daemon -D -- --icc=false", json!({ "debug": true }));
        check(
            "dockerd --new x --newer --other=1 -D",
            json!({ "new": "x", "newer": true, "other": "1", "debug": true }),
        );
        check("dockerd --= --graph=/g", json!({ "data-root": "/g" }));
        assert_eq!(parse(&[]), BTreeMap::new());
    }

    proptest! {
        #[test]
        fn arbitrary_arguments_never_panic(argv in prop::collection::vec("(--?)?(\\PC{0,8}|[a-zD]{0,3}|log-opt|default-ulimit|host|runtimes|features)=?\\PC{0,8}", 0..12)) {
            drop(parse(&argv));
        }

        #[test]
        fn a_text_comes_back_as_it_was_given(value in "\\PC{0,40}", letter in any::<bool>()) {
            let name = if letter { "-G" } else { "--group" };
            for argv in [vec!["d".to_owned(), name.to_owned(), value.clone()], vec!["d".to_owned(), format!("{name}={value}")]] {
                let found = parse(&argv);
                prop_assert_eq!(found.get("group"), Some(&json!(value)));
            }
        }
    }
}
