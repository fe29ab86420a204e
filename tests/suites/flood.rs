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
    let mut tally = Tally::new(mark, id);
    tally.all_seen(stage.watch()?, &rare)?;
    tally.counted(stage.watch()?, done)
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
    let mut tally = Tally::new(mark, id);
    tally.all_seen(stage.watch()?, &rare)?;
    tally.counted(stage.watch()?, done)?;
    ensure!(
        tally.lost > 0,
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

/// What has been said, read line by line: there are many.
#[derive(Debug)]
struct Tally {
    next: Mark,
    container: String,
    /// Execs of the flood that were seen, and that were counted as lost.
    seen: u64,
    lost: u64,
    /// Who did what kind of thing.
    deeds: HashSet<(u64, String)>,
    /// Second arguments of programs.
    programs: HashSet<String>,
}

impl Tally {
    fn new(next: Mark, container: String) -> Self {
        let (deeds, programs) = (HashSet::new(), HashSet::new());
        Self {
            next,
            container,
            seen: 0,
            lost: 0,
            deeds,
            programs,
        }
    }

    fn read(&mut self, watch: &Watch) {
        for line in watch.take(&mut self.next) {
            self.seen += u64::from(is_flood(&line, &self.container));
            self.lost += lost(&line, &self.container).unwrap_or_default();
            if let Some(pid) = line
                .number("/process/pid")
                .filter(|_| line.text("/type") == "observation")
            {
                self.deeds.insert((pid, line.text("/kind").to_owned()));
                self.programs.insert(line.text("/process/args/2").to_owned());
            }
        }
    }

    /// Waits until every rare deed is seen.
    fn all_seen(&mut self, watch: &Watch, rare: &Rare) -> Result<()> {
        eventually("every rare deed is seen", PATIENCE, || {
            self.read(watch);
            (self.missing(rare) == (0, 0)).then_some(())
        })
        .with_context(|| {
            let ((deeds, programs), (all, every)) =
                (self.missing(rare), (rare.host.len(), rare.programs.len()));
            format!("{deeds} of {all} deeds and {programs} of {every} programs are missing")
        })
    }

    fn missing(&self, rare: &Rare) -> (usize, usize) {
        let deeds = rare.host.iter().filter(|deed| !self.deeds.contains(*deed));
        let programs = rare
            .programs
            .iter()
            .filter(|program| !self.programs.contains(*program));
        (deeds.count(), programs.count())
    }

    /// Waits until every exec of the flood is seen or counted as lost.
    fn counted(&mut self, watch: &Watch, done: u64) -> Result<()> {
        eventually("every exec of the flood is accounted for", PATIENCE, || {
            self.read(watch);
            (self.seen + self.lost == done).then_some(())
        })
        .with_context(|| format!("{done} done, {} seen, {} counted as lost", self.seen, self.lost))
    }
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
    host: Vec<(u64, String)>,
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
        let deeds: [(&[&str], &str); 4] = [
            (&["connect", &self.socket], "connect"),
            (&["mount", "tmpfs", &self.target], "mount"),
            (&["umount", &self.target], "mount"),
            (&["as", "71003", &self.setuid, "nothing"], "exec"),
        ];
        for (deed, kind) in deeds {
            self.host.push((u64::from(world.act(deed)?), kind.to_owned()));
        }
        Ok(())
    }

    fn in_a_container(&mut self, world: &World, shell: &mut Shell) -> Result<()> {
        let argument = world.unique("rare");
        shell.must(&format!("/bin/actor nothing {argument}"))?;
        self.programs.push(argument);
        Ok(())
    }
}
