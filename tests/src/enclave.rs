//! A host of its own within this one: its own processes, mounts and network, an `/etc`, `/run` and units that may
//! look as they like, and an engine at the usual paths. Nothing of the machine's own files is changed.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::assessment::Assessment;
use crate::docker::Docker;
use crate::patience::{PATIENCE, eventually};
use crate::world::Programs;
use crate::{cleanup, image, skip};

/// What the first process does. The world's directory is in its command line, by which the clean-up finds it; it stays
/// a shell, which reaps orphans.
const INIT: &str = r#"set -e
read -r pid rest </proc/self/stat
mount -t proc proc /proc
mount --bind "$1/etc" /etc
mount --bind "$1/units" /usr/lib/systemd/system
mount -t tmpfs -o mode=0755 run /run
mount -t tmpfs -o mode=0755 lib /var/lib
mkdir -m 0711 /var/lib/docker
mount --bind "$1/data" /var/lib/docker
ip link set lo up
echo "$pid" >"$1/init.new"
mv "$1/init.new" "$1/init"
while :; do sleep 1000 & wait $!; done
"#;

const SERVICE: &str =
    "[Service]\nExecStart=/usr/sbin/dockerd -H fd://\nEnvironmentFile=-/etc/default/docker\n";
const SOCKET: &str =
    "[Socket]\nListenStream=/run/docker.sock\nSocketMode=0660\nSocketUser=root\nSocketGroup=docker\n";

/// Files of the machine's own `/etc` that a test starts without.
const ABSENT: [&str; 6] = [
    "docker",
    "containerd",
    "sysconfig",
    "systemd",
    "default/docker",
    "environment",
];

/// Accounts, the same on every machine. The engine's group has no members.
const ACCOUNTS: [(&str, &str); 4] = [
    (
        "passwd",
        "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\nana:x:1000:1000::/:/bin/sh\n\
         bob:x:1001:1001::/:/bin/sh\nmapped:x:900:900::/:/bin/false\n",
    ),
    (
        "group",
        "root:x:0:\nnogroup:x:65534:\ndocker:x:970:\ndocker-users:x:971:bob\nana:x:1000:\nbob:x:1001:\nmapped:x:900:\n",
    ),
    ("subuid", "mapped:500000:65536\n"),
    ("subgid", "mapped:500000:65536\n"),
];

/// Such a host. Everything in it ends with it.
#[derive(Debug)]
pub struct Enclave {
    root: PathBuf,
    hullwatch: PathBuf,
    unshare: Child,
    init: u32,
    engine: Option<Child>,
}

impl Enclave {
    /// Path of its engine's socket, within it.
    pub const SOCKET: &str = "/run/docker.sock";

    /// Makes one, without an engine yet.
    ///
    /// # Errors
    /// [`Skip`](crate::Skip) where the machine lacks something; else what went wrong.
    pub fn new(programs: &Programs) -> Result<Self> {
        skip::requirements(&programs.hullwatch)?;
        skip::tools(&["unshare", "nsenter", "ip", "iptables"])?;
        let root = cleanup::new_root()?;
        let unshare = prepare(&root).and_then(|()| unshare(&root));
        let mut unshare = unshare.inspect_err(|_| cleanup::remove_world(&root))?;
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
                unshare.kill()?;
                unshare.wait()?;
                let said = fs::read_to_string(root.join("init.log")).unwrap_or_default();
                cleanup::remove_world(&root);
                return Err(error.context(said));
            }
        };
        Ok(Self {
            root,
            hullwatch: programs.hullwatch.clone(),
            unshare,
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

    /// A command that runs in it; options are of `nsenter`.
    #[must_use]
    pub fn command(&self, options: &[&str], program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--target", &self.init.to_string()])
            .args(["--mount", "--pid", "--net", "--uts", "--ipc"])
            .args(options)
            .arg("--")
            .arg(program)
            .env_remove("DOCKER_HOST")
            .env_remove("RUST_LOG")
            .current_dir("/")
            .stdin(Stdio::null());
        command
    }

    /// Runs a shell's command in it; gives what it printed.
    ///
    /// # Errors
    /// It failed.
    pub fn sh(&self, script: &str) -> Result<String> {
        let mut command = self.command(&[], Path::new("/bin/sh"));
        let output = command.args(["-ec", script]).output().context("start nsenter")?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "`{script}`: {}: {stderr}", output.status);
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// Starts its engine and waits until it answers. `config` is what `/etc/docker/daemon.json` is to hold; there is
    /// none where that is empty.
    ///
    /// # Errors
    /// It does not answer; its log is in the message.
    pub fn start_engine(&mut self, config: &str, flags: &[&str]) -> Result<()> {
        self.stop_engine()?;
        if config.is_empty() {
            fs::remove_file(self.path("/etc/docker/daemon.json")).ok();
        } else {
            self.write("/etc/docker/daemon.json", config)?;
        }
        let log = File::create(self.root.join("dockerd.log"))?;
        let child = self
            .command(&[], Path::new("dockerd"))
            .args(flags)
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("start dockerd")?;
        let child = self.engine.insert(child);
        let docker = docker_of(self.init, &self.root);
        let answered = eventually("dockerd answers", 3 * PATIENCE, || {
            // One that ended has said why.
            let ended = child.try_wait().ok().flatten();
            let answer = docker.attempt(&["version"]).ok()?;
            (ended.is_some() || answer.status.success()).then_some(ended)
        });
        match answered {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(anyhow::anyhow!("dockerd ended: {status}")),
            Err(error) => Err(error),
        }
        .with_context(|| self.engine_log())
    }

    /// Ends its engine, if one runs, as a crash does: containers run on, where it lets them.
    ///
    /// # Errors
    /// It does not end.
    pub fn stop_engine(&mut self) -> Result<()> {
        let Some(mut child) = self.engine.take() else {
            return Ok(());
        };
        self.signal_engine("KILL")?;
        eventually("dockerd ends", PATIENCE, || child.try_wait().ok().flatten())?;
        // Its containerd dies with it; the next engine would wait for processes of before.
        let files = format!("{OF_CONTAINERD} /run/docker.pid");
        eventually("containerd ends", PATIENCE, || {
            self.sh(&format!(
                "! kill -0 \"$(cat {OF_CONTAINERD})\" 2>/dev/null && rm -f {files}"
            ))
            .ok()
        })?;
        Ok(())
    }

    /// Sends its engine a signal.
    ///
    /// # Errors
    /// There is none.
    pub fn signal_engine(&self, signal: &str) -> Result<()> {
        self.sh(&format!("kill -{signal} \"$(cat /run/docker.pid)\""))?;
        Ok(())
    }

    /// Lets its engine go on after `STOP`.
    ///
    /// # Errors
    /// It does not.
    pub fn resume_engine(&self) -> Result<()> {
        let child = self.engine.as_ref().context("no engine")?;
        // What started it stopped with it, at some later moment.
        let starter = Pid::from_child(child);
        eventually("dockerd goes on", PATIENCE, || {
            kill_process(starter, Signal::CONT).ok()?;
            self.signal_engine("CONT").ok()?;
            let state = self
                .sh("grep ^State: \"/proc/$(cat /run/docker.pid)/status\"")
                .ok()?;
            (!state.contains('T')).then_some(())
        })
    }

    /// The `docker` command for its engine.
    #[must_use]
    pub fn docker(&self) -> Docker {
        docker_of(self.init, &self.root)
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

    /// What dockerd has written.
    #[must_use]
    pub fn engine_log(&self) -> String {
        fs::read_to_string(self.root.join("dockerd.log")).unwrap_or_default()
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
        // Where every user may run it.
        let copy = self.root.join("hullwatch");
        image::copy(&self.hullwatch, &copy, 0o755)?;
        let mut command = self.command(&["--setuid", "65534", "--setgid", "65534"], &copy);
        Assessment::by(command.args(BENCH))
    }

    /// The same under `strace`; gives the report and the trace of these system calls.
    ///
    /// # Errors
    /// [`Skip`](crate::Skip) where there is no `strace`; or it does not succeed.
    pub fn bench_traced(&self, calls: &str) -> Result<(Assessment, String)> {
        skip::tools(&["strace"])?;
        let trace = self.root.join("trace");
        let mut command = self.command(&[], Path::new("strace"));
        command
            .args(["-f", "-qq", "-e", &format!("trace={calls}"), "-o"])
            .arg(&trace)
            .arg(&self.hullwatch);
        let report = Assessment::by(command.args(BENCH))?;
        Ok((report, fs::read_to_string(trace)?))
    }
}

/// Where the engine's containerd says its process id.
const OF_CONTAINERD: &str = "/run/docker/containerd/containerd.pid";

/// The command whose report is checked.
const BENCH: [&str; 4] = ["bench", "--json", "--engine", "unix:///run/docker.sock"];

fn docker_of(init: u32, root: &Path) -> Docker {
    let uri = format!("unix:///proc/{init}/root{}", Enclave::SOCKET);
    Docker::new(uri, root.join("docker-config"))
}

/// The files that the enclave is to have.
fn prepare(root: &Path) -> Result<()> {
    for directory in ["data", "units"] {
        fs::create_dir(root.join(directory))?;
    }
    let etc = root.join("etc");
    let copied = Command::new("cp").arg("-a").arg("/etc").arg(&etc).status()?;
    ensure!(copied.success(), "cp -a /etc: {copied}");
    for name in ABSENT {
        let path = etc.join(name);
        let gone = match path.symlink_metadata() {
            Ok(there) if there.is_dir() => fs::remove_dir_all(&path),
            Ok(_) => fs::remove_file(&path),
            Err(_) => Ok(()),
        };
        gone.with_context(|| format!("remove {}", path.display()))?;
    }
    fs::write(root.join("units/docker.service"), SERVICE)?;
    fs::write(root.join("units/docker.socket"), SOCKET)?;
    for (file, text) in ACCOUNTS {
        fs::write(etc.join(file), text)?;
    }
    Ok(())
}

fn unshare(root: &Path) -> Result<Child> {
    let log = File::create(root.join("init.log"))?;
    Command::new("unshare")
        .args([
            "--mount",
            "--pid",
            "--net",
            "--uts",
            "--ipc",
            "--fork",
            "--kill-child",
        ])
        .args(["--", "/bin/sh", "-c", INIT, "enclave"])
        .arg(root)
        .env("PATH", PATH)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context("start unshare")
}

/// Where programs of administrators are, too.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

impl Drop for Enclave {
    fn drop(&mut self) {
        // With its first process the kernel ends all others, and its mounts. A failure is told by the clean-up.
        self.unshare.kill().ok();
        self.unshare.wait().ok();
        if let Some(mut starter) = self.engine.take() {
            starter.kill().ok();
            starter.wait().ok();
        }
        cleanup::remove_world(&self.root);
    }
}
