//! States of namespaces, held against each other.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::*;

const CONTAINER: &str = "\
    500 400 0:50 / / rw,relatime - overlay overlay rw,lowerdir=/l\n\
    501 500 0:51 / /proc rw,nosuid - proc proc rw\n\
    502 500 254:0 /var/lib/docker/volumes/v/_data /data rw - ext4 /dev/vda rw\n\
    503 500 0:52 / /dev rw - tmpfs tmpfs rw\n";

const HOST: &str = "\
    27 1 254:0 / / rw - ext4 /dev/vda rw\n\
    28 27 0:25 / /run rw shared:5 - tmpfs tmpfs rw\n\
    29 27 254:0 /etc /srv/etc rw - ext4 /dev/vda rw\n\
    30 27 8:1 /@home /home rw - btrfs /dev/sda1 rw\n\
    31 27 9:1 / /hidden rw - xfs /dev/md1 rw\n\
    32 31 9:2 / /hidden rw - xfs /dev/md2 rw\n\
    33 27 0:50 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw\n";

fn lines(text: &str) -> Vec<MountLine> {
    text.lines()
        .map(|line| MountLine::parse(line.trim().as_bytes()).unwrap())
        .collect()
}

fn show(change: Option<change::Change<'_>>) -> String {
    let Some(change) = change else {
        return "unknown".to_owned();
    };
    let mounts: Vec<_> = change.mounts.iter().map(|mount| mount.path.as_str()).collect();
    format!("+{} -{}", mounts.join(","), change.removed.join(","))
}

#[track_caller]
fn check_since(before: &str, after: &str, expect: &str) {
    let hasher = RandomState::new();
    let known = change::known(&hasher, &lines(before));
    assert_eq!(show(change::since(&hasher, &known, &lines(after))), expect);
}

#[test]
fn what_appears_changes_moves_or_goes_is_told() {
    let with = |line: &str| format!("{CONTAINER}{line}\n");
    let tmp = "504 500 0:60 / /tmp rw - tmpfs t rw";
    check_since(CONTAINER, CONTAINER, "+ -");
    check_since(CONTAINER, &with(tmp), "+/tmp -");
    check_since(&with(tmp), CONTAINER, "+ -/tmp");
    check_since(
        &with(tmp),
        &with("504 500 0:60 / /tmp ro - tmpfs t rw"),
        "+/tmp -",
    );
    check_since(
        &with(tmp),
        &with("504 500 0:60 / /tmp rw shared:9 - tmpfs t rw"),
        "+/tmp -",
    );
    check_since(
        &with(tmp),
        &with("504 500 0:60 / /new rw - tmpfs t rw"),
        "+/new -/tmp",
    );
    // The id was given anew to a mount at the same place.
    check_since(
        &with(tmp),
        &with("504 500 254:0 /etc /tmp rw - ext4 /dev/vda rw"),
        "+/tmp -",
    );
    // On top of another.
    check_since(
        &with(tmp),
        &with(&format!("{tmp}\n505 504 0:61 / /tmp rw - tmpfs t rw")),
        "+/tmp -",
    );
}

#[test]
fn a_namespace_with_no_mount_in_common_is_another() {
    check_since(CONTAINER, HOST, "unknown");
}

#[track_caller]
fn check_newest(target: &str, added: &str, expect: &str) {
    let mounts = lines(&format!("{CONTAINER}{added}"));
    assert_eq!(show(change::newest(&mounts, target)), expect, "{target}");
}

#[test]
fn without_a_state_before_the_last_mounts_answer_if_they_are_the_target() {
    let one = "504 500 0:60 / /mnt/x rw - tmpfs t rw\n";
    let two = "504 500 0:60 / /mnt/x rw - tmpfs t rw\n505 504 0:61 / /mnt/x/y rw - tmpfs t rw\n";
    check_newest("/mnt/x", one, "+/mnt/x -");
    check_newest("../x/", one, "+/mnt/x -");
    check_newest("/mnt/x", two, "+/mnt/x,/mnt/x/y -");
    check_newest("/data", one, "unknown");
    check_newest("/mnt/z", one, "unknown");
    for nowhere in ["", "/", ".", ".."] {
        check_newest(nowhere, one, "unknown");
    }
}

#[track_caller]
fn check_host_path(line: &str, expect: Option<&str>) {
    let mount = lines(line).remove(0);
    assert_eq!(
        host_path::find(&mount, &lines(HOST), &[28]).as_deref(),
        expect,
        "{line}"
    );
}

#[test]
fn a_directory_has_the_hosts_name() {
    check_host_path("9 1 254:0 / /host rw - ext4 s rw", Some("/"));
    check_host_path("9 1 254:0 /etc /x rw - ext4 s rw", Some("/etc"));
    check_host_path("9 1 8:1 /@home/ana /x rw - btrfs s rw", Some("/home/ana"));
    check_host_path("9 1 8:1 /@ /x rw - btrfs s rw", None);
    check_host_path(
        "9 1 0:50 / / rw - overlay s rw",
        Some("/var/lib/docker/overlay2/x/merged"),
    );
    check_host_path("9 1 9:2 /a /x rw - xfs s rw", Some("/hidden/a"));
    check_host_path("9 1 9:1 /a /x rw - xfs s rw", None);
    check_host_path("9 1 0:99 / /x rw - tmpfs s rw", None);
    // Only the new mount itself shows it.
    check_host_path("28 1 0:25 / /run rw - tmpfs s rw", Some("/run"));
    // What the host has mounted over the directory hides it.
    check_host_path("9 1 254:0 /run/x /x rw - ext4 s rw", None);
}

#[test]
fn the_table_is_bounded() {
    let mut table = MountTable::new();
    let mounts = lines(CONTAINER);
    for namespace in 0..1000 {
        table.remember(namespace, &mounts);
    }
    assert_eq!(table.namespaces.len(), MAX_NAMESPACES);
    assert_eq!(table.remembered, MAX_NAMESPACES * mounts.len());
    assert!(table.namespaces.contains_key(&999) && !table.namespaces.contains_key(&0));
    let many: Vec<_> = mounts.iter().cycle().take(MAX_REMEMBERED).cloned().collect();
    table.remember(5000, &many);
    assert_eq!((table.namespaces.len(), table.remembered), (1, MAX_REMEMBERED));
    table.forget(5000);
    assert_eq!(table.remembered, 0);
}

fn call<'a>(pids: &'a [u32], mnt_ns: u32, call: &'a str, request: &'a MountRequest) -> MountCall<'a> {
    MountCall {
        pids,
        mnt_ns,
        origins: &[],
        call,
        errno: 0,
        request,
    }
}

#[test]
fn calls_that_attach_nothing_have_no_effect() {
    let mut table = MountTable::new();
    let request = MountRequest::default();
    for name in ["fsmount", "open_tree", "open_tree_attr"] {
        assert_eq!(
            table.effect(&call(&[], 1, name, &request)),
            MountEffect::None,
            "{name}"
        );
    }
    let failed = MountCall {
        errno: 1,
        ..call(&[], 1, "mount", &request)
    };
    assert_eq!(table.effect(&failed), MountEffect::None);
}

#[test]
fn a_namespace_that_is_gone_is_unverified() {
    let request = MountRequest::default();
    let effect = MountTable::new().effect(&call(&[u32::MAX, 0], 1, "mount", &request));
    let MountEffect::Unverified { reason } = effect else {
        panic!("{effect:?}")
    };
    assert_eq!(reason, "mount namespace is gone, or no process in it is known");
}

/// A shell in a mount namespace of its own that runs one command per line.
struct Shell {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Shell {
    /// `None` with a printed reason where this user or machine cannot make the namespace.
    fn new() -> Option<Self> {
        let mut child = Command::new("unshare")
            .args(["--mount", "--propagation", "private", "sh"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .inspect_err(|error| println!("skipped: no unshare: {error}"))
            .ok()?;
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let output = BufReader::new(output);
        let mut shell = Self { child, input, output };
        if shell.run("true") != "0\n" {
            println!("skipped: this user cannot make a mount namespace");
            return None;
        }
        Some(shell)
    }

    /// Runs a command and waits for its end; its exit code, or nothing if the shell is gone.
    fn run(&mut self, command: &str) -> String {
        let mut answer = String::new();
        if writeln!(self.input, "{command} >/dev/null; echo $?").is_ok() {
            self.output.read_line(&mut answer).unwrap();
        }
        answer
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[track_caller]
fn check_effect(effect: MountEffect, expect: &[(&str, bool, Option<&str>)], gone: &[&str]) {
    let MountEffect::Verified { mounts, removed } = effect else {
        panic!("{effect:?}")
    };
    let shown: Vec<_> = mounts
        .iter()
        .map(|mount| (mount.path.as_str(), mount.read_only, mount.host_path.as_deref()))
        .collect();
    assert_eq!(
        (shown.as_slice(), removed.as_slice()),
        (
            expect,
            gone.iter()
                .map(|g| (*g).to_owned())
                .collect::<Vec<_>>()
                .as_slice()
        )
    );
}

#[test]
fn mounts_of_a_living_namespace_are_read_back() {
    let Some(mut shell) = Shell::new() else { return };
    let dir = tempfile::tempdir().unwrap();
    let top = dir.path().canonicalize().unwrap();
    let top = top.to_str().unwrap();
    let (target, bound) = (format!("{top}/target"), format!("{top}/bound"));
    std::fs::create_dir(&target).unwrap();
    std::fs::create_dir(&bound).unwrap();
    let pids = [shell.child.id()];
    let inode = std::fs::metadata(format!("/proc/{}/ns/mnt", pids[0]))
        .unwrap()
        .ino();
    let namespace = u32::try_from(inode).unwrap();

    let request = MountRequest {
        target: target.clone(),
        ..MountRequest::default()
    };
    let mut table = MountTable::new();
    // Nothing is known of the namespace yet: the hint finds the newest mount.
    assert_eq!(shell.run(&format!("mount -t tmpfs hullwatch {target}")), "0\n");
    check_effect(
        table.effect(&call(&pids, namespace, "mount", &request)),
        &[(&target, false, None)],
        &[],
    );

    assert_eq!(shell.run(&format!("mount -o remount,ro {target}")), "0\n");
    let request = MountRequest::default();
    check_effect(
        table.effect(&call(&pids, namespace, "mount", &request)),
        &[(&target, true, None)],
        &[],
    );

    assert_eq!(shell.run(&format!("umount {target}")), "0\n");
    check_effect(
        table.effect(&call(&pids, namespace, "umount", &request)),
        &[],
        &[&target],
    );

    assert_eq!(shell.run(&format!("mount --bind {target} {bound}")), "0\n");
    let effect = table.effect(&call(&pids, namespace, "mount", &request));
    check_effect(effect, &[(&bound, false, Some(&target))], &[]);

    // Moved on top of nothing known: a new table cannot tell a change without a hint.
    let effect = MountTable::new().effect(&call(&pids, namespace, "mount_setattr", &request));
    assert!(matches!(effect, MountEffect::Unverified { .. }), "{effect:?}");
    let mut informed = MountTable::new();
    informed.baseline(&pids, namespace).unwrap();
    check_effect(
        informed.effect(&call(&pids, namespace, "mount_setattr", &request)),
        &[],
        &[],
    );

    // First read after the mount was made: that nothing changed since does not mean that it did nothing.
    let bind = MountRequest {
        target: bound.clone(),
        ..MountRequest::default()
    };
    let effect = informed.effect(&call(&pids, namespace, "mount", &bind));
    check_effect(effect, &[(&bound, false, Some(&target))], &[]);
    let effect = informed.effect(&call(&pids, namespace, "mount", &request));
    assert!(matches!(effect, MountEffect::Unverified { .. }), "{effect:?}");

    assert_eq!(informed.baseline(&pids, namespace ^ 1), Err(ViewError::Gone));
    drop(shell);
    assert_eq!(informed.baseline(&pids, namespace), Err(ViewError::Gone));
}

#[test]
fn a_copy_of_a_known_namespace_is_held_against_the_original() {
    let hasher = RandomState::new();
    let original = lines("21 1 8:1 / / rw - ext4 /dev/sda1 rw\n22 21 0:5 / /proc rw - proc proc rw\n");
    let copy = "91 90 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n92 91 0:5 / /proc rw - proc proc rw\n";
    let known = change::known(&hasher, &original);
    let same = lines(copy);
    assert_eq!(
        change::beyond(&hasher, &known, &same),
        Some(change::Change::default())
    );
    let more = lines(&format!("{copy}93 91 8:1 /etc /x rw - ext4 /dev/sda1 rw\n"));
    let found = change::beyond(&hasher, &known, &more).unwrap();
    assert_eq!(
        found
            .mounts
            .iter()
            .map(|mount| mount.path.as_str())
            .collect::<Vec<_>>(),
        ["/x"]
    );
    let other = lines("5 4 0:30 / / rw - overlay overlay rw\n");
    assert_eq!(change::beyond(&hasher, &known, &other), None);
}
