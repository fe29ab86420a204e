//! What the kernel says a process has used.

use std::fs;

use anyhow::{Context, Result};

/// Largest resident set so far, in KiB (`VmHWM`).
pub(super) fn peak_resident_kib(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|rest| rest.trim().strip_suffix(" kB"))
        .and_then(|number| number.parse().ok())
        .context("no VmHWM in /proc/PID/status")
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
        assert!(peak_resident_kib(std::process::id()).unwrap() > 0);
        assert!(cpu_nanos(std::process::id()).unwrap() > 0);
        assert!(peak_resident_kib(u32::MAX).is_err());
    }
}
