//! The containerd and shims that run on the host.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use procfs::process::Process;

use super::super::proc;

/// Processes that are looked at.
const MAX_PROCESSES: usize = 65_536;
/// Shims with executables of their own that are listed.
const MAX_SHIMS: usize = 64;
/// Daemons that are listed.
const MAX_DAEMONS: usize = 16;

/// A running containerd.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Containerd {
    /// Path of its executable.
    pub(super) exe: String,
    /// Its command line.
    pub(super) argv: Vec<String>,
}

impl Containerd {
    /// Value of an option that is given as `--name=value`, `--name value` or by its letter.
    pub(super) fn option(&self, long: &str, short: Option<char>) -> Option<&str> {
        let mut args = self.argv.iter().skip(1);
        while let Some(arg) = args.next() {
            let name = arg.trim_start_matches('-');
            if name.len() == arg.len() {
                continue;
            }
            let (name, value) = name
                .split_once('=')
                .map_or((name, None), |(name, value)| (name, Some(value)));
            if name == long || short.is_some_and(|short| name.chars().eq([short])) {
                return value.or_else(|| args.next().map(String::as_str));
            }
        }
        None
    }
}

/// What runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Running {
    pub(super) daemons: Vec<Containerd>,
    /// Paths of the executables of shims, each once.
    pub(super) shims: Vec<String>,
}

/// Looks through the processes of this user or root in a mount namespace: an engine in a container has its own
/// containerd, which is not the host's. Processes that may not be looked at are passed over.
pub(super) fn running(mount_namespace: u32) -> Running {
    let mut found = Running::default();
    let Ok(processes) = procfs::process::all_processes() else {
        return found;
    };
    for process in processes.take(MAX_PROCESSES).flatten() {
        let Ok(exe) = process.exe() else { continue };
        let exe = exe.to_string_lossy();
        let exe = exe.strip_suffix(" (deleted)").unwrap_or(&exe);
        let name = Path::new(exe).file_name().unwrap_or_default();
        if name == "containerd" {
            if found.daemons.len() < MAX_DAEMONS && is_at_home(&process, mount_namespace) {
                let argv = process.cmdline().unwrap_or_default();
                let exe = exe.to_owned();
                found.daemons.push(Containerd { exe, argv });
            }
        } else if name.to_string_lossy().starts_with("containerd-shim") {
            let is_new = found.shims.len() < MAX_SHIMS && found.shims.iter().all(|known| known != exe);
            if is_new && is_at_home(&process, mount_namespace) {
                found.shims.push(exe.to_owned());
            }
        }
    }
    found
}

fn is_at_home(process: &Process, mount_namespace: u32) -> bool {
    let owner = fs::metadata(format!("/proc/{}", process.pid)).map(|status| status.uid());
    let is_trusted = owner.is_ok_and(|uid| uid == 0 || uid == rustix::process::geteuid().as_raw());
    is_trusted && proc::mount_namespace(process) == Some(mount_namespace)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[track_caller]
    fn check(argv: &[&str], long: &str, short: Option<char>, expect: Option<&str>) {
        let argv = argv.iter().map(|&arg| arg.to_owned()).collect();
        let daemon = Containerd {
            argv,
            ..Containerd::default()
        };
        assert_eq!(daemon.option(long, short), expect);
    }

    #[test]
    fn options_are_read_in_every_spelling() {
        for argv in [
            &["containerd", "--config", "/c"][..],
            &["containerd", "--config=/c"],
            &["containerd", "--log-level", "info", "-c", "/c"],
            &["containerd", "-config=/c"],
        ] {
            check(argv, "config", Some('c'), Some("/c"));
        }
        check(
            &["containerd", "--configuration=/c", "config"],
            "config",
            Some('c'),
            None,
        );
        check(&["containerd", "--config"], "config", Some('c'), None);
        check(&[], "address", None, None);
    }

    #[test]
    fn daemons_and_shims_are_found_by_their_executables() {
        let dir = tempfile::tempdir().unwrap();
        let start = |name: &str| {
            let exe = dir.path().join(name);
            fs::copy("/bin/cat", &exe).unwrap();
            let child = Command::new(&exe).stdin(Stdio::piped()).spawn().unwrap();
            (exe.to_string_lossy().into_owned(), child)
        };
        let started = [
            start("containerd"),
            start("containerd-shim-x-v1"),
            start("containers"),
        ];
        let own = proc::mount_namespace(&Process::myself().unwrap()).unwrap();
        let found = running(own);
        let elsewhere = running(own + 1);
        let [(daemon, _), (shim, _), _] = &started;
        assert!(
            found
                .daemons
                .iter()
                .any(|known| &known.exe == daemon && known.argv == [daemon.as_str()])
        );
        assert!(found.shims.contains(shim));
        assert_eq!(elsewhere, Running::default());
        for (_, mut child) in started {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}
