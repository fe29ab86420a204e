//! One container forks as fast as it can. Rare deeds elsewhere are all seen, and what is lost of the flood is
//! counted exactly.

use std::thread::JoinHandle;

use anyhow::{Context, Result, ensure};
use hullwatch_tests::{Line, Shell, eventually};

use crate::case::cases;
use crate::stage::{Stage, Way};

cases! {
    staged: a_flood_hides_nothing_and_is_counted;
}

const SECONDS: &str = "10";

/// What was done elsewhere during the flood and must all be seen.
#[derive(Debug, Default)]
struct Rare {
    /// Deeds on the host: who did it, and the kind of the observation.
    host: Vec<(u32, &'static str)>,
    /// Arguments of ordinary programs in another container.
    programs: Vec<String>,
}

fn a_flood_hides_nothing_and_is_counted(stage: &mut Stage) -> Result<()> {
    let mark = stage.watch()?.mark();
    let flood = stage.world.container(&[])?;
    let id = flood.id.clone();
    let flood = start(flood);
    let rare = rare_deeds(stage, &flood)?;
    let done = flood
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    let rounds = rare.programs.len();
    ensure!(
        rounds >= 10,
        "only {rounds} rounds of rare deeds in {SECONDS} seconds"
    );
    for (pid, kind) in &rare.host {
        stage.watch()?.observation(mark, kind, |line| line.is_by(*pid))?;
    }
    for argument in &rare.programs {
        stage.ran(mark, argument)?;
    }
    stage.settle(Way::Exec)?;
    let watch = stage.watch()?;
    let mut last = (0, 0);
    eventually(
        "every exec of the flood is seen or counted as lost",
        hullwatch_tests::PATIENCE,
        || {
            let lines = watch.lines(mark);
            let seen = lines.iter().filter(|line| is_flood(line, &id)).count() as u64;
            let lost = lines.iter().filter_map(|line| lost(line, &id)).sum::<u64>();
            last = (seen, lost);
            (seen + lost == done).then_some(())
        },
    )
    .with_context(|| format!("{done} done, {} seen, {} counted as lost", last.0, last.1))
}

/// The flood, and how many execs it did.
fn start(mut flood: Shell) -> JoinHandle<Result<u64>> {
    std::thread::spawn(move || {
        let said = flood.must(&format!("/bin/actor fork-exec-loop {SECONDS} /bin/true flood"))?;
        said.strip_prefix("execs ")
            .context("no count")?
            .parse()
            .context("count")
    })
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

/// Connects, mounts and runs setuid programs on the host, and an ordinary one in another container, until the
/// flood is over.
fn rare_deeds(stage: &Stage, flood: &JoinHandle<Result<u64>>) -> Result<Rare> {
    let world = &stage.world;
    let setuid = world.path(&world.unique("setuid"));
    world.actor_copy(&setuid, 0o4755, None)?;
    let target = world.directory("flood")?.to_string_lossy().into_owned();
    let socket = world.dockerd.socket().to_string_lossy().into_owned();
    let setuid = setuid.to_string_lossy().into_owned();
    let mut other = world.container(&[])?;
    let mut rare = Rare::default();
    while !flood.is_finished() {
        rare.host.push((world.act(&["connect", &socket])?, "connect"));
        rare.host
            .push((world.act(&["mount", "tmpfs", &target])?, "mount"));
        rare.host.push((world.act(&["umount", &target])?, "mount"));
        rare.host
            .push((world.act(&["as", "71003", &setuid, "nothing"])?, "exec"));
        let argument = world.unique("rare");
        other.must(&format!("/bin/actor nothing {argument}"))?;
        rare.programs.push(argument);
    }
    Ok(rare)
}
