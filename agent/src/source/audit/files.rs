//! Rules on disk (`augenrules(8)`, `audit.rules(7)`).

use std::cmp::Ordering;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use super::rule::{Targets, parse_rule};
use crate::model::{Fact, RuleLine};

/// The file that is loaded at boot, and the directory of those that it is merged from.
const MERGED: &str = "/etc/audit/audit.rules";
const PARTS: &str = "/etc/audit/rules.d";
/// Longest file that is read, files of the directory, and lines of all.
const MAX_FILE: u64 = 1 << 20;
const MAX_FILES: usize = 1024;
const MAX_LINES: usize = 65_536;

/// Lines of the host's rule files that are neither empty nor comments, in the order in which they are loaded: those of
/// `rules.d` in the order of `augenrules`, then the merged file. Settings (`-e`, `-b`, `-f`, `-i`, `-c`, `-D`, …) are
/// lines like rules; `augenrules` moves `-D`, `-b` and `-f` to the top and `-e` to the end of what it merges.
///
/// `root` is the directory below which the host's files are. A host without such files has no lines. Unknown where a
/// file is there and cannot be read whole.
#[must_use]
pub fn rule_files(root: &Path) -> Fact<Vec<RuleLine>> {
    read_all(root).into()
}

/// A rule file cannot be read.
#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error("{0} cannot be read: {1}")]
    Unreadable(String, io::Error),
    #[error("{0} is longer than {MAX_FILE} bytes")]
    TooLong(String),
    #[error("{PARTS} holds more than {MAX_FILES} files")]
    TooManyFiles,
    #[error("the audit rule files have more than {MAX_LINES} lines")]
    TooManyLines,
}

fn read_all(root: &Path) -> Result<Vec<RuleLine>, FileError> {
    let mut lines = Vec::new();
    for name in parts(root)? {
        read_file(root, &format!("{PARTS}/{name}"), false, &mut lines)?;
    }
    read_file(root, MERGED, true, &mut lines)?;
    let mut targets = Targets::below(root).ok();
    for line in &mut lines {
        line.rule = parse_rule(&line.text).map(|mut rule| {
            rule.target = targets.as_mut().and_then(|targets| targets.of(&rule));
            rule
        });
    }
    Ok(lines)
}

/// Names of the files that are merged, in order.
fn parts(root: &Path) -> Result<Vec<String>, FileError> {
    let unreadable = |error| FileError::Unreadable(PARTS.to_owned(), error);
    let entries = match fs::read_dir(below(root, PARTS)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(unreadable)?.file_name();
        // `augenrules` lists the directory without hidden files.
        let name = name.to_string_lossy().into_owned();
        if name.ends_with(".rules") && !name.starts_with('.') {
            names.push(name);
        }
        if names.len() > MAX_FILES {
            return Err(FileError::TooManyFiles);
        }
    }
    names.sort_by(|one, other| natural(one, other));
    Ok(names)
}

fn read_file(root: &Path, path: &str, merged: bool, lines: &mut Vec<RuleLine>) -> Result<(), FileError> {
    let unreadable = |error| FileError::Unreadable(path.to_owned(), error);
    let file = match File::open(below(root, path)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unreadable(error)),
    };
    if !file.metadata().map_err(unreadable)?.is_file() {
        let error = io::Error::other("it is not a regular file");
        return Err(unreadable(error));
    }
    let mut bytes = Vec::new();
    let read = file
        .take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if u64::try_from(read).unwrap_or(u64::MAX) > MAX_FILE {
        return Err(FileError::TooLong(path.to_owned()));
    }
    for (line, text) in (1..).zip(String::from_utf8_lossy(&bytes).lines()) {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        lines.push(RuleLine {
            file: path.to_owned(),
            line,
            text: text.to_owned(),
            merged,
            rule: None,
        });
        if lines.len() > MAX_LINES {
            return Err(FileError::TooManyLines);
        }
    }
    Ok(())
}

fn below(root: &Path, path: &str) -> std::path::PathBuf {
    root.join(path.trim_start_matches('/'))
}

/// The order of `ls -v`, for names that end alike: as text, but runs of digits by their value.
fn natural(one: &str, other: &str) -> Ordering {
    let mut rest = (stem(one), stem(other));
    loop {
        let (left, right) = (leading(rest.0, false), leading(rest.1, false));
        let as_text = left.cmp(right);
        let (left_digits, right_digits) = (
            leading(skip(rest.0, left), true),
            leading(skip(rest.1, right), true),
        );
        let in_order = as_text.then_with(|| by_value(left_digits, right_digits));
        if in_order != Ordering::Equal {
            return in_order;
        }
        rest = (
            skip(rest.0, left).get(left_digits.len()..).unwrap_or_default(),
            skip(rest.1, right).get(right_digits.len()..).unwrap_or_default(),
        );
        if rest.0.is_empty() || rest.1.is_empty() {
            return rest.0.len().cmp(&rest.1.len()).then_with(|| one.cmp(other));
        }
    }
}

fn stem(name: &str) -> &str {
    name.strip_suffix(".rules").unwrap_or(name)
}

/// What of a text is digits, or is not, at its start.
fn leading(text: &str, digits: bool) -> &str {
    let end = text.find(|c: char| c.is_ascii_digit() != digits);
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

fn skip<'a>(text: &'a str, start: &str) -> &'a str {
    text.strip_prefix(start).unwrap_or_default()
}

/// Digits of any length by the number they write.
fn by_value(one: &str, other: &str) -> Ordering {
    let (left, right) = (one.trim_start_matches('0'), other.trim_start_matches('0'));
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("etc/audit/rules.d")).unwrap();
        for (path, text) in files {
            fs::write(root.path().join(path), text).unwrap();
        }
        root
    }

    #[track_caller]
    fn check(files: &[(&str, &str)], expect: &[(&str, u32, &str, bool)]) {
        let root = host(files);
        let found = rule_files(root.path());
        let lines = found.get().unwrap().iter();
        let lines: Vec<_> = lines
            .map(|line| (line.file.as_str(), line.line, line.text.as_str(), line.merged))
            .collect();
        assert_eq!(lines, expect);
    }

    #[test]
    fn comments_and_other_files_are_left_out() {
        check(
            &[
                (
                    "etc/audit/rules.d/a.rules",
                    "# -w /x\n\n  -D\n-w /etc # no comment\r\n",
                ),
                ("etc/audit/rules.d/a.rules.bak", "-w /bak"),
                ("etc/audit/rules.d/.hidden.rules", "-w /hidden"),
                ("etc/audit/audit.rules", "-w /merged -p wa\n"),
            ],
            &[
                ("/etc/audit/rules.d/a.rules", 3, "-D", false),
                ("/etc/audit/rules.d/a.rules", 4, "-w /etc # no comment", false),
                ("/etc/audit/audit.rules", 1, "-w /merged -p wa", true),
            ],
        );
        check(&[], &[]);
    }

    #[test]
    fn files_come_in_natural_order() {
        let mut names = ["b", "10-a", "9-a", "a10", "a9", "a", "09-b", "a9b", "99-z", "100"];
        names.sort_by(|one, other| natural(&format!("{one}.rules"), &format!("{other}.rules")));
        assert_eq!(
            names,
            ["9-a", "09-b", "10-a", "99-z", "100", "a", "a9", "a9b", "a10", "b"]
        );
    }

    #[test]
    fn what_cannot_be_read_whole_is_not_known() {
        let root = host(&[]);
        let merged = root.path().join("etc/audit/audit.rules");
        fs::create_dir(&merged).unwrap();
        assert!(matches!(rule_files(root.path()), Fact::Unknown(why) if why.contains("not a regular file")));
        fs::remove_dir(&merged).unwrap();
        fs::write(&merged, vec![b'\n'; 1 << 20]).unwrap();
        assert_eq!(rule_files(root.path()), Fact::Known(Vec::new()));
        fs::write(&merged, vec![b'\n'; (1 << 20) + 1]).unwrap();
        assert!(matches!(rule_files(root.path()), Fact::Unknown(why) if why.contains("longer")));
    }
}
