//! What can keep the probes from running.

use super::btf::BtfError;

/// The kernel does not let us look, or not in a way we know.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// Not the superuser.
    #[error(
        "loading probes needs root: run hullwatch with sudo, or give it CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN"
    )]
    NotRoot,
    /// The kernel has no description of its own types.
    #[error(
        "this kernel has no BTF at /sys/kernel/btf/vmlinux: use a kernel built with CONFIG_DEBUG_INFO_BTF=y (5.8 or later)"
    )]
    NoBtf(#[source] BtfError),
    /// The kernel refuses to load the object as a whole.
    #[error(
        "the kernel refuses the probes; if it is locked down (cat /sys/kernel/security/lockdown), integrity mode is fine, confidentiality mode is not"
    )]
    Load(#[source] Box<aya::EbpfError>),
    /// A map of the object is missing or of another kind: the object does not belong to this agent.
    #[error("the embedded probes lack the map {0}: this build is broken")]
    Map(&'static str),
    /// A map cannot be written.
    #[error("cannot write to the map {name}")]
    Write {
        /// The map.
        name: &'static str,
        /// Why.
        #[source]
        source: Box<aya::maps::MapError>,
    },
    /// A ring cannot be waited on.
    #[error("cannot wait for events")]
    Wait(#[source] std::io::Error),
    /// No probe could be attached.
    #[error("no probe could be attached: {0}; `hullwatch doctor` shows each with its reason")]
    Nothing(String),
    /// The hierarchy asked for is not there.
    #[error("no cgroup hierarchy of that kind: {0}")]
    Cgroup(String),
}
