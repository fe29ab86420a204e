//! Facts of the kernel and the host that decide what can be seen.

use std::fs;
use std::path::Path;

use crate::model::{EngineFact, KernelFacts};
use crate::source::engine::Endpoint;
use crate::source::host::Hierarchy;
use crate::source::kernel::btf::KERNEL_BTF;

/// Reads them; what cannot be read is said to be unknown.
pub(super) fn collect(engine: &Endpoint) -> KernelFacts {
    let uname = rustix::system::uname();
    KernelFacts {
        release: uname.release().to_string_lossy().into_owned(),
        machine: uname.machine().to_string_lossy().into_owned(),
        btf: Path::new(KERNEL_BTF).exists(),
        lockdown: lockdown(),
        lsm: line("/sys/kernel/security/lsm"),
        cgroups: Hierarchy::find().map_or_else(
            |error| format!("none: {error}"),
            |found| format!("{:?} at {}", found.version, found.path.display()),
        ),
        cpus: std::thread::available_parallelism().map_or(1, usize::from),
        engine: engine_fact(engine),
    }
}

/// The mode in brackets: `none [integrity] confidentiality`.
fn lockdown() -> String {
    let text = line("/sys/kernel/security/lockdown");
    let mode = text
        .split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'))
        .map(|(mode, _)| mode.to_owned());
    mode.unwrap_or(text)
}

fn line(path: &str) -> String {
    fs::read_to_string(path).map_or_else(|_error| "unknown".to_owned(), |text| text.trim().to_owned())
}

/// Whether the engine's socket is there; behind TCP nothing is asked.
fn engine_fact(engine: &Endpoint) -> EngineFact {
    let present = engine
        .socket_path()
        .map(|path| std::os::unix::net::UnixStream::connect(path).is_ok());
    EngineFact {
        endpoint: engine.to_string(),
        reachable: present,
    }
}
