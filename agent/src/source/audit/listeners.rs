//! Who besides the audit daemon takes the kernel's records: the journal does where it was told to, on the read-only group.
//!
//! Asked only where no daemon runs, since finding whose socket it is means looking at what every process holds open.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use netlink_packet_audit::constants::AUDIT_NLGRP_READLOG;

use crate::model::{AuditStatus, Fact};

/// `NETLINK_AUDIT`, as the table of sockets writes it.
const PROTOCOL: &str = "9";
/// Processes that are looked at, and what each holds open.
const MAX_PROCESSES: usize = 1 << 16;
const MAX_FILES: usize = 1 << 16;
/// Our own name: another of us keeps no trail either.
const OURSELVES: &str = "hullwatch";

/// Names of the programs, other than this one, that take records; asked only where no daemon runs, else none.
///
/// Blocks for some milliseconds. Process 1 is the host's: the kernel answers nobody outside its first pid namespace.
#[must_use]
pub fn listeners(status: &AuditStatus) -> Fact<Vec<String>> {
    if status.pid != 0 && status.daemon.is_some() {
        return Fact::Known(Vec::new());
    }
    find(Path::new("/proc"))
}

fn find(proc: &Path) -> Fact<Vec<String>> {
    let table = match fs::read_to_string(proc.join("1/net/netlink")) {
        Ok(table) => table,
        Err(error) => return Fact::unknown(format!("the host's netlink sockets cannot be listed: {error}")),
    };
    let sockets = in_group(&table);
    if sockets.is_empty() {
        return Fact::Known(Vec::new());
    }
    match owners(proc, &sockets) {
        Ok(names) => Fact::Known(names),
        Err(error) => Fact::unknown(format!("the processes cannot be listed: {error}")),
    }
}

/// What links to the sockets that are in the group of the records: `socket:[INODE]`.
fn in_group(table: &str) -> HashSet<String> {
    let of_line = |line: &str| {
        // sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode
        let mut columns = line.split_ascii_whitespace();
        let protocol = columns.nth(1)?;
        let groups = u32::from_str_radix(columns.nth(1)?, 16).ok()?;
        let inode = columns.next_back()?;
        let listens = protocol == PROTOCOL && groups & (1 << (AUDIT_NLGRP_READLOG - 1)) != 0;
        listens.then(|| format!("socket:[{inode}]"))
    };
    table.lines().filter_map(of_line).collect()
}

/// Names of the processes that hold any of the sockets, each once. One that ends meanwhile listens no more.
fn owners(proc: &Path, sockets: &HashSet<String>) -> std::io::Result<Vec<String>> {
    let mut names = HashSet::new();
    let processes = fs::read_dir(proc)?.take(MAX_PROCESSES).flatten();
    for process in processes.map(|entry| entry.path()) {
        let Ok(files) = fs::read_dir(process.join("fd")) else {
            continue;
        };
        let holds = files.take(MAX_FILES).flatten().any(|file| {
            fs::read_link(file.path())
                .is_ok_and(|link| link.to_str().is_some_and(|link| sockets.contains(link)))
        });
        if holds {
            names.insert(name_of(&process));
        }
    }
    names.remove(OURSELVES);
    let mut names: Vec<_> = names.into_iter().collect();
    names.sort_unstable();
    Ok(names)
}

/// File name of a process's program; what it calls itself may be any thread's purpose.
fn name_of(process: &Path) -> String {
    let exe = fs::read_link(process.join("exe")).unwrap_or_default();
    let name = exe.file_name().unwrap_or_default().to_string_lossy();
    // Replaced since it was started, as by an upgrade.
    name.strip_suffix(" (deleted)").unwrap_or(&name).to_owned()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    const HEADER: &str =
        "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n";

    /// A `/proc` with these sockets (protocol, groups, inode) and these processes (name, what it holds).
    #[track_caller]
    fn check(sockets: &[(u32, u32, u32)], processes: &[(&str, &str)], expect: &[&str]) {
        let proc = tempfile::tempdir().unwrap();
        let lines = sockets.iter().map(|(protocol, groups, inode)| {
            format!("00000000d1a3a53e {protocol}   4117 {groups:08x} 0 0 0 2 0 {inode}\n")
        });
        fs::create_dir_all(proc.path().join("1/net")).unwrap();
        let table = std::iter::once(HEADER.to_owned())
            .chain(lines)
            .collect::<String>();
        fs::write(proc.path().join("1/net/netlink"), table).unwrap();
        for (pid, (name, holds)) in (1..).zip(processes) {
            let process = proc.path().join(pid.to_string());
            fs::create_dir_all(process.join("fd")).unwrap();
            symlink(format!("/usr/bin/{name}"), process.join("exe")).unwrap();
            symlink(holds, process.join("fd/3")).unwrap();
        }
        let expect = expect.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(find(proc.path()), Fact::Known(expect));
    }

    #[test]
    fn those_in_the_group_are_named_once() {
        let holders = [
            ("systemd", "socket:[7]"),
            ("systemd-journald", "socket:[7]"),
            ("systemd", "socket:[7]"),
        ];
        check(&[(9, 1, 7)], &holders, &["systemd", "systemd-journald"]);
    }

    #[test]
    fn other_sockets_and_our_own_are_not() {
        let holders = [
            ("auditctl", "socket:[7]"),
            ("udevd", "socket:[8]"),
            ("hullwatch (deleted)", "socket:[9]"),
        ];
        check(&[(9, 0, 7), (15, 1, 8), (9, 1, 9)], &holders, &[]);
    }

    #[test]
    fn what_cannot_be_listed_is_not_known() {
        let proc = tempfile::tempdir().unwrap();
        assert!(matches!(find(proc.path()), Fact::Unknown(why) if why.contains("netlink")));
    }
}
