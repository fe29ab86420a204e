//! Where logins and services get `DOCKER_CONTENT_TRUST` from.

use std::collections::BTreeMap;
use std::io;

use super::super::account::Accounts;
use super::super::process_root::ProcessRoot;
use super::files;
use crate::model::{Fact, SocketAccess};

const NAME: &str = "DOCKER_CONTENT_TRUST";
/// Users whose own files are looked at.
const MAX_USERS: usize = 64;

/// How a file gives variables.
#[derive(Clone, Copy)]
enum Syntax {
    /// `NAME=value`, as in `/etc/environment`.
    Pairs,
    /// A shell's: what is exported.
    Shell,
    /// `NAME DEFAULT=value OVERRIDE=value` (`pam_env.conf(5)`).
    Pam,
    /// `DefaultEnvironment=NAME=value …` (`systemd-system.conf(5)`).
    Manager,
}

/// Files of the whole host.
const FILES: &[(&str, Syntax)] = &[
    ("/etc/environment", Syntax::Pairs),
    ("/etc/profile", Syntax::Shell),
    ("/etc/bash.bashrc", Syntax::Shell),
    ("/etc/security/pam_env.conf", Syntax::Pam),
    ("/etc/systemd/system.conf", Syntax::Manager),
];
/// Directories of such files, and how their names end.
const DIRECTORIES: &[(&str, &str, Syntax)] = &[
    ("/etc/profile.d", ".sh", Syntax::Shell),
    ("/etc/environment.d", ".conf", Syntax::Pairs),
    ("/etc/systemd/system.conf.d", ".conf", Syntax::Manager),
    ("/usr/lib/systemd/system.conf.d", ".conf", Syntax::Manager),
];
/// Files in a user's home directory.
const OWN: &[(&str, Syntax)] = &[
    (".profile", Syntax::Shell),
    (".bash_profile", Syntax::Shell),
    (".bashrc", Syntax::Shell),
    (".zshenv", Syntax::Shell),
    (".pam_environment", Syntax::Pam),
];

/// Each file of the host that there is, with the value that it sets; of those who can reach the engine, their own
/// files that set it. What a script sets under a condition counts as set.
pub(super) fn content_trust(
    root: &ProcessRoot,
    users: &[SocketAccess],
) -> Fact<BTreeMap<String, Option<String>>> {
    read(root, users).map_or_else(Fact::Unknown, Fact::Known)
}

fn read(root: &ProcessRoot, users: &[SocketAccess]) -> Result<BTreeMap<String, Option<String>>, String> {
    let mut found = BTreeMap::new();
    let mut look = |path: String, syntax: Syntax, only_if_set: bool| {
        let failed = |error: io::Error| format!("cannot read {path}: {error}");
        if let Some(text) = files::text_if_any(root, &path).map_err(failed)? {
            let value = value(&text, syntax);
            if value.is_some() || !only_if_set {
                found.insert(path, value);
            }
        }
        Ok::<(), String>(())
    };
    for (path, syntax) in FILES {
        look((*path).to_owned(), *syntax, false)?;
    }
    for (directory, end, syntax) in DIRECTORIES {
        let files = files::list(root, directory).into_iter();
        for path in files.filter(|path| path.ends_with(end)) {
            look(path, *syntax, false)?;
        }
    }
    for home in homes(users) {
        for (name, syntax) in OWN {
            // A home directory may be out of even root's reach (NFS); it says nothing of the others.
            look(format!("{home}/{name}"), *syntax, true).unwrap_or_default();
        }
    }
    Ok(found)
}

/// Home directories of root and of those who can reach the engine.
fn homes(users: &[SocketAccess]) -> Vec<String> {
    let accounts = Accounts::read().unwrap_or_default();
    let is_wanted = |uid: u32| uid == 0 || users.iter().any(|user| user.uid == uid);
    let wanted = accounts
        .users
        .into_iter()
        .filter(|user| is_wanted(user.uid) && user.home.starts_with('/'));
    wanted.take(MAX_USERS).map(|user| user.home).collect()
}

/// The value that a text sets last; empty where it takes the variable away.
fn value(text: &str, syntax: Syntax) -> Option<String> {
    match syntax {
        Syntax::Pairs => lines(text)
            .filter_map(|line| assigned(line.strip_prefix("export ").unwrap_or(line)))
            .last(),
        Syntax::Shell => shell(text),
        Syntax::Pam => lines(text).filter_map(pam).last(),
        Syntax::Manager => lines(text)
            .filter_map(|line| line.strip_prefix("DefaultEnvironment=").map(str::trim))
            // An empty one takes back all before it.
            .fold(None, |before, words| {
                if words.is_empty() {
                    None
                } else {
                    words_of(words).last().or(before)
                }
            }),
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.starts_with('#'))
}

/// `NAME=value`, quoted or not.
fn assigned(word: &str) -> Option<String> {
    let value = word.trim().strip_prefix(NAME)?.strip_prefix('=')?;
    Some(value.trim_matches(['"', '\'']).to_owned())
}

/// Assignments to the variable among words, quoted as a whole or in part.
fn words_of(words: &str) -> impl Iterator<Item = String> {
    words
        .split_ascii_whitespace()
        .filter_map(|word| assigned(word.trim_start_matches(['"', '\''])))
}

fn pam(line: &str) -> Option<String> {
    let mut words = line.split_ascii_whitespace();
    let first = words.next()?;
    if let Some(value) = assigned(first) {
        return Some(value);
    }
    let rest: Vec<&str> = words.collect();
    let given = |name: &str| rest.iter().find_map(|word| word.strip_prefix(name));
    let value = given("OVERRIDE=").or_else(|| given("DEFAULT="))?;
    (first == NAME).then(|| value.trim_matches('"').to_owned())
}

/// What a script leaves exported.
fn shell(text: &str) -> Option<String> {
    let (mut value, mut exported, mut removed) = (None, false, false);
    for command in lines(text).flat_map(|line| line.split([';', '&'])) {
        let mut words = command.split_ascii_whitespace().peekable();
        let verb = words.peek().copied().unwrap_or_default();
        let exports = verb == "export" || (matches!(verb, "declare" | "typeset") && command.contains(" -x"));
        for word in words.take_while(|word| !word.starts_with('#')) {
            if let Some(given) = assigned(word) {
                value = Some(given);
                exported |= exports;
                removed = false;
            } else if word == NAME && exports {
                exported = true;
            } else if word == NAME && verb == "unset" {
                (value, exported, removed) = (None, false, true);
            }
        }
    }
    value.filter(|_| exported).or_else(|| removed.then(String::new))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::files::testing::Tree;
    use super::*;

    #[track_caller]
    fn check(syntax: Syntax, text: &str, expect: Option<&str>) {
        assert_eq!(value(text, syntax).as_deref(), expect, "{text}");
    }

    #[test]
    fn pairs_count_as_they_stand() {
        check(Syntax::Pairs, "PATH=/bin\nDOCKER_CONTENT_TRUST=1\n", Some("1"));
        check(
            Syntax::Pairs,
            "DOCKER_CONTENT_TRUST=\"1\"\nDOCKER_CONTENT_TRUST='0'\n",
            Some("0"),
        );
        check(
            Syntax::Pairs,
            "#DOCKER_CONTENT_TRUST=1\nDOCKER_CONTENT_TRUST_SERVER=1\n",
            None,
        );
    }

    #[test]
    fn scripts_have_to_export_it() {
        check(Syntax::Shell, "export DOCKER_CONTENT_TRUST=1", Some("1"));
        check(
            Syntax::Shell,
            "DOCKER_CONTENT_TRUST=1; export PATH DOCKER_CONTENT_TRUST",
            Some("1"),
        );
        check(Syntax::Shell, "declare -x DOCKER_CONTENT_TRUST=1", Some("1"));
        check(
            Syntax::Shell,
            "  [ -n x ] && export DOCKER_CONTENT_TRUST=1 # why",
            Some("1"),
        );
        check(Syntax::Shell, "DOCKER_CONTENT_TRUST=1", None);
        check(Syntax::Shell, "# export DOCKER_CONTENT_TRUST=1", None);
        check(Syntax::Shell, "echo # export DOCKER_CONTENT_TRUST=1", None);
        check(
            Syntax::Shell,
            "export DOCKER_CONTENT_TRUST=1\nunset DOCKER_CONTENT_TRUST",
            Some(""),
        );
    }

    #[test]
    fn pam_and_the_manager_have_their_own_ways() {
        check(Syntax::Pam, "DOCKER_CONTENT_TRUST DEFAULT=1", Some("1"));
        check(
            Syntax::Pam,
            "DOCKER_CONTENT_TRUST DEFAULT=1 OVERRIDE=0",
            Some("0"),
        );
        check(Syntax::Pam, "OTHER DEFAULT=1", None);
        check(
            Syntax::Manager,
            "[Manager]\nDefaultEnvironment=A=1 \"DOCKER_CONTENT_TRUST=1\"",
            Some("1"),
        );
        check(
            Syntax::Manager,
            "DefaultEnvironment=DOCKER_CONTENT_TRUST=1\nDefaultEnvironment=",
            None,
        );
        check(Syntax::Manager, "DOCKER_CONTENT_TRUST=1", None);
    }

    #[test]
    fn files_that_there_are_are_listed() {
        let tree = Tree::new(&[
            ("etc/environment", "DOCKER_CONTENT_TRUST=1"),
            ("etc/profile", "PATH=/bin"),
            ("etc/profile.d/a.sh", "export DOCKER_CONTENT_TRUST=0"),
            ("etc/profile.d/a.csh", ""),
        ]);
        let found = content_trust(&tree.root(), &[]);
        let shown: Vec<_> = found
            .get()
            .unwrap()
            .iter()
            .map(|(p, v)| (p.as_str(), v.as_deref()))
            .collect();
        let expect = [
            ("/etc/environment", Some("1")),
            ("/etc/profile", None),
            ("/etc/profile.d/a.sh", Some("0")),
        ];
        assert_eq!(shown, expect);
        let odd = Tree::new(&[("etc/environment/x", "")]);
        assert!(content_trust(&odd.root(), &[]).get().is_none());
    }

    proptest! {
        #[test]
        fn arbitrary_scripts_never_panic(text in "([;&#\"'= \\n]|export|unset|DOCKER_CONTENT_TRUST|DefaultEnvironment=|\\PC){0,30}") {
            for syntax in [Syntax::Pairs, Syntax::Shell, Syntax::Pam, Syntax::Manager] {
                drop(value(&text, syntax));
            }
        }
    }
}
