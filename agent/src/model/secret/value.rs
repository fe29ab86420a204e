//! Values: which of them are secrets.

use sha2::{Digest, Sha256};

use super::name::{self, Says};

/// Values that switch something on or off.
const SWITCHES: [&str; 12] = [
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "0",
    "1",
    "null",
    "none",
    "nil",
    "undefined",
];

/// Beginnings of tokens of well-known services, and how many characters follow at least.
const TOKENS: [(&str, usize); 20] = [
    ("ghp_", 30),
    ("gho_", 30),
    ("ghu_", 30),
    ("ghs_", 30),
    ("ghr_", 30),
    ("github_pat_", 30),
    ("glpat-", 16),
    ("xoxa-", 10),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxr-", 10),
    ("xoxs-", 10),
    ("sk_live_", 16),
    ("rk_live_", 16),
    ("AIza", 30),
    ("npm_", 30),
    ("dckr_pat_", 16),
    ("hvs.", 20),
    ("SG.", 30),
    ("pypi-", 30),
];

/// Bits per character from which a value looks random.
const RANDOM_BITS: f64 = 3.0;
/// Shortest value that can look random, in bytes.
const RANDOM_LEN: usize = 12;

/// First 8 hexadecimal digits of the SHA-256 of a value.
#[must_use]
pub fn digest(value: &[u8]) -> String {
    let digest = Sha256::digest(value);
    digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// What a value of this name is, where it is a secret.
pub(super) fn judge(name: &str, value: &str) -> Option<&'static str> {
    let value = unquoted(value.trim());
    if is_harmless(value) {
        return None;
    }
    form(value).or_else(|| match name::says(name)? {
        Says::Secret(kind) => Some(kind),
        Says::Perhaps(kind) => looks_random(value).then_some(kind),
    })
}

/// What a value is by its form, whatever its name.
pub(super) fn form(value: &str) -> Option<&'static str> {
    if is_private_key(value) {
        Some("private key")
    } else if is_token(value) {
        Some("token")
    } else {
        password_of_url(value).map(|_password| "password")
    }
}

/// Whether a text holds a private key in PEM.
pub(super) fn is_private_key(text: &str) -> bool {
    let begin = text.split_once("-----BEGIN ").map(|(_, rest)| rest);
    let label = begin.and_then(|rest| rest.split_once("-----"));
    label.is_some_and(|(label, _)| label.ends_with("PRIVATE KEY") || label.ends_with("PRIVATE KEY BLOCK"))
}

/// Whether a word is a token of a well-known service, or a signed one (JWT).
pub(super) fn is_token(word: &str) -> bool {
    let is_body = |rest: &str, length: usize| {
        rest.len() >= length
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
    };
    let known = |(start, length): &(&str, usize)| {
        word.strip_prefix(start)
            .is_some_and(|rest| is_body(rest, *length))
    };
    let is_access_key = ["AKIA", "ASIA"].iter().any(|start| {
        word.strip_prefix(start).is_some_and(|rest| {
            rest.len() == 16
                && rest
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        })
    });
    let is_signed = word.starts_with("eyJ") && word.split('.').count() == 3 && is_body(word, 30);
    is_access_key || is_signed || TOKENS.iter().any(known)
}

/// The password of `scheme://user:password@host`.
pub(super) fn password_of_url(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("://")?;
    let authority = rest.split(['/', '?', '#', ' ', '"', '\'']).next()?;
    let (user, _) = authority.rsplit_once('@')?;
    let (_, password) = user.split_once(':')?;
    Some(password).filter(|password| !is_harmless(password))
}

/// Whether a value is no secret: nothing, a switch, or the name of a place where the secret is.
pub(super) fn is_harmless(value: &str) -> bool {
    let is_variable = value.starts_with('$') && {
        let name = value.trim_start_matches('$').trim_matches(['{', '}', '(', ')']);
        !value.starts_with("$apr1$") && !name.is_empty() && !name.contains('$')
    };
    let is_template = (value.starts_with('<') && value.ends_with('>')) || value.starts_with("{{");
    let is_place = value.starts_with("file:") || (value.starts_with('/') && !value.ends_with('='));
    let is_starred = value.bytes().all(|byte| byte == b'*');
    let is_switch = SWITCHES.iter().any(|switch| value.eq_ignore_ascii_case(switch));
    value.is_empty() || is_variable || is_template || is_place || is_starred || is_switch
}

/// A value without the quotes around it.
pub(super) fn unquoted(value: &str) -> &str {
    let strip = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    strip('"').or_else(|| strip('\'')).unwrap_or(value)
}

fn looks_random(value: &str) -> bool {
    value.len() >= RANDOM_LEN && !value.contains(char::is_whitespace) && bits_per_byte(value) >= RANDOM_BITS
}

/// Shannon entropy.
fn bits_per_byte(value: &str) -> f64 {
    let mut counts = [0_u32; 256];
    let mut total = 0_u32;
    for byte in value.bytes().take(4_096) {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
            total += 1;
        }
    }
    let share = |count: u32| f64::from(count) / f64::from(total);
    let used = counts.into_iter().filter(|count| *count > 0);
    used.map(|count| -share(count) * share(count).log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, value: &str, expected: Option<&str>) {
        assert_eq!(judge(name, value), expected, "{name}={value}");
    }

    #[test]
    fn tokens_are_known_by_their_form() {
        check("X", "AKIAIOSFODNN7EXAMPLE", Some("token"));
        check("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE", Some("token"));
        check("X", &format!("ghp_{}", "a1".repeat(18)), Some("token"));
        check("X", &format!("glpat-{}", "a1".repeat(10)), Some("token"));
        check(
            "X",
            &format!("eyJhbGciOiJIUzI1NiJ9.{}.c2ln", "a".repeat(20)),
            Some("token"),
        );
        check("X", "ghp_short", None);
        check("X", "AKIAthisisnotakey123", None);
    }

    #[test]
    fn private_keys_and_passwords_of_urls_need_no_name() {
        for label in [
            "RSA PRIVATE KEY",
            "OPENSSH PRIVATE KEY",
            "PRIVATE KEY",
            "PGP PRIVATE KEY BLOCK",
        ] {
            check("X", &format!("-----BEGIN {label}-----\nabc"), Some("private key"));
        }
        check("X", "-----BEGIN CERTIFICATE-----\nabc", None);
        check("DATABASE_URL", "postgres://app:hunter2@db/app", Some("password"));
        check("DATABASE_URL", "postgres://app@db/app", None);
        check("DATABASE_URL", "postgres://app:${PASSWORD}@db/app", None);
        check("X", "http://host:80/a@b", None);
    }

    #[test]
    fn what_names_a_secret_is_none() {
        for value in [
            "",
            "''",
            "/run/secrets/db",
            "${DB}",
            "$DB",
            "$(cat x)",
            "<password>",
            "{{ x }}",
            "true",
            "****",
        ] {
            check("DB_PASSWORD", value, None);
        }
    }

    #[test]
    fn placeholders_are_secrets_that_somebody_forgets_to_change() {
        for value in ["changeme", "password", "1234", "\"quoted\"", "$apr1$abc$def"] {
            check("DB_PASSWORD", value, Some("password"));
        }
    }

    #[test]
    fn a_vague_name_needs_a_value_that_looks_random() {
        check("GPG_KEY", "7169605F62C751356D054A26A821E680E5FA6305", Some("key"));
        check("SORT_KEY", "created", None);
        check("APP_KEY", "aaaaaaaaaaaaaaaa", None);
        check("PWD", "/root", None);
    }

    #[test]
    fn a_digest_is_the_beginning_of_sha_256() {
        assert_eq!(digest(b"abc"), "ba7816bf");
    }
}
