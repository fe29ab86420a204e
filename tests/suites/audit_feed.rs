//! Audit records in the place of probes: the same violations, and the same silence.

use std::os::unix::net::UnixListener;
use std::process::{Child, Stdio};

use anyhow::{Context, Result, ensure};
use hullwatch_tests::{Audit, Line, Mark, Shell, Watch, World};
use serde_json::Value;

use crate::case::cases;
use crate::refusals::{is_refused, without_btf};
use crate::stage::Stage;

cases! {
    staged:
        records_stand_in_for_probes,
        records_alone_where_every_probe_is_declined,
        records_alone_on_a_kernel_without_btf,
        rules_that_come_and_go,
        no_probe_and_no_rule,
        records_are_not_told_beside_probes;
}

const GAINED: &str = "runtime-no-new-privileges";
const CARRIED: &str = "image-no-setuid-files";
const FROM_CONTAINER: &str = "runtime-no-docker-socket";
const SENSITIVE: &str = "runtime-no-sensitive-host-mounts";

const SESSION: &str = "exec-not-privileged";

const EXECS: &str = "-a always,exit -F arch=b64 -S execve,execveat -k hullwatch-feed\n";
const CONNECTIONS: &str = "-a always,exit -F arch=b64 -S connect -k hullwatch-feed\n";
const RULES: &str = "\
-a always,exit -F arch=b64 -S execve,execveat -k hullwatch-feed
-a always,exit -F arch=b64 -S connect -k hullwatch-feed
-a always,exit -F arch=b64 -S mount,umount2,move_mount,open_tree,fsmount,mount_setattr,pivot_root -k hullwatch-feed
";
/// Probes in whose place records are taken.
const PROBES: [&str; 3] = ["exec", "connect", "mount"];
const ALL: [&str; 5] = ["cgroup", "exec", "connect", "mount", "namespace"];

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
    let watch = stage.new_watch(&without(&PROBES))?;
    for probe in PROBES {
        let told = told_of(&watch, probe)?;
        ensure!(told.text("/reason").contains("stand in for it"), "{told}");
    }
    let started = started(&watch)?;
    ensure!(
        started.text("/reason") == "watching cgroup, namespace; by audit records exec, connect, mount",
        "{started}"
    );
    every_deed(stage, &watch)?;
    watch.stop().map(drop)
}

fn records_alone_where_every_probe_is_declined(stage: &mut Stage) -> Result<()> {
    let audit = Audit::take()?;
    audit.load(&stage.world.directory("rules")?, RULES)?;
    let watch = stage.new_watch(&without(&ALL))?;
    begins_by_records_alone(&watch, "every probe is declined")?;
    every_deed(stage, &watch)?;
    watch.stop().map(drop)
}

fn records_alone_on_a_kernel_without_btf(stage: &mut Stage) -> Result<()> {
    let audit = Audit::take()?;
    audit.load(&stage.world.directory("rules")?, RULES)?;
    let mut command = without_btf(stage, &[]);
    command.args([
        "watch",
        "--json",
        "--observations",
        "--engine",
        &stage.world.dockerd.uri(),
    ]);
    let watch = Watch::start(&mut command)?;
    begins_by_records_alone(&watch, "CONFIG_DEBUG_INFO_BTF")?;
    every_deed(stage, &watch)?;
    watch.stop()?;
    let report = without_btf(stage, &[]).args(["doctor", "--json"]).output()?;
    ensure!(report.status.code() == Some(1), "{report:?}");
    let report: Value = serde_json::from_slice(&report.stdout)?;
    let probe = |name: &str| {
        let probes = report.pointer("/probes").and_then(Value::as_array);
        let found = probes.and_then(|probes| probes.iter().find(|probe| probe["name"] == name));
        found.context(name.to_owned())
    };
    let exec = probe("exec")?;
    ensure!(exec["state"] == "failed" && exec["rung"].is_null(), "{exec}");
    ensure!(
        exec["stand_in"] == "records of execve, execveat stand in for it",
        "{exec}"
    );
    ensure!(probe("namespace")?["stand_in"].is_null(), "{report}");
    Ok(())
}

fn without(probes: &[&'static str]) -> Vec<&'static str> {
    probes.iter().flat_map(|probe| ["--without", probe]).collect()
}

fn told_of(watch: &Watch, probe: &str) -> Result<Line> {
    let component = format!("probe {probe}");
    watch.expect(Mark::default(), "a probe that is missing", |line| {
        line.is_status("degraded", &component)
    })
}

fn started(watch: &Watch) -> Result<Line> {
    watch.expect(Mark::default(), "the start", |line| {
        line.is_status("started", "hullwatch")
    })
}

/// One line says why no probe runs, one of each what is not seen, and what records are worth in its place.
fn begins_by_records_alone(watch: &Watch, why: &str) -> Result<()> {
    let told = watch.expect(Mark::default(), "why no probe is attached", |line| {
        line.is_status("degraded", "probes")
    })?;
    ensure!(told.text("/reason").contains(why), "{told}");
    for probe in ALL {
        let told = told_of(watch, probe)?;
        let stands_in = told.text("/reason").contains("stand in for it");
        ensure!(stands_in == PROBES.contains(&probe), "{told}");
    }
    let started = started(watch)?;
    let expect = "watching by audit records alone: exec, connect, mount";
    ensure!(started.text("/reason") == expect, "{started}");
    let lines = watch.all_lines();
    let of_probes = lines
        .iter()
        .filter(|line| line.text("/component").starts_with("probe"));
    ensure!(of_probes.count() == 1 + ALL.len(), "{lines:?}");
    Ok(())
}

fn rules_that_come_and_go(stage: &mut Stage) -> Result<()> {
    let audit = Audit::take()?;
    let directory = stage.world.directory("rules")?;
    audit.load(&directory, EXECS)?;
    let watch = stage.new_watch(&without(&ALL))?;
    let told = told_of(&watch, "connect")?;
    ensure!(told.text("/reason").contains("auditctl -a always,exit"), "{told}");
    let begun = started(&watch)?;
    ensure!(
        begun.text("/reason") == "watching by audit records alone: exec",
        "{begun}"
    );
    let mark = watch.mark();
    audit.load(&directory, CONNECTIONS)?;
    turned(&watch, mark, "recovered", &["connect"])?;
    connections(stage, &watch)?;
    watch.none_since(mark, "what has not changed", |line| {
        line.is_status("recovered", "probe mount") || line.is_status("recovered", "probe exec")
    })?;
    let mark = watch.mark();
    audit.clear()?;
    turned(&watch, mark, "degraded", &["exec", "connect"])?;
    let mark = watch.mark();
    audit.load(&directory, RULES)?;
    turned(&watch, mark, "recovered", &PROBES)?;
    privileged_programs(stage, &watch)?;
    watch.stop().map(drop)
}

fn turned(watch: &Watch, from: Mark, state: &str, probes: &[&str]) -> Result<()> {
    for probe in probes {
        let component = format!("probe {probe}");
        watch.expect(from, "what records are worth now", |line| {
            line.is_status(state, &component)
        })?;
    }
    Ok(())
}

fn no_probe_and_no_rule(stage: &mut Stage) -> Result<()> {
    let audit = Audit::take()?;
    let refused = |said: &[&str]| {
        let mut command = stage.world.hullwatch();
        let output = command.arg("watch").args(without(&ALL)).output()?;
        ensure!(output.stdout.is_empty(), "{output:?}");
        is_refused(&output, said)
    };
    let add = "auditctl -a always,exit -F arch=b64 -S execve,execveat,connect";
    refused(&["every probe is declined", add])?;
    audit.enable(false)?;
    refused(&["auditctl -e 1", add])?;
    // Rules of which nothing comes.
    audit.load(&stage.world.directory("rules")?, RULES)?;
    refused(&["auditctl -e 1"])
}

fn every_deed(stage: &Stage, watch: &Watch) -> Result<()> {
    privileged_programs(stage, watch)?;
    sessions(stage, watch)?;
    connections(stage, watch)?;
    mounts(stage, watch)?;
    runtime_at_work(stage, watch)
}

/// A session that stays until its input ends.
fn session(stage: &Stage, container: &Shell, options: &[&str]) -> Result<Child> {
    let mut command = stage.world.docker.command();
    command
        .args(["exec", "-i"])
        .args(options)
        .args([&container.name, "/bin/sh"]);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
    child.context("start docker exec")
}

fn end(mut session: Child) -> Result<()> {
    drop(session.stdin.take());
    let status = session.wait()?;
    ensure!(status.success(), "the session: {status}");
    Ok(())
}

fn sessions(stage: &Stage, watch: &Watch) -> Result<()> {
    let runtime = stage.world.bounded();
    let options: Vec<&str> = runtime.iter().map(String::as_str).collect();
    let mark = watch.mark();
    let container = stage.world.container_of(World::IMAGE, &options)?;
    let program = |line: &Line| line.is_in(&container.id) && line.text("/process/exe") == "/bin/busybox";
    let ordinary = session(stage, &container, &[])?;
    watch.observation(mark, "exec", |line| program(line) && line.is("/entry"))?;
    let privileged = session(stage, &container, &["--privileged"])?;
    let said = watch.violation(mark, SESSION, |line| program(line) && by_records(line))?;
    ensure!(said.text("/class") == "drift", "{said}");
    ensure!(said.text("/container/identity") == "confirmed", "{said}");
    let told = watch.lines(mark);
    let told: Vec<_> = told.iter().filter(|line| line.is_violation(SESSION)).collect();
    ensure!(told.len() == 1, "the ordinary session: {told:?}");
    end(ordinary)?;
    end(privileged)
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
