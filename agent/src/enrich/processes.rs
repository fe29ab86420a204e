//! Which program a process runs.
//!
//! The kernel names an executable by its last component only, except at exec. The rest is remembered
//! from the exec, or read from `/proc` while the process lives, and tied to the process by its start
//! time: a pid alone is nobody.

use procfs::process::Process as ProcProcess;

use super::bounded::Bounded;
use crate::model::{Process, ProcessKey, Sighting, What};

/// Processes remembered.
const CAPACITY: usize = 16_384;
/// Longest argument list read from `/proc`.
const ARGS_MAX: usize = 64;
/// Longest single argument kept.
const ARG_MAX: usize = 1024;
/// `/proc/PID/stat` counts start times in units of 1/100 s (`USER_HZ`).
const NANOS_PER_TICK: u64 = 10_000_000;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Program {
    exe: String,
    args: Vec<String>,
}

/// Programs of processes.
#[derive(Debug)]
pub struct ProcessTable {
    programs: Bounded<ProcessKey, Option<Program>>,
}

impl Default for ProcessTable {
    fn default() -> Self {
        Self {
            programs: Bounded::new(CAPACITY),
        }
    }
}

impl ProcessTable {
    /// Completes the process of a sighting and its ancestors, and remembers what an exec tells.
    pub fn complete(&mut self, sighting: &mut Sighting) {
        let process = &mut sighting.process;
        if matches!(sighting.what, What::Exec(_)) {
            let program = Program {
                exe: process.exe.clone(),
                args: process.args.clone(),
            };
            self.programs.insert(process.key(), Some(program));
        } else if let Some(program) = self.program(process.key()) {
            process.exe.clone_from(&program.exe);
            process.args.clone_from(&program.args);
        } else {
            process.exe.clone_from(&process.comm);
        }
        self.complete_ancestors(process);
    }

    fn complete_ancestors(&mut self, process: &mut Process) {
        for ancestor in &mut process.ancestors {
            let key = ProcessKey {
                pid: ancestor.pid,
                start_time: ancestor.start_time,
            };
            // A kernel thread has no executable to look for.
            if ancestor.exe.is_empty() {
                continue;
            }
            let found = self.program(key).map(|program| program.exe.clone());
            // One that has executed another program since it was remembered is named by the kernel.
            if let Some(exe) = found.filter(|exe| exe.rsplit('/').next() == Some(&ancestor.exe)) {
                ancestor.exe = exe;
            }
        }
    }

    fn program(&mut self, key: ProcessKey) -> Option<&Program> {
        if self.programs.get(&key).is_none() {
            self.programs.insert(key, read(key));
        }
        self.programs.get(&key)?.as_ref()
    }
}

/// The program of a living process; none where it is gone, or another has its pid.
fn read(key: ProcessKey) -> Option<Program> {
    let process = ProcProcess::new(i32::try_from(key.pid).ok()?).ok()?;
    let exe = process.exe().ok()?;
    let mut args = process.cmdline().unwrap_or_default();
    args.truncate(ARGS_MAX);
    for arg in &mut args {
        let end = (0..=ARG_MAX.min(arg.len()))
            .rev()
            .find(|at| arg.is_char_boundary(*at))
            .unwrap_or(0);
        arg.truncate(end);
    }
    // Asked last: it then was this process all along.
    let started = process.stat().ok()?.starttime;
    let same = started == key.start_time / NANOS_PER_TICK;
    let exe = exe.to_string_lossy();
    let exe = exe.strip_suffix(" (deleted)").unwrap_or(&exe).to_owned();
    // The root of a mount that is nowhere any more, as that of which runc runs its own copy: no name.
    (same && exe != "/").then_some(Program { exe, args })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own_key() -> ProcessKey {
        let own = ProcProcess::myself().unwrap();
        ProcessKey {
            pid: u32::try_from(own.pid).unwrap(),
            start_time: own.stat().unwrap().starttime * NANOS_PER_TICK + 123,
        }
    }

    #[test]
    fn a_living_process_is_read_by_pid_and_start() {
        let program = read(own_key()).unwrap();
        assert_eq!(program.exe, std::env::current_exe().unwrap().to_string_lossy());
        assert_eq!(
            program.args.first().map(String::as_str),
            std::env::args().next().as_deref()
        );
    }

    #[test]
    fn a_pid_that_is_used_again_is_somebody_else() {
        let own = own_key();
        assert_eq!(
            read(ProcessKey {
                start_time: own.start_time + NANOS_PER_TICK,
                ..own
            }),
            None
        );
        assert_eq!(read(ProcessKey { pid: u32::MAX, ..own }), None);
    }
}
