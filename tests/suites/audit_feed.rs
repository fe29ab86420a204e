//! Audit records in the place of probes: the same violations, and the same silence.

use std::os::unix::net::UnixListener;

use anyhow::{Result, ensure};
use hullwatch_tests::{Audit, Line, Mark, Watch};

use crate::case::cases;
use crate::stage::Stage;

cases! {
    staged:
        records_stand_in_for_probes,
        records_are_not_told_beside_probes;
}

const GAINED: &str = "runtime-no-new-privileges";
const CARRIED: &str = "image-no-setuid-files";
const FROM_CONTAINER: &str = "runtime-no-docker-socket";
const SENSITIVE: &str = "runtime-no-sensitive-host-mounts";

const RULES: &str = "\
-a always,exit -F arch=b64 -S execve,execveat -k hullwatch-feed
-a always,exit -F arch=b64 -S connect -k hullwatch-feed
-a always,exit -F arch=b64 -S mount,umount2,move_mount,open_tree,fsmount,mount_setattr,pivot_root -k hullwatch-feed
";
const PROBES: [&str; 3] = ["exec", "connect", "mount"];

fn by_records(line: &Line) -> bool {
    line.text("/source") == "audit" || line.text("/evidence/0/source") == "audit"
}

/// Waits for a violation that a record told of.
fn violation(watch: &Watch, from: Mark, key: &str, container: &str) -> Result<Line> {
    watch.violation(from, key, |line| line.is_in(container) && by_records(line))
}

fn records_stand_in_for_probes(stage: &mut Stage) -> Result<()> {
    let audit = Audit::take()?;
    audit.load(&stage.world.directory("rules")?, RULES)?;
    let without: Vec<_> = PROBES.iter().flat_map(|probe| ["--without", probe]).collect();
    let watch = stage.new_watch(&without)?;
    for probe in PROBES {
        let component = format!("probe {probe}");
        let told = watch.expect(Mark::default(), "what is declined", |line| {
            line.is_status("degraded", &component)
        })?;
        ensure!(told.text("/reason").contains("only where rules for"), "{told}");
    }
    privileged_programs(stage, &watch)?;
    connections(stage, &watch)?;
    mounts(stage, &watch)?;
    runtime_at_work(stage, &watch)?;
    watch.stop().map(drop)
}

/// The container's start breaks one of the two by itself, as configured.
fn used(line: &Line) -> bool {
    line.text("/class") == "exercised"
}

fn privileged_programs(stage: &Stage, watch: &Watch) -> Result<()> {
    let mark = watch.mark();
    let mut shell = stage.world.container(&["--user", "1000:1000"])?;
    let ordinary = stage.world.unique("ordinary");
    shell.must(&format!("/bin/actor nothing {ordinary}"))?;
    let seen = watch.observation(mark, "exec", |line| line.has_arg(&ordinary))?;
    ensure!(by_records(&seen) && seen.is_in(&shell.id), "{seen}");
    ensure!(seen.text("/file/path") == "/bin/actor", "{seen}");
    watch.none_since(mark, "an ordinary program", |line| {
        used(line) && line.is_in(&shell.id) && (line.is_violation(GAINED) || line.is_violation(CARRIED))
    })?;
    shell.must("/privileged/setuid nothing")?;
    for key in [CARRIED, GAINED] {
        let said = watch.expect(mark, key, |line| {
            used(line) && line.is_violation(key) && line.is_in(&shell.id)
        })?;
        ensure!(said.text("/process/exe") == "/privileged/setuid", "{said}");
        ensure!(said.number("/process/euid") == Some(0), "{said}");
    }
    Ok(())
}

fn connections(stage: &Stage, watch: &Watch) -> Result<()> {
    let own = stage.world.directory("look-alike")?;
    let _listener = UnixListener::bind(own.join("docker.sock"))?;
    let mark = watch.mark();
    let mount = format!("{}:/own", own.display());
    let mut neighbour = stage.world.container(&["--volume", &mount])?;
    neighbour.must("/bin/actor connect /own/docker.sock")?;
    let mount = format!("{}:/elsewhere", stage.world.dockerd.directory().display());
    let mut shell = stage.world.container(&["--volume", &mount])?;
    shell.must("/bin/actor talk /elsewhere/../elsewhere/docker.sock")?;
    let said = watch.violation(mark, FROM_CONTAINER, |line| {
        line.is_in(&shell.id) && by_records(line) && line.text("/evidence/0/kind") == "connect"
    })?;
    ensure!(said.text("/process/exe") == "/bin/actor", "{said}");
    let socket = stage.world.dockerd.socket();
    let seen = watch.observation(mark, "connect", |line| line.is_in(&shell.id))?;
    ensure!(seen.text("/socket/path") == socket.to_string_lossy(), "{seen}");
    watch.none_since(mark, "another socket of the same name", |line| {
        line.is_in(&neighbour.id) && (line.is_observation("connect") || line.is_violation(FROM_CONTAINER))
    })
}

fn mounts(stage: &Stage, watch: &Watch) -> Result<()> {
    let mark = watch.mark();
    let mut shell = stage
        .world
        .container(&["--cap-add", "SYS_ADMIN", "--volume", "/etc:/given:ro"])?;
    watch.observation(mark, "container", |line| {
        line.text("/facts/id") == shell.id && line.text("/action") == "started"
    })?;
    shell.must("/bin/mkdir /tmp/own /tmp/target")?;
    let mark = watch.mark();
    shell.must("/bin/actor bind /tmp/own /tmp/target")?;
    shell.must("/bin/actor bind /given /mnt")?;
    let seen = watch.observation(mark, "mount", |line| {
        line.is_in(&shell.id) && line.text("/requested/target") == "/mnt"
    })?;
    ensure!(
        by_records(&seen) && seen.text("/requested/source") == "/given",
        "{seen}"
    );
    ensure!(seen.text("/effect/state") == "verified", "{seen}");
    watch.none_since(mark, "what it had before", |line| {
        line.is_in(&shell.id) && line.is_violation(SENSITIVE) && by_records(line)
    })?;
    shell.must("/bin/actor writable /mnt")?;
    let said = violation(watch, mark, SENSITIVE, &shell.id)?;
    ensure!(
        said.text("/process/exe") == "/bin/actor" && said.text("/summary").contains("/etc"),
        "{said}"
    );
    Ok(())
}

/// What the runtime mounts for a container before that runs is no violation.
fn runtime_at_work(stage: &Stage, watch: &Watch) -> Result<()> {
    let mark = watch.mark();
    let mut shell = stage.world.container(&[])?;
    let last = stage.world.unique("last");
    shell.must(&format!("/bin/actor nothing {last}"))?;
    watch.observation(mark, "exec", |line| line.has_arg(&last))?;
    watch.none_since(mark, "the start of a container", |line| {
        line.is_in(&shell.id) && line.text("/type") == "violation" && line.text("/evidence/0/kind") == "mount"
    })?;
    watch.none_since(Mark::default(), "the start of any container", |line| {
        line.text("/type") == "violation" && line.text("/process/comm").starts_with("runc:")
    })
}

/// With its probes attached, the same deed is told once, by the probe.
fn records_are_not_told_beside_probes(stage: &mut Stage) -> Result<()> {
    let audit = Audit::take()?;
    audit.load(&stage.world.directory("rules")?, RULES)?;
    let watch = stage.new_watch(&[])?;
    let mark = watch.mark();
    let mut shell = stage.world.container(&[])?;
    let (first, last) = (stage.world.unique("first"), stage.world.unique("last"));
    shell.must(&format!("/bin/actor nothing {first}"))?;
    // Its record comes after that of the deed before.
    shell.must(&format!("/bin/actor nothing {last}"))?;
    watch.expect(mark, "the record of the last deed", |line| {
        line.is_observation("audit-record") && line.has_arg(&last)
    })?;
    // The probe's word may wait for the container's name.
    watch.observation(mark, "exec", |line| line.has_arg(&last))?;
    let told = watch.lines(mark);
    let told: Vec<_> = told
        .iter()
        .filter(|line| line.is_observation("exec") && line.has_arg(&first))
        .collect();
    ensure!(matches!(told.as_slice(), [once] if !by_records(once)), "{told:?}");
    watch.stop().map(drop)
}
