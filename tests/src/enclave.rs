//! A host of its own within this one: its own mounts and network, an `/etc`, `/run` and units that may look as they
//! like, and an engine at the usual paths. Nothing of the machine's own files is changed. One that is assessed has its
//! own processes too; one that is watched has not, as the kernel names a process by the machine's numbers.

mod engine;
mod files;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::assessment::Assessment;
use crate::container::Container;
use crate::docker::Docker;
use crate::patience::{PATIENCE, eventually};
use crate::world::Programs;
use crate::{cleanup, image, skip};

/// What the first process does; the processes' own part comes before and after. The world's directory is in its command
/// line, by which the clean-up finds it.
const INIT: &str = r#"
mount --bind "$1/etc" /etc
mount --bind "$1/units" /usr/lib/systemd/system
mount -t tmpfs -o mode=0755 run /run
mount -t tmpfs -o mode=0755 lib /var/lib
mkdir -m 0711 /var/lib/docker
mount --bind "$1/data" /var/lib/docker
ip link set lo up
echo "$pid" >"$1/init.new"
mv "$1/init.new" "$1/init"
"#;

/// Whose processes are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Processes {
    /// Its own.
    Own,
    /// The machine's.
    Shared,
}

impl Processes {
    const fn are_own(self) -> bool {
        matches!(self, Self::Own)
    }

    /// Options of `unshare`.
    const fn unshared(self) -> &'static [&'static str] {
        match self {
            Self::Own => &[
                "--mount",
                "--net",
                "--uts",
                "--ipc",
                "--pid",
                "--fork",
                "--kill-child",
            ],
            Self::Shared => &["--mount", "--net"],
        }
    }

    /// Options of `nsenter`.
    const fn entered(self) -> &'static [&'static str] {
        match self {
            Self::Own => &["--mount", "--net", "--uts", "--ipc", "--pid"],
            Self::Shared => &["--mount", "--net"],
        }
    }

    /// What the first process does, until it is killed. What is `/proc/1` says which namespaces are the host's. With
    /// processes of its own it stays a shell that waits, which reaps orphans; else it ends with the test at the latest.
    fn init(self) -> String {
        let (proc, stay) = match self {
            Self::Own => (
                "mount -t proc proc /proc",
                "while :; do sleep 1000 & wait $!; done",
            ),
            Self::Shared => ("mount --bind /proc/$$ /proc/1", "read -r end || :"),
        };
        format!("set -e\nread -r pid rest </proc/self/stat\n{proc}{INIT}{stay}\n")
    }
}

/// Such a host. Everything in it ends with it.
#[derive(Debug)]
pub struct Enclave {
    root: PathBuf,
    hullwatch: PathBuf,
    processes: Processes,
    first: Child,
    init: u32,
    engine: Option<Child>,
}

impl Enclave {
    /// Path of its engine's socket, within it.
    pub const SOCKET: &str = "/run/docker.sock";
    /// Image of one that is watched.
    pub const IMAGE: &str = "app:1";

    /// Makes one with processes of its own, without an engine yet.
    ///
    /// # Errors
    /// [`Skip`](crate::Skip) where the machine lacks something; else what went wrong.
    pub fn new(programs: &Programs) -> Result<Self> {
        Self::make(programs, Processes::Own)
    }

    /// Makes one to be watched, with an engine of this configuration that has [`Enclave::IMAGE`].
    ///
    /// # Errors
    /// As of [`Enclave::new`] and [`Enclave::start_engine`].
    pub fn watched(programs: &Programs, config: &str) -> Result<Self> {
        let mut enclave = Self::make(programs, Processes::Shared)?;
        for (path, content) in files::WATCHED {
            enclave.write(path, content)?;
        }
        enclave.start_engine(config, &[])?;
        enclave.import(programs, Self::IMAGE)?;
        Ok(enclave)
    }

    fn make(programs: &Programs, processes: Processes) -> Result<Self> {
        skip::requirements(&programs.hullwatch)?;
        skip::tools(&["unshare", "nsenter", "ip", "iptables"])?;
        let root = cleanup::new_root()?;
        let first = files::prepare(&root).and_then(|()| unshare(&root, processes));
        let mut first = first.inspect_err(|_| cleanup::remove_world(&root))?;
        let init = eventually("the enclave stands", PATIENCE, || {
            fs::read_to_string(root.join("init"))
                .ok()?
                .trim()
                .parse::<u32>()
                .ok()
        });
        let init = match init {
            Ok(init) => init,
            Err(error) => {
                first.kill()?;
                first.wait()?;
                let said = fs::read_to_string(root.join("init.log")).unwrap_or_default();
                cleanup::remove_world(&root);
                return Err(error.context(said));
            }
        };
        Ok(Self {
            root,
            hullwatch: programs.hullwatch.clone(),
            processes,
            first,
            init,
            engine: None,
        })
    }

    /// One with an engine that has this configuration file and these flags.
    ///
    /// # Errors
    /// As of [`Enclave::new`] and [`Enclave::start_engine`].
    pub fn with_engine(programs: &Programs, config: &str, flags: &[&str]) -> Result<Self> {
        let mut enclave = Self::new(programs)?;
        enclave.start_engine(config, flags)?;
        Ok(enclave)
    }

    /// Where a path within it is for the tests. Absolute links lead out of it, of which `/var/run` is the usual one.
    #[must_use]
    pub fn path(&self, path: &str) -> PathBuf {
        let path = path
            .strip_prefix("/var")
            .filter(|rest| rest.starts_with("/run/"))
            .unwrap_or(path);
        let root = PathBuf::from(format!("/proc/{}/root", self.init));
        root.join(path.trim_start_matches('/'))
    }

    /// Writes a file in it, of mode 644 and root's, with the directories that lead to it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, path: &str, content: &str) -> Result<()> {
        let to = self.path(path);
        if let Some(directory) = to.parent() {
            fs::create_dir_all(directory)?;
        }
        fs::write(&to, content).with_context(|| format!("write {path}"))?;
        Ok(fs::set_permissions(&to, fs::Permissions::from_mode(0o644))?)
    }

    /// A file in the world's directory, which is at the same place within and without.
    #[must_use]
    pub fn outside(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// A command that runs in it; options are of `nsenter`.
    pub fn command(&self, options: &[&str], program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--target", &self.init.to_string()])
            .args(self.processes.entered())
            .args(options)
            .arg("--")
            .arg(program)
            .env_remove("DOCKER_HOST")
            .env_remove("RUST_LOG")
            .current_dir("/")
            .stdin(Stdio::null());
        command
    }

    /// Runs a shell's command in it; gives what it printed. `$DIR` is the world's directory, and `docker` is aimed at
    /// its engine.
    ///
    /// # Errors
    /// It failed.
    pub fn sh(&self, script: &str) -> Result<String> {
        let output = self
            .command(&[], "/bin/sh")
            .args(["-ec", script])
            .env("DIR", &self.root)
            .env("DOCKER_CONFIG", self.root.join(DOCKER_CONFIG))
            .output()
            .context("start nsenter")?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "`{script}`: {}: {stderr}", output.status);
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// A running container of [`Enclave::IMAGE`] that sleeps.
    ///
    /// # Errors
    /// It does not start.
    pub fn container(&self, name: &str, options: &[&str]) -> Result<Container> {
        let command = ["/bin/sleep", "100000"];
        Container::detached(&self.docker(), name.to_owned(), Self::IMAGE, options, &command)
    }

    /// The `docker` command for its engine.
    #[must_use]
    pub fn docker(&self) -> Docker {
        let uri = format!("unix:///proc/{}/root{}", self.init, Self::SOCKET);
        Docker::new(uri, self.root.join(DOCKER_CONFIG))
    }

    /// Imports the image of busybox and the actor under a name.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn import(&self, programs: &Programs, name: &str) -> Result<()> {
        let files = self.root.join("image");
        if !files.is_dir() {
            image::make_root(&files, &programs.actor)?;
        }
        image::import(&self.docker(), &files, name, None)
    }

    /// A copy of the product that every user may run, and that the clean-up knows.
    ///
    /// # Errors
    /// It cannot be copied.
    pub fn program(&self) -> Result<PathBuf> {
        let copy = self.root.join("hullwatch");
        if !copy.exists() {
            image::copy(&self.hullwatch, &copy, 0o755)?;
        }
        Ok(copy)
    }

    /// `hullwatch watch` in it, not started yet.
    ///
    /// # Errors
    /// As of [`Enclave::program`].
    pub fn watch(&self) -> Result<Command> {
        let mut command = self.command(&[], self.program()?);
        command.args(["watch", "--json", "--observations", ENGINE[0], ENGINE[1]]);
        Ok(command)
    }

    /// `hullwatch bench` as root in it.
    ///
    /// # Errors
    /// It does not succeed, or prints no report.
    pub fn bench(&self, arguments: &[&str]) -> Result<Assessment> {
        let mut command = self.command(&[], &self.hullwatch);
        Assessment::by(command.args(BENCH).args(arguments))
    }

    /// The same as a user without privilege.
    ///
    /// # Errors
    /// It does not succeed, or prints no report.
    pub fn bench_as_nobody(&self) -> Result<Assessment> {
        let program = self.program()?;
        let mut command = self.command(&["--setuid", "65534", "--setgid", "65534"], program);
        Assessment::by(command.args(BENCH))
    }

    /// The same under `strace`; gives the report and the trace of these system calls.
    ///
    /// # Errors
    /// [`Skip`](crate::Skip) where there is no `strace`; or it does not succeed.
    pub fn bench_traced(&self, calls: &str) -> Result<(Assessment, String)> {
        skip::tools(&["strace"])?;
        let trace = self.root.join("trace");
        let mut command = self.command(&[], "strace");
        command
            .args(["-f", "-qq", "-e", &format!("trace={calls}"), "-o"])
            .arg(&trace)
            .arg(&self.hullwatch);
        let report = Assessment::by(command.args(BENCH))?;
        Ok((report, fs::read_to_string(trace)?))
    }
}

/// The command whose report is checked.
const BENCH: [&str; 4] = ["bench", "--json", ENGINE[0], ENGINE[1]];
/// The engine, as the product is told of it.
const ENGINE: [&str; 2] = ["--engine", "unix:///run/docker.sock"];

/// In the world's directory.
const DOCKER_CONFIG: &str = "docker-config";

fn unshare(root: &Path, processes: Processes) -> Result<Child> {
    let log = File::create(root.join("init.log"))?;
    Command::new("unshare")
        .args(processes.unshared())
        .args(["--", "/bin/sh", "-c", &processes.init(), "enclave"])
        .arg(root)
        .env("PATH", PATH)
        .stdin(Stdio::piped())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context("start unshare")
}

/// Where programs of administrators are, too.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

impl Drop for Enclave {
    fn drop(&mut self) {
        // With its first process the kernel ends all others of its own. A failure is told by the clean-up, which ends
        // what runs among the machine's.
        self.first.kill().ok();
        self.first.wait().ok();
        if let Some(mut starter) = self.engine.take() {
            starter.kill().ok();
            starter.wait().ok();
        }
        cleanup::remove_world(&self.root);
    }
}
