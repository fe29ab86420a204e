//! Engines that run without an audit context.
//!
//! The kernel gives a thread its context when it is made, and only once audit has been enabled: what was started before
//! is never audited, whatever the rules. No kernel says who has one, so this is told only where it follows from times.

use std::fs;
use std::path::Path;

use crate::model::{AuditStatus, Fact};

/// The daemons that recommendations are about, as the kernel names them.
const DAEMONS: [&[u8]; 2] = [b"dockerd", b"containerd"];
/// Processes that are looked at; the kernel allows four times as many.
const MAX_PROCESSES: usize = 1 << 20;

/// Running engines that are known to have no audit context (`pid name`); empty where all are known to have one.
///
/// Known where the kernel was started with `audit=1`, where no engine runs, and where each was started after the audit
/// daemon, which enables audit first. Blocks on small files.
#[must_use]
pub fn unaudited_processes(status: &AuditStatus) -> Fact<Vec<String>> {
    decide(Path::new("/proc"), status)
}

fn decide(proc: &Path, status: &AuditStatus) -> Fact<Vec<String>> {
    let command_line = fs::read_to_string(proc.join("cmdline")).unwrap_or_default();
    if command_line.split_ascii_whitespace().any(enables) {
        return Fact::Known(Vec::new());
    }
    let engines = match engines(proc) {
        Ok(engines) => engines,
        Err(error) => return Fact::unknown(format!("the processes cannot be listed: {error}")),
    };
    let daemon = start_time(proc, status.pid).filter(|_| status.pid != 0 && status.enabled != 0);
    let earlier: Vec<String> = engines
        .into_iter()
        .filter(|(pid, _)| !is_later(start_time(proc, *pid), daemon))
        .map(|(pid, name)| format!("{pid} {name}"))
        .collect();
    match (earlier.is_empty(), daemon) {
        (true, _) => Fact::Known(Vec::new()),
        (false, Some(_)) => Fact::unknown(format!(
            "started before the audit daemon: {}; whether audit was enabled by then the kernel does not tell; \
             audit=1 on its command line makes sure",
            earlier.join(", ")
        )),
        (false, None) => Fact::unknown(format!(
            "no audit daemon runs to tell when audit was enabled, before or after {}; \
             audit=1 on the kernel's command line makes sure",
            earlier.join(", ")
        )),
    }
}

/// Whether an argument of the kernel enables audit at boot.
fn enables(argument: &str) -> bool {
    matches!(argument, "audit=1" | "audit=on")
}

/// Whether something was started after something else; what is not known was not.
fn is_later(one: Option<u64>, other: Option<u64>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if one > other)
}

/// Process id and name of each running engine.
fn engines(proc: &Path) -> std::io::Result<Vec<(u32, String)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(proc)?.take(MAX_PROCESSES) {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // One that has ended meanwhile is not running.
        let name = fs::read(proc.join(format!("{pid}/comm"))).unwrap_or_default();
        let name = name.trim_ascii_end();
        if DAEMONS.contains(&name) {
            found.push((pid, String::from_utf8_lossy(name).into_owned()));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// When a process was started, in clock ticks since boot (`/proc/PID/stat`, field 22).
fn start_time(proc: &Path, pid: u32) -> Option<u64> {
    let stat = fs::read(proc.join(format!("{pid}/stat"))).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    // The name, in parentheses, may hold anything.
    let (_, after) = stat.rsplit_once(") ")?;
    after.split_ascii_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A `/proc` with these processes: pid, name, start.
    fn proc(command_line: &str, processes: &[(u32, &str, u64)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("cmdline"), command_line).unwrap();
        for (pid, name, start) in processes {
            let process = dir.path().join(pid.to_string());
            fs::create_dir(&process).unwrap();
            fs::write(process.join("comm"), format!("{name}\n")).unwrap();
            let zeros = "0 ".repeat(18);
            fs::write(
                process.join("stat"),
                format!("{pid} ({name}) ) S {zeros}{start} 1 2\n"),
            )
            .unwrap();
        }
        dir
    }

    #[track_caller]
    fn check(command_line: &str, processes: &[(u32, &str, u64)], auditd: u32, known: bool) {
        let dir = proc(command_line, processes);
        let status = AuditStatus {
            enabled: 1,
            pid: auditd,
            ..AuditStatus::default()
        };
        match decide(dir.path(), &status) {
            Fact::Known(none) => assert!(known && none.is_empty(), "{none:?}"),
            Fact::Unknown(why) => assert!(!known && why.contains("20 dockerd"), "{why}"),
        }
    }

    #[test]
    fn it_is_known_only_where_it_follows() {
        let auditd = (10, "auditd", 500);
        check("quiet audit=1", &[(20, "dockerd", 100)], 0, true);
        check("quiet", &[(20, "dockerd-like", 100)], 0, true);
        check(
            "quiet",
            &[auditd, (20, "dockerd", 501), (21, "containerd", 600)],
            10,
            true,
        );
        check(
            "quiet",
            &[auditd, (20, "dockerd", 100), (21, "containerd", 600)],
            10,
            false,
        );
        check("quiet audit=0", &[auditd, (20, "dockerd", 600)], 0, false);
        check("quiet", &[(20, "dockerd", 600)], 10, false);
    }

    #[test]
    fn a_process_has_a_start() {
        assert!(start_time(Path::new("/proc"), std::process::id()).is_some_and(|ticks| ticks > 0));
        assert_eq!(start_time(Path::new("/proc"), u32::MAX), None);
    }
}
