//! Mounts: the call by either family, and what really came of it.

use anyhow::{Result, ensure};
use hullwatch_tests::{Line, Mark, Shell};
use serde_json::Value;

use crate::case::cases;
use crate::stage::{Stage, Way};

cases! {
    staged:
        a_mount_by_the_old_calls,
        a_mount_by_the_new_calls,
        a_mount_on_the_host,
        mounts_that_fail,
        a_sensitive_directory_mounted_in_a_container,
        a_mount_made_shared;
}

const SENSITIVE: &str = "runtime-no-sensitive-host-mounts";
const SHARED: &str = "runtime-no-shared-propagation";
const MOUNT_KEYS: [&str; 2] = [SENSITIVE, SHARED];

/// The observation of a call with this target in a container.
fn observed(stage: &mut Stage, from: Mark, shell: &Shell, call: &str, target: &str) -> Result<Line> {
    stage.watch()?.observation(from, "mount", |line| {
        line.is_in(&shell.id) && line.text("/call") == call && line.text("/requested/target") == target
    })
}

/// The mount point at `path` in a verified effect.
fn mounted<'l>(line: &'l Line, path: &str) -> Result<&'l Value> {
    ensure!(line.number("/errno") == Some(0), "{line}");
    ensure!(line.text("/effect/state") == "verified", "{line}");
    let mounts = line.at("/effect/mounts").as_array();
    let point = mounts.and_then(|mounts| mounts.iter().find(|mount| mount["path"] == path));
    point.ok_or_else(|| anyhow::anyhow!("no mount at {path}: {line}"))
}

/// Whether a violation tells of a call, not of how the container was started.
fn is_live(line: &Line) -> bool {
    line.at("/evidence/0/kind") == "mount"
}

fn a_mount_by_the_old_calls(stage: &mut Stage) -> Result<()> {
    let mut shell = stage.world.container(&["--cap-add", "SYS_ADMIN"])?;
    let mark = stage.watch()?.mark();
    shell.must("/bin/actor mount tmpfs /mnt")?;
    let seen = observed(stage, mark, &shell, "mount", "/mnt")?;
    let point = mounted(&seen, "/mnt")?;
    ensure!(
        point["fstype"] == "tmpfs" && point["read_only"] == false,
        "{seen}"
    );
    shell.must("/bin/actor umount /mnt")?;
    let seen = observed(stage, mark, &shell, "umount", "/mnt")?;
    ensure!(seen.at("/effect/removed/0") == "/mnt", "{seen}");
    Ok(())
}

fn a_mount_by_the_new_calls(stage: &mut Stage) -> Result<()> {
    let mut shell = stage.world.container(&["--cap-add", "SYS_ADMIN"])?;
    let mark = stage.watch()?.mark();
    shell.must("/bin/actor mount-new tmpfs /mnt")?;
    stage.watch()?.observation(mark, "mount", |line| {
        line.is_in(&shell.id) && line.text("/call") == "fsmount"
    })?;
    let seen = observed(stage, mark, &shell, "move_mount", "/mnt")?;
    ensure!(mounted(&seen, "/mnt")?["fstype"] == "tmpfs", "{seen}");
    shell.must("/bin/mkdir /tmp/there && /bin/actor bind-new /mnt /tmp/there")?;
    stage.watch()?.observation(mark, "mount", |line| {
        line.is_in(&shell.id) && line.text("/call") == "open_tree"
    })?;
    let seen = observed(stage, mark, &shell, "move_mount", "/tmp/there")?;
    mounted(&seen, "/tmp/there")?;
    Ok(())
}

/// A process that ends at once takes its mount namespace along: the effect is verified or said to be unverified,
/// never guessed.
fn a_mount_on_the_host(stage: &mut Stage) -> Result<()> {
    let target = stage.world.directory("mount")?.to_string_lossy().into_owned();
    let mark = stage.watch()?.mark();
    let pid = stage.world.act(&["mount", "tmpfs", &target])?;
    let seen = stage
        .watch()?
        .observation(mark, "mount", |line| line.is_by(pid))?;
    ensure!(
        seen.text("/requested/target") == target && seen.at("/container").is_null(),
        "{seen}"
    );
    ensure!(
        ["verified", "unverified"].contains(&seen.text("/effect/state")),
        "{seen}"
    );
    let pid = stage.world.act(&["umount", &target])?;
    let seen = stage
        .watch()?
        .observation(mark, "mount", |line| line.is_by(pid))?;
    ensure!(
        seen.text("/call") == "umount" && seen.number("/errno") == Some(0),
        "{seen}"
    );
    stage.silent(Way::Mount, mark, "a mount on the host", |line| line.is_by(pid))
}

fn mounts_that_fail(stage: &mut Stage) -> Result<()> {
    let mark = stage.watch()?.mark();
    let mut shell = stage.world.container(&["--security-opt", "seccomp=unconfined"])?;
    stage.known(mark, &shell.id)?;
    let mark = stage.watch()?.mark();
    let deeds = [
        ("mount tmpfs /mnt", "mount"),
        ("umount /proc", "umount"),
        ("bind-new /etc /mnt", "open_tree"),
    ];
    for (deed, call) in deeds {
        ensure!(
            shell.sh(&format!("/bin/actor {deed}"))?.code != 0,
            "{deed} must fail here"
        );
        let seen = stage.watch()?.observation(mark, "mount", |line| {
            line.is_in(&shell.id) && line.text("/call") == call
        })?;
        ensure!(seen.number("/errno") == Some(1), "EPERM: {seen}");
        ensure!(seen.text("/effect/state") == "none", "{seen}");
    }
    stage.silent(Way::Mount, mark, "a mount that failed", |line| {
        line.is_in(&shell.id) && MOUNT_KEYS.iter().any(|key| line.is_violation(key))
    })?;
    let (pid, output) = stage.world.try_to_act(&["mount", "nosuchfs", "/mnt"])?;
    ensure!(!output.status.success(), "there is such a file system");
    let seen = stage
        .watch()?
        .observation(mark, "mount", |line| line.is_by(pid))?;
    ensure!(seen.number("/errno") == Some(19), "ENODEV: {seen}");
    Ok(())
}

/// What a container was given read-only it may show itself elsewhere; to make it writable is another matter.
fn a_sensitive_directory_mounted_in_a_container(stage: &mut Stage) -> Result<()> {
    let mark = stage.watch()?.mark();
    let mut shell = stage
        .world
        .container(&["--cap-add", "SYS_ADMIN", "--volume", "/etc:/given:ro"])?;
    stage.known(mark, &shell.id)?;
    shell.must("/bin/mkdir /tmp/own /tmp/target")?;
    let mark = stage.watch()?.mark();
    shell.must("/bin/actor bind /tmp/own /tmp/target")?;
    let seen = observed(stage, mark, &shell, "mount", "/tmp/target")?;
    mounted(&seen, "/tmp/target")?;
    shell.must("/bin/actor bind /given /mnt")?;
    let seen = observed(stage, mark, &shell, "mount", "/mnt")?;
    let point = mounted(&seen, "/mnt")?;
    ensure!(
        point["host_path"] == "/etc" && point["read_only"] == true,
        "{seen}"
    );
    stage.silent(Way::Mount, mark, "what it had before", |line| {
        line.is_violation(SENSITIVE) && line.is_in(&shell.id) && is_live(line)
    })?;
    let mark = stage.watch()?.mark();
    shell.must("/bin/actor writable /mnt")?;
    let seen = observed(stage, mark, &shell, "mount", "/mnt")?;
    ensure!(mounted(&seen, "/mnt")?["read_only"] == false, "{seen}");
    let said = stage
        .watch()?
        .violation(mark, SENSITIVE, |line| line.is_in(&shell.id) && is_live(line))?;
    ensure!(
        said.text("/process/exe") == "/bin/actor" && said.text("/class") == "drift",
        "{said}"
    );
    ensure!(said.text("/summary").contains("/etc"), "{said}");
    Ok(())
}

fn a_mount_made_shared(stage: &mut Stage) -> Result<()> {
    let mut shell = stage.world.container(&["--cap-add", "SYS_ADMIN"])?;
    let mark = stage.watch()?.mark();
    shell.must("/bin/actor mount tmpfs /mnt")?;
    let seen = observed(stage, mark, &shell, "mount", "/mnt")?;
    ensure!(mounted(&seen, "/mnt")?["propagation"] == "private", "{seen}");
    stage.silent(Way::Mount, mark, "a private mount", |line| {
        line.is_violation(SHARED) && line.is_in(&shell.id)
    })?;
    let mark = stage.watch()?.mark();
    shell.must("/bin/actor make-shared /mnt")?;
    let seen = observed(stage, mark, &shell, "mount", "/mnt")?;
    ensure!(mounted(&seen, "/mnt")?["propagation"] == "shared", "{seen}");
    stage
        .watch()?
        .violation(mark, SHARED, |line| line.is_in(&shell.id))?;
    Ok(())
}
