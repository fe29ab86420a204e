//! Every Rust file says at its top what it is for.

use super::tree::{Problem, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    tree.rust()
        .filter(|(_, text)| !starts_with_docs(text))
        .map(|(path, _)| {
            Problem::new(
                path,
                0,
                "no module documentation: start the file with `//!` and what it is for",
            )
        })
        .collect()
}

fn starts_with_docs(text: &str) -> bool {
    text.lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with("#!"))
        .and_then(|line| line.strip_prefix("//!"))
        .is_some_and(|words| !words.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::tree::assert_problems;
    use super::check;

    #[test]
    fn pass_documented_files() {
        assert_problems(
            check,
            &[("a.rs", "//! What.\n"), ("b.rs", "#![no_std]\n\n//! What.\n")],
            &[],
        );
    }

    #[test]
    fn fail_undocumented_files() {
        for text in ["", "use x;\n//! late", "//!\nuse x;", "// what\n"] {
            assert_problems(check, &[("a.rs", text)], &[("a.rs", 0)]);
        }
    }
}
