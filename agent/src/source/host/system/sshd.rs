//! `PermitRootLogin` of sshd, from its configuration (`sshd_config(5)`): the first value that is given counts.

use super::super::process_root::ProcessRoot;
use super::files;

const MAIN: &str = "/etc/ssh/sshd_config";
/// What sshd does where nothing is given, since OpenSSH 7.0.
const DEFAULT: &str = "prohibit-password";
/// Files that include each other, at most.
const MAX_DEPTH: usize = 16;
/// Files that are read.
const MAX_FILES: usize = 256;

/// The value in force for everybody; `None` where there is no configuration, or it cannot be read. What a `Match`
/// block says of some logins is not looked at.
pub(super) fn root_login(root: &ProcessRoot) -> Option<String> {
    let mut left = MAX_FILES;
    let found = look(root, MAIN, MAX_DEPTH, &mut left).ok()?;
    Some(found.unwrap_or_else(|| DEFAULT.to_owned()))
}

/// A file that cannot be read, or one too many.
struct Unreadable;

fn look(
    root: &ProcessRoot,
    path: &str,
    depth: usize,
    left: &mut usize,
) -> Result<Option<String>, Unreadable> {
    *left = left.checked_sub(1).ok_or(Unreadable)?;
    let depth = depth.checked_sub(1).ok_or(Unreadable)?;
    let text = files::text(root, path).map_err(|_io| Unreadable)?;
    for line in text.lines() {
        let (keyword, value) = directive(line);
        if keyword.eq_ignore_ascii_case("PermitRootLogin") {
            return Ok(Some(value.trim_matches('"').to_ascii_lowercase()));
        }
        // It holds to the end of this file.
        if keyword.eq_ignore_ascii_case("Match") {
            break;
        }
        if keyword.eq_ignore_ascii_case("Include") {
            for pattern in value.split_ascii_whitespace() {
                for file in matching(root, pattern.trim_matches('"')) {
                    if let Some(found) = look(root, &file, depth, left)? {
                        return Ok(Some(found));
                    }
                }
            }
        }
    }
    Ok(None)
}

/// `Keyword value`, `Keyword=value`.
fn directive(line: &str) -> (&str, &str) {
    let line = line.trim();
    if line.starts_with('#') {
        return ("", "");
    }
    let (keyword, rest) = line
        .split_once(|c: char| c.is_ascii_whitespace() || c == '=')
        .unwrap_or((line, ""));
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '=');
    let value = rest.split_once(" #").map_or(rest, |(value, _)| value);
    (keyword, value.trim_end())
}

/// Files that a pattern names, in order. Wildcards count in the last component.
fn matching(root: &ProcessRoot, pattern: &str) -> Vec<String> {
    let pattern = match pattern.starts_with('/') {
        true => pattern.to_owned(),
        false => format!("/etc/ssh/{pattern}"),
    };
    let Some((directory, name)) = pattern.rsplit_once('/') else {
        return Vec::new();
    };
    if !name.contains(['*', '?']) {
        // What an Include names and is not there is passed over.
        return if root.locate(&pattern).is_ok() {
            vec![pattern]
        } else {
            Vec::new()
        };
    }
    let entries = files::list(root, directory);
    entries
        .into_iter()
        .filter(|path| fits(name, path.rsplit('/').next().unwrap_or_default()))
        .collect()
}

/// `*` and `?` of `glob(7)`; names that start with a dot have to be asked for.
fn fits(pattern: &str, name: &str) -> bool {
    fn tail(pattern: &[u8], name: &[u8]) -> bool {
        let (mut p, mut n) = (0, 0);
        let mut star: Option<(usize, usize)> = None;
        while let Some(byte) = name.get(n) {
            match pattern.get(p) {
                Some(b'*') => {
                    star = Some((p, n));
                    p += 1;
                }
                Some(wanted) if wanted == byte || *wanted == b'?' => {
                    p += 1;
                    n += 1;
                }
                _ => {
                    let Some((at, from)) = star else { return false };
                    star = Some((at, from + 1));
                    p = at + 1;
                    n = from + 1;
                }
            }
        }
        pattern.iter().skip(p).all(|byte| *byte == b'*')
    }
    (!name.starts_with('.') || pattern.starts_with('.')) && tail(pattern.as_bytes(), name.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::files::testing::Tree;
    use super::*;

    #[track_caller]
    fn check(files: &[(&str, &str)], expect: Option<&str>) {
        let tree = Tree::new(files);
        assert_eq!(root_login(&tree.root()).as_deref(), expect, "{files:?}");
    }

    #[test]
    fn the_first_value_counts() {
        let main = "etc/ssh/sshd_config";
        check(&[], None);
        check(&[(main, "# PermitRootLogin yes\n")], Some("prohibit-password"));
        check(
            &[(main, "permitrootlogin=YES # why\nPermitRootLogin no\n")],
            Some("yes"),
        );
        check(&[(main, "\tPermitRootLogin \"no\"\n")], Some("no"));
        check(
            &[(main, "Match User a\nPermitRootLogin yes\n")],
            Some("prohibit-password"),
        );
    }

    #[test]
    fn included_files_count_where_they_are_included() {
        let main = (
            "etc/ssh/sshd_config",
            "Include /etc/ssh/d/*.conf none\nPermitRootLogin no\n",
        );
        check(&[main], Some("no"));
        check(
            &[
                main,
                ("etc/ssh/d/b.conf", "PermitRootLogin yes\n"),
                ("etc/ssh/d/a.txt", "PermitRootLogin x\n"),
            ],
            Some("yes"),
        );
        check(
            &[main, ("etc/ssh/d/b.conf", "Match all\nPermitRootLogin yes\n")],
            Some("no"),
        );
        check(
            &[main, ("etc/ssh/d/.b.conf", "PermitRootLogin yes\n")],
            Some("no"),
        );
        check(&[main, ("etc/ssh/d/b.conf/x", "")], None);
        check(&[("etc/ssh/sshd_config", "Include sshd_config\n")], None);
    }

    #[test]
    fn wildcards_match_as_in_a_shell() {
        for (pattern, name, expect) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.conf.bak", false),
            ("?-*-*", "a-b-c-d", true),
            ("*", ".a", false),
            ("", "", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b", "a", false),
        ] {
            assert_eq!(fits(pattern, name), expect, "{pattern} {name}");
        }
    }

    proptest! {
        #[test]
        fn a_name_fits_itself_and_a_star(name in "[a-z.]{1,9}", line in "\\PC{0,60}") {
            prop_assert!(fits(&name, &name));
            let (open, longer) = (format!("{name}*"), format!("{name}x"));
            prop_assert!(fits(&open, &longer));
            prop_assert!(!directive(&line).0.contains(' '));
        }
    }
}
