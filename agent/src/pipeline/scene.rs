//! Everything known that turns a sighting into an observation.

use std::path::PathBuf;

use crate::enrich::mounts::{MountCall, MountTable};
use crate::enrich::{ContainerTable, FileCaps, Plumbing, ProcessTable, SocketTable};
use crate::model::{
    CgroupChange, CgroupId, CgroupOp, ContainerId, EnteredNamespace, Event, InodeId, Mount, MountEffect,
    NamespaceChange, NamespaceOwner, Observation, Sighting, Source, What,
};
use crate::source::host;
use crate::source::kernel::{KernelError, KernelMaps};

use super::hold::Held;

/// A sighting made sense of.
#[derive(Debug)]
pub(super) enum Seen {
    /// On the host, or of a container's birth or death: nothing to wait for.
    Ready(Observation),
    /// In a container.
    InContainer(Held),
    /// Only looked like something.
    Nothing,
}

/// Tables of the enrichment, and the probes' maps that follow them.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) containers: ContainerTable,
    pub(super) sockets: SocketTable,
    maps: KernelMaps,
    processes: ProcessTable,
    plumbing: Plumbing,
    files: FileCaps,
    mounts: MountTable,
    extra_sockets: Vec<(String, PathBuf)>,
}

impl Scene {
    /// Looks at what is there: runtimes, their sockets, and containers that run already.
    pub(super) fn new(maps: KernelMaps, extra_sockets: Vec<(String, PathBuf)>) -> Result<Self, KernelError> {
        let mut scene = Self {
            containers: ContainerTable::default(),
            sockets: SocketTable::default(),
            maps,
            processes: ProcessTable::default(),
            plumbing: Plumbing::default(),
            files: FileCaps::default(),
            mounts: MountTable::new(),
            extra_sockets,
        };
        scene.refresh_runtimes();
        scene.refresh_sockets()?;
        scene.name_sockets()?;
        Ok(scene)
    }

    /// Learns the namespace of the host's mounts.
    pub(super) fn baseline(&mut self, mnt_ns: u32) {
        if let Err(error) = self.mounts.baseline(&[std::process::id()], mnt_ns) {
            tracing::debug!(%error, "The host's mounts could not be read.");
        }
    }

    /// Learns of containers that were there before the probes.
    pub(super) fn adopt(&mut self, found: &host::FoundCgroups) -> Result<(), KernelError> {
        for cgroup in &found.cgroups {
            self.maps.add_container(cgroup.id, cgroup.root)?;
            if cgroup.id == cgroup.root {
                self.containers.born(cgroup.root, &cgroup.path);
            }
        }
        Ok(())
    }

    /// Ties a container's namespaces to it, those that are not the host's.
    pub(super) fn own_namespaces(
        &mut self,
        root: CgroupId,
        inums: &[u32],
        host: &[u32],
    ) -> Result<(), KernelError> {
        for inum in inums.iter().filter(|inum| **inum != 0 && !host.contains(inum)) {
            self.maps.add_namespace(*inum, root)?;
        }
        Ok(())
    }

    /// Looks for the runtimes' executables anew: packages are upgraded under us.
    pub(super) fn refresh_runtimes(&mut self) {
        let executables = host::runtime_executables();
        // The init of `docker run --init` is the container's own first program.
        let plumbing = executables
            .into_iter()
            .filter(|file| !file.path.ends_with("docker-init"));
        self.plumbing.set_runtimes(plumbing.map(|file| InodeId {
            dev: file.inode.dev,
            ino: file.inode.ino,
        }));
    }

    /// Looks for the runtimes' sockets anew: a daemon makes its own at every start.
    pub(super) fn refresh_sockets(&mut self) -> Result<(), KernelError> {
        let found = host::runtime_sockets(&self.extra_sockets);
        let sockets = found.into_iter().map(|file| {
            let inode = InodeId {
                dev: file.inode.dev,
                ino: file.inode.ino,
            };
            (file.runtime, file.path.to_string_lossy().into_owned(), inode)
        });
        if self.sockets.update(sockets) {
            self.maps.set_sockets(&self.sockets.indexed())
        } else {
            Ok(())
        }
    }

    /// Tells the probes under which names sockets are bound, so that one made a moment ago is not missed.
    fn name_sockets(&mut self) -> Result<(), KernelError> {
        let known = host::known_socket_names().into_iter().map(|(_, name)| name);
        let extra = self
            .extra_sockets
            .iter()
            .map(|(_, path)| path.to_string_lossy().into_owned());
        for name in known.chain(extra).collect::<Vec<_>>() {
            self.maps.add_socket_name(&name, u32::MAX)?;
        }
        Ok(())
    }

    /// Makes sense of a sighting, while its process still lives.
    pub(super) fn look(&mut self, mut sighting: Sighting) -> Result<Seen, KernelError> {
        self.processes.complete(&mut sighting);
        let plumbing = self.plumbing.judge(&mut sighting);
        let (container, weak) = (sighting.container, sighting.by_namespace);
        let Some((mut observation, own_root)) = self.observe(sighting, plumbing)? else {
            return Ok(Seen::Nothing);
        };
        Ok(match (container, own_root) {
            (_, Some(root)) => {
                observation.container = Some(self.containers.reference(root, false));
                Seen::Ready(observation)
            }
            (Some(root), None) => Seen::InContainer(Held {
                observation,
                root,
                weak,
            }),
            (None, None) => Seen::Ready(observation),
        })
    }

    /// The observation, and for births and deaths the container that it is about.
    fn observe(
        &mut self,
        sighting: Sighting,
        plumbing: bool,
    ) -> Result<Option<(Observation, Option<CgroupId>)>, KernelError> {
        let mut about = None;
        let (process, exe, now) = (sighting.process, sighting.exe, sighting.time);
        let event = match sighting.what {
            What::Exec(mut exec) => {
                if sighting.container.is_some() || exec.gained.any() {
                    exec.file.file_caps = self.files.look(&exec, exe, &process, now);
                }
                if exec.entry && !plumbing && sighting.container.is_some() && !sighting.by_namespace {
                    // Mounts that its programs make are held against those it starts with.
                    drop(self.mounts.baseline(&[process.pid], process.namespaces.mnt));
                }
                Event::Exec(exec)
            }
            What::Connect {
                mut connect,
                inode,
                by_name,
            } => {
                if by_name && !self.sockets.is_runtime(inode) {
                    self.refresh_sockets()?;
                    if !self.sockets.is_runtime(inode) {
                        return Ok(None);
                    }
                }
                connect.socket = self.sockets.socket(&connect, inode);
                Event::Connect(connect)
            }
            What::Mount {
                call,
                errno,
                requested,
            } => {
                let effect = if plumbing {
                    MountEffect::Unverified {
                        reason: "the runtime's own, not looked at".to_owned(),
                    }
                } else {
                    let (pids, mnt_ns) = ([process.pid], process.namespaces.mnt);
                    self.mounts.effect(&MountCall {
                        pids: &pids,
                        mnt_ns,
                        call,
                        errno,
                        request: &requested,
                    })
                };
                Event::Mount(Mount {
                    call: call.to_owned(),
                    errno,
                    requested,
                    effect,
                })
            }
            What::Namespace { call, entered } => Event::Namespace(NamespaceChange {
                call: call.to_owned(),
                entered: entered
                    .into_iter()
                    .map(|(kind, inum, owner)| self.entered(kind, inum, owner))
                    .collect(),
            }),
            What::Cgroup {
                op,
                cgroup,
                root,
                path,
            } => {
                match op {
                    CgroupOp::Created if cgroup == root => drop(self.containers.born(root, &path)),
                    CgroupOp::Removed if cgroup == root => {
                        self.containers.died(root, now);
                        self.plumbing.forget(root);
                    }
                    _ => {}
                }
                about = Some(root);
                Event::Cgroup(CgroupChange { op, cgroup, path })
            }
        };
        let observation = Observation {
            time: now,
            source: Source::Kernel,
            process: Some(process),
            container: None,
            plumbing,
            event,
        };
        Ok(Some((observation, about)))
    }

    fn entered(&self, kind: &str, inum: u32, owner: Option<CgroupId>) -> EnteredNamespace {
        let owner = owner.map_or(NamespaceOwner::Host, |root| {
            NamespaceOwner::Container(self.id(root))
        });
        EnteredNamespace {
            namespace: kind.to_owned(),
            inum,
            owner,
        }
    }

    fn id(&self, root: CgroupId) -> Option<ContainerId> {
        self.containers.id(root).cloned()
    }
}
