//! Which room may name which foreign crate, so that each can be replaced in one place.

use super::code;
use super::tree::{Problem, Tree};

/// A crate (`*` at the end: every crate whose name starts so), and the paths under `agent/src` that may name it.
const HOMES: &[(&str, &[&str])] = &[
    ("aya*", &["source/kernel"]),
    (
        "hullwatch_common",
        &["source/kernel", "source/host", "enrich", "model/id"],
    ),
    ("bollard*", &["source/engine"]),
    ("netlink*", &["source/audit"]),
    ("syscalls", &["source/audit"]),
    ("zerocopy", &["source/audit"]),
    (
        "procfs",
        &["source/host", "source/files", "enrich", "model/mountinfo"],
    ),
    ("rusqlite", &["journal"]),
    ("clap", &["cli"]),
    ("tracing_subscriber", &["telemetry", "cli"]),
    ("anyhow", &["cli", "pipeline"]),
];

const AGENT: &str = "agent/src/";

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in tree.rust() {
        let Some(inner) = path.strip_prefix(AGENT).filter(|inner| !code::is_tests(inner)) else {
            continue;
        };
        for (number, line) in code::without_tests(text) {
            for (krate, homes) in HOMES.iter().filter(|(krate, _)| names(&line, krate)) {
                if homes.iter().any(|home| lies_in(inner, home)) {
                    continue;
                }
                let what = format!(
                    "`{krate}` may be named only in {}: ask that room instead",
                    homes.join(", ")
                );
                problems.push(Problem::new(path, number, what));
            }
        }
    }
    problems
}

fn lies_in(inner: &str, home: &str) -> bool {
    inner
        .strip_prefix(home)
        .is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
}

/// Whether a line names a crate as one: `use aya`, `aya::`, `::aya`.
fn names(line: &str, krate: &str) -> bool {
    let (stem, open) = krate
        .strip_suffix('*')
        .map_or((krate, false), |stem| (stem, true));
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(stem).any(|(at, _)| {
        let before = line.get(..at).unwrap_or_default();
        let after = line.get(at + stem.len()..).unwrap_or_default();
        let after = if open {
            after.trim_start_matches(is_part)
        } else {
            after
        };
        let imported = before.trim_end().ends_with("use") || before.trim_end().ends_with("extern crate");
        let starts = !before.ends_with(is_part) && !before.trim_end_matches("::").ends_with(is_part);
        let ends = !after.starts_with(is_part);
        starts && ends && (after.starts_with("::") || imported)
    })
}

#[cfg(test)]
mod tests {
    use super::super::tree::assert_problems;

    #[track_caller]
    fn check(path: &str, text: &str, lines: &[usize]) {
        let expect: Vec<_> = lines.iter().map(|line| (path, *line)).collect();
        assert_problems(super::check, &[(path, text)], &expect);
    }

    #[test]
    fn pass_at_home() {
        check(
            "agent/src/source/kernel/load.rs",
            "use aya::Ebpf;\nuse aya_obj::btf;",
            &[],
        );
        check("agent/src/source/engine/mod.rs", "use bollard::Docker;", &[]);
        check(
            "agent/src/pipeline.rs",
            "let bollard = 1; // bollard::x\nuse crate::clap::X;",
            &[],
        );
        check("agent/src/enrich/x/tests.rs", "use bollard::X;", &[]);
        check("ebpf/src/main.rs", "use aya_ebpf::macros::map;", &[]);
    }

    #[test]
    fn fail_elsewhere() {
        check(
            "agent/src/pipeline.rs",
            "use aya::Ebpf;\nuse aya_obj;\nlet x: aya::X;",
            &[1, 2, 3],
        );
        check("agent/src/check/x.rs", "fn f(d: &bollard::Docker) {}", &[1]);
        check("agent/src/source/host/mod.rs", "use ::aya::Ebpf;", &[1]);
        check(
            "agent/src/sink/file.rs",
            "use netlink_sys::X;\nuse procfs as p;",
            &[1, 2],
        );
    }
}
