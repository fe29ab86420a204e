//! What the demonstration needs of its own, and removes again.

use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use crate::model::ContainerId;
use crate::source::host::Hierarchy;

/// A directory with a listening socket and a setuid copy of this program, and a cgroup named like a
/// container's.
#[derive(Debug)]
pub(super) struct Scratch {
    directory: PathBuf,
    cgroup: PathBuf,
    id: ContainerId,
    /// Listens for as long as the demonstration lasts; nobody answers.
    _socket: UnixListener,
}

impl Scratch {
    /// Makes the directory and what is in it.
    pub(super) fn new() -> io::Result<Self> {
        let id = random_id()?;
        let directory = std::env::temp_dir().join(format!("hullwatch-demo-{}", id.short()));
        fs::create_dir(&directory)?;
        fs::set_permissions(&directory, Permissions::from_mode(0o755))?;
        let hierarchy = Hierarchy::find().map_err(io::Error::other)?;
        let cgroup = hierarchy.path.join(id.as_str());
        let socket = UnixListener::bind(socket_in(&directory))?;
        let scratch = Self {
            directory,
            cgroup,
            id,
            _socket: socket,
        };
        fs::create_dir(scratch.directory.join("etc"))?;
        let program = program_in(&scratch.directory);
        fs::copy("/proc/self/exe", &program)?;
        fs::set_permissions(&program, Permissions::from_mode(0o4755))?;
        Ok(scratch)
    }

    /// Makes the cgroup, which to a watcher is the birth of a container.
    pub(super) fn make_container(&self) -> io::Result<ContainerId> {
        fs::create_dir(&self.cgroup)?;
        Ok(self.id.clone())
    }

    /// Digits that no other demonstration has.
    pub(super) fn tag(&self) -> &str {
        self.id.short()
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn cgroup(&self) -> &Path {
        &self.cgroup
    }

    pub(super) fn socket(&self) -> PathBuf {
        socket_in(&self.directory)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        for outcome in [fs::remove_dir_all(&self.directory), fs::remove_dir(&self.cgroup)] {
            if let Err(error) = outcome
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(%error, "Something of the demonstration could not be removed.");
            }
        }
    }
}

pub(super) fn socket_in(directory: &Path) -> PathBuf {
    directory.join("runtime.sock")
}

pub(super) fn program_in(directory: &Path) -> PathBuf {
    directory.join("setuid")
}

fn random_id() -> io::Result<ContainerId> {
    let mut bytes = [0u8; 32];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.parse().map_err(io::Error::other)
}
