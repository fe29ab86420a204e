//! What is seen with: the probes, or none of them.

use tokio::sync::mpsc;

use super::losses::{Losses, ProbeLosses};
use super::reader::{self, Read};
use crate::model::{CgroupId, InodeId, Time};
use crate::source::kernel::{KernelError, KernelMaps, Probes, RecentExec};

/// The parts that the loop works with. Without probes it hears nothing from them, and they lose nothing.
#[derive(Debug)]
pub(super) struct Sight {
    pub(super) events: mpsc::Receiver<Read>,
    pub(super) maps: Maps,
    pub(super) losses: Losses,
}

impl Sight {
    /// Takes the probes apart, and starts reading. Call within the tokio runtime.
    pub(super) fn open(probes: Probes) -> Result<Self, KernelError> {
        let now = Time::now();
        let Probes::Attached(mut kernel) = probes else {
            return Ok(Self {
                events: reader::silent(),
                maps: Maps::Nobody,
                losses: Losses::new(None, now),
            });
        };
        let (rings, maps, meter) = kernel.split()?;
        Ok(Self {
            events: reader::spawn(rings),
            maps: Maps::Probes(maps),
            losses: Losses::new(Some(ProbeLosses::new(*kernel, meter)), now),
        })
    }
}

/// What probes are told, and what they have kept. Where there are none, nobody is told, and nothing was kept.
#[derive(Debug)]
pub(super) enum Maps {
    Probes(KernelMaps),
    Nobody,
}

impl Maps {
    /// As [`KernelMaps::add_container`].
    pub(super) fn add_container(&mut self, cgroup: CgroupId, root: CgroupId) -> Result<(), KernelError> {
        self.tell(|maps| maps.add_container(cgroup, root))
    }

    /// As [`KernelMaps::add_namespace`].
    pub(super) fn add_namespace(&mut self, inum: u32, root: CgroupId) -> Result<(), KernelError> {
        self.tell(|maps| maps.add_namespace(inum, root))
    }

    /// As [`KernelMaps::set_sockets`].
    pub(super) fn set_sockets(&mut self, sockets: &[(InodeId, u32)]) -> Result<(), KernelError> {
        self.tell(|maps| maps.set_sockets(sockets))
    }

    /// As [`KernelMaps::add_socket_name`].
    pub(super) fn add_socket_name(&mut self, name: &str, index: u32) -> Result<(), KernelError> {
        self.tell(|maps| maps.add_socket_name(name, index))
    }

    /// As [`KernelMaps::recent`].
    pub(super) fn recent(&self, pid: u32) -> Option<RecentExec> {
        match self {
            Self::Probes(maps) => maps.recent(pid),
            Self::Nobody => None,
        }
    }

    fn tell(
        &mut self,
        word: impl FnOnce(&mut KernelMaps) -> Result<(), KernelError>,
    ) -> Result<(), KernelError> {
        match self {
            Self::Probes(maps) => word(maps),
            Self::Nobody => Ok(()),
        }
    }
}
