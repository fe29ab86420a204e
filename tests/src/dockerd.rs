//! A Docker engine of the world's own: its data, its socket, its containerd. It can be killed and started
//! again while containers run on.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::patience::{PATIENCE, eventually};

/// Name under which the shim is registered.
pub(crate) const BOUNDED: &str = "bounded";
/// Name under which a copy of the usual runtime is registered that lies in no usual place.
pub(crate) const VENDOR: &str = "vendor";

/// A running or stopped engine.
#[derive(Debug)]
pub struct Dockerd {
    root: PathBuf,
    child: Option<Child>,
}

impl Dockerd {
    /// Writes the configuration; starts nothing. It has a default network only where it is given a bridge.
    ///
    /// # Errors
    /// The directory cannot be written to.
    pub fn new(root: &Path, shim: &Path, vendor: &Path, bridge: Option<&str>) -> Result<Self> {
        // Without bridge and firewall it starts in half a second and leaves the host's network alone. Containers
        // outlive the engine, as they do on hosts that follow the benchmark.
        let config = json!({
            "bridge": bridge.unwrap_or("none"),
            "iptables": false,
            "ip-forward": false,
            "live-restore": true,
            "shutdown-timeout": 1,
            "default-ulimits": { "core": { "Name": "core", "Soft": 0, "Hard": 1000 } },
            "runtimes": { BOUNDED: { "path": shim }, VENDOR: { "path": vendor } },
        });
        // A directory that tests mount whole, as `/var/run` is mounted in the field.
        fs::create_dir(root.join("run")).context("make the socket's directory")?;
        // And one for its configuration, which tests may take away.
        fs::create_dir(root.join("etc")).context("make the configuration's directory")?;
        fs::write(root.join("etc/daemon.json"), config.to_string()).context("write daemon.json")?;
        Ok(Self {
            root: root.to_owned(),
            child: None,
        })
    }

    /// Directory that holds its socket and nothing else.
    #[must_use]
    pub fn directory(&self) -> PathBuf {
        self.root.join("run")
    }

    /// Directory that holds its configuration and nothing else.
    #[must_use]
    pub fn configuration(&self) -> PathBuf {
        self.root.join("etc")
    }

    /// Path of its socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.directory().join("docker.sock")
    }

    /// Its address for `docker -H` and `hullwatch --engine`.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Whether it has been started and not killed.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.child.is_some()
    }

    /// Starts it and waits until it answers.
    ///
    /// # Errors
    /// It does not answer in time; its log is in the message.
    pub fn start(&mut self) -> Result<()> {
        ensure!(self.child.is_none(), "dockerd runs already");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.root.join("dockerd.log"))?;
        let child = Command::new("dockerd")
            .arg("--data-root")
            .arg(self.root.join("data"))
            .arg("--exec-root")
            .arg(self.root.join("exec"))
            .arg("--config-file")
            .arg(self.configuration().join("daemon.json"))
            .arg("--pidfile")
            .arg(self.root.join("dockerd.pid"))
            .args(["--host", &self.uri()])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("start dockerd")?;
        self.child = Some(child);
        // After a crash it removes what is left of every container of before, one by one.
        eventually("dockerd answers", 3 * PATIENCE, || {
            answers(&self.socket()).then_some(())
        })
        .with_context(|| self.log_tail())
    }

    /// Ends it as a crash does: no last word, containers run on, the socket file stays.
    ///
    /// # Errors
    /// It does not run.
    pub fn kill(&mut self) -> Result<()> {
        let mut child = self.child.take().context("dockerd does not run")?;
        child.kill()?;
        child.wait()?;
        // Its containerd dies with it, by its parent-death signal, and nobody may be there to reap it. Process
        // ids left in files would make the next engine wait for dead processes.
        let of_containerd = self.root.join("exec/containerd/containerd.pid");
        if let Ok(pid) = fs::read_to_string(&of_containerd) {
            eventually("containerd ends", PATIENCE, || is_dead(pid.trim()).then_some(()))?;
        }
        for stale in [of_containerd, self.root.join("dockerd.pid")] {
            fs::remove_file(&stale).or_else(|error| match error.kind() {
                ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            })?;
        }
        Ok(())
    }

    /// Lets every user open the socket.
    ///
    /// # Errors
    /// There is no socket.
    pub fn open_to_everybody(&self) -> Result<()> {
        fs::set_permissions(self.socket(), fs::Permissions::from_mode(0o666)).context("chmod the socket")
    }

    fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.root.join("dockerd.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(15).collect();
        format!("dockerd's last lines, latest first:\n{}", lines.join("\n"))
    }
}

impl Drop for Dockerd {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Nothing can be done about a failure here; the sweep of the world's directory follows.
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// Whether a process is gone, or a zombie.
fn is_dead(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ")
        .next()
        .is_none_or(|rest| rest.is_empty() || rest.starts_with('Z'))
}

pub(crate) fn answers(socket: &Path) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n")?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer)?;
        Ok(answer.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}
