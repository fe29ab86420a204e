//! Loading the object and climbing down the ladder.

use std::path::Path;

use aya::programs::{Program, ProgramError};
use aya::{Ebpf, EbpfLoader, VerifierLogLevel, include_bytes_aligned};
use hullwatch_common::{OFFSETS, OffsetGroup};

use super::btf::{Btf, KERNEL_BTF, Missing, resolve};
use super::cgroup_mode::{CgroupMode, CgroupModeChoice};
use super::ladder::{ALWAYS, Hook, PROBES, Probe, Rung};
use super::probes::{Absence, ProbeReport, ProbeState, Probes};
use super::{KernelError, KernelMaps, LossMeter, Rings};
use crate::model::Namespaces;

static OBJECT: &[u8] = include_bytes_aligned!("probes.o");

/// What the loader is told.
#[derive(Clone, Debug, Default)]
pub struct KernelConfig {
    /// Which cgroup hierarchy tells containers apart.
    pub cgroups: CgroupModeChoice,
    /// Namespaces of the host.
    pub host: Namespaces,
    /// Names that runtimes bind their sockets to.
    pub socket_names: Vec<String>,
    /// Names of probes that the operator declines.
    pub without: Vec<String>,
    /// Rungs to skip, as `PROBE:RUNG`, so that a lower one can be tried.
    pub skip_rungs: Vec<String>,
}

/// The running probes. They detach when this is dropped.
#[derive(Debug)]
pub struct Kernel {
    ebpf: Ebpf,
    /// How each probe fared, in the order of [`PROBES`].
    pub reports: Vec<ProbeReport>,
}

impl Kernel {
    /// Resolves offsets, loads the object, and attaches what attaches. That this kernel lets nothing attach is an answer.
    ///
    /// # Errors
    /// [`KernelError`] where what is asked for is not there, or the object does not belong to this agent.
    pub fn start(config: &KernelConfig) -> Result<Probes, KernelError> {
        if PROBES.iter().all(|probe| config.declines(probe)) {
            return Ok(Probes::not_loaded(config, KernelError::Declined));
        }
        let (ebpf, missing) = match load(config) {
            Err(error) if error.is_of_this_host() => return Ok(Probes::not_loaded(config, error)),
            other => other?,
        };
        let mut kernel = Self {
            ebpf,
            reports: Vec::new(),
        };
        for probe in PROBES {
            let state = if config.declines(probe) {
                ProbeState::Declined
            } else {
                kernel.climb(probe, config, &missing)
            };
            kernel.reports.push(ProbeReport { probe, state });
        }
        if kernel.reports.iter().any(ProbeReport::is_attached) {
            return Ok(Probes::Attached(Box::new(kernel)));
        }
        let reason = KernelError::Nothing(kernel.first_refusal().unwrap_or_default());
        let reports = kernel.reports;
        Ok(Probes::Absent(Absence { reports, reason }))
    }

    /// Takes the rings out for reading, the maps for writing, and the counters.
    ///
    /// # Errors
    /// [`KernelError::Map`] where the object does not belong to this agent.
    pub fn split(&mut self) -> Result<(Rings, KernelMaps, LossMeter), KernelError> {
        Ok((
            Rings::take(&mut self.ebpf)?,
            KernelMaps::take(&mut self.ebpf)?,
            LossMeter::take(&mut self.ebpf)?,
        ))
    }

    /// Runs of attached programs that the kernel skipped because the same program was already running
    /// on that CPU (`recursion_misses` of the program), by probe.
    #[must_use]
    pub fn missed(&self) -> Vec<(&'static Probe, u64)> {
        let count = |probe: &Probe| program_names(probe).filter_map(|name| self.missed_by(name)).sum();
        PROBES.iter().map(|probe| (probe, count(probe))).collect()
    }

    fn missed_by(&self, program: &str) -> Option<u64> {
        use std::os::fd::{AsFd as _, AsRawFd as _};
        let fd = self.ebpf.program(program)?.fd().ok()?.as_fd().as_raw_fd();
        let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).ok()?;
        text.lines()
            .find_map(|line| line.strip_prefix("recursion_misses:"))?
            .trim()
            .parse()
            .ok()
    }

    fn climb(&mut self, probe: &'static Probe, config: &KernelConfig, missing: &[Missing]) -> ProbeState {
        let mut refused = Vec::new();
        for rung in probe.rungs {
            let skipped = config
                .skip_rungs
                .iter()
                .any(|skip| *skip == format!("{}:{}", probe.name, rung.name));
            let attached = if skipped {
                Err("skipped on request".to_owned())
            } else {
                require(rung, missing).and_then(|()| self.attach(rung))
            };
            match attached {
                Ok(()) => return ProbeState::Attached { rung, refused },
                Err(reason) => refused.push((rung.name, reason)),
            }
        }
        ProbeState::Failed(refused)
    }

    fn attach(&mut self, rung: &Rung) -> Result<(), String> {
        match rung.hook {
            Hook::TypedTracepoints(hooks) => {
                let btf = aya::Btf::from_sys_fs().map_err(|error| error.to_string())?;
                for (program, tracepoint) in hooks {
                    let attached = self.attach_typed(program, tracepoint, &btf);
                    attached.map_err(|error| describe(tracepoint, &error))?;
                }
                Ok(())
            }
            Hook::RawTracepoints(hooks) => {
                for (program, tracepoint) in hooks {
                    self.attach_raw(program, tracepoint)
                        .map_err(|error| describe(tracepoint, &error))?;
                }
                Ok(())
            }
            Hook::Syscalls {
                enter,
                exit,
                calls,
                required,
            } => {
                for call in calls {
                    let both = self
                        .attach_tracepoint(exit, &format!("sys_exit_{call}"))
                        .and_then(|()| self.attach_tracepoint(enter, &format!("sys_enter_{call}")));
                    match both {
                        Err(error) if *call == required => return Err(describe(call, &error)),
                        Err(error) => tracing::debug!(call, %error, "This kernel has no such call to watch."),
                        Ok(()) => {}
                    }
                }
                Ok(())
            }
        }
    }

    fn attach_typed(&mut self, program: &str, tracepoint: &str, btf: &aya::Btf) -> Result<(), ProgramError> {
        if let Some(Program::BtfTracePoint(program)) = self.ebpf.program_mut(program) {
            program.load(tracepoint, btf)?;
            program.attach()?;
        }
        Ok(())
    }

    fn attach_raw(&mut self, program: &str, tracepoint: &str) -> Result<(), ProgramError> {
        if let Some(Program::RawTracePoint(program)) = self.ebpf.program_mut(program) {
            if program.fd().is_err() {
                program.load()?;
            }
            program.attach(tracepoint)?;
        }
        Ok(())
    }

    fn attach_tracepoint(&mut self, program: &str, tracepoint: &str) -> Result<(), ProgramError> {
        if let Some(Program::TracePoint(program)) = self.ebpf.program_mut(program) {
            if program.fd().is_err() {
                program.load()?;
            }
            program.attach("syscalls", tracepoint)?;
        }
        Ok(())
    }

    fn first_refusal(&self) -> Option<String> {
        self.reports.iter().find_map(|report| match &report.state {
            ProbeState::Failed(refused) => refused.first().map(|(rung, reason)| format!("{rung}: {reason}")),
            _ => None,
        })
    }
}

impl KernelConfig {
    pub(super) fn declines(&self, probe: &Probe) -> bool {
        self.without.iter().any(|name| name == probe.name)
    }
}

/// Loads the object for this kernel, and says which fields that lacks.
fn load(config: &KernelConfig) -> Result<(Ebpf, Vec<Missing>), KernelError> {
    let btf = Btf::read(Path::new(KERNEL_BTF)).map_err(KernelError::NoBtf)?;
    let mode = CgroupMode::find(&config.cgroups, &btf)?;
    let resolution = resolve(&btf, OFFSETS);
    drop(btf);
    let host = config.host.inums();
    let mut loader = EbpfLoader::new();
    // The verifier writes its log again for every size of buffer that is tried: seconds, for a refused
    // program. Only asked for when somebody looks.
    let log = tracing::enabled!(tracing::Level::TRACE);
    loader.btf(None).verifier_log_level(if log {
        VerifierLogLevel::default()
    } else {
        VerifierLogLevel::empty()
    });
    for (name, value) in &resolution.values {
        loader.override_global(name, value, true);
    }
    loader.override_global("HOST_NAMESPACES", &host, true);
    let lengths = lengths(&config.socket_names);
    loader.override_global("SOCKET_NAME_LENGTHS", &lengths, true);
    loader.override_global("CGROUP_V1_SUBSYS", &mode.subsys, true);
    loader.override_global("CGROUP_HIERARCHY", &mode.hierarchy, true);
    let ebpf = loader.load(OBJECT).map_err(KernelError::of_load)?;
    Ok((ebpf, resolution.missing))
}

/// Which lengths the names have: bit N for N bytes. Longer ones no socket can bear.
fn lengths(names: &[String]) -> [u64; 2] {
    names.iter().fold([0; 2], |[short, long], name| match name.len() {
        len @ 0..64 => [short | 1 << len, long],
        len @ 64..128 => [short, long | 1 << (len - 64)],
        _ => [short, long],
    })
}

/// Names of a probe's programs, over all its rungs.
fn program_names(probe: &Probe) -> impl Iterator<Item = &'static str> {
    let mut names: Vec<&'static str> = Vec::new();
    for rung in probe.rungs {
        match rung.hook {
            Hook::TypedTracepoints(hooks) | Hook::RawTracepoints(hooks) => {
                names.extend(hooks.iter().map(|(program, _)| *program));
            }
            Hook::Syscalls { enter, exit, .. } => names.extend([enter, exit]),
        }
    }
    names.sort_unstable();
    names.dedup();
    names.into_iter()
}

/// Whether this kernel has every field that the rung reads.
fn require(rung: &Rung, missing: &[Missing]) -> Result<(), String> {
    let needed = |group: OffsetGroup| ALWAYS.contains(&group) || rung.needs.contains(&group);
    missing
        .iter()
        .find(|missing| needed(missing.field.group))
        .map_or(Ok(()), |missing| {
            Err(format!(
                "kernel field {}.{}: {}",
                missing.field.structure, missing.field.path, missing.reason
            ))
        })
}

/// One line with the whole chain of causes, without the verifier's log.
fn describe(hook: &str, error: &ProgramError) -> String {
    if let ProgramError::LoadError {
        io_error,
        verifier_log,
    } = error
    {
        tracing::trace!(hook, %verifier_log, "The kernel refused a program.");
        return format!("{hook}: the kernel refused the program: {io_error}");
    }
    let mut text = format!("{hook}: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_bits() {
        assert_eq!(lengths(&[]), [0, 0]);
        let names = ["/run/docker.sock".to_owned(), "x".repeat(64), "y".repeat(200)];
        assert_eq!(lengths(&names), [1 << 16, 1]);
    }
}
