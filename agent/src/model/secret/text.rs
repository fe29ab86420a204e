//! Secrets in free text: command lines, steps of a build.

use super::name::{self, Says};
use super::value;

/// What stands for a secret.
pub(super) const REDACTED: &str = "<redacted>";
/// Bytes of a text that are looked at; the rest is cut.
const TEXT_LEN: usize = 64 << 10;
/// Secrets of a text that are told apart; from there on everything is redacted.
const MAX_FOUND: usize = 128;
/// Assignments within one word that are looked at: each looks at the rest of the word.
const MAX_NESTED: usize = 16;
/// From this length on a secret is redacted wherever it occurs, not only where it was found.
const REPEATED_LEN: usize = 5;

/// A secret in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found<'a> {
    /// Byte offset of the value.
    at: usize,
    pub(super) value: &'a str,
    /// Empty where it has none.
    pub(super) name: &'a str,
    pub(super) kind: &'static str,
}

/// Secrets of a text, in order, none within another.
pub(super) fn find(text: &str) -> Vec<Found<'_>> {
    apart(candidates(head(text)))
}

/// Whatever looks like a secret, one within another too.
fn candidates(text: &str) -> Vec<Found<'_>> {
    let mut found = private_keys(text);
    let mut nested = 0;
    for (at, letter) in text.char_indices() {
        let after = at + letter.len_utf8();
        nested = if letter.is_whitespace() {
            0
        } else {
            nested + usize::from(letter == '=')
        };
        let pair = match letter {
            '=' if nested <= MAX_NESTED => assignment(text, at, after),
            ':' => field(text, at, after).or_else(|| url(text, at)),
            ' ' => option(text, at, after).or_else(|| bearer(text, at, after)),
            _ => None,
        };
        found.extend(pair);
        if found.len() > MAX_FOUND {
            break;
        }
    }
    found.extend(tokens(text).take(MAX_FOUND));
    found
}

pub(super) fn redact(text: &str) -> String {
    let text = head(text);
    let candidates = candidates(text);
    let found = apart(candidates.clone());
    let mut clean = String::with_capacity(text.len());
    let mut from = 0;
    for secret in &found {
        clean.push_str(text.get(from..secret.at).unwrap_or_default());
        clean.push_str(REDACTED);
        from = secret.at + secret.value.len();
    }
    if found.len() < MAX_FOUND {
        clean.push_str(text.get(from..).unwrap_or_default());
    }
    for value in repeated(candidates) {
        clean = clean.replace(value, REDACTED);
    }
    clean
}

/// Values that must not stand anywhere, the longest first: also those that were found within another, which may stand
/// alone elsewhere.
fn repeated(candidates: Vec<Found<'_>>) -> Vec<&str> {
    let mut values: Vec<_> = candidates.into_iter().map(|secret| secret.value).collect();
    // What is part of the mark itself cannot be taken out of it.
    values.retain(|value| value.len() >= REPEATED_LEN && !REDACTED.contains(value));
    values.sort_unstable_by_key(|value| (usize::MAX - value.len(), *value));
    values.dedup();
    values
}

/// The part of a text that is looked at.
fn head(text: &str) -> &str {
    text.get(..text.floor_char_boundary(TEXT_LEN)).unwrap_or_default()
}

/// Sorted, the longest of those that overlap.
fn apart(mut found: Vec<Found<'_>>) -> Vec<Found<'_>> {
    found.sort_by_key(|secret| (secret.at, usize::MAX - secret.value.len()));
    let mut end = 0;
    found.retain(|secret| {
        let free = secret.at >= end;
        if free {
            end = secret.at + secret.value.len();
        }
        free
    });
    found.truncate(MAX_FOUND);
    found
}

/// `NAME=VALUE`.
fn assignment(text: &str, at: usize, after: usize) -> Option<Found<'_>> {
    let name = name_before(text, at)?;
    named(text, name, after)
}

/// `"NAME": "VALUE"`, and `NAME: VALUE` where the name is plain.
fn field(text: &str, at: usize, after: usize) -> Option<Found<'_>> {
    let quoted = text.get(..at)?.strip_suffix(['"', '\'']);
    let end = quoted.map_or(at, |before| before.trim_end_matches('\\').len());
    let name = name_before(text, end)?;
    let start = after + blanks(text, after);
    let is_quoted = text.get(start..)?.starts_with(['"', '\'', '\\']);
    let is_plain = matches!(name::says(name), Some(Says::Secret(_))) && start > after;
    if quoted.is_some() || is_quoted || is_plain {
        named(text, name, start)
    } else {
        None
    }
}

/// `--NAME VALUE`, and `ENV NAME VALUE`.
fn option(text: &str, at: usize, after: usize) -> Option<Found<'_>> {
    let name = name_before(text, at)?;
    let is_variable = || {
        let before = text.get(..at - name.len()).unwrap_or_default().trim_end();
        before.ends_with("ENV") || before.ends_with("ARG")
    };
    let follows = text.get(after..)?;
    if (name.starts_with("--") || is_variable()) && !follows.starts_with(['-', '=']) {
        named(text, name, after)
    } else {
        None
    }
}

/// `Bearer VALUE` and `Basic VALUE`, as HTTP has them.
fn bearer(text: &str, at: usize, after: usize) -> Option<Found<'_>> {
    let scheme = name_before(text, at)?;
    let is_scheme = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("basic");
    let value = value_at(text, after)?;
    let is_long = value.1.len() >= 12 && !value::is_harmless(value.1);
    (is_scheme && is_long).then_some(Found {
        at: value.0,
        value: value.1,
        name: "Authorization",
        kind: "token",
    })
}

/// The password of a URL whose first colon is here.
fn url(text: &str, at: usize) -> Option<Found<'_>> {
    let rest = text.get(at..)?;
    let authority = rest.strip_prefix("://")?;
    let end = authority
        .find(['/', ' ', '"', '\'', '\n'])
        .unwrap_or(authority.len());
    let value = value::password_of_url(rest.get(..end + "://".len())?)?;
    let offset = authority.find(':')? + 1;
    Some(Found {
        at: at + "://".len() + offset,
        value,
        name: "",
        kind: "password",
    })
}

/// Words that are tokens by their form.
fn tokens(text: &str) -> impl Iterator<Item = Found<'_>> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(from..)?;
            let start = from + rest.find(is_part)?;
            let word = text.get(start..)?;
            let word = word.split(|letter| !is_part(letter)).next()?;
            from = start + word.len();
            if value::is_token(word) {
                return Some((start, word));
            }
        }
    })
    .map(|(at, value)| Found {
        at,
        value,
        name: "",
        kind: "token",
    })
}

/// Private keys, from the first line to the last.
fn private_keys(text: &str) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(begin) = text.get(from..).and_then(|rest| rest.find("-----BEGIN ")) {
        let at = from + begin;
        let key = text.get(at..).unwrap_or_default();
        let end = key.find("-----END ").unwrap_or(key.len());
        let value = key.get(..end).unwrap_or_default();
        from = at + end.max(1);
        let first = value.lines().next().unwrap_or_default();
        if value::is_private_key(first) {
            found.push(Found {
                at,
                value,
                name: "",
                kind: "private key",
            });
        }
        if found.len() >= MAX_FOUND {
            break;
        }
    }
    found
}

fn named<'a>(text: &'a str, name: &'a str, start: usize) -> Option<Found<'a>> {
    let (at, value) = value_at(text, start)?;
    let kind = value::judge(name, value)?;
    Some(Found {
        at,
        value,
        name: name.trim_start_matches('-'),
        kind,
    })
}

/// The longest name that ends here.
fn name_before(text: &str, end: usize) -> Option<&str> {
    let before = text.get(..end)?;
    let start = before
        .char_indices()
        .rev()
        .take_while(|(_, letter)| letter.is_ascii_alphanumeric() || "_-.".contains(*letter))
        .last()
        .map(|(at, _)| at)?;
    before.get(start..)
}

/// The value that starts here, without its quotes, and where it is.
fn value_at(text: &str, start: usize) -> Option<(usize, &str)> {
    let rest = text.get(start..)?;
    let bare = rest.trim_start_matches('\\');
    let escapes = rest.len() - bare.len();
    let quote = bare.chars().next().filter(|first| matches!(first, '"' | '\''));
    let (at, length) = match quote {
        Some(quote) => {
            let inner = bare.get(1..)?;
            (start + escapes + 1, inner.find(quote).unwrap_or(inner.len()))
        }
        None => {
            let ends = |letter: char| letter.is_whitespace() || "\"';&|)".contains(letter);
            (start, rest.find(ends).unwrap_or(rest.len()))
        }
    };
    let value = text.get(at..at + length)?.trim_end_matches('\\');
    (!value.is_empty()).then_some((at, value))
}

fn blanks(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    rest.len() - rest.trim_start_matches(' ').len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(redact(text), expected);
    }

    #[test]
    fn assignments_are_found_wherever_they_stand() {
        check(
            "/bin/sh -c #(nop)  ENV DB_PASSWORD=hunter2",
            "/bin/sh -c #(nop)  ENV DB_PASSWORD=<redacted>",
        );
        check(
            "RUN |2 A=b TOKEN=t0ken /bin/sh -c x",
            "RUN |2 A=b TOKEN=<redacted> /bin/sh -c x",
        );
        check(
            "sh -c \"export API_KEY='a b c';x\"",
            "sh -c \"export API_KEY='<redacted>';x\"",
        );
        check(
            "curl '{\"password\": \"x1\", \"n\": 1}'",
            "curl '{\"password\": \"<redacted>\", \"n\": 1}'",
        );
        check(
            "curl \"{\\\"password\\\":\\\"x1\\\"}\"",
            "curl \"{\\\"password\\\":\\\"<redacted>\\\"}\"",
        );
    }

    #[test]
    fn options_headers_and_urls_are_found() {
        check(
            "app --password hunter2 --verbose",
            "app --password <redacted> --verbose",
        );
        check("app --password --verbose", "app --password --verbose");
        check("ENV API_TOKEN abc123", "ENV API_TOKEN <redacted>");
        check(
            "curl -H 'Authorization: Bearer abcdef123456'",
            "curl -H 'Authorization: Bearer <redacted>'",
        );
        check(
            "git clone https://me:hunter2@git/x",
            "git clone https://me:<redacted>@git/x",
        );
        check(
            "pip install --index-url http://pypi:8080/x",
            "pip install --index-url http://pypi:8080/x",
        );
    }

    #[test]
    fn tokens_and_keys_need_no_name() {
        let token = format!("ghp_{}", "x1".repeat(18));
        check(&format!("git clone x {token}"), "git clone x <redacted>");
        check(
            "echo '-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----'",
            "echo '<redacted>-----END PRIVATE KEY-----'",
        );
    }

    #[test]
    fn a_secret_that_was_found_is_redacted_everywhere() {
        check(
            "ENV P_SECRET=abcdef; echo abcdef",
            "ENV P_SECRET=<redacted>; echo <redacted>",
        );
    }

    #[test]
    fn a_secret_within_another_is_redacted_where_it_stands_alone() {
        check("Pw': DB_PASSWORD=A222A3& A222A3", "Pw': <redacted>& <redacted>");
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "/bin/sh -c apt-get update && apt-get install -y curl",
            "RUN --mount=type=secret,id=npm npm ci",
            "ENV PASSWORD_FILE=/run/secrets/db",
            "CMD [\"app\" \"--password-file\" \"/run/secrets/x\"]",
            "RUN echo $TOKEN ${SECRET} KEYBOARD=us",
            "ENTRYPOINT [\"docker-entrypoint.sh\"]",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn a_flood_of_secrets_is_cut_off() {
        let text = "TOKEN=abcdefgh ".repeat(10_000);
        let clean = redact(&text);
        assert!(!clean.contains("abcdefgh") && clean.len() < text.len());
    }
}
