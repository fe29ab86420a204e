//! Programs that a task runs.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::console;

/// A program that has ended and whose streams were silent for so long has no more to say.
const QUIET: Duration = Duration::from_millis(200);

/// Cargo as this program was started by, else the one in the path.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs to the end; whether it succeeded. Its output is ours.
pub(crate) fn succeeds(command: &mut Command) -> Result<bool> {
    let status = command
        .status()
        .with_context(|| format!("cannot run {}", line(command)))?;
    Ok(status.success())
}

/// Runs to the end, as [`succeeds`]; a failure is an error that names the command.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    ensure!(succeeds(command)?, "failed: {}", line(command));
    Ok(())
}

/// Runs to the end and hands every line of its stdout and stderr on, to the console and to `see`.
///
/// The end is that of the program itself: what it started and left behind may hold the streams open.
pub(crate) fn watch(command: &mut Command, mut see: impl FnMut(&str)) -> Result<bool> {
    let (reader, writer) = std::io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let spawned = command
        .spawn()
        .with_context(|| format!("cannot run {}", line(command)));
    // The command holds our ends of the pipe: without this its output would never end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = spawned?;
    let (lines, heard) = sync_channel(1024);
    std::thread::spawn(move || {
        let mut read = BufReader::new(reader).split(b'\n').map_while(Result::ok);
        // Ends when the other side stops listening.
        read.all(|line| lines.send(line).is_ok())
    });
    let mut ended = None;
    loop {
        match heard.recv_timeout(QUIET) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                console::say(&text);
                see(&text);
            }
            Err(RecvTimeoutError::Timeout) if ended.is_none() => ended = child.try_wait()?,
            Err(_) => break,
        }
    }
    let status = ended.map_or_else(|| child.wait(), Ok)?;
    Ok(status.success())
}

/// First line of what a command prints; none where it cannot be run or fails.
pub(crate) fn first_line(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().next().map(|line| line.trim().to_owned())
}

/// Where the search path, or cargo's directory of programs, has a program.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(cargo_home().map(|home| home.join("bin")))
        .chain(system)
        .map(|directory| directory.join(program))
        .find(|file| file.is_file())
}

/// Cargo's directory: registry, caches, installed programs.
pub(crate) fn cargo_home() -> Option<PathBuf> {
    let home = || std::env::home_dir().map(|home| home.join(".cargo"));
    std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home)
}

/// The command as one would type it.
pub(crate) fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{Pid, Signal, kill_process};

    #[test]
    fn both_streams_are_seen_and_the_status_kept() {
        let mut seen = Vec::new();
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]);
        assert!(!watch(&mut command, |line| seen.push(line.to_owned())).unwrap());
        seen.sort();
        assert_eq!(seen, ["err", "out"]);
    }

    #[test]
    fn what_is_left_behind_is_not_waited_for() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 1000 & echo $!"]);
        let mut seen = Vec::new();
        assert!(watch(&mut command, |line| seen.push(line.to_owned())).unwrap());
        let pid = seen
            .first()
            .and_then(|pid| pid.parse().ok())
            .and_then(Pid::from_raw);
        kill_process(pid.unwrap(), Signal::KILL).unwrap();
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error_with_its_name() {
        let error = run(&mut Command::new("hullwatch-no-such-program")).unwrap_err();
        assert!(error.to_string().contains("hullwatch-no-such-program"), "{error}");
        assert_eq!(first_line(&mut Command::new("hullwatch-no-such-program")), None);
    }
}
