//! Which room of the agent may know which. The arrows of ARCHITECTURE.md, as a table.

use super::code;
use super::tree::{Problem, Tree};

const AGENT: &str = "agent/src/";

/// A room, and the rooms it may name besides itself.
const EDGES: &[(&str, Knows)] = &[
    ("model", Knows::Only(&[])),
    ("telemetry", Knows::Only(&["model"])),
    ("config", Knows::Only(&["model"])),
    ("source/kernel", Knows::Only(&["model", "telemetry"])),
    ("source/engine", Knows::Only(&["model", "telemetry"])),
    ("source/audit", Knows::Only(&["model", "telemetry"])),
    ("source/files", Knows::Only(&["model", "telemetry"])),
    ("source/host", Knows::Only(&["model", "telemetry"])),
    ("source/replay", Knows::Only(&["model", "telemetry"])),
    ("source", Knows::Only(&["model", "telemetry"])),
    ("enrich", Knows::Only(&["model", "telemetry"])),
    ("check", Knows::Only(&["model"])),
    ("format", Knows::Only(&["model"])),
    ("sink", Knows::Only(&["model", "telemetry"])),
    ("journal", Knows::Only(&["model", "telemetry"])),
    ("correlate", Knows::Only(&["model", "check", "telemetry"])),
    ("pipeline", Knows::All),
    ("cli", Knows::All),
];

#[derive(Clone, Copy)]
enum Knows {
    All,
    Only(&'static [&'static str]),
}

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in tree.rust() {
        let Some(inner) = path
            .strip_prefix(AGENT)
            .filter(|inner| !is_root(inner) && !code::is_tests(inner))
        else {
            continue;
        };
        let Some((room, knows)) = EDGES.iter().find(|(room, _)| lies_in(inner, room)) else {
            let what = "unknown room: add it to EDGES in xtask/src/tidy/direction.rs and to ARCHITECTURE.md";
            problems.push(Problem::new(path, 0, what));
            continue;
        };
        let Knows::Only(allowed) = knows else { continue };
        for (line, named) in paths_named(inner, text) {
            let Some(named) = room_of(&named) else { continue };
            if lies_in(room, named) || allowed.contains(&named) {
                continue;
            }
            let what = format!(
                "`{room}` may not know `{named}`: let `pipeline` bring them together, or move the type to `model`"
            );
            problems.push(Problem::new(path, line, what));
        }
    }
    problems
}

/// The room that a file or module path lies in.
fn room_of(path: &str) -> Option<&'static str> {
    EDGES
        .iter()
        .map(|(room, _)| *room)
        .find(|room| lies_in(path, room))
}

/// `main.rs` and `lib.rs`, which only list and start.
fn is_root(inner: &str) -> bool {
    matches!(inner, "main.rs" | "lib.rs")
}

fn lies_in(inner: &str, room: &str) -> bool {
    inner
        .strip_prefix(room)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || rest == ".rs")
}

/// Module paths (`check/support`) that code outside tests names through `crate::` or `super::`, with their lines.
fn paths_named(file: &str, text: &str) -> Vec<(usize, String)> {
    let code: Vec<String> = code::without_tests(text).map(|(_, line)| line).collect();
    let code = code.join("\n");
    let mut named = Vec::new();
    for keyword in ["crate::", "super::"] {
        for (at, _) in code.match_indices(keyword) {
            let before = code.get(..at).unwrap_or_default();
            let rest = code.get(at + keyword.len()..).unwrap_or_default();
            if rest.starts_with("super::") {
                continue;
            }
            let supers = before.len() - before.trim_end_matches("super::").len();
            let up = if keyword == "super::" {
                1 + supers / "super::".len()
            } else {
                usize::MAX
            };
            let base = ancestor(file, up);
            for (offset, path) in paths(rest) {
                let lines = before.matches('\n').count()
                    + rest
                        .get(..offset)
                        .map_or(0, |skipped| skipped.matches('\n').count());
                named.push((lines + 1, format!("{base}{path}")));
            }
        }
    }
    named.sort();
    named
}

/// The module so many levels above a file's own, ending in `/` unless it is the crate.
fn ancestor(file: &str, up: usize) -> String {
    let own = file.trim_end_matches(".rs").trim_end_matches("/mod");
    let mut segments: Vec<&str> = own.split('/').collect();
    segments.truncate(segments.len().saturating_sub(up));
    segments.iter().map(|segment| format!("{segment}/")).collect()
}

/// The path at the start of a text, or each path in `{a::b, c}`, with its offset.
fn paths(text: &str) -> Vec<(usize, String)> {
    let Some(list) = text.strip_prefix('{') else {
        return vec![(0, slashed(text))];
    };
    let mut depth = 0usize;
    let mut starts = true;
    let mut found = Vec::new();
    for (at, c) in list.char_indices() {
        match c {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => starts = true,
            c if starts && !c.is_whitespace() => {
                starts = false;
                found.push((at + 1, slashed(list.get(at..).unwrap_or_default())));
            }
            _ => {}
        }
    }
    found
}

/// `check::support::X, …` as `check/support/X`.
fn slashed(path: &str) -> String {
    let whole: String = path
        .chars()
        .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | ':'))
        .collect();
    whole.replace("::", "/")
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
    fn pass_along_the_arrows() {
        check("agent/src/check/a.rs", "use crate::model::X;\nuse super::Y;", &[]);
        check(
            "agent/src/correlate/a.rs",
            "use crate::{check::X, model::{self, Y}};",
            &[],
        );
        check(
            "agent/src/pipeline.rs",
            "use crate::sink;\nuse crate::source::kernel;",
            &[],
        );
        check(
            "agent/src/source/kernel/btf/walk.rs",
            "use crate::source::kernel::X;",
            &[],
        );
        check("agent/src/model/id.rs", "use crate::__private;", &[]);
        check("agent/src/check/a.rs", "use super::{Check, support::x};", &[]);
        check("agent/src/source/engine/api.rs", "use super::kernel::X;", &[]);
        check("agent/src/lib.rs", "pub mod check;", &[]);
        check("agent/src/format/tests.rs", "use crate::check::X;", &[]);
        check("tests/src/lib.rs", "use crate::sink;", &[]);
    }

    #[test]
    fn fail_against_them() {
        check("agent/src/model/a.rs", "//! x\nuse crate::check::X;", &[2]);
        check("agent/src/check/a.rs", "fn f() { crate::enrich::g() }", &[1]);
        check(
            "agent/src/format/a.rs",
            "use crate::{\n    model::{X, Y},\n    sink::Z,\n};",
            &[3],
        );
        check("agent/src/format/mod.rs", "use crate::correlate::Z;", &[1]);
        check("agent/src/format/mod.rs", "use super::correlate::Z;", &[1]);
        check("agent/src/format/ecs.rs", "use super::super::correlate::Z;", &[1]);
    }

    #[test]
    fn fail_between_two_sources() {
        check(
            "agent/src/source/engine/mod.rs",
            "use crate::source::kernel::X;",
            &[1],
        );
        check("agent/src/source/engine/mod.rs", "use super::kernel::X;", &[1]);
        check(
            "agent/src/source/engine/api/list.rs",
            "use super::super::super::kernel::X;",
            &[1],
        );
        check("agent/src/source/replay.rs", "use super::host::X;", &[1]);
    }

    #[test]
    fn fail_in_an_unknown_room() {
        check("agent/src/attic/mod.rs", "", &[0]);
        check("agent/src/stray.rs", "", &[0]);
    }

    #[test]
    fn pass_in_prose_and_in_tests() {
        check(
            "agent/src/model/a.rs",
            "// crate::check\nconst A: &str = \"crate::sink\";",
            &[],
        );
        check(
            "agent/src/model/a.rs",
            "mod tests {\n    use crate::check::X;\n}",
            &[],
        );
    }
}
