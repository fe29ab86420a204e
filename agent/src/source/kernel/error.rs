//! What can keep the probes from running.

use std::error::Error;
use std::io;

use rustix::io::Errno;
use rustix::thread::{CapabilitySet, capabilities};

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
    /// The superuser, but without what loading takes.
    #[error(
        "loading probes needs CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN, which this process was not given: \
         run hullwatch outside of what took them (a container, a service with CapabilityBoundingSet=)"
    )]
    NotCapable(#[source] Box<aya::EbpfError>),
    /// The limit of open files is reached.
    #[error("too few files may be open: raise the limit (ulimit -n, LimitNOFILE=) to 256 or more")]
    Files(#[source] Box<aya::EbpfError>),
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
    Wait(#[source] io::Error),
    /// No probe could be attached.
    #[error("no probe could be attached: {0}; `hullwatch doctor` shows each with its reason")]
    Nothing(String),
    /// The operator wants none.
    #[error("every probe is declined: leave out a --without")]
    Declined,
    /// The hierarchy asked for is not there.
    #[error("no cgroup hierarchy of that kind: {0}")]
    Cgroup(String),
}

impl KernelError {
    /// Whether it is this kernel, or what it grants this process, that leaves nothing to see with. Others may see then.
    pub(super) const fn is_of_this_host(&self) -> bool {
        matches!(
            self,
            Self::NotRoot | Self::NoBtf(_) | Self::NotCapable(_) | Self::Files(_) | Self::Load(_)
        )
    }

    /// Why the object could not be loaded, by what the kernel answered and by what this process may.
    pub(super) fn of_load(error: aya::EbpfError) -> Self {
        let answer = errno(&error);
        let error = Box::new(error);
        match answer {
            Some(Errno::MFILE | Errno::NFILE) => Self::Files(error),
            Some(Errno::PERM) if !is_capable() => Self::NotCapable(error),
            _ => Self::Load(error),
        }
    }
}

/// What the kernel answered, wherever in the chain of causes that is.
fn errno(error: &(dyn Error + 'static)) -> Option<Errno> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let answer = error.downcast_ref().and_then(Errno::from_io_error);
        if answer.is_some() {
            return answer;
        }
        cause = error.source();
    }
    None
}

/// Whether this process has what loading takes; where that cannot be told, it is not to blame.
fn is_capable() -> bool {
    let needed = CapabilitySet::BPF | CapabilitySet::PERFMON;
    capabilities(None).map_or(true, |sets| {
        sets.effective.contains(CapabilitySet::SYS_ADMIN) || sets.effective.contains(needed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(errno: Errno, is_it: fn(&KernelError) -> bool) {
        let source = io::Error::from(errno);
        let path = "probes.o".into();
        let error = KernelError::of_load(aya::EbpfError::FileError { path, error: source });
        assert!(is_it(&error), "{error:?}");
    }

    #[test]
    fn the_remedy_is_for_what_the_kernel_answered() {
        check(Errno::MFILE, |error| matches!(error, KernelError::Files(_)));
        check(Errno::INVAL, |error| matches!(error, KernelError::Load(_)));
        check(Errno::PERM, |error| match error {
            KernelError::Load(_) => is_capable(),
            KernelError::NotCapable(_) => !is_capable(),
            _ => false,
        });
    }
}
