//! Every file of the catalogue is listed in `checks!`, and has a test case of every outcome it can have.

use super::code;
use super::tree::{Problem, Tree};

const ROOM: &str = "agent/src/check";
const LIST: &str = "agent/src/check/mod.rs";
/// Files of the room that are no checks.
const NO_CHECKS: &[&str] = &[
    "mod",
    "audit_trail",
    "benchmark",
    "context",
    "evaluate",
    "support",
    "testing",
];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let listed = tree.get(LIST).map(listed).unwrap_or_default();
    let files = tree.modules(ROOM).filter(|(name, _)| !NO_CHECKS.contains(name));
    let mut problems = Vec::new();
    for (name, text) in files {
        let path = format!("{ROOM}/{name}.rs");
        if !listed.iter().any(|listed| listed == name) {
            problems.push(Problem::new(
                &path,
                0,
                format!("not in the catalogue: add `{name},` to `checks!` in {LIST}"),
            ));
        }
        let key = name.replace('_', "-");
        if !text.contains(&format!("key: \"{key}\"")) {
            problems.push(Problem::new(
                &path,
                0,
                format!("the check's key is not its file's name: set `key: \"{key}\"`"),
            ));
        }
        for outcome in outcomes(text) {
            if !has_test(text, outcome) {
                let what = format!(
                    "no test case `{outcome}…`: add a #[test] that shows when the check's verdict is that"
                );
                problems.push(Problem::new(&path, 0, what));
            }
        }
    }
    problems
}

/// What tests of a check are named after: what it concludes where all is well, where it is not, and where it cannot look.
fn outcomes(text: &str) -> &'static [&'static str] {
    if text.contains("basis: Basis::Live") {
        &["pass_", "fail_"]
    } else if text.contains("basis: Basis::Attested") {
        // Without a statement that holds nothing is known.
        &["pass_", "unknown_"]
    } else if text.contains("basis: Basis::Withdrawn") {
        &["not_applicable_", "unknown_"]
    } else {
        &["pass_", "fail_", "unknown_"]
    }
}

/// Names in the invocation of `checks!`.
fn listed(text: &str) -> Vec<String> {
    code::lines(text)
        .into_iter()
        .skip_while(|line| line.trim() != "checks! {")
        .skip(1)
        .take_while(|line| line.trim() != "}")
        .flat_map(|line| {
            line.split(',')
                .map(|name| name.trim().to_owned())
                .collect::<Vec<_>>()
        })
        .filter(|name| !name.is_empty())
        .collect()
}

/// Whether a function whose name starts so directly follows `#[test]`.
fn has_test(text: &str, prefix: &str) -> bool {
    let lines = code::lines(text);
    let functions = lines.iter().zip(lines.iter().skip(1));
    functions
        .filter(|(attribute, _)| attribute.trim() == "#[test]")
        .any(|(_, function)| function.trim().starts_with(&format!("fn {prefix}")))
}

#[cfg(test)]
mod tests {
    use super::super::tree::assert_problems;
    use super::*;

    const MOD: &str = "macro_rules! checks {\n}\n// list\nchecks! {\n    some_check,\n}\n";
    const GOOD: &str = "key: \"some-check\",\n    #[test]\n    fn pass_it() {}\n    #[test]\n    fn fail_it() {}\n    \
                        #[test]\n    fn unknown_it() {}\n";

    #[track_caller]
    fn check_one(list: &str, text: &str, problems: usize) {
        let path = "agent/src/check/some_check.rs";
        assert_problems(check, &[(LIST, list), (path, text)], &vec![(path, 0); problems]);
    }

    #[test]
    fn pass_a_listed_and_tested_check() {
        check_one(MOD, GOOD, 0);
        assert_problems(check, &[("agent/src/check/support.rs", "")], &[]);
    }

    #[test]
    fn fail_what_is_missing() {
        check_one("checks! {\n    // some_check,\n}\n", GOOD, 1);
        check_one("some_check,", GOOD, 1);
        check_one(MOD, &GOOD.replace("fn pass_it", "fn passes"), 1);
        check_one(MOD, &GOOD.replace("#[test]\n    fn fail_it", "fn fail_it"), 1);
        check_one(MOD, &GOOD.replace("some-check", "other"), 1);
        check_one(MOD, "// fn pass_ fn fail_", 4);
        check_one(MOD, &GOOD.replace("unknown_it", "other"), 1);
        let live = GOOD.replace("unknown_it", "other") + "basis: Basis::Live,";
        check_one(MOD, &live, 0);
        let attested = GOOD.replace("fail_it", "other") + "basis: Basis::Attested,";
        check_one(MOD, &attested, 0);
    }
}
