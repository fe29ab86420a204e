//! What is measured: the table, and the process that runs one of them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::{chmod, connect, exec, getppid, latency, mount, open};
use crate::{console, process};

/// Something that a host does often.
#[derive(Debug)]
pub(super) struct Workload {
    pub(super) name: &'static str,
    /// Operations in one measurement: about a tenth of a second.
    pub(super) operations: u32,
    /// Whether it mounts: then it runs in a mount namespace of its own.
    pub(super) mounts: bool,
    /// Does it so many times. The directory is its own.
    run: fn(u32, &Path) -> Result<()>,
}

pub(super) const WORKLOADS: &[Workload] = &[
    Workload {
        name: "exec",
        operations: 500,
        mounts: false,
        run: exec::run,
    },
    Workload {
        name: "connect",
        operations: 10_000,
        mounts: false,
        run: connect::run,
    },
    Workload {
        name: "mount",
        operations: 300,
        mounts: true,
        run: mount::run,
    },
    Workload {
        name: "open",
        operations: 100_000,
        mounts: false,
        run: open::run,
    },
    Workload {
        name: "getppid",
        operations: 1_000_000,
        mounts: false,
        run: getppid::run,
    },
];

/// What is measured on a host that audits. Fewer operations than fill the kernel's backlog: it would make them wait.
pub(super) const AUDITED: &[Workload] = &[
    Workload {
        name: "recorded",
        operations: 1_500,
        mounts: false,
        run: chmod::recorded,
    },
    Workload {
        name: "chmod",
        operations: 50_000,
        mounts: false,
        run: chmod::unrecorded,
    },
];

/// One workload, in this process.
#[derive(Debug, clap::Args)]
pub(crate) struct WorkerArgs {
    name: String,
    operations: u32,
    scratch: PathBuf,
}

/// Runs one and prints how many nanoseconds it took; or makes the violations that [`latency`] waits for.
pub(crate) fn work(args: &WorkerArgs) -> Result<bool> {
    if args.name == latency::WORKER {
        return latency::work(args.operations, &args.scratch).map(|()| true);
    }
    let mut all = WORKLOADS.iter().chain(AUDITED);
    let known = all.find(|workload| workload.name == args.name);
    let workload = known.with_context(|| format!("no workload `{}`", args.name))?;
    let start = Instant::now();
    (workload.run)(args.operations, &args.scratch)?;
    console::say(&start.elapsed().as_nanos().to_string());
    Ok(true)
}

/// Nanoseconds that one operation took in a process of its own.
pub(super) fn measure(workload: &Workload, worker: &Path, scratch: &Path) -> Result<f64> {
    let mut command = match workload.mounts {
        true => {
            let mut unshare = Command::new("unshare");
            unshare
                .args(["--mount", "--propagation", "private", "--"])
                .arg(worker);
            unshare
        }
        false => Command::new(worker),
    };
    command
        .arg("bench-worker")
        .arg(workload.name)
        .arg(workload.operations.to_string())
        .arg(scratch);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| process::line(&command))?;
    ensure!(output.status.success(), "workload {} failed", workload.name);
    let nanos: u64 = String::from_utf8_lossy(&output.stdout).trim().parse()?;
    Ok(nanos as f64 / f64::from(workload.operations))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workload_that_needs_no_namespace_runs() {
        let scratch = tempfile::tempdir().unwrap();
        let all = WORKLOADS.iter().chain(AUDITED);
        for workload in all.filter(|workload| !workload.mounts) {
            (workload.run)(3, scratch.path()).unwrap();
        }
    }
}
