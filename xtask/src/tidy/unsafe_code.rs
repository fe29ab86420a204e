//! `unsafe` only in the probes, and where a system call needs it.

use super::code;
use super::tree::{Problem, Tree};

/// Files and directories (with `/` at the end) that may hold unsafe code.
const ALLOWED: &[&str] = &[
    "ebpf/",
    "agent/src/cli/demo/actor.rs",
    "agent/src/source/files/handle.rs",
    "agent/src/source/kernel/ring.rs",
    "agent/src/telemetry/memory.rs",
];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in tree.rust().filter(|(path, _)| !is_allowed(path)) {
        for (at, line) in code::lines(text).iter().enumerate() {
            if code::has_word(line, "unsafe") || line.contains("(unsafe_code") {
                let what = "unsafe code: find a safe way (rustix, bytemuck), or add the file to ALLOWED in xtask/src/tidy/unsafe_code.rs";
                problems.push(Problem::new(path, at + 1, what));
            }
        }
    }
    problems
}

fn is_allowed(path: &str) -> bool {
    ALLOWED
        .iter()
        .any(|allowed| path == *allowed || (allowed.ends_with('/') && path.starts_with(allowed)))
}

#[cfg(test)]
mod tests {
    use super::super::tree::assert_problems;
    use super::check;

    #[test]
    fn pass_in_probes_and_prose() {
        assert_problems(check, &[("ebpf/src/read.rs", "unsafe { x() }")], &[]);
        assert_problems(
            check,
            &[("agent/src/a.rs", "// unsafe\nlet unsafety = \"unsafe\";")],
            &[],
        );
    }

    #[test]
    fn fail_in_the_agent() {
        let path = "agent/src/a.rs";
        assert_problems(check, &[(path, "fn f() {\n    unsafe { x() }\n}")], &[(path, 2)]);
        assert_problems(check, &[(path, "#![allow(unsafe_code)]")], &[(path, 1)]);
    }
}
