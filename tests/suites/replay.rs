//! A recorded stream, replayed, is the same stream.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use hullwatch_tests::{Line, Skip};

use crate::case::cases;
use crate::fixture;
use crate::stage::{self, Stage, Way};

cases! {
    staged: a_session_replayed;
    alone: the_recorded_session;
}

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/session.jsonl");
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/session.golden");

fn updating() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1")
}

/// What a replay must repeat: what was seen and what was concluded, not the state of our own sight.
fn is_repeated(line: &Line) -> bool {
    ["observation", "violation", "posture"].contains(&line.text("/type"))
}

fn replay(hullwatch: &mut Command, file: &Path) -> Result<String> {
    let output = hullwatch
        .arg("replay")
        .arg(file)
        .args(["--json", "--observations"])
        .output()?;
    ensure!(
        output.status.success(),
        "replay: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).context("the stream is text")
}

fn texts(lines: &[Line]) -> Vec<&str> {
    lines
        .iter()
        .filter(|line| is_repeated(line))
        .map(|line| line.text.as_str())
        .collect()
}

/// Replays a recording of these lines, and sees that it is the same once more.
pub(crate) fn repeats(hullwatch: &mut Command, file: &Path, lines: &[Line]) -> Result<()> {
    let again = replay(hullwatch, file)?;
    let again = again.lines().map(Line::parse).collect::<Result<Vec<_>>>()?;
    let (first, second) = (texts(lines), texts(&again));
    for (number, (one, other)) in first.iter().zip(&second).enumerate() {
        ensure!(one == other, "line {number} differs:\n{one}\n{other}");
    }
    ensure!(
        first.len() == second.len(),
        "{} lines became {}",
        first.len(),
        second.len()
    );
    Ok(())
}

/// A short session of everything, recorded from the beginning and replayed.
fn a_session_replayed(stage: &mut Stage) -> Result<()> {
    let watch = stage.new_watch(&[])?;
    stage.settle(Way::Exec)?;
    stage.settle(Way::Mount)?;
    let mut user = stage.world.container(&["--user", "1000:1000", "--uts", "host"])?;
    user.must("/privileged/setuid nothing of-the-session")?;
    stage.settle(Way::Connect)?;
    watch.observation(hullwatch_tests::Mark::default(), "exec", |line| {
        line.has_arg("of-the-session")
    })?;
    drop(user);
    let (lines, code) = watch.stop()?;
    ensure!(code == Some(0), "exit code {code:?}");
    let recorded: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let file = stage.world.path("session.jsonl");
    fs::write(&file, &recorded)?;
    repeats(&mut stage.world.hullwatch(), &file, &lines)?;
    if updating() {
        fs::create_dir_all(Path::new(FIXTURE).parent().context("directory")?)?;
        fs::write(FIXTURE, fixture::neutral(&lines, &stage.world.path(""))?)?;
    }
    Ok(())
}

/// The checked-in session gives the checked-in stream; needs neither root nor an engine.
fn the_recorded_session() -> Result<()> {
    let binary = stage::programs().hullwatch;
    if !binary.is_file() {
        return Err(Skip::because(format!("{} is not built", binary.display())).into());
    }
    ensure!(
        Path::new(FIXTURE).is_file(),
        "no {FIXTURE}: record it with UPDATE_GOLDEN=1"
    );
    let stream = replay(&mut Command::new(binary), Path::new(FIXTURE))?;
    if updating() {
        fs::write(GOLDEN, &stream)?;
    }
    let golden = fs::read_to_string(GOLDEN).context("the golden stream")?;
    for (number, (line, expected)) in stream.lines().zip(golden.lines()).enumerate() {
        ensure!(line == expected, "line {number} differs:\n{line}\n{expected}");
    }
    ensure!(
        stream.lines().count() == golden.lines().count(),
        "the number of lines differs"
    );
    Ok(())
}
