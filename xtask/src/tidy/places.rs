//! No path of the machine that a file was written on.

use super::tree::{Problem, Tree};

/// Directories of one machine or one user, as the start of a path; written so that this file does not hold them.
const PLACES: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/")];

/// Files whose lines are data about other machines' paths.
const EXEMPT: &[&str] = &["tests/fixtures/", "agent/fuzz/corpus/"];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in tree
        .all()
        .filter(|(path, _)| !EXEMPT.iter().any(|exempt| path.starts_with(exempt)))
    {
        for (at, line) in text.lines().enumerate() {
            for place in PLACES.iter().filter(|place| starts_path(line, place)) {
                let what = format!(
                    "`{place}` exists on one machine: name the file relative to the root, or take it from the environment"
                );
                problems.push(Problem::new(path, at + 1, what));
            }
        }
    }
    problems
}

/// Whether a line holds a path that starts so.
fn starts_path(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line.get(..at).and_then(|head| head.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '}'))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tree::assert_problems;
    use super::*;

    #[test]
    fn pass_other_paths() {
        assert_problems(
            check,
            &[(
                "a.md",
                "overlay/work/x and a/root/b and /proc/7/root/etc and /work",
            )],
            &[],
        );
        assert_problems(
            check,
            &[("tests/fixtures/a.json", &format!("\"{}x\"", PLACES[0]))],
            &[],
        );
    }

    #[test]
    fn fail_workplaces() {
        for place in PLACES {
            assert_problems(check, &[("a.md", &format!("x\nsee {place}y"))], &[("a.md", 2)]);
            assert_problems(check, &[("a.rs", &format!("\"{place}\""))], &[("a.rs", 1)]);
        }
    }
}
