//! What is in the tree is finished: no stubs, no notes to self, no tests that do not run.

use super::code;
use super::tree::{Problem, Tree};

/// In code, and what to do instead.
const IN_CODE: &[(&str, &str)] = &[
    (
        "#[ignore",
        "a test that does not run: make it run everywhere, or delete it",
    ),
    ("todo!(", "a stub: write it, or leave it out"),
    ("unimplemented!(", "a stub: write it, or leave it out"),
    ("dbg!(", "left over from debugging: delete it"),
];

/// Anywhere in a Rust file; written so that this file does not hold them.
const ANYWHERE: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in tree.rust() {
        for (at, (line, code)) in text.lines().zip(code::lines(text)).enumerate() {
            for (_, advice) in IN_CODE.iter().filter(|(marker, _)| code.contains(marker)) {
                problems.push(Problem::new(path, at + 1, *advice));
            }
            for word in ANYWHERE.iter().filter(|word| code::has_word(line, word)) {
                let what = format!("`{word}`: do it now, or file an issue and say here how things are");
                problems.push(Problem::new(path, at + 1, what));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::tree::assert_problems;
    use super::*;

    #[test]
    fn pass_finished_code() {
        assert_problems(
            check,
            &[("a.rs", "/// see `todo!()`\nlet s = \"#[ignore]\";\nXXXX")],
            &[],
        );
        assert_problems(check, &[("a.md", ANYWHERE[0])], &[]);
    }

    #[test]
    fn fail_placeholders() {
        for text in [
            "todo!()",
            "#[ignore]",
            "#[ignore = \"slow\"]",
            "unimplemented!(\"x\")",
        ] {
            assert_problems(check, &[("a.rs", text)], &[("a.rs", 1)]);
        }
        for word in ANYWHERE {
            assert_problems(check, &[("a.rs", &format!("x\n// {word}: y"))], &[("a.rs", 2)]);
        }
    }
}
