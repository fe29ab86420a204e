//! One container forks as fast as it can. Rare deeds elsewhere are all seen, and what is lost of the flood is
//! counted exactly.

use std::collections::HashSet;
use std::thread::JoinHandle;

use anyhow::{Context, Result, ensure};
use hullwatch_tests::{Line, Mark, PATIENCE, Shell, Watch, World, eventually};

use crate::case::cases;
use crate::stage::{Stage, Way};

cases! {
    staged:
        a_flood_hides_nothing_and_is_counted,
        a_flood_that_nobody_reads_is_counted;
}

const SECONDS: &str = "10";
/// Rounds of rare deeds while nobody reads: far fewer events than any ring holds.
const ROUNDS: usize = 50;

fn a_flood_hides_nothing_and_is_counted(stage: &mut Stage) -> Result<()> {
    let mark = stage.watch()?.mark();
    let (id, flood) = start(stage.world.container(&[])?);
    let mut other = stage.world.container(&[])?;
    let mut rare = Rare::prepare(&stage.world)?;
    while !flood.is_finished() {
        rare.on_the_host(&stage.world)?;
        rare.in_a_container(&stage.world, &mut other)?;
    }
    let done = flood
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    let rounds = rare.programs.len();
    ensure!(
        rounds >= 10,
        "only {rounds} rounds of rare deeds in {SECONDS} seconds"
    );
    stage.settle(Way::Exec)?;
    rare.all_seen(stage.watch()?, mark)?;
    counted(stage.watch()?, mark, &id, done)?;
    Ok(())
}

/// With the reader stopped every queue fills up; what is rare still has room.
fn a_flood_that_nobody_reads_is_counted(stage: &mut Stage) -> Result<()> {
    let mark = stage.watch()?.mark();
    let (id, flood) = start(stage.world.container(&[])?);
    stage.watch()?.pause()?;
    let done = flood
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    let mut rare = Rare::prepare(&stage.world)?;
    for _ in 0..ROUNDS {
        rare.on_the_host(&stage.world)?;
    }
    stage.watch()?.resume()?;
    rare.all_seen(stage.watch()?, mark)?;
    let lost = counted(stage.watch()?, mark, &id, done)?;
    ensure!(
        lost > 0,
        "{done} execs filled no queue: the flood is too small to show anything"
    );
    Ok(())
}

/// The flood in this container, and how many execs it did.
fn start(mut flood: Shell) -> (String, JoinHandle<Result<u64>>) {
    let id = flood.id.clone();
    let run = move || {
        let said = flood.must(&format!("/bin/actor fork-exec-loop {SECONDS} /bin/true flood"))?;
        said.strip_prefix("execs ")
            .context("no count")?
            .parse()
            .context("count")
    };
    (id, std::thread::spawn(run))
}

/// Waits until every exec of the flood is seen or counted as lost; how many were lost.
fn counted(watch: &Watch, from: Mark, id: &str, done: u64) -> Result<u64> {
    let mut last = (0, 0);
    eventually("every exec of the flood is accounted for", PATIENCE, || {
        let lines = watch.lines(from);
        let seen = lines.iter().filter(|line| is_flood(line, id)).count() as u64;
        let lost = lines.iter().filter_map(|line| lost(line, id)).sum::<u64>();
        last = (seen, lost);
        (seen + lost == done).then_some(lost)
    })
    .with_context(|| format!("{done} done, {} seen, {} counted as lost", last.0, last.1))
}

fn is_flood(line: &Line, id: &str) -> bool {
    line.is_observation("exec") && line.is_in(id) && line.at("/process/args/0") == "/bin/true"
}

/// Execs of the container that a gap says were lost; a gap of no container is everybody's.
fn lost(line: &Line, id: &str) -> Option<u64> {
    let ours = line.at("/container").is_null() || line.is_in(id);
    let gap = line.text("/type") == "gap" && line.text("/source") == "exec";
    (gap && ours).then(|| line.number("/lost")).flatten()
}

/// What was done elsewhere and must all be seen.
#[derive(Debug)]
struct Rare {
    setuid: String,
    target: String,
    socket: String,
    /// Deeds on the host: who did it, and the kind of the observation.
    host: Vec<(u64, &'static str)>,
    /// Arguments of ordinary programs in another container.
    programs: Vec<String>,
}

impl Rare {
    fn prepare(world: &World) -> Result<Self> {
        let setuid = world.path(&world.unique("setuid"));
        world.actor_copy(&setuid, 0o4755, None)?;
        Ok(Self {
            setuid: setuid.to_string_lossy().into_owned(),
            target: world.directory("flood")?.to_string_lossy().into_owned(),
            socket: world.dockerd.socket().to_string_lossy().into_owned(),
            host: Vec::new(),
            programs: Vec::new(),
        })
    }

    /// Connects, mounts, unmounts and runs a setuid program.
    fn on_the_host(&mut self, world: &World) -> Result<()> {
        let deeds: [(&[&str], _); 4] = [
            (&["connect", &self.socket], "connect"),
            (&["mount", "tmpfs", &self.target], "mount"),
            (&["umount", &self.target], "mount"),
            (&["as", "71003", &self.setuid, "nothing"], "exec"),
        ];
        for (deed, kind) in deeds {
            self.host.push((u64::from(world.act(deed)?), kind));
        }
        Ok(())
    }

    fn in_a_container(&mut self, world: &World, shell: &mut Shell) -> Result<()> {
        let argument = world.unique("rare");
        shell.must(&format!("/bin/actor nothing {argument}"))?;
        self.programs.push(argument);
        Ok(())
    }

    fn all_seen(&self, watch: &Watch, from: Mark) -> Result<()> {
        let mut missing = (0, 0);
        eventually("every rare deed is seen", PATIENCE, || {
            let lines = watch.lines(from);
            let seen: HashSet<_> = lines
                .iter()
                .filter(|line| line.text("/type") == "observation")
                .filter_map(|line| Some((line.number("/process/pid")?, line.text("/kind"))))
                .collect();
            let programs: HashSet<_> = lines
                .iter()
                .filter(|line| line.is_observation("exec"))
                .map(|line| line.text("/process/args/2"))
                .collect();
            let unseen = self.host.iter().filter(|deed| !seen.contains(*deed)).count();
            let not_run = self
                .programs
                .iter()
                .filter(|program| !programs.contains(program.as_str()))
                .count();
            missing = (unseen, not_run);
            (missing == (0, 0)).then_some(())
        })
        .with_context(|| {
            format!(
                "of {} deeds {} are missing, of {} programs {}",
                self.host.len(),
                missing.0,
                self.programs.len(),
                missing.1
            )
        })
    }
}
