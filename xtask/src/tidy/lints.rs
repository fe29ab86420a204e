//! Every crate of the workspace takes the workspace's lints.

use super::tree::{Problem, Tree};

/// Crates for another target, with their own compiler.
const APART: &[&str] = &["ebpf/Cargo.toml", "agent/fuzz/Cargo.toml"];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    tree.all()
        .filter(|(path, text)| {
            path.ends_with("Cargo.toml") && has_line(text, "[package]") && !APART.contains(path)
        })
        .filter(|(_, text)| !inherits(text))
        .map(|(path, _)| {
            Problem::new(
                path,
                0,
                "the workspace's lints do not hold here: add `[lints]` with `workspace = true`",
            )
        })
        .collect()
}

fn has_line(text: &str, wanted: &str) -> bool {
    text.lines().any(|line| line.trim() == wanted)
}

fn inherits(text: &str) -> bool {
    text.lines()
        .map(str::trim)
        .skip_while(|line| *line != "[lints]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .any(|line| line.split('#').next().unwrap_or_default().replace(' ', "") == "workspace=true")
}

#[cfg(test)]
mod tests {
    use super::super::tree::assert_problems;
    use super::check;

    #[test]
    fn pass_where_they_are_inherited() {
        assert_problems(
            check,
            &[("a/Cargo.toml", "[package]\n[lints]\nworkspace = true\n")],
            &[],
        );
        assert_problems(
            check,
            &[
                ("Cargo.toml", "[workspace]\n"),
                ("ebpf/Cargo.toml", "[package]\n"),
            ],
            &[],
        );
    }

    #[test]
    fn fail_where_they_are_not() {
        let path = "a/Cargo.toml";
        for text in [
            "[package]\n",
            "[package]\n[lints]\n[x]\nworkspace = true\n",
            "[package]\n[lints]\n# workspace = true\n",
        ] {
            assert_problems(check, &[(path, text)], &[(path, 0)]);
        }
    }
}
