//! What this kernel and host allow.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What `doctor --json` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DoctorReport {
    /// Facts of the kernel and the host.
    pub kernel: KernelFacts,
    /// Each probe.
    pub probes: Vec<ProbeRow>,
}

/// Facts of the kernel and the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KernelFacts {
    /// `uname -r`.
    pub release: String,
    /// `uname -m`.
    pub machine: String,
    /// Whether the kernel describes its types.
    pub btf: bool,
    /// `none`, `integrity`, `confidentiality`, or `unknown`.
    pub lockdown: String,
    /// Active security modules, or `unknown`.
    pub lsm: String,
    /// The hierarchy that tells containers apart, and where it is mounted.
    pub cgroups: String,
    /// Processors.
    pub cpus: usize,
    /// The engine.
    pub engine: EngineFact,
}

/// Whether an engine is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EngineFact {
    /// Where it is looked for.
    pub endpoint: String,
    /// Whether its socket takes connections; null where that was not tried.
    pub reachable: Option<bool>,
}

/// One probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProbeRow {
    /// Name.
    pub name: String,
    /// What it sees.
    pub sees: String,
    /// The rung in use; null where none is.
    pub rung: Option<String>,
    /// `attached`, `declined` or `failed`.
    pub state: String,
    /// Why rungs above the one in use, or all of them, did not attach; empty where the first did.
    pub reason: String,
    /// What audit records tell in its place, or would; null where it is attached, or no record carries what it sees.
    #[serde(default)]
    pub stand_in: Option<String>,
    /// What it cannot see; where records stand in for it, what they do not tell.
    pub blind: Vec<String>,
    /// What it costs those who do nothing of interest.
    pub cost: String,
}

impl DoctorReport {
    /// Whether every probe is attached.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.probes.iter().all(|probe| probe.rung.is_some())
    }
}
