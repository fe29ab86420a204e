//! A file that its directory's `mod.rs` does not name is compiled by nobody.

use super::code;
use super::tree::{Problem, Tree};

/// Directories where the catalogue's macro declares the modules.
const ELSEWHERE: &[&str] = &["agent/src/check"];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    tree.rust()
        .filter_map(|(path, _)| {
            let (directory, name) = parent_and_name(path)?;
            let declared = format!("mod {name};");
            let homes = homes(directory);
            let is_declared = |home: &String| tree.get(home).is_some_and(|text| declares(text, &declared));
            if homes.iter().any(is_declared) || ELSEWHERE.contains(&directory) {
                return None;
            }
            let home = homes.iter().find(|home| tree.get(home).is_some())?;
            Some(Problem::new(
                path,
                0,
                format!("compiled by nobody: add `{declared}` to {home}, or delete it"),
            ))
        })
        .collect()
}

/// Directory and module name of a file that some other must declare.
fn parent_and_name(path: &str) -> Option<(&str, &str)> {
    let path = path.strip_suffix(".rs")?.trim_end_matches("/mod");
    let (directory, name) = path.rsplit_once('/')?;
    let is_root = matches!(name, "main" | "lib" | "build") || directory.ends_with("src/bin");
    let in_sources = directory.ends_with("/src") || directory.contains("/src/");
    (in_sources && !is_root).then_some((directory, name))
}

/// Files that may declare the modules of a directory.
fn homes(directory: &str) -> Vec<String> {
    ["/mod.rs", "/lib.rs", "/main.rs", ".rs"]
        .iter()
        .map(|name| format!("{directory}{name}"))
        .collect()
}

fn declares(text: &str, declared: &str) -> bool {
    code::lines(text).iter().any(|line| {
        let line = line.trim();
        let bare = line
            .strip_prefix("pub(crate) ")
            .or_else(|| line.strip_prefix("pub(super) "));
        bare.or_else(|| line.strip_prefix("pub "))
            .unwrap_or(line)
            .starts_with(declared)
    })
}

#[cfg(test)]
mod tests {
    use super::super::tree::assert_problems;
    use super::check;

    #[test]
    fn pass_what_is_declared() {
        let probes = [
            ("ebpf/src/probe/mod.rs", "mod exec;\npub mod mount;"),
            ("ebpf/src/probe/exec.rs", ""),
            ("ebpf/src/probe/mount.rs", ""),
        ];
        assert_problems(
            check,
            &[
                probes[0],
                probes[1],
                probes[2],
                ("ebpf/src/main.rs", "mod probe;"),
            ],
            &[],
        );
        assert_problems(
            check,
            &[("agent/src/check/x.rs", ""), ("agent/src/check/mod.rs", "")],
            &[],
        );
        assert_problems(check, &[("tests/suite/x.rs", ""), ("agent/src/main.rs", "")], &[]);
    }

    #[test]
    fn fail_what_is_not() {
        let path = "common/src/event/exec.rs";
        assert_problems(
            check,
            &[
                ("common/src/event/mod.rs", "// mod exec;\nmod executor;"),
                (path, ""),
            ],
            &[(path, 0)],
        );
        let path = "ebpf/src/probe/mod.rs";
        assert_problems(check, &[("ebpf/src/main.rs", ""), (path, "")], &[(path, 0)]);
    }
}
