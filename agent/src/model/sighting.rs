//! What a probe saw, before it is known which container that was and what came of it.

use super::{CgroupId, CgroupOp, Connect, Exec, MountRequest, Process, ProcessKey, Time};

/// An inode as the kernel names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InodeId {
    /// Device in the kernel's own encoding, `major << 20 | minor`.
    pub dev: u32,
    /// Inode number.
    pub ino: u64,
}

impl InodeId {
    /// The device as `major:minor`.
    #[must_use]
    pub fn device(self) -> String {
        format!("{}:{}", self.dev >> 20, self.dev & 0xf_ffff)
    }
}

/// A kernel event with its task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// When it happened.
    pub time: Time,
    /// Outermost cgroup of the task's container; none on the host.
    pub container: Option<CgroupId>,
    /// Whether only a namespace, not the cgroup, ties the task to that container.
    pub by_namespace: bool,
    /// The task. Executables are bare file names where the kernel does not know the path.
    pub process: Process,
    /// File of the task's executable.
    pub exe: InodeId,
    /// Ancestors' identity and executables' files, parent first, as `process.ancestors`.
    pub ancestors: Vec<(ProcessKey, InodeId)>,
    /// What happened.
    pub what: What,
}

/// What a probe saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A program image was committed.
    Exec(Exec),
    /// A runtime's socket was connected to or spoken on.
    Connect {
        /// What happened; the socket's path is the name the server bound until it is looked up.
        connect: Connect,
        /// File of the socket.
        inode: InodeId,
        /// Whether the inode is not known for a runtime's yet, only the name.
        by_name: bool,
    },
    /// A call of the mount family returned.
    Mount {
        /// Name of the call.
        call: &'static str,
        /// 0, or the error number.
        errno: u32,
        /// What was asked for.
        requested: MountRequest,
    },
    /// A task entered foreign namespaces.
    Namespace {
        /// Name of the call.
        call: &'static str,
        /// Kind, inode number, and outermost cgroup of the owning container; none is the host.
        entered: Vec<(&'static str, u32, Option<CgroupId>)>,
    },
    /// A container's cgroup was made or removed.
    Cgroup {
        /// Which of the two.
        op: CgroupOp,
        /// The cgroup.
        cgroup: CgroupId,
        /// Outermost cgroup of its container.
        root: CgroupId,
        /// Path from the root of the hierarchy.
        path: String,
    },
}
