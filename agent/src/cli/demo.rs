//! `hullwatch demo`: a newcomer's first minute.
//!
//! Everything is real: a second `hullwatch watch` runs as anybody would run it, and a child process of
//! ours breaks recommendations in a scratch cgroup that is named like a container's. Nothing that was
//! there before is touched, and everything is removed afterwards.

mod actor;
mod scratch;
mod watcher;

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use super::Fault;
use crate::check::{self, Benchmark};
use crate::format::Human;
use crate::model::{ContainerId, Line, Violation};
use scratch::Scratch;
use watcher::Watcher;

/// How long to wait for the watcher to begin, and then for the violations to appear.
const PATIENCE: Duration = Duration::from_secs(15);

/// What the actor does, and the check that must be told for it.
const ACTS: [(&str, &str); 4] = [
    (
        "image-no-setuid-files",
        "execute a setuid-root file as user 65534",
    ),
    ("runtime-not-privileged", "run a program with every capability"),
    (
        "runtime-no-docker-socket",
        "speak to a runtime's socket (a scratch one)",
    ),
    (
        "runtime-no-sensitive-host-mounts",
        "mount the host's /etc (in a mount namespace of its own)",
    ),
];

/// Makes harmless violations in a scratch cgroup and a private mount namespace, catches them live, and
/// cleans up. Needs root; needs no engine.
#[derive(Debug, clap::Args)]
pub struct DemoCommand {
    /// Engine that the watcher follows [default: $DOCKER_HOST, else the usual sockets].
    #[arg(long, value_name = "URI")]
    engine: Option<String>,
    /// Be the child process that breaks recommendations, in this scratch directory.
    #[arg(long, value_name = "DIR", hide = true, requires = "cgroup")]
    act: Option<PathBuf>,
    /// The scratch cgroup that the child joins.
    #[arg(long, value_name = "DIR", hide = true)]
    cgroup: Option<PathBuf>,
}

impl DemoCommand {
    /// Shows it.
    ///
    /// # Errors
    /// [`Fault`] where the host does not allow it; a violation that did not appear is exit code 1.
    pub fn run(self) -> Result<ExitCode, Fault> {
        super::doctor::require_root()?;
        if let (Some(directory), Some(cgroup)) = (&self.act, &self.cgroup) {
            actor::act(directory, cgroup).map_err(|error| Fault::other(error.to_string()))?;
            return Ok(ExitCode::SUCCESS);
        }
        let failed = |what: &str, error: io::Error| Fault::other(format!("demo: cannot {what}: {error}"));
        let scratch = Scratch::new().map_err(|error| failed("make a scratch directory", error))?;
        let mut watcher = Watcher::start(&scratch, self.engine.as_deref())
            .map_err(|error| failed("start watching", error))?;
        watcher.started(Instant::now() + PATIENCE).map_err(Fault::other)?;
        say("watching; now, in a scratch container of our own:")?;
        for (_, act) in ACTS {
            say(&format!("  · {act}"))?;
        }
        let id = scratch
            .make_container()
            .map_err(|error| failed("make a scratch cgroup", error))?;
        let mut child = provoke(&scratch)?;
        let missing = catch(&mut watcher, &id)?;
        dismiss(&mut child)?;
        report(&missing)
    }
}

/// Starts the child that breaks recommendations. It lives, and its mounts with it, until [`dismiss`].
fn provoke(scratch: &Scratch) -> Result<Child, Fault> {
    Command::new("/proc/self/exe")
        .args(["demo", "--act"])
        .arg(scratch.directory())
        .arg("--cgroup")
        .arg(scratch.cgroup())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| Fault::other(format!("demo: cannot run this program again: {error}")))
}

/// Lets the child go, and asks whether it could do what it should.
fn dismiss(child: &mut Child) -> Result<(), Fault> {
    drop(child.stdin.take());
    match child.wait() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Fault::other(format!(
            "demo: the violations could not be made: {status}"
        ))),
        Err(error) => Err(Fault::other(format!(
            "demo: the violations could not be made: {error}"
        ))),
    }
}

/// Shows the violations as they come, until all are there or patience is over; returns what is missing.
fn catch(watcher: &mut Watcher, id: &ContainerId) -> Result<Vec<&'static str>, Fault> {
    let human = Human {
        color: io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        verbose: 0,
        remedy: |_| None,
    };
    let deadline = Instant::now() + PATIENCE;
    let mut missing: Vec<_> = ACTS.iter().map(|(key, _)| *key).collect();
    while !missing.is_empty() {
        let Some(line) = watcher.next(deadline) else { break };
        let Line::Violation(violation) = &line else {
            continue;
        };
        if is_of(violation, id) {
            say(&human.line(&line))?;
            missing.retain(|key| *key != violation.check.key);
        }
    }
    Ok(missing)
}

fn is_of(violation: &Violation, id: &ContainerId) -> bool {
    violation
        .container
        .as_ref()
        .and_then(|container| container.id.as_ref())
        == Some(id)
}

fn report(missing: &[&str]) -> Result<ExitCode, Fault> {
    if missing.is_empty() {
        say(&format!(
            "all {} were caught; `hullwatch watch` does this for real",
            ACTS.len()
        ))?;
        return Ok(ExitCode::SUCCESS);
    }
    for key in missing {
        let act = ACTS.iter().find(|(of, _)| of == key).map_or("", |(_, act)| act);
        let title = check::find(key, Benchmark::default()).map_or("", |check| check.title);
        say(&format!(
            "NOT CAUGHT: {act} ({key}: {title}); `hullwatch doctor` says what is blind here"
        ))?;
    }
    Ok(ExitCode::FAILURE)
}

fn say(text: &str) -> Result<(), Fault> {
    match writeln!(io::stdout(), "{}", text.trim_end()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Fault::other(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}
