//! Lower rungs of the ladder, on a kernel that does not need them: each must see what it claims to see, and say
//! that it stands in for a better one. And the cgroups of version 1.

use std::fs;

use anyhow::{Context, Result, ensure};
use hullwatch_tests::{Mark, Skip, Watch};

use crate::case::cases;
use crate::stage::Stage;

cases! {
    staged:
        sockets_by_the_raw_tracepoint,
        execs_without_the_credentials_before,
        probes_that_are_declined,
        containers_by_a_version_1_hierarchy;
}

/// A watch whose named rungs are skipped, and which says so.
fn watch_below(stage: &Stage, probe: &str, rung: &str) -> Result<Watch> {
    let watch = stage.new_watch(&["--skip-rung", &format!("{probe}:{rung}")])?;
    let told = watch.expect(Mark::default(), "the rung that is not used", |line| {
        line.is_status("degraded", &format!("probe {probe}"))
    })?;
    ensure!(told.text("/reason").contains(rung), "{told}");
    Ok(watch)
}

fn sockets_by_the_raw_tracepoint(stage: &mut Stage) -> Result<()> {
    let watch = watch_below(stage, "connect", "tp_btf:sk_data_ready")?;
    let mark = watch.mark();
    let socket = stage.world.dockerd.socket();
    let pid = stage.world.act(&["talk", &socket.to_string_lossy()])?;
    let seen = watch.observation(mark, "connect", |line| line.is_by(pid))?;
    ensure!(seen.text("/socket/path") == socket.to_string_lossy(), "{seen}");
    watch.stop().map(drop)
}

fn execs_without_the_credentials_before(stage: &mut Stage) -> Result<()> {
    let watch = watch_below(stage, "exec", "raw_tp:sched_prepare_exec+sched_process_exec")?;
    let file = stage.world.directory("rung")?.join("setuid");
    stage.world.actor_copy(&file, 0o4755, None)?;
    let mark = watch.mark();
    let pid = stage
        .world
        .act(&["as", "71000", &file.to_string_lossy(), "nothing"])?;
    let seen = watch.observation(mark, "exec", |line| line.is_by(pid))?;
    ensure!(seen.at("/before").is_null() && seen.is("/secure"), "{seen}");
    ensure!(seen.is("/gained/uid") && seen.is("/file/setuid"), "{seen}");
    watch.stop().map(drop)
}

fn probes_that_are_declined(stage: &mut Stage) -> Result<()> {
    let watch = stage.new_watch(&["--without", "mount", "--without", "namespace"])?;
    let started = watch.expect(Mark::default(), "the start", |line| {
        line.is_status("started", "hullwatch")
    })?;
    ensure!(
        started.text("/reason") == "watching cgroup, exec, connect",
        "{started}"
    );
    for probe in ["probe mount", "probe namespace"] {
        watch.expect(Mark::default(), "what is declined", |line| {
            line.is_status("degraded", probe)
        })?;
    }
    watch.stop().map(drop)
}

fn containers_by_a_version_1_hierarchy(stage: &mut Stage) -> Result<()> {
    let table = fs::read_to_string("/proc/self/cgroup").context("/proc/self/cgroup")?;
    if !table.lines().any(|line| line.contains(":pids:")) {
        return Err(Skip::because("this host has no version 1 hierarchy").into());
    }
    let watch = stage.new_watch(&["--cgroups", "v1:pids"])?;
    let mark = watch.mark();
    let shell = stage.world.privileged_container()?;
    let seen = watch.observation(mark, "exec", |line| line.is_in(&shell.id))?;
    ensure!(seen.text("/container/identity") == "confirmed", "{seen}");
    watch.violation(mark, "runtime-not-privileged", |line| line.is_in(&shell.id))?;
    watch.stop().map(drop)
}
