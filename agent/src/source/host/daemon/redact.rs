//! Command lines and options without the secrets that some of them hold.

use serde_json::Value;

const HIDDEN: &str = "***";
/// In the name of an option of a log driver or of a label: its value is nobody's business.
const SECRET_WORDS: [&str; 5] = ["token", "password", "passwd", "secret", "credential"];

/// Hides the user part of every URI in a text, and the value of `name=value` where the name says that it is secret.
pub(super) fn text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        shown.push_str(before);
        shown.push_str("://");
        let end = after.find(['/', '?', ' ', ',']).unwrap_or(after.len());
        let authority = after.get(..end).unwrap_or_default();
        rest = match authority.rsplit_once('@') {
            Some((user, _)) => {
                shown.push_str(HIDDEN);
                after.get(user.len()..).unwrap_or_default()
            }
            None => after,
        };
    }
    shown.push_str(rest);
    match shown.rsplit_once('=') {
        Some((name, value)) if is_secret(name) && !value.is_empty() => format!("{name}={HIDDEN}"),
        _ => shown,
    }
}

/// As [`text`], in every text of a value; `name` is the key that it stands under.
pub(super) fn value(name: &str, value: Value) -> Value {
    match value {
        Value::String(_) if is_secret(name) => Value::String(HIDDEN.to_owned()),
        Value::String(given) => Value::String(text(&given)),
        Value::Array(list) => list.into_iter().map(|item| self::value(name, item)).collect(),
        Value::Object(map) => {
            let pairs = map.into_iter().map(|(key, item)| {
                let hidden = self::value(&key, item);
                (key, hidden)
            });
            Value::Object(pairs.collect())
        }
        other => other,
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(given: &str, expect: &str) {
        assert_eq!(text(given), expect, "{given}");
    }

    #[test]
    fn secrets_are_hidden_and_the_rest_is_not() {
        check("--http-proxy=http://u:p@h:1/x", "--http-proxy=http://***@h:1/x");
        check("http://u:p@@h,https://v@i", "http://***@h,https://***@i");
        check("unix:///run/docker.sock", "unix:///run/docker.sock");
        check("tcp://0.0.0.0:2376", "tcp://0.0.0.0:2376");
        check("--log-opt=splunk-token=abc", "--log-opt=splunk-token=***");
        check("splunk-token=", "splunk-token=");
        check("--tlskey=/a/key.pem", "--tlskey=/a/key.pem");
        check("nofile=10:20", "nofile=10:20");
    }

    #[test]
    fn values_are_searched_to_the_bottom() {
        let given = json!({ "log-opts": { "splunk-token": "x", "tag": "t" }, "l": ["http://u:p@h"], "n": 1 });
        let expect =
            json!({ "log-opts": { "splunk-token": "***", "tag": "t" }, "l": ["http://***@h"], "n": 1 });
        assert_eq!(value("", given), expect);
    }

    proptest! {
        #[test]
        fn no_password_of_a_uri_is_shown(before in "[a-z= ]{0,5}", password in "[A-Z@:]{1,8}", after in "\\PC{0,9}") {
            let shown = text(&format!("{before}http://u:{password}@h/{after}"));
            prop_assert!(shown.contains("://***@h/"), "{}", shown);
            drop(text(&after));
        }
    }
}
