//! What the demonstration needs of its own, and removes again.

use std::fs::{self, DirEntry, File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use crate::model::ContainerId;
use crate::source::host::Hierarchy;

/// What directories are called, before the digits.
const PREFIX: &str = "hullwatch-demo-";

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
    /// Makes the directory and what is in it, and removes what demonstrations that were killed left behind.
    pub(super) fn new() -> io::Result<Self> {
        let hierarchy = Hierarchy::find().map_err(io::Error::other)?;
        let temporary = std::env::temp_dir();
        sweep(&temporary, &hierarchy.path)?;
        let id = random_id()?;
        let directory = temporary.join(format!("{PREFIX}{}", id.short()));
        fs::create_dir(&directory)?;
        fs::set_permissions(&directory, Permissions::from_mode(0o755))?;
        fs::write(id_in(&directory), id.as_str())?;
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
        remove(&self.directory, Some(&self.cgroup));
    }
}

/// Removes the directories of demonstrations that do not live any more, and their cgroups.
fn sweep(temporary: &Path, cgroups: &Path) -> io::Result<()> {
    for entry in fs::read_dir(temporary)? {
        let entry = entry?;
        if is_leftover(&entry) {
            let directory = entry.path();
            let id = File::open(id_in(&directory)).and_then(|file| io::read_to_string(file.take(64)));
            let id: Option<ContainerId> = id.ok().and_then(|id| id.parse().ok());
            let cgroup = id.map(|id| cgroups.join(id.as_str()));
            remove(&directory, cgroup.as_deref());
        }
    }
    Ok(())
}

/// Whether it is a directory of ours, and nobody listens on the socket in it.
fn is_leftover(entry: &DirEntry) -> bool {
    let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX)
        && entry
            .metadata()
            .is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == rustix::process::geteuid().as_raw());
    is_ours
        && UnixStream::connect(socket_in(&entry.path()))
            .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

/// Removes each thing by its name: what is mounted in the directory would otherwise be emptied.
fn remove(directory: &Path, cgroup: Option<&Path>) {
    let files = [program_in(directory), socket_in(directory), id_in(directory)];
    let directories = [directory.join("etc"), directory.to_owned()];
    let outcomes = files
        .iter()
        .map(fs::remove_file)
        .chain(directories.iter().map(fs::remove_dir))
        .chain(cgroup.map(fs::remove_dir));
    for error in outcomes.filter_map(Result::err) {
        if error.kind() != io::ErrorKind::NotFound {
            tracing::warn!(%error, "Something of the demonstration could not be removed.");
        }
    }
}

pub(super) fn socket_in(directory: &Path) -> PathBuf {
    directory.join("runtime.sock")
}

pub(super) fn program_in(directory: &Path) -> PathBuf {
    directory.join("setuid")
}

fn id_in(directory: &Path) -> PathBuf {
    directory.join("container")
}

fn random_id() -> io::Result<ContainerId> {
    let mut bytes = [0u8; 32];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.parse().map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory as a demonstration has it, with its cgroup.
    fn leave(temporary: &Path, cgroups: &Path, digit: char) -> (PathBuf, PathBuf, UnixListener) {
        let id = digit.to_string().repeat(64);
        let (directory, cgroup) = (temporary.join(format!("{PREFIX}{digit}")), cgroups.join(&id));
        fs::create_dir_all(directory.join("etc")).unwrap();
        fs::create_dir(&cgroup).unwrap();
        fs::write(program_in(&directory), "").unwrap();
        fs::write(id_in(&directory), id).unwrap();
        let socket = UnixListener::bind(socket_in(&directory)).unwrap();
        (directory, cgroup, socket)
    }

    #[test]
    fn what_the_killed_left_is_removed_and_nothing_of_the_living_or_of_others() {
        let [temporary, cgroups] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let (temporary, cgroups) = (temporary.path(), cgroups.path());
        let alive = leave(temporary, cgroups, 'a');
        let (dead, its_cgroup, socket) = leave(temporary, cgroups, 'b');
        drop(socket);
        let others = temporary.join("hullwatch-other");
        fs::create_dir(&others).unwrap();
        sweep(temporary, cgroups).unwrap();
        assert!(!dead.exists() && !its_cgroup.exists());
        assert!(alive.0.exists() && alive.1.exists() && others.exists());
    }

    #[test]
    fn what_is_mounted_in_a_directory_is_not_emptied() {
        let [temporary, cgroups] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let (directory, cgroup, _socket) = leave(temporary.path(), cgroups.path(), 'c');
        let precious = directory.join("etc/passwd");
        fs::write(&precious, "").unwrap();
        remove(&directory, Some(&cgroup));
        assert!(precious.exists() && !program_in(&directory).exists() && !cgroup.exists());
    }
}
