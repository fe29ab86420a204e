//! Files stay short enough to be read at once. (Functions are clippy's: `too_many_lines`.)

use super::tree::{Problem, Tree};

/// No hand-written file is longer.
const LONGEST: usize = 600;
/// Half of the files are no longer than this.
const MEDIAN: usize = 150;

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut lengths: Vec<(usize, &str)> = tree
        .rust()
        .map(|(path, text)| (text.lines().count(), path))
        .collect();
    let mut problems: Vec<_> = lengths
        .iter()
        .filter(|(length, _)| *length > LONGEST)
        .map(|(length, path)| {
            Problem::new(
                path,
                *length,
                format!("{length} lines, more than {LONGEST}: split it by subject"),
            )
        })
        .collect();
    lengths.sort_unstable();
    if let Some((median, path)) = lengths
        .get(lengths.len() / 2)
        .filter(|(median, _)| *median > MEDIAN)
    {
        let what =
            format!("the median file (this one) has {median} lines, more than {MEDIAN}: split the longest");
        problems.push(Problem::new(path, 0, what));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::tree::assert_problems;
    use super::*;

    #[test]
    fn pass_short_files() {
        let long = "x\n".repeat(LONGEST);
        assert_problems(check, &[("a.rs", "x\n"), ("b.rs", "x\n"), ("c.rs", &long)], &[]);
        assert_problems(check, &[("a.md", &"x\n".repeat(LONGEST + 1))], &[]);
        assert_problems(check, &[], &[]);
    }

    #[test]
    fn fail_a_long_file_and_a_long_median() {
        let long = "x\n".repeat(LONGEST + 1);
        assert_problems(
            check,
            &[("a.rs", "x\n"), ("b.rs", "x\n"), ("c.rs", &long)],
            &[("c.rs", LONGEST + 1)],
        );
        let middling = "x\n".repeat(MEDIAN + 1);
        assert_problems(
            check,
            &[("a.rs", &middling), ("b.rs", "x\n"), ("c.rs", &middling)],
            &[("a.rs", 0)],
        );
    }
}
