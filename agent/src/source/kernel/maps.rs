//! What the agent tells the probes.

use aya::Ebpf;
use aya::maps::{HashMap, Map, MapData, MapError};
use hullwatch_common::event::SUN_PATH_LEN;
use hullwatch_common::{ContainerCgroup, Inode, RECENT_LEN};

use super::KernelError;
use super::calls::{MOUNT_CALLS, NAMESPACE_CALLS};
use super::decode::{RecentExec, recent};
use crate::model::{CgroupId, InodeId};

/// Writable maps of the loaded object.
#[derive(Debug)]
pub struct KernelMaps {
    containers: HashMap<MapData, u64, u64>,
    namespaces: HashMap<MapData, u32, u64>,
    sockets: HashMap<MapData, [u64; 2], u32>,
    socket_names: HashMap<MapData, [u8; SUN_PATH_LEN], u32>,
    recent: HashMap<MapData, u32, [u8; RECENT_LEN]>,
}

/// Takes a map out of the object.
pub(super) fn take<M>(ebpf: &mut Ebpf, name: &'static str) -> Result<M, KernelError>
where
    M: TryFrom<Map, Error = MapError>,
{
    let map = ebpf.take_map(name).ok_or(KernelError::Map(name))?;
    M::try_from(map).map_err(|source| KernelError::Write {
        name,
        source: Box::new(source),
    })
}

impl KernelMaps {
    /// Takes the maps and fills those that never change.
    pub(super) fn take(ebpf: &mut Ebpf) -> Result<Self, KernelError> {
        for (name, calls) in [
            ("MOUNT_CALLS", &MOUNT_CALLS[..]),
            ("NAMESPACE_CALLS", &NAMESPACE_CALLS[..]),
        ] {
            let mut map: HashMap<MapData, u32, u32> = take(ebpf, name)?;
            for (number, call) in calls {
                map.insert(number, call, 0).map_err(|source| KernelError::Write {
                    name,
                    source: Box::new(source),
                })?;
            }
        }
        Ok(Self {
            containers: take(ebpf, "CONTAINERS")?,
            namespaces: take(ebpf, "NAMESPACES")?,
            sockets: take(ebpf, "SOCKETS")?,
            socket_names: take(ebpf, "SOCKET_NAMES")?,
            recent: take(ebpf, "RECENT")?,
        })
    }

    /// Tells of a container's cgroup that was there before the probes. One that the probes have already
    /// seen is left alone.
    ///
    /// # Errors
    /// [`KernelError::Write`].
    pub fn add_container(&mut self, cgroup: CgroupId, root: CgroupId) -> Result<(), KernelError> {
        self.containers
            .insert(
                cgroup.0,
                bytemuck::cast::<_, u64>(ContainerCgroup { root: root.0 }),
                0,
            )
            .map_err(|source| KernelError::Write {
                name: "CONTAINERS",
                source: Box::new(source),
            })
    }

    /// Who a process was at its last exec, if that was one of the last thousands of this host. The process may be gone.
    #[must_use]
    pub fn recent(&self, pid: u32) -> Option<RecentExec> {
        let value = self.recent.get(&pid, 0).ok()?;
        Some(recent(pid, &value))
    }

    /// Tells of a namespace that belongs to a container.
    ///
    /// # Errors
    /// [`KernelError::Write`].
    pub fn add_namespace(&mut self, inum: u32, root: CgroupId) -> Result<(), KernelError> {
        self.namespaces
            .insert(inum, root.0, 0)
            .map_err(|source| KernelError::Write {
                name: "NAMESPACES",
                source: Box::new(source),
            })
    }

    /// Makes the set of runtime sockets exactly this: inode and index in the agent's table.
    ///
    /// # Errors
    /// [`KernelError::Write`].
    pub fn set_sockets(&mut self, sockets: &[(InodeId, u32)]) -> Result<(), KernelError> {
        let wanted: Vec<_> = sockets.iter().map(|(id, index)| (key(*id), *index)).collect();
        let stale: Vec<_> = self
            .sockets
            .keys()
            .flatten()
            .filter(|known| !wanted.iter().any(|(key, _)| key == known))
            .collect();
        let failed = |source| KernelError::Write {
            name: "SOCKETS",
            source: Box::new(source),
        };
        for gone in stale {
            self.sockets.remove(&gone).map_err(failed)?;
        }
        for (key, index) in wanted {
            self.sockets.insert(key, index, 0).map_err(failed)?;
        }
        Ok(())
    }

    /// Tells under which name a runtime binds its socket. Names too long for a socket are no names.
    ///
    /// # Errors
    /// [`KernelError::Write`].
    pub fn add_socket_name(&mut self, name: &str, index: u32) -> Result<(), KernelError> {
        let mut padded = [0; SUN_PATH_LEN];
        let Some(slot) = padded
            .get_mut(..name.len())
            .filter(|slot| slot.len() < SUN_PATH_LEN)
        else {
            return Ok(());
        };
        slot.copy_from_slice(name.as_bytes());
        self.socket_names
            .insert(padded, index, 0)
            .map_err(|source| KernelError::Write {
                name: "SOCKET_NAMES",
                source: Box::new(source),
            })
    }
}

/// The key as words, which aya knows to be plain data.
fn key(id: InodeId) -> [u64; 2] {
    bytemuck::cast(Inode {
        ino: id.ino,
        dev: id.dev,
        pad: 0,
    })
}
