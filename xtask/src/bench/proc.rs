//! What the kernel says a process has used.

use std::fs;

use anyhow::{Context, Result};

/// Resident set of a process, in KiB.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resident {
    /// Now (`VmRSS`).
    pub(super) now: u64,
    /// Largest so far (`VmHWM`).
    pub(super) peak: u64,
}

/// Resident set of a process.
pub(super) fn resident(pid: u32) -> Result<Resident> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let field = |name: &str| {
        let rest = status.lines().find_map(|line| line.strip_prefix(name))?;
        rest.trim().strip_suffix(" kB")?.parse().ok()
    };
    let found = field("VmRSS:").zip(field("VmHWM:"));
    found
        .map(|(now, peak)| Resident { now, peak })
        .context("no VmRSS and VmHWM in /proc/PID/status")
}

/// Processor time of all its living threads, in nanoseconds: `stat` has the same in ticks of 10 ms,
/// too coarse for a microsecond per event.
pub(super) fn cpu_nanos(pid: u32) -> Result<u64> {
    let mut total = 0u64;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        let on_cpu = text.split(' ').next().context("empty schedstat")?;
        total += on_cpu.parse::<u64>().context("schedstat has no number")?;
    }
    Ok(total)
}

/// Release of the running kernel.
pub(super) fn kernel() -> Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/osrelease")?
        .trim()
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_used_something() {
        let own = resident(std::process::id()).unwrap();
        assert!(own.now > 0 && own.peak >= own.now);
        assert!(cpu_nanos(std::process::id()).unwrap() > 0);
        assert!(resident(u32::MAX).is_err());
    }
}
