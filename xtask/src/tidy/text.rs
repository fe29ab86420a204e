//! Text files end with one newline, and no line with a space.

use super::tree::{Problem, Tree};

/// Files that are compared byte for byte with what a program printed, or are somebody else's text.
const EXEMPT: &[&str] = &[".snap", "LICENSE-APACHE"];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in tree
        .all()
        .filter(|(path, _)| !EXEMPT.iter().any(|end| path.ends_with(end)))
    {
        for (at, line) in text.split('\n').enumerate() {
            if line.ends_with(|c: char| c.is_whitespace()) {
                problems.push(Problem::new(
                    path,
                    at + 1,
                    "space at the end of the line: delete it",
                ));
            }
        }
        let length = text.lines().count();
        if !text.is_empty() && !text.ends_with('\n') {
            problems.push(Problem::new(
                path,
                length,
                "no newline at the end of the file: add one",
            ));
        }
        if text.ends_with("\n\n") {
            problems.push(Problem::new(
                path,
                length,
                "empty line at the end of the file: delete it",
            ));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::tree::assert_problems;
    use super::check;

    #[test]
    fn pass_clean_text() {
        assert_problems(
            check,
            &[("a.md", "x\n\ny\n"), ("b.md", ""), ("c.snap", "x ")],
            &[],
        );
    }

    #[test]
    fn fail_unclean_text() {
        assert_problems(check, &[("a.md", "x \ny\r\n")], &[("a.md", 1), ("a.md", 2)]);
        assert_problems(check, &[("a.md", "x\ny")], &[("a.md", 2)]);
        assert_problems(check, &[("a.md", "x\n\n")], &[("a.md", 2)]);
    }
}
