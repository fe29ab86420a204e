//! Which programs run, by one look at each process.

use std::fs;
use std::io;
use std::path::Path;

/// Processes that are looked at.
const MAX_PROCESSES: usize = 65_536;

/// A process and its program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Running {
    pub(super) pid: u32,
    /// Path of the executable, without the kernel's mark of a deleted one.
    pub(super) exe: String,
    /// Whether the file is gone from that path.
    pub(super) deleted: bool,
}

impl Running {
    /// Last component of the executable's path.
    pub(super) fn name(&self) -> &str {
        self.exe.rsplit('/').next().unwrap_or_default()
    }
}

/// All programs that run.
#[derive(Debug, Default)]
pub(super) struct Processes {
    pub(super) running: Vec<Running>,
    /// Whether some could not be looked at, for want of permission or because they were too many.
    pub(super) incomplete: bool,
}

impl Processes {
    /// Looks at every process.
    ///
    /// # Errors
    /// `/proc` cannot be read.
    pub(super) fn read() -> io::Result<Self> {
        let mut found = Self::default();
        let pids = fs::read_dir("/proc")?
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        for (count, pid) in pids.enumerate() {
            if count == MAX_PROCESSES {
                found.incomplete = true;
                break;
            }
            match look(pid) {
                Ok(running) => found.running.push(running),
                // A kernel thread, or one that has ended.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(_) => found.incomplete = true,
            }
        }
        Ok(found)
    }

    /// Those whose executable is so named.
    pub(super) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Running> {
        self.running.iter().filter(move |running| running.name() == name)
    }

    /// One process.
    pub(super) fn get(&self, pid: u32) -> Option<&Running> {
        self.running.iter().find(|running| running.pid == pid)
    }
}

/// The program of one process.
fn look(pid: u32) -> io::Result<Running> {
    let link = fs::read_link(Path::new("/proc").join(pid.to_string()).join("exe"))?;
    let link = link.to_string_lossy();
    let (exe, deleted) = match link.strip_suffix(" (deleted)") {
        Some(exe) => (exe, true),
        None => (link.as_ref(), false),
    };
    Ok(Running {
        pid,
        exe: exe.to_owned(),
        deleted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_among_them() {
        let processes = Processes::read().unwrap();
        let own = processes.get(std::process::id()).unwrap();
        let exe = std::env::current_exe().unwrap();
        assert_eq!((own.exe.as_str(), own.deleted), (exe.to_str().unwrap(), false));
        assert!(processes.named(own.name()).any(|running| running == own));
    }

    #[test]
    fn a_deleted_program_is_marked() {
        let dir = tempfile::tempdir().unwrap();
        let copy = dir.path().canonicalize().unwrap().join("copy");
        fs::copy("/bin/cat", &copy).unwrap();
        let mut child = std::process::Command::new(&copy)
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        fs::remove_file(&copy).unwrap();
        let found = look(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        let found = found.unwrap();
        assert_eq!((found.name(), found.deleted), ("copy", true));
    }
}
