//! A host of a world's own: its own `/etc`, its own network, and an engine with a default bridge. All of it is a copy in
//! a mount namespace, so that accounts, units and the engine's configuration can be spoilt.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::container::Container;
use crate::docker::Docker;
use crate::patience::{PATIENCE, eventually};
use crate::world::Programs;
use crate::{cleanup, image, skip};

/// Sets the host up and stays its first process until its input ends. `$1` is the world's directory.
///
/// What a process sees as `/proc/1` says which mount namespace is the host's.
const SETUP: &str = r#"set -e
mount --bind "$1/etc" /etc
mount --bind /proc/$$ /proc/1
ip link set lo up
echo ready > "$1/ready"
read -r end || :
"#;

/// Configuration that the engine starts with.
const DAEMON_JSON: &str = r#"{"iptables":false,"ip-forward":false,"shutdown-timeout":1}"#;
const SERVICE: &str = "[Service]\nExecStart=/usr/sbin/dockerd\n";

/// The host. It ends when this is dropped.
#[derive(Debug)]
pub struct OwnHost {
    root: PathBuf,
    hullwatch: PathBuf,
    first: Child,
    engine: Option<Child>,
    /// The `docker` command for its engine.
    pub docker: Docker,
}

impl OwnHost {
    /// Image that every such host has.
    pub const IMAGE: &str = "app:1";

    /// Makes a host with a running engine.
    ///
    /// # Errors
    /// [`Skip`](crate::Skip) where the machine lacks something; else what went wrong.
    pub fn new(programs: &Programs) -> Result<Self> {
        skip::requirements(&programs.hullwatch)?;
        if !skip::is_installed("nsenter") || !skip::is_installed("ip") {
            return Err(
                skip::Skip::because("needs nsenter and ip (apt-get install util-linux iproute2)").into(),
            );
        }
        let root = cleanup::new_root()?;
        let hullwatch = root.join("hullwatch");
        image::copy(&programs.hullwatch, &hullwatch, 0o755)?;
        make_etc(&root)?;
        let first = Command::new("unshare")
            .args([
                "--mount",
                "--net",
                "--propagation",
                "private",
                "sh",
                "-c",
                SETUP,
                "first",
            ])
            .arg(&root)
            .stdin(Stdio::piped())
            .spawn()
            .context("start unshare")?;
        eventually("the host is set up", PATIENCE, || {
            root.join("ready").exists().then_some(())
        })?;
        let docker = Docker::new(uri(&root), root.join("docker-config"));
        let mut host = Self {
            root,
            hullwatch,
            first,
            engine: None,
            docker,
        };
        host.start_engine(&[])?;
        let files = host.path("image");
        image::make_root(&files, &programs.actor)?;
        image::import(&host.docker, &files, Self::IMAGE, None)?;
        Ok(host)
    }

    /// A path in the world's directory, which is the same on every host.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The engine's socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.path("run/docker.sock")
    }

    /// A path of the host as this process reaches it.
    #[must_use]
    pub fn inner(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{path}", self.first.id()))
    }

    /// A command that runs on the host.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        let first = self.first.id().to_string();
        command
            .args(["--target", &first, "--mount", "--net", "--"])
            .arg(program);
        command
    }

    /// The watching product, to be started on the host.
    #[must_use]
    pub fn watch(&self) -> Command {
        let mut command = self.command(&self.hullwatch);
        command.env_remove("DOCKER_HOST").env_remove("RUST_LOG");
        command.args(["watch", "--json", "--observations", "--engine", &uri(&self.root)]);
        command
    }

    /// The product.
    #[must_use]
    pub fn hullwatch(&self) -> &Path {
        &self.hullwatch
    }

    /// Has the host's shell do something; `$SOCK` is the engine's socket, `$PID` the engine, `$DIR` the world's
    /// directory, and `docker` is aimed at the engine.
    ///
    /// # Errors
    /// It failed.
    pub fn sh(&self, script: &str) -> Result<Output> {
        let output = self
            .command("sh")
            .args(["-ec", script])
            .env("SOCK", self.socket())
            .env("DIR", &self.root)
            .env("DOCKER_HOST", uri(&self.root))
            .env("DOCKER_CONFIG", self.path("docker-config"))
            .env(
                "PID",
                self.engine
                    .as_ref()
                    .map_or(String::new(), |engine| engine.id().to_string()),
            )
            .output()
            .context("start nsenter")?;
        ensure!(
            output.status.success(),
            "`{script}`: {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(output)
    }

    /// A running container of [`OwnHost::IMAGE`] that sleeps.
    ///
    /// # Errors
    /// It does not start.
    pub fn container(&self, name: &str, options: &[&str]) -> Result<Container> {
        let command = ["/bin/sleep", "100000"];
        Container::detached(&self.docker, name.to_owned(), Self::IMAGE, options, &command)
    }

    /// Starts the engine with further flags and waits until it answers.
    ///
    /// # Errors
    /// It does not.
    pub fn start_engine(&mut self, flags: &[&str]) -> Result<()> {
        ensure!(self.engine.is_none(), "the engine runs already");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.path("dockerd.log"))?;
        let mut command = self.command("dockerd");
        for (flag, name) in [
            ("--data-root", "data"),
            ("--exec-root", "exec"),
            ("--pidfile", "dockerd.pid"),
        ] {
            command.arg(flag).arg(self.path(name));
        }
        command.args(["--host", &uri(&self.root)]).args(flags);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.engine = Some(command.spawn().context("start dockerd")?);
        eventually("dockerd answers", 3 * PATIENCE, || {
            crate::dockerd::answers(&self.socket()).then_some(())
        })
        .with_context(|| fs::read_to_string(self.path("dockerd.log")).unwrap_or_default())
    }

    /// Asks the engine to end, and waits.
    ///
    /// # Errors
    /// It does not run, or does not end.
    pub fn stop_engine(&mut self) -> Result<()> {
        let mut engine = self.engine.take().context("the engine does not run")?;
        let pid = i32::try_from(engine.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.context("pid")?, Signal::TERM)?;
        let status = eventually("the engine ends", PATIENCE, || engine.try_wait().ok().flatten())?;
        ensure!(status.success() || status.signal().is_some(), "dockerd: {status}");
        Ok(())
    }
}

impl Drop for OwnHost {
    fn drop(&mut self) {
        if let Some(mut engine) = self.engine.take() {
            engine.kill().ok();
            engine.wait().ok();
        }
        self.first.kill().ok();
        self.first.wait().ok();
        cleanup::remove_world(&self.root);
    }
}

fn uri(root: &Path) -> String {
    format!("unix://{}", root.join("run/docker.sock").display())
}

/// A copy of the host's configuration, with a unit and a configuration for the engine.
fn make_etc(root: &Path) -> Result<()> {
    fs::create_dir(root.join("run"))?;
    let copied = Command::new("cp")
        .args(["-a", "/etc"])
        .arg(root.join("etc"))
        .output()?;
    ensure!(
        copied.status.success(),
        "{}",
        String::from_utf8_lossy(&copied.stderr)
    );
    let etc = root.join("etc");
    for directory in ["docker", "systemd/system", "default", "sysconfig"] {
        fs::create_dir_all(etc.join(directory))?;
    }
    for (name, text) in [
        ("docker/daemon.json", DAEMON_JSON),
        ("systemd/system/docker.service", SERVICE),
        ("default/docker", ""),
        ("sysconfig/docker", ""),
    ] {
        let path = etc.join(name);
        fs::write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644))?;
    }
    Ok(())
}
