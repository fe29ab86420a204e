//! The engine comes and goes, and so do containers; the stream goes on.

use std::collections::{HashMap, HashSet};
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use anyhow::{Result, ensure};
use hullwatch_tests::{Container, Line, Mark, Watch, World};

use crate::case::cases;
use crate::stage::{Stage, Way};

cases! {
    staged:
        containers_that_live_for_a_moment,
        an_engine_that_dies_and_returns,
        an_engine_that_starts_later,
        an_engine_s_new_socket;
}

const SHORT_LIVES: usize = 200;
const AT_A_TIME: usize = 8;

fn containers_that_live_for_a_moment(stage: &mut Stage) -> Result<()> {
    let mark = stage.watch()?.mark();
    let ids = short_lives(&stage.world)?;
    ensure!(ids.len() == SHORT_LIVES, "{} containers were started", ids.len());
    for number in 0..SHORT_LIVES {
        stage.ran(mark, &format!("life-{number}"))?;
    }
    stage.settle(Way::Exec)?;
    let (mut strangers, mut seen) = (Vec::new(), HashMap::new());
    for line in stage.watch()?.lines(mark) {
        let known = ["confirmed", "inferred"].contains(&line.text("/container/identity"));
        if line.is_observation("exec")
            && !line.at("/container").is_null()
            && !(known && line.text("/container/id").len() == 64)
        {
            strangers.push(line);
        } else if line.is_observation("exec") && line.at("/process/args/1") == "nothing" {
            let argument = line.text("/process/args/2").to_owned();
            seen.insert(argument, line.text("/container/id").to_owned());
        }
    }
    ensure!(
        strangers.is_empty(),
        "{} without identity, as {:?}",
        strangers.len(),
        strangers.first()
    );
    for (argument, id) in &ids {
        ensure!(
            seen.get(argument) == Some(id),
            "{argument} ran in {id}, not in {:?}",
            seen.get(argument)
        );
    }
    Ok(())
}

/// Runs the containers, several at a time; which argument each was given, and its id.
fn short_lives(world: &World) -> Result<HashMap<String, String>> {
    let life = |number: usize| -> Result<(String, String)> {
        let argument = format!("life-{number}");
        let id_file = world.path(&argument);
        let file = id_file.to_string_lossy();
        world.docker.run(&[
            "run",
            "--rm",
            "--cidfile",
            &file,
            World::IMAGE,
            "/bin/actor",
            "nothing",
            &argument,
        ])?;
        Ok((argument, std::fs::read_to_string(&id_file)?))
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_A_TIME)
            .map(|first| {
                scope.spawn(move || {
                    (first..SHORT_LIVES)
                        .step_by(AT_A_TIME)
                        .map(life)
                        .collect::<Result<Vec<_>>>()
                })
            })
            .collect();
        let mut ids = HashMap::new();
        for worker in workers {
            ids.extend(
                worker
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?,
            );
        }
        Ok(ids)
    })
}

/// A container that runs a program of this name again and again, whether or not its engine lives.
fn ticking(stage: &Stage, name: &str) -> Result<Container> {
    let script = format!("while :; do /bin/actor nothing {name}; /bin/sleep 0.1; done");
    stage.world.detached(&[], &["/bin/sh", "-c", &script])
}

fn tick(watch: &Watch, from: Mark, name: &str) -> Result<Line> {
    watch.observation(from, "exec", |line| {
        line.has_arg(name) && line.at("/process/args/1") == "nothing"
    })
}

fn is_engine(line: &Line, state: &str) -> bool {
    line.text("/type") == "status"
        && line.text("/state") == state
        && line.text("/component").contains("engine")
}

fn an_engine_that_dies_and_returns(stage: &mut Stage) -> Result<()> {
    let container = ticking(stage, "tick-through")?;
    let mark = stage.watch()?.mark();
    let seen = tick(stage.watch()?, mark, "tick-through")?;
    ensure!(seen.text("/container/identity") == "confirmed", "{seen}");
    stage.kill_engine()?;
    let watch = stage.watch()?;
    watch.expect(mark, "degraded engine", |line| is_engine(line, "degraded"))?;
    let during = watch.mark();
    let seen = tick(watch, during, "tick-through")?;
    ensure!(
        seen.is_in(&container.id) && seen.text("/container/identity") != "unknown",
        "{seen}"
    );
    stage.start_engine()?;
    let watch = stage.watch()?;
    watch.expect(during, "recovered engine", |line| is_engine(line, "recovered"))?;
    let after = watch.mark();
    let seen = tick(watch, after, "tick-through")?;
    ensure!(
        seen.is_in(&container.id) && seen.text("/container/identity") == "confirmed",
        "{seen}"
    );
    // And it follows the new engine's events: a new container is known at once.
    let mut shell = stage.world.container(&[])?;
    let seen = stage.run_in(&mut shell, "/bin/actor")?;
    ensure!(seen.text("/container/name") == shell.name, "{seen}");
    Ok(())
}

fn an_engine_that_starts_later(stage: &mut Stage) -> Result<()> {
    let container = ticking(stage, "tick-before")?;
    stage.kill_engine()?;
    let watch = stage.new_watch(&[])?;
    let start = Mark::default();
    watch.expect(start, "degraded engine", |line| is_engine(line, "degraded"))?;
    let seen = tick(&watch, start, "tick-before")?;
    ensure!(
        seen.is_in(&container.id) && seen.text("/container/identity") == "inferred",
        "{seen}"
    );
    ensure!(
        seen.at("/container/name").is_null(),
        "no engine has told a name: {seen}"
    );
    stage.start_engine()?;
    watch.expect(start, "recovered engine", |line| is_engine(line, "recovered"))?;
    let after = watch.mark();
    let seen = tick(&watch, after, "tick-before")?;
    ensure!(seen.text("/container/identity") == "confirmed", "{seen}");
    ensure!(seen.text("/container/name") == container.name, "{seen}");
    Ok(())
}

fn an_engine_s_new_socket(stage: &mut Stage) -> Result<()> {
    let socket = stage.world.dockerd.socket();
    let mut inodes = HashSet::new();
    for _ in 0..2 {
        let mark = stage.watch()?.mark();
        let inode = socket.metadata()?.ino();
        inodes.insert(inode);
        let path = socket.to_string_lossy().into_owned();
        hullwatch_tests::eventually("the socket is known", Duration::from_secs(20), || {
            let pid = stage.world.act(&["connect", &path]).ok()?;
            let lines = stage.watch().ok()?.lines(mark);
            let line = lines
                .into_iter()
                .find(|line| line.is_observation("connect") && line.is_by(pid))?;
            (line.number("/socket/ino") == Some(inode)).then_some(())
        })?;
        stage.kill_engine()?;
        // The old inode may be used again for another file, which is then no runtime's socket.
        stage.start_engine()?;
    }
    Ok(())
}
