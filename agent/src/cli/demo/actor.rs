//! The child process that breaks recommendations.

use std::fs;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::mount::{MountPropagationFlags, mount_bind, mount_change};
use rustix::thread::{UnshareFlags, unshare_unsafe};

use super::scratch::{Scratch, program_in, socket_in};

/// `nobody`, everywhere.
const NOBODY: u32 = 65534;
/// Between two looks whether the child has ended.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The child, seen from its parent. It lives, and its mounts with it, until it is dismissed; dropped, it is
/// killed, for its cgroup cannot be removed before.
#[derive(Debug)]
pub(super) struct Actor(Child);

impl Actor {
    /// Starts it; it begins at once.
    pub(super) fn start(scratch: &Scratch) -> io::Result<Self> {
        let mut command = Command::new("/proc/self/exe");
        command.args(["demo", "--act"]).arg(scratch.directory());
        command.arg("--cgroup").arg(scratch.cgroup());
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
        Ok(Self(child))
    }

    /// Lets it go, and says how it ended: whether it could do what it should.
    pub(super) async fn dismiss(mut self) -> io::Result<ExitStatus> {
        drop(self.0.stdin.take());
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(status);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        if self.0.kill().and_then(|()| self.0.wait()).is_err() {
            tracing::warn!("A process of the demonstration could not be ended.");
        }
    }
}

/// Joins the scratch cgroup and does all of it, then waits for the end of its input: what is mounted goes
/// with the process, and whoever watches wants to look at it.
pub(super) fn act(directory: &Path, cgroup: &Path) -> io::Result<()> {
    fs::write(cgroup.join("cgroup.procs"), "0").map_err(|error| name("join the cgroup", &error))?;
    leave_the_hosts_mounts().map_err(|error| name("make a mount namespace", &error))?;
    mount_bind("/etc", directory.join("etc")).map_err(|error| name("mount", &error.into()))?;
    let mut socket = UnixStream::connect(socket_in(directory)).map_err(|error| name("connect", &error))?;
    socket.write_all(b"hello").map_err(|error| name("send", &error))?;
    let status = Command::new(program_in(directory))
        .arg("--version")
        .uid(NOBODY)
        .gid(NOBODY)
        .stdout(Stdio::null())
        .status()
        .map_err(|error| name("execute the setuid file", &error))?;
    if !status.success() {
        return Err(io::Error::other(format!("the setuid file: {status}")));
    }
    io::copy(&mut io::stdin(), &mut io::sink()).map(|_bytes| ())
}

#[allow(
    unsafe_code,
    reason = "the types cannot know what else shares the file system view"
)]
fn leave_the_hosts_mounts() -> io::Result<()> {
    // SAFETY: CLONE_NEWNS changes only where paths lead, for this single-threaded process.
    unsafe { unshare_unsafe(UnshareFlags::NEWNS) }?;
    Ok(mount_change(
        "/",
        MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
    )?)
}

fn name(what: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot {what}: {error}"))
}
