//! Which checks: by number, key, section, level or pattern, in our words and in those of older tools.

use super::glob;
use super::old_names;
use crate::check::{ALL, Benchmark, Check, SECTIONS};
use crate::cli::Fault;
use crate::cli::checks::closest;

/// What the command line says about checks.
#[derive(Clone, Debug, Default)]
pub(super) struct Selection {
    /// Only these; all where none is named.
    pub(super) only: Vec<String>,
    /// Not these.
    pub(super) without: Vec<String>,
    /// Only checks of this level or below.
    pub(super) level: Option<u8>,
    /// Only checks that the benchmark scores, or calls automated.
    pub(super) scored: bool,
}

/// One way to name checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// Every check.
    All,
    /// None: a group of an older tool that holds nothing which a benchmark has.
    Nothing,
    /// `5.5`, or a key.
    Exact(String),
    /// `5.*`, `runtime-*`: against numbers and keys.
    Glob(String),
    /// A section, and its level where one is given.
    Section(String, Option<u8>),
    /// `level:1`.
    Level(u8),
}

impl Selection {
    /// The checks, in the catalogue's order.
    ///
    /// # Errors
    /// Something that names no check of the benchmark, with what may have been meant; or nothing is left.
    pub(super) fn checks(&self, benchmark: Benchmark) -> Result<Vec<&'static Check>, Fault> {
        let only = names(&self.only, "--check", benchmark)?;
        let without = names(&self.without, "--exclude", benchmark)?;
        let of_benchmark = ALL
            .iter()
            .copied()
            .filter(|check| check.number(benchmark).is_some());
        let wanted = of_benchmark.filter(|check| {
            let named = |name: &Name| name.matches(check, benchmark);
            (only.is_empty() || only.iter().any(named))
                && !without.iter().any(named)
                && self.level.is_none_or(|level| check.level_in(benchmark) <= level)
                && (!self.scored || check.scored.contains(&benchmark))
        });
        let wanted: Vec<_> = wanted.collect();
        let is_asked = only.is_empty() || only.iter().any(|name| *name != Name::Nothing);
        if wanted.is_empty() && is_asked {
            // A report of nothing would pass for one of a sound host.
            return Err(Fault::usage_text(format!(
                "no check of {benchmark} is left by --check, --exclude, --level and --scored together; leave one of them out"
            )));
        }
        Ok(wanted)
    }
}

fn names(given: &[String], option: &str, benchmark: Benchmark) -> Result<Vec<Name>, Fault> {
    let words = given.iter().flat_map(|list| list.split(','));
    let words = words.map(str::trim).filter(|word| !word.is_empty());
    words
        .map(|word| {
            let name = Name::parse(word, benchmark);
            let empty = matches!(name, Name::Nothing | Name::Level(_) | Name::Section(..));
            let known = empty || ALL.iter().any(|check| name.matches(check, benchmark));
            if known {
                Ok(name)
            } else {
                Err(unknown(option, word, benchmark))
            }
        })
        .collect()
}

fn unknown(option: &str, word: &str, benchmark: Benchmark) -> Fault {
    let hint = if word.starts_with("level:") {
        "levels are 1 and 2".to_owned()
    } else if word.contains(['*', '?']) {
        "no number and no key is like that".to_owned()
    } else {
        closest::hint(word.strip_prefix("check_").unwrap_or(word))
    };
    Fault::usage_text(format!("{option}: no check `{word}` in {benchmark}; {hint}"))
}

impl Name {
    fn parse(word: &str, benchmark: Benchmark) -> Self {
        if let Some(name) = old_names::group(word) {
            return name;
        }
        if let Some(number) = old_names::number(word) {
            let is_check = ALL
                .iter()
                .any(|check| check.number(benchmark) == Some(number.as_str()));
            // The function of a chapter runs nothing but its heading there; here it stands for its checks.
            return if is_check {
                Self::Exact(number)
            } else {
                Self::Glob(format!("{number}.*"))
            };
        }
        if let Some(level) = word.strip_prefix("level:") {
            return match level {
                "1" => Self::Level(1),
                "2" => Self::Level(2),
                _ => Self::Exact(word.to_owned()),
            };
        }
        if SECTIONS.contains(&word) {
            return Self::Section(word.to_owned(), None);
        }
        if word.contains(['*', '?']) {
            return Self::Glob(word.to_owned());
        }
        Self::Exact(word.to_owned())
    }

    fn matches(&self, check: &Check, benchmark: Benchmark) -> bool {
        let number = check.number(benchmark);
        match self {
            Self::All => number.is_some(),
            Self::Nothing => false,
            Self::Exact(name) => number == Some(name) || (number.is_some() && check.key == name),
            Self::Glob(pattern) => number
                .is_some_and(|number| glob::matches(pattern, number) || glob::matches(pattern, check.key)),
            Self::Section(section, level) => {
                check.section == section && level.is_none_or(|level| check.level_in(benchmark) == level)
            }
            Self::Level(level) => check.level_in(benchmark) == *level,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(only: &[&str], without: &[&str]) -> Result<Vec<&'static str>, String> {
        let owned = |list: &[&str]| list.iter().map(|&one| one.to_owned()).collect();
        let selection = Selection {
            only: owned(only),
            without: owned(without),
            ..Selection::default()
        };
        let checks = selection.checks(Benchmark::V1_6_0);
        checks
            .map(|checks| checks.iter().map(|check| check.key).collect())
            .map_err(|fault| format!("{fault:?}"))
    }

    #[track_caller]
    fn check(only: &[&str], without: &[&str], expect: &[&str]) {
        assert_eq!(
            select(only, without).unwrap(),
            expect,
            "{only:?} without {without:?}"
        );
    }

    #[test]
    fn checks_are_named_in_every_way() {
        let privileged = ["runtime-not-privileged"];
        check(&["5.5"], &[], &privileged);
        check(&["runtime-not-privileged"], &[], &privileged);
        check(&["check_5_5"], &[], &privileged);
        check(&["runtime-not-priv*"], &[], &privileged);
        let exec = ["exec-not-privileged", "exec-not-root"];
        check(&["exec-*"], &[], &exec);
        check(&["5.23,5.24"], &[], &exec);
        check(&["5.23", " 5.24 "], &[], &exec);
        check(&["exec-*"], &["5.24"], &["exec-not-privileged"]);
        check(&["community_checks"], &[], &[]);
    }

    #[test]
    fn groups_are_sections_levels_and_chapters() {
        let all = select(&[], &[]).unwrap();
        let runtime = select(&["runtime"], &[]).unwrap();
        assert!(runtime.contains(&"runtime-not-privileged") && runtime.len() < all.len());
        assert_eq!(select(&["container_runtime"], &[]).unwrap(), runtime);
        assert_eq!(select(&["cis"], &[]).unwrap(), all);
        assert_eq!(select(&["check_5"], &[]).unwrap(), select(&["5.*"], &[]).unwrap());
        let two = select(&["level:2"], &[]).unwrap();
        let one = select(&["cis_level1"], &[]).unwrap();
        assert_eq!(select(&["level:1"], &[]).unwrap(), one);
        assert_eq!(one.len() + two.len(), all.len());
        assert_eq!(select(&[], &["level:2"]).unwrap(), one);
        assert_eq!(select(&["community_checks"], &[]).unwrap(), [""; 0]);
        let error = select(&[], &["all"]).unwrap_err();
        assert!(error.contains("no check of cis-1.6.0 is left"), "{error}");
    }

    #[test]
    fn filters_narrow() {
        let level = Selection {
            level: Some(2),
            ..Selection::default()
        };
        let all = level.checks(Benchmark::V1_6_0).unwrap();
        assert_eq!(all.len(), select(&[], &[]).unwrap().len());
        let scored = Selection {
            scored: true,
            ..Selection::default()
        };
        for check in scored.checks(Benchmark::V1_13_0).unwrap() {
            assert!(check.scored.contains(&Benchmark::V1_13_0), "{}", check.key);
        }
    }

    #[test]
    fn what_names_nothing_is_refused_with_a_hint() {
        for (word, hint) in [
            ("runtime-no-priviliged", "closest are runtime-not-privileged"),
            ("9.9", "shows the numbers"),
            ("check_9_9", "shows the numbers"),
            ("nope-*", "no number and no key"),
            ("level:3", "levels are 1 and 2"),
        ] {
            let error = select(&[word], &[]).unwrap_err();
            assert!(error.contains(hint) && error.contains("code: 2"), "{error}");
            assert!(select(&[], &[word]).is_err(), "{word}");
        }
    }
}
