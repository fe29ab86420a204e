//! What somebody may have meant.

use crate::check::{self, Benchmark};

/// Longest text that is compared; a longer one is no key.
const LONGEST: usize = 64;

/// Help for a key or number that no check has: the version in which it has one, or the closest keys.
pub(in crate::cli) fn hint(asked: &str) -> String {
    let elsewhere = Benchmark::ALL.iter().rev().find_map(|version| {
        let check = check::find(asked, *version)?;
        Some(format!("in {} it is {}", version.name(), check.key))
    });
    elsewhere.unwrap_or_else(|| {
        if asked.starts_with(|c: char| c.is_ascii_digit()) {
            "`hullwatch checks list` shows the numbers".to_owned()
        } else {
            format!("closest are {}", closest(asked).join(", "))
        }
    })
}

/// The three closest keys, those that contain what was asked first.
fn closest(asked: &str) -> Vec<&'static str> {
    let asked: String = asked.to_lowercase().chars().take(LONGEST).collect();
    let mut keys: Vec<_> = check::ALL.iter().map(|check| check.key).collect();
    let contains = |key: &str| !asked.is_empty() && key.contains(&asked);
    keys.sort_by_cached_key(|key| (!contains(key), distance(&asked, key)));
    keys.truncate(3);
    keys
}

/// Letters to be inserted, removed or replaced to turn one text into the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (i, letter) in one.chars().enumerate() {
        let mut left = i + 1;
        let mut next = vec![left];
        for (above, wanted) in row.windows(2).zip(other.chars()) {
            let [diagonal, above] = above else { continue };
            left = (left + 1)
                .min(above + 1)
                .min(diagonal + usize::from(letter != wanted));
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(one: &str, other: &str, expect: usize) {
        assert_eq!(distance(one, other), expect, "{one} {other}");
        assert_eq!(distance(other, one), expect, "{other} {one}");
    }

    #[test]
    fn distances_are_those_of_levenshtein() {
        check("", "", 0);
        check("", "abc", 3);
        check("kitten", "sitting", 3);
        check("flaw", "lawn", 2);
    }

    #[test]
    fn the_meant_key_comes_first() {
        for (asked, meant) in [
            ("runtime-no-priviliged", "runtime-not-privileged"),
            ("seccomp", "runtime-seccomp-on"),
            ("exec-no-root", "exec-not-root"),
            ("SSHD", "runtime-no-sshd"),
        ] {
            assert_eq!(closest(asked).first(), Some(&meant), "{asked}");
        }
        assert_eq!(closest(&"x".repeat(1 << 20)).len(), 3);
    }

    #[test]
    fn a_number_of_another_version_is_named_as_such() {
        assert_eq!(hint("1.4"), "in cis-1.1.0 it is docker-group-trusted-members");
        assert_eq!(hint("9.9"), "`hullwatch checks list` shows the numbers");
    }
}
