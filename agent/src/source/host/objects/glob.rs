//! Paths with wildcards in their last component.

use super::root::{Root, is_absent, split};

/// The paths that a pattern stands for, sorted; the pattern itself where it has no wildcard.
///
/// # Errors
/// Why it is not expanded: one sentence without a full stop.
pub(super) fn expand(root: &Root, pattern: &str) -> Result<Vec<String>, String> {
    if !pattern.contains(['*', '?', '[', '{']) {
        return Ok(vec![pattern.to_owned()]);
    }
    let parts = split(pattern).filter(|(directory, _)| !directory.contains(['*', '?', '[', '{']));
    let Some((directory, wild)) = parts.filter(|(_, name)| !name.contains(['[', '{'])) else {
        return Err(format!("the pattern {pattern} is not expanded"));
    };
    match root.list(directory) {
        Ok(names) => Ok(names
            .into_iter()
            .filter(|name| !name.starts_with('.') && matches(wild.as_bytes(), name.as_bytes()))
            .map(|name| format!("{}/{name}", directory.trim_end_matches('/')))
            .collect()),
        Err(error) if is_absent(&error) => Ok(Vec::new()),
        Err(error) => Err(format!("{directory} could not be read: {error}")),
    }
}

/// Whether `*` and `?` of a pattern stand for a name. Linear in space, at most quadratic in time.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut within) = (0, 0);
    // Where to go on after the last star: its place in the pattern, and how much of the name it stands for.
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = name.get(within) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at + 1, within));
                at += 1;
            }
            Some(wanted) if wanted == byte || *wanted == b'?' => {
                at += 1;
                within += 1;
            }
            _ => {
                let Some((after, taken)) = star else { return false };
                star = Some((after, taken + 1));
                (at, within) = (after, taken + 1);
            }
        }
    }
    pattern.iter().skip(at).all(|rest| *rest == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, expect: Result<&[&str], &str>) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("d")).unwrap();
        for name in ["a.toml", "b.toml", "b.txt", ".c.toml"] {
            std::fs::write(dir.path().join("d").join(name), "").unwrap();
        }
        let found = expand(&Root::open(dir.path()).unwrap(), pattern);
        match (found, expect) {
            (Ok(found), Ok(expect)) => assert_eq!(found, expect),
            (Err(found), Err(expect)) => assert!(found.contains(expect), "{found}"),
            (found, _) => panic!("{found:?}"),
        }
    }

    #[test]
    fn the_last_component_is_expanded() {
        check("/d/*.toml", Ok(&["/d/a.toml", "/d/b.toml"]));
        check("/d/b.???", Ok(&["/d/b.txt"]));
        check("/d/*b*t*", Ok(&["/d/b.toml", "/d/b.txt"]));
        check("/d/none", Ok(&["/d/none"]));
        check("/none/*", Ok(&[]));
    }

    #[test]
    fn what_is_not_expanded_says_so() {
        check("/*/a", Err("not expanded"));
        check("/d/[ab]", Err("not expanded"));
        check("*", Err("not expanded"));
    }
}
