//! Traces of secrets, without the secrets.
//!
//! Names decide first, then the form of the value. What only names a secret (`/run/secrets/x`, `${TOKEN}`) is none; a
//! placeholder that somebody will forget to change (`changeme`) is one.

mod name;
mod text;
mod value;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use value::digest;

/// Something that looks like a secret where none should be. Never its value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct SecretHint {
    /// Where: `env`, `label`, `command`, `history`, `file`, `deleted-file`.
    pub place: String,
    /// Name of the variable, label, build argument, or path of the file.
    pub name: String,
    /// What it looks like: `private key`, `token`, `password`, …
    pub kind: String,
    /// First 8 hexadecimal digits of the value's SHA-256, to tell two apart; empty where the value was not read.
    pub digest: String,
}

/// Most secrets that are told of one object.
const MAX_HINTS: usize = 64;
/// Longest name that is told, in characters.
const NAME_LEN: usize = 200;

/// Secrets in environment variables, `NAME=VALUE`.
#[must_use]
pub fn in_env(variables: &[String]) -> Vec<SecretHint> {
    let pairs = variables.iter().filter_map(|line| line.split_once('='));
    in_pairs("env", pairs)
}

/// Secrets in labels.
pub fn in_labels<'a>(labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<SecretHint> {
    in_pairs("label", labels)
}

/// Secrets in a command line.
#[must_use]
pub fn in_command(line: &str) -> Vec<SecretHint> {
    in_text("command", line)
}

/// Secrets in a step of an image's history.
#[must_use]
pub fn in_history(step: &str) -> Vec<SecretHint> {
    in_text("history", step)
}

/// The text with `<redacted>` in place of each secret. A very long text is cut.
#[must_use]
pub fn redact(text: &str) -> String {
    text::redact(text)
}

/// A value of this name as it may be told: `<redacted>` where it is a secret.
#[must_use]
pub fn redact_value(name: &str, value: &str) -> String {
    if value::judge(name, value).is_some() {
        text::REDACTED.to_owned()
    } else {
        text::redact(value)
    }
}

fn in_pairs<'a>(place: &str, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<SecretHint> {
    let mut hints = Vec::new();
    for (name, given) in pairs {
        if let Some(kind) = value::judge(name, given) {
            hints.push(hint(place, name, kind, given));
        } else if let Some(found) = text::find(given).first() {
            // A command or a document within a value.
            hints.push(hint(place, name, found.kind, found.value));
        }
    }
    in_order(hints)
}

fn in_text(place: &str, text: &str) -> Vec<SecretHint> {
    let found = text::find(text).into_iter();
    in_order(
        found
            .map(|secret| hint(place, secret.name, secret.kind, secret.value))
            .collect(),
    )
}

fn hint(place: &str, name: &str, kind: &str, value: &str) -> SecretHint {
    // A name may be anything, a secret too.
    let name = if name.is_empty() { kind } else { name };
    SecretHint {
        place: place.to_owned(),
        name: redact(name).chars().take(NAME_LEN).collect(),
        kind: kind.to_owned(),
        digest: digest(value.as_bytes()),
    }
}

fn in_order(mut hints: Vec<SecretHint>) -> Vec<SecretHint> {
    hints.sort();
    hints.dedup();
    hints.truncate(MAX_HINTS);
    hints
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(hints: &[SecretHint], expected: &[(&str, &str, &str)]) {
        let got: Vec<_> = hints
            .iter()
            .map(|hint| (hint.place.as_str(), hint.name.as_str(), hint.kind.as_str()))
            .collect();
        assert_eq!(got, expected);
    }

    fn env(variables: &[&str]) -> Vec<SecretHint> {
        in_env(&variables.iter().map(|&line| line.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn variables_are_judged_by_name_and_value() {
        check(
            &env(&[
                "PATH=/bin",
                "DB_PASSWORD=changeme",
                "PASSWORD_FILE=/run/secrets/db",
                "A",
                "X=${TOKEN}",
            ]),
            &[("env", "DB_PASSWORD", "password")],
        );
        check(
            &env(&["OPTIONS=--user a --password hunter22"]),
            &[("env", "OPTIONS", "password")],
        );
    }

    #[test]
    fn labels_commands_and_steps_name_their_place() {
        check(
            &in_labels([("app.api-key", "k3y-of-7h3-app")]),
            &[("label", "app.api-key", "key")],
        );
        check(
            &in_command("app --token=abc123def"),
            &[("command", "token", "token")],
        );
        check(
            &in_history("RUN |1 NPM_TOKEN=abc123def /bin/sh -c npm ci"),
            &[("history", "NPM_TOKEN", "token")],
        );
    }

    #[test]
    fn equal_values_have_equal_digests_and_no_others() {
        let hints = env(&[
            "A_PASSWORD=one-secret",
            "B_PASSWORD=one-secret",
            "C_PASSWORD=another",
        ]);
        let digests: Vec<_> = hints.iter().map(|hint| hint.digest.as_str()).collect();
        assert_eq!(digests[0], digests[1]);
        assert_ne!(digests[0], digests[2]);
        assert!(digests.iter().all(|digest| digest.len() == 8));
    }

    #[test]
    fn a_value_is_told_where_it_is_no_secret() {
        assert_eq!(redact_value("role", "web"), "web");
        assert_eq!(redact_value("app.token", "abc"), "<redacted>");
        assert_eq!(redact_value("start", "app --token abc"), "app --token <redacted>");
    }

    proptest! {
        #[test]
        fn a_secret_never_comes_out(
            value in "[A-Z2-9]{6,40}",
            name in "(DB_|app\\.|--|)(PASSWORD|token|api_key|SECRET)",
            before in "[ -~]{0,40}",
            after in "([ ;&|][ -~]{0,40}|)",
        ) {
            let text = format!("{before} {name}={value}{after} {value}");
            prop_assert!(!redact(&text).contains(&value));
            let hints = serde_json::to_string(&(in_command(&text), in_env(&[text.clone()]))).unwrap();
            prop_assert!(!hints.contains(&value), "{hints}");
        }

        #[test]
        fn anything_at_all_is_survived(text in ".{0,300}") {
            let redacted = redact(&text);
            prop_assert_eq!(in_history(&text).is_empty(), redacted == text);
        }
    }
}
