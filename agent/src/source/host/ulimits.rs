//! Limits of a process (`/proc/PID/limits`), by the names that `docker run --ulimit` has for them.

use std::io;

use procfs::process::Process;

use super::proc;
use crate::model::Ulimit;

/// The kernel's names, and the engine's.
const NAMES: &[(&str, &str)] = &[
    ("Max cpu time", "cpu"),
    ("Max file size", "fsize"),
    ("Max data size", "data"),
    ("Max stack size", "stack"),
    ("Max core file size", "core"),
    ("Max resident set", "rss"),
    ("Max processes", "nproc"),
    ("Max open files", "nofile"),
    ("Max locked memory", "memlock"),
    ("Max address space", "as"),
    ("Max file locks", "locks"),
    ("Max pending signals", "sigpending"),
    ("Max msgqueue size", "msgqueue"),
    ("Max nice priority", "nice"),
    ("Max realtime priority", "rtprio"),
    ("Max realtime timeout", "rttime"),
];

/// Limits of a process, sorted by name.
///
/// # Errors
/// As of reading the file.
pub(super) fn ulimits(process: &Process) -> io::Result<Vec<Ulimit>> {
    let text = proc::read_text(process, "limits")?;
    let mut limits: Vec<Ulimit> = text.lines().filter_map(parse).collect();
    limits.sort_unstable();
    Ok(limits)
}

/// `Max open files            1024                 4096                 files     `
fn parse(line: &str) -> Option<Ulimit> {
    let (name, rest) = NAMES.iter().find_map(|(kernel, name)| {
        let rest = line.strip_prefix(kernel)?;
        rest.starts_with(' ').then_some((*name, rest))
    })?;
    let mut fields = rest.split_ascii_whitespace();
    Some(Ulimit {
        name: name.to_owned(),
        soft: number(fields.next()?)?,
        hard: number(fields.next()?)?,
    })
}

/// -1 for `unlimited`; what no `i64` holds is as good as that.
fn number(text: &str) -> Option<i64> {
    if text == "unlimited" {
        return Some(-1);
    }
    text.parse::<u64>()
        .ok()
        .map(|number| i64::try_from(number).unwrap_or(-1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(line: &str, expect: Option<(&str, i64, i64)>) {
        let found = parse(line);
        let shown = found
            .as_ref()
            .map(|limit| (limit.name.as_str(), limit.soft, limit.hard));
        assert_eq!(shown, expect, "{line}");
    }

    #[test]
    fn lines_are_decoded() {
        check(
            "Max open files            1024                 4096                 files     ",
            Some(("nofile", 1024, 4096)),
        );
        check(
            "Max nice priority         0                    0                    ",
            Some(("nice", 0, 0)),
        );
        check(
            "Max core file size        0                    unlimited            bytes     ",
            Some(("core", 0, -1)),
        );
        check(
            "Max cpu time              18446744073709551615 1                    seconds   ",
            Some(("cpu", -1, 1)),
        );
        check(
            "Limit                     Soft Limit           Hard Limit           Units     ",
            None,
        );
        check(
            "Max open files            x                    1                    files",
            None,
        );
        check("Max open files            1", None);
    }

    #[test]
    fn this_processs_limits_are_read() {
        let own = ulimits(&Process::myself().unwrap()).unwrap();
        assert_eq!(own.len(), NAMES.len());
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        let nofile = own.iter().find(|limit| limit.name == "nofile").unwrap();
        assert_eq!(u64::try_from(nofile.soft).ok(), limit.current);
    }

    proptest! {
        #[test]
        fn arbitrary_lines_never_panic(line in "(Max open files )?\\PC{0,60}") {
            drop(parse(&line));
        }
    }
}
