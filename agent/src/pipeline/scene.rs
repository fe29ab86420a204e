//! Everything known that turns a sighting into an observation.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::enrich::mounts::{MountCall, MountTable};
use crate::enrich::{ContainerTable, FileCaps, Plumbing, ProcessTable, SocketTable};
use crate::model::{
    CgroupChange, CgroupId, CgroupOp, Connect, ContainerId, EnteredNamespace, Event, Exec, InodeId, Mount,
    MountEffect, MountRequest, NamespaceChange, NamespaceOwner, Observation, Sighting, Source, Time, What,
};
use crate::source::host;
use crate::source::kernel::{KernelError, RecentExec};

use super::hold::Held;
use super::recorded::Executed;
use super::sight::Maps;

/// Between two looks for all runtimes' executables because of an unknown one.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Cgroups within one container's own that are followed, as many as the probes follow.
const NESTED_MAX: usize = 1024;

/// The host's first process, which is in its mount namespace where a service of its own is not.
const INIT: u32 = 1;

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
    maps: Maps,
    processes: ProcessTable,
    plumbing: Plumbing,
    /// When an unknown runtime last made us look at all of them.
    looked_for_runtimes: Option<Time>,
    files: FileCaps,
    mounts: MountTable,
    /// The host's mount namespace, and the first of each container.
    host_mounts: u32,
    /// Whether mounts on the host itself are looked at: no check asks for them.
    host_effects: bool,
    first_mounts: HashMap<CgroupId, u32>,
    /// The first process of each container, as the engine tells it: it is there when a caller is gone.
    first_pids: HashMap<CgroupId, u32>,
    extra_sockets: Vec<(String, PathBuf)>,
    /// The hierarchy that tells containers apart.
    hierarchy: Option<host::Hierarchy>,
    /// Files that processes run, by audit records.
    pub(super) executed: Executed,
}

impl Scene {
    /// Looks at what is there: runtimes, their sockets, and containers that run already.
    pub(super) fn new(
        maps: Maps,
        extra_sockets: Vec<(String, PathBuf)>,
        mnt_ns: u32,
        host_effects: bool,
    ) -> Result<Self, KernelError> {
        let mut scene = Self {
            containers: ContainerTable::default(),
            sockets: SocketTable::default(),
            maps,
            processes: ProcessTable::default(),
            plumbing: Plumbing::default(),
            looked_for_runtimes: None,
            files: FileCaps::default(),
            mounts: MountTable::new(),
            host_mounts: mnt_ns,
            host_effects,
            first_mounts: HashMap::new(),
            first_pids: HashMap::new(),
            extra_sockets,
            hierarchy: None,
            executed: Executed::default(),
        };
        scene.learn_host_mounts();
        scene.refresh_runtimes();
        scene.refresh_sockets()?;
        scene.name_sockets()?;
        Ok(scene)
    }

    /// Reads the host's mounts anew.
    fn learn_host_mounts(&mut self) {
        if let Err(error) = self
            .mounts
            .baseline(&[std::process::id(), INIT], self.host_mounts)
        {
            tracing::debug!(%error, "The host's mounts could not be read.");
        }
    }

    /// The cgroups of containers that are there already, in the hierarchy that the probes look at.
    pub(super) fn find_containers(
        &mut self,
        hierarchy: host::Hierarchy,
    ) -> Result<host::FoundCgroups, host::CgroupError> {
        let found = host::container_cgroups_in(&hierarchy.path);
        self.hierarchy = Some(hierarchy);
        found
    }

    /// The cgroup of a container that a living process is in. A record can come before the probe's word of a new one.
    pub(super) fn root_of(&mut self, container: &ContainerId, pid: u32) -> Option<CgroupId> {
        if let Some(root) = self.containers.root(container) {
            return Some(root);
        }
        let found = host::container_cgroup_of(self.hierarchy.as_ref()?, pid, container)?;
        self.containers
            .born(found.root, &found.path)
            .map(|birth| birth.root)
    }

    /// Learns of containers that were there before the probes. Returns how many of their cgroups are not
    /// followed: those beyond what one container may have, and all for which the probes have no room.
    pub(super) fn adopt(&mut self, found: &host::FoundCgroups) -> usize {
        let mut nested: HashMap<CgroupId, usize> = HashMap::new();
        let mut left_out = 0;
        for cgroup in &found.cgroups {
            let own = cgroup.id == cgroup.root;
            let within = nested.entry(cgroup.root).or_default();
            *within += usize::from(!own);
            if *within > NESTED_MAX || self.maps.add_container(cgroup.id, cgroup.root).is_err() {
                left_out += 1;
            }
            if own {
                self.containers.born(cgroup.root, &cgroup.path);
            }
        }
        left_out
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
        self.plumbing.add_runtimes(plumbing.map(|file| inode_of(&file)));
    }

    /// Learns of a runtime by the first that it does: one that was upgraded since the last look, or that is
    /// in no usual place.
    fn meet_runtime(&mut self, sighting: &Sighting) {
        let Some(pid) = self.plumbing.stranger(sighting, host::is_runtime_name) else {
            return;
        };
        if let Some(file) = host::runtime_executable_of(pid) {
            self.plumbing.add_runtimes([inode_of(&file)]);
            return;
        }
        // It may be gone already. Containers can bear such names too: not for every one of theirs.
        let soon = |at: Time| sighting.time.since(at) < LOOK_EVERY;
        if !self.looked_for_runtimes.is_some_and(soon) {
            self.looked_for_runtimes = Some(sighting.time);
            self.refresh_runtimes();
        }
    }

    /// Who a process was at its last exec.
    pub(super) fn recent(&self, pid: u32) -> Option<RecentExec> {
        self.maps.recent(pid)
    }

    /// Whether a connection may have reached a runtime: by the socket's inode, or one made a moment ago by its name.
    pub(super) fn may_be_runtime(&self, inode: InodeId, path: &str) -> bool {
        let name = |path: &str| path.rsplit('/').next().map(str::to_owned);
        let names = socket_names(&self.extra_sockets);
        self.sockets.is_runtime(inode) || names.iter().any(|known| name(known) == name(path))
    }

    pub(super) fn is_runtime_file(&self, file: InodeId) -> bool {
        self.plumbing.is_runtime_file(file)
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
        for name in socket_names(&self.extra_sockets) {
            self.maps.add_socket_name(&name, u32::MAX)?;
        }
        Ok(())
    }

    /// Makes sense of what a probe saw, while its process still lives.
    pub(super) fn look(&mut self, mut sighting: Sighting) -> Result<Seen, KernelError> {
        self.processes.complete(&mut sighting);
        self.make_sense(sighting, Source::Kernel)
    }

    /// Makes sense of what records of the audit trail tell, once it is known whose they are.
    pub(super) fn look_at_recorded(&mut self, sighting: Sighting) -> Result<Seen, KernelError> {
        self.make_sense(sighting, Source::Audit)
    }

    fn make_sense(&mut self, mut sighting: Sighting, source: Source) -> Result<Seen, KernelError> {
        self.meet_runtime(&sighting);
        let plumbing = self.plumbing.judge(&mut sighting);
        let (container, weak) = (sighting.container, sighting.by_namespace);
        let Some((mut observation, own_root)) = self.observe(sighting, source, plumbing)? else {
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
        source: Source,
        plumbing: bool,
    ) -> Result<Option<(Observation, Option<CgroupId>)>, KernelError> {
        let (time, about) = (sighting.time, self.note_life(&sighting));
        let Some(event) = self.event(&sighting, plumbing)? else {
            return Ok(None);
        };
        let process = Some(sighting.process);
        let observation = Observation {
            time,
            source,
            process,
            container: None,
            plumbing,
            event,
        };
        Ok(Some((observation, about)))
    }

    /// What happened; none where it only looked like something.
    fn event(&mut self, sighting: &Sighting, plumbing: bool) -> Result<Option<Event>, KernelError> {
        Ok(Some(match &sighting.what {
            What::Exec(exec) => Event::Exec(self.exec(exec.clone(), sighting, plumbing)),
            What::Connect {
                connect,
                inode,
                by_name,
            } => {
                return Ok(self.connect(connect, *inode, *by_name)?.map(Event::Connect));
            }
            What::Mount { .. } => return Ok(self.mount(sighting, plumbing).map(Event::Mount)),
            What::Namespace { call, entered } => {
                let entered = entered
                    .iter()
                    .map(|(kind, inum, owner)| self.entered(kind, *inum, *owner))
                    .collect();
                Event::Namespace(NamespaceChange {
                    call: (*call).to_owned(),
                    entered,
                })
            }
            What::Cgroup { op, cgroup, path, .. } => Event::Cgroup(CgroupChange {
                op: *op,
                cgroup: *cgroup,
                path: path.clone(),
            }),
        }))
    }

    fn exec(&mut self, mut exec: Exec, sighting: &Sighting, plumbing: bool) -> Exec {
        let process = &sighting.process;
        let asked = sighting.container.is_some() || exec.gained.any();
        if asked && exec.file.file_caps.is_none() {
            exec.file.file_caps = self.files.look(&exec, sighting.exe, process, sighting.time);
        }
        if let Some(root) = sighting.container
            && !plumbing
            && !sighting.by_namespace
        {
            self.learn_mounts(root, process.pid, process.namespaces.mnt);
        }
        exec
    }

    /// Learns of a container's first process.
    pub(super) fn learn_first(&mut self, root: CgroupId, pid: u32, mnt_ns: u32) {
        self.first_pids.insert(root, pid);
        self.learn_mounts(root, pid, mnt_ns);
    }

    /// Mounts that a container's programs make are held against those its first one starts with.
    fn learn_mounts(&mut self, root: CgroupId, pid: u32, mnt_ns: u32) {
        if self.first_mounts.contains_key(&root) {
            return;
        }
        match self.mounts.baseline(&[pid], mnt_ns) {
            Ok(()) => drop(self.first_mounts.insert(root, mnt_ns)),
            Err(error) => tracing::debug!(pid, %error, "The mounts of a container could not be read."),
        }
    }

    /// The connection with its runtime's name; none where the socket only bears a runtime's name, or only
    /// the number of one that was.
    fn connect(
        &mut self,
        connect: &Connect,
        inode: InodeId,
        by_name: bool,
    ) -> Result<Option<Connect>, KernelError> {
        let renamed = self.sockets.was_runtime(inode) && self.is_bound_by_runtime(connect, inode);
        if !renamed && !self.sockets.is_runtime(inode) {
            self.refresh_sockets()?;
            // What the probes knew by its inode, and is not even a former one, was forgotten for want of room.
            let forgotten = !by_name && !self.sockets.was_runtime(inode);
            if !forgotten && !self.sockets.is_runtime(inode) {
                return Ok(None);
            }
        }
        let socket = self.sockets.socket(connect, inode);
        Ok(Some(Connect {
            op: connect.op,
            socket,
            bound: connect.bound.clone(),
        }))
    }

    fn is_bound_by_runtime(&self, connect: &Connect, inode: InodeId) -> bool {
        let names = socket_names(&self.extra_sockets);
        names.contains(&connect.bound) || connect.bound == self.sockets.socket(connect, inode).path
    }

    fn mount(&mut self, sighting: &Sighting, plumbing: bool) -> Option<Mount> {
        let What::Mount {
            call,
            errno,
            requested,
        } = &sighting.what
        else {
            return None;
        };
        let not_looked = |why: &str| MountEffect::Unverified {
            reason: why.to_owned(),
        };
        let effect = if plumbing {
            not_looked("the runtime's own, not looked at")
        } else if sighting.container.is_none() && !self.host_effects {
            not_looked("on the host, not looked at")
        } else {
            self.effect(sighting, call, *errno, requested)
        };
        Some(Mount {
            call: (*call).to_owned(),
            errno: *errno,
            requested: requested.clone(),
            effect,
        })
    }

    fn effect(&mut self, sighting: &Sighting, call: &str, errno: u32, request: &MountRequest) -> MountEffect {
        let mnt_ns = sighting.process.namespaces.mnt;
        if !self.mounts.knows(mnt_ns) {
            // It may be a copy of the host's as that is now.
            self.learn_host_mounts();
        }
        let first = sighting.container.and_then(|root| self.first_mounts.get(&root));
        let origins: Vec<_> = first.into_iter().chain([&self.host_mounts]).copied().collect();
        // The caller may have ended; its ancestors and the container's first process often share its
        // namespace, which the reader verifies.
        let ancestors = sighting.process.ancestors.iter().map(|ancestor| ancestor.pid);
        let first_pid = sighting.container.and_then(|root| self.first_pids.get(&root));
        let pids: Vec<_> = [sighting.process.pid]
            .into_iter()
            .chain(ancestors)
            .chain(first_pid.copied())
            .collect();
        self.mounts.effect(&MountCall {
            pids: &pids,
            mnt_ns,
            origins: &origins,
            call,
            errno,
            request,
        })
    }

    /// Follows the life of containers' outermost cgroups. Returns the container that a birth or death is
    /// about.
    fn note_life(&mut self, sighting: &Sighting) -> Option<CgroupId> {
        let What::Cgroup {
            op,
            cgroup,
            root,
            path,
        } = &sighting.what
        else {
            return None;
        };
        match op {
            CgroupOp::Created if cgroup == root => drop(self.containers.born(*root, path)),
            CgroupOp::Removed if cgroup == root => self.bury(*root, sighting.time),
            _ => {}
        }
        Some(*root)
    }

    /// Forgets what was known of a container's outermost cgroup, which is gone.
    pub(super) fn bury(&mut self, root: CgroupId, at: Time) {
        self.containers.died(root, at);
        self.plumbing.forget(root);
        self.first_mounts.remove(&root);
        self.first_pids.remove(&root);
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

fn inode_of(file: &host::ExecutableFile) -> InodeId {
    InodeId {
        dev: file.inode.dev,
        ino: file.inode.ino,
    }
}

/// Names that runtimes bind their sockets to, the operator's among them.
pub(super) fn socket_names(extra: &[(String, PathBuf)]) -> Vec<String> {
    let known = host::known_socket_names().into_iter().map(|(_, name)| name);
    known
        .chain(extra.iter().map(|(_, path)| path.to_string_lossy().into_owned()))
        .collect()
}
