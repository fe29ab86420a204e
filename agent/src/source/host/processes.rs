//! Which programs run, by one look at each process.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::lookup::read_line;

/// Processes that are looked at.
const MAX_PROCESSES: usize = 65_536;
/// Longest name of a process that the kernel keeps.
const COMM_LENGTH: usize = 15;

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
    /// Names (`comm`) of those whose program may not be looked at.
    pub(super) hidden: Vec<String>,
    /// Whether there were more than are looked at.
    pub(super) truncated: bool,
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
                found.truncated = true;
                break;
            }
            match look(pid) {
                Ok(running) => found.running.push(running),
                // A kernel thread, or one that has ended.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(_) => found.hidden.extend(read_line(&directory_of(pid).join("comm"))),
            }
        }
        Ok(found)
    }

    /// Those whose executable is so named.
    pub(super) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Running> {
        self.running.iter().filter(move |running| running.name() == name)
    }

    /// Whether a program of this name may run and was not seen. Of a process that may not be looked at its own word
    /// has to do: the first 15 bytes of its name.
    pub(super) fn may_hide(&self, name: &str) -> bool {
        let shown = name.get(..COMM_LENGTH).unwrap_or(name);
        self.truncated || self.hidden.iter().any(|comm| comm == shown)
    }

    /// One process.
    pub(super) fn get(&self, pid: u32) -> Option<&Running> {
        self.running.iter().find(|running| running.pid == pid)
    }
}

fn directory_of(pid: u32) -> PathBuf {
    Path::new("/proc").join(pid.to_string())
}

/// The program of one process.
fn look(pid: u32) -> io::Result<Running> {
    let link = fs::read_link(directory_of(pid).join("exe"))?;
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
    fn a_process_that_may_not_be_looked_at_hides_its_program() {
        let mut processes = Processes {
            hidden: vec!["dockerd".to_owned(), "systemd-journal".to_owned()],
            ..Processes::default()
        };
        for (name, expect) in [
            ("dockerd", true),
            ("systemd-journal-upload", true),
            ("docker", false),
        ] {
            assert_eq!(processes.may_hide(name), expect, "{name}");
        }
        processes.truncated = true;
        assert!(processes.may_hide("docker"));
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
