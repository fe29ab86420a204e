//! A `hullwatch watch` of our own, read line by line.

use std::io::{self, BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::mpsc::{self, Receiver};
use tokio::time::{Instant, timeout_at};

use super::scratch::Scratch;
use crate::model::{Line, StatusState};

/// Lines that may wait; a demonstration makes some dozens.
const QUEUE: usize = 1024;
/// How long it watches where nobody ends it: longer than a demonstration may take.
const LIFE: &str = "5m";

/// The process and its lines. It is stopped when this is dropped.
#[derive(Debug)]
pub(super) struct Watcher {
    child: Child,
    lines: Receiver<Line>,
}

impl Watcher {
    /// Starts it.
    pub(super) fn start(scratch: &Scratch, engine: Option<&str>) -> io::Result<Self> {
        let mut command = Command::new("/proc/self/exe");
        command.args(["watch", "--json", "--for", LIFE, "--runtime-socket"]);
        command.arg(format!("demo={}", scratch.socket().display()));
        if let Some(engine) = engine {
            command.args(["--engine", engine]);
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().ok_or_else(|| io::Error::other("no pipe"))?;
        Ok(Self {
            child,
            lines: read(stdout),
        })
    }

    /// Waits until it watches.
    pub(super) async fn started(&mut self, deadline: Instant) -> Result<(), String> {
        while let Some(line) = self.next(deadline).await {
            if matches!(&line, Line::Status(status) if status.state == StatusState::Started) {
                return Ok(());
            }
        }
        Err("demo: the watcher did not begin to watch; `hullwatch doctor` says what is wrong".to_owned())
    }

    /// The next line; none after the deadline, or when the watcher is gone.
    pub(super) async fn next(&mut self, deadline: Instant) -> Option<Line> {
        timeout_at(deadline, self.lines.recv()).await.ok().flatten()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let asked = pid.map(|pid| kill_process(pid, Signal::TERM));
        if !matches!(asked, Some(Ok(()))) || self.child.wait().is_err() {
            tracing::warn!("The watcher of the demonstration could not be stopped.");
        }
    }
}

fn read(stdout: ChildStdout) -> Receiver<Line> {
    let (send, lines) = mpsc::channel(QUEUE);
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Ok(line) = serde_json::from_str(&line)
                && send.blocking_send(line).is_err()
            {
                return;
            }
        }
    });
    lines
}
