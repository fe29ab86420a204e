//! The program under test, running.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::latency::now;

/// Loading and attaching the probes takes a second or two; more means that it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A violation's line, and when it could be read.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) line: String,
    /// Nanoseconds of the monotonic clock.
    pub(super) at: u64,
}

/// `hullwatch watch --json`.
#[derive(Debug)]
pub(super) struct Agent {
    child: Child,
    ear: Option<JoinHandle<Vec<Heard>>>,
    errors: PathBuf,
}

impl Agent {
    /// Starts it and waits until it says so.
    pub(super) fn start(binary: &Path, without: &[String], scratch: &Path) -> Result<Self> {
        let errors = scratch.join("stderr");
        let mut child = Command::new(binary)
            .args(["watch", "--json"])
            .args(without.iter().flat_map(|probe| ["--without", probe]))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&errors)?)
            .spawn()
            .with_context(|| format!("cannot run {}", binary.display()))?;
        let stdout = child.stdout.take().context("the agent has no stdout")?;
        let (started, wait) = sync_channel(1);
        let ear = std::thread::spawn(move || listen(stdout, &started));
        let agent = Self {
            child,
            ear: Some(ear),
            errors,
        };
        agent.await_start(&wait)?;
        Ok(agent)
    }

    fn await_start(&self, wait: &Receiver<()>) -> Result<()> {
        if wait.recv_timeout(PATIENCE).is_err() {
            let said = std::fs::read_to_string(&self.errors).unwrap_or_default();
            bail!(
                "the agent did not say `started` within {PATIENCE:?}; it said: {}",
                said.trim()
            );
        }
        Ok(())
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as Ctrl-C does, and returns the violations it told.
    pub(super) fn stop(mut self) -> Result<Vec<Heard>> {
        let pid = i32::try_from(self.child.id())
            .ok()
            .and_then(Pid::from_raw)
            .context("no pid")?;
        kill_process(pid, Signal::INT)?;
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            ensure!(
                Instant::now() < deadline,
                "the agent did not end within {PATIENCE:?}"
            );
            std::thread::sleep(Duration::from_millis(5));
        };
        ensure!(status.success(), "the agent ended with {status}");
        match self.ear.take().map(JoinHandle::join) {
            Some(Ok(heard)) => Ok(heard),
            _ => bail!("the reader of the agent's stdout panicked"),
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // Ended already where all went well.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Reads to the end; keeps only violations, so that listening costs the machine little.
fn listen(stdout: ChildStdout, started: &SyncSender<()>) -> Vec<Heard> {
    let mut heard = Vec::new();
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        let at = now();
        if line.contains("\"violation\"") {
            heard.push(Heard { line, at });
        } else if is_start(&line) {
            started.try_send(()).ok();
        }
    }
    heard
}

fn is_start(line: &str) -> bool {
    serde_json::from_str::<Value>(line).is_ok_and(|line| {
        let field = |name| line.get(name).and_then(Value::as_str);
        field("type") == Some("status") && field("state") == Some("started")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn only_the_status_line_is_a_start() {
        assert!(is_start(
            r#"{"type":"status","state":"started","component":"hullwatch"}"#
        ));
        assert!(!is_start(r#"{"type":"status","state":"degraded"}"#));
        assert!(!is_start(r#"{"type":"violation","state":"started"}"#));
        assert!(!is_start("started"));
    }

    /// Written by another process: a descriptor of ours, open for writing, could be inherited by what
    /// another test starts at this moment, and the kernel executes no file that is open for writing.
    fn write_program(path: &Path, text: &str) {
        let mut shell = Command::new("sh")
            .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
            .arg(path)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        shell.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(shell.wait().unwrap().success());
    }

    #[test]
    fn violations_are_heard_between_start_and_stop() {
        let scratch = tempfile::tempdir().unwrap();
        let program = scratch.path().join("agent");
        let script = r#"#!/bin/sh
trap 'exit 0' INT
echo '{"type":"violation","summary":"x"}'
echo '{"type":"status","state":"started"}'
while :; do sleep 0.01; done
"#;
        write_program(&program, script);
        let agent = Agent::start(&program, &[], scratch.path()).unwrap();
        let heard = agent.stop().unwrap();
        assert_eq!(heard.len(), 1);
    }

    #[test]
    fn an_agent_that_gives_up_is_an_error_with_its_words() {
        let scratch = tempfile::tempdir().unwrap();
        let program = scratch.path().join("agent");
        write_program(&program, "#!/bin/sh\necho no BTF >&2\nexit 3\n");
        let error = Agent::start(&program, &[], scratch.path()).unwrap_err();
        assert!(error.to_string().contains("no BTF"), "{error}");
    }
}
