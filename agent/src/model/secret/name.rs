//! Names of variables, labels and options.

/// Words whose value is a secret whatever it looks like, and what it then is.
const PLAIN: [(&str, &str); 12] = [
    ("PASSWORD", "password"),
    ("PASSWORDS", "password"),
    ("PASSWD", "password"),
    ("PASSPHRASE", "password"),
    ("SECRET", "secret"),
    ("SECRETS", "secret"),
    ("TOKEN", "token"),
    ("TOKENS", "token"),
    ("APIKEY", "key"),
    ("PRIVATEKEY", "private key"),
    ("CREDENTIAL", "credentials"),
    ("CREDENTIALS", "credentials"),
];

/// Words that make the word `KEY` after them a secret's.
const KEYS: [(&str, &str); 9] = [
    ("API", "key"),
    ("PRIVATE", "private key"),
    ("ACCESS", "key"),
    ("SECRET", "key"),
    ("ENCRYPTION", "key"),
    ("SIGNING", "key"),
    ("MASTER", "key"),
    ("DEPLOY", "key"),
    ("LICENSE", "key"),
];

/// Words whose value is a secret where it looks like one.
const VAGUE: [(&str, &str); 7] = [
    ("PASS", "password"),
    ("PWD", "password"),
    ("PW", "password"),
    ("AUTH", "credentials"),
    ("KEY", "key"),
    ("SALT", "secret"),
    ("CREDS", "credentials"),
];

/// Last words of a name that tells about a secret and does not hold one.
const ABOUT: [&str; 46] = [
    "FILE",
    "FILES",
    "PATH",
    "DIR",
    "DIRECTORY",
    "FOLDER",
    "URL",
    "URI",
    "ENDPOINT",
    "HOST",
    "NAME",
    "ID",
    "TTL",
    "TIMEOUT",
    "EXPIRY",
    "EXPIRES",
    "EXPIRATION",
    "LIFETIME",
    "AGE",
    "LENGTH",
    "LEN",
    "SIZE",
    "MIN",
    "MAX",
    "POLICY",
    "TYPE",
    "KIND",
    "HEADER",
    "ISSUER",
    "AUDIENCE",
    "ALGORITHM",
    "ENABLED",
    "DISABLED",
    "REQUIRED",
    "VERSION",
    "PREFIX",
    "SUFFIX",
    "FIELD",
    "COUNT",
    "LIMIT",
    "PROVIDER",
    "STORE",
    "FORMAT",
    "COMMAND",
    "HELPER",
    "MODE",
];

/// How much a name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// Any value is a secret, of this kind.
    Secret(&'static str),
    /// A value that looks random is one, of this kind.
    Perhaps(&'static str),
}

/// What the name of a value says of it.
pub(super) fn says(name: &str) -> Option<Says> {
    let words = words(name);
    let (last, before) = words.split_last()?;
    if ABOUT.contains(&last.as_str()) {
        return None;
    }
    let plain = words
        .iter()
        .find_map(|word| PLAIN.iter().find(|(plain, _)| word.ends_with(plain)));
    let key = || {
        let qualifier = before.last().filter(|_| last == "KEY")?;
        KEYS.iter().find(|(word, _)| qualifier == word)
    };
    if let Some((_, kind)) = key().or(plain) {
        return Some(Says::Secret(kind));
    }
    let vague = VAGUE.iter().find(|(word, _)| last == word);
    vague.map(|(_, kind)| Says::Perhaps(kind))
}

/// `dbApi-key` has the words `DB`, `API` and `KEY`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for letter in name.chars() {
        let starts = letter.is_ascii_uppercase() && was_lower;
        was_lower = letter.is_ascii_lowercase() || letter.is_ascii_digit();
        if starts || !letter.is_ascii_alphanumeric() {
            words.push(String::new());
        }
        if let (true, Some(word)) = (letter.is_ascii_alphanumeric(), words.last_mut()) {
            word.push(letter.to_ascii_uppercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: Option<Says>, names: &[&str]) {
        for name in names {
            assert_eq!(says(name), expected, "{name}");
        }
    }

    #[test]
    fn some_names_say_secret() {
        check(
            Some(Says::Secret("password")),
            &[
                "PASSWORD",
                "PGPASSWORD",
                "db.password",
                "--root-passwd",
                "mysqlRootPassword",
            ],
        );
        check(
            Some(Says::Secret("token")),
            &["NPM_TOKEN", "token", "githubToken"],
        );
        check(
            Some(Says::Secret("key")),
            &[
                "API_KEY",
                "apiKey",
                "x-api-key",
                "APIKEY",
                "AWS_SECRET_ACCESS_KEY",
            ],
        );
        check(
            Some(Says::Secret("private key")),
            &["SSH_PRIVATE_KEY", "tlsPrivateKey"],
        );
        check(
            Some(Says::Secret("credentials")),
            &["CREDENTIALS", "AWS_CREDENTIAL"],
        );
    }

    #[test]
    fn some_names_may_say_secret() {
        check(Some(Says::Perhaps("key")), &["KEY", "GPG_KEY", "app.key"]);
        check(Some(Says::Perhaps("password")), &["DB_PASS", "PWD"]);
    }

    #[test]
    fn some_names_are_about_a_secret() {
        check(
            None,
            &[
                "PASSWORD_FILE",
                "TOKEN_URL",
                "SECRET_NAME",
                "password-min-length",
                "AWS_ACCESS_KEY_ID",
                "TOKEN_TTL",
            ],
        );
        check(
            None,
            &[
                "KEYBOARD",
                "MONKEY",
                "TOKENIZER",
                "COMPASS",
                "AUTHOR",
                "",
                "=",
                "PATH",
                "é",
            ],
        );
    }
}
