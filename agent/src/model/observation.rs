//! One normalized fact from a source. A recorded stream of these, replayed, gives the same violations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AuditChange, AuditRecord, CapSet, CgroupId, Container, ContainerId, ContainerRef, Credentials,
    ExecSession, Fact, FileChange, HostFacts, Image, ImageFiles, Policy, Process, Time,
};

/// Where an observation comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names are the sources")]
pub enum Source {
    Kernel,
    Audit,
    Engine,
    Assessment,
}

/// What happened, to whom, where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Observation {
    /// When it happened (not when it was read).
    pub time: Time,
    /// Who says so.
    pub source: Source,
    /// The process that did it; null where none is involved.
    pub process: Option<Process>,
    /// Its container; null on the host itself.
    pub container: Option<ContainerRef>,
    /// Whether the process is the container runtime itself at work on the container (runc before it
    /// runs the payload): seen, recorded, and never a violation.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plumbing: bool,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened. The JSON field `kind` names the variant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Event {
    /// A program image was committed.
    Exec(Exec),
    /// A runtime's socket was connected to or spoken on.
    Connect(Connect),
    /// A call of the mount family returned.
    Mount(Mount),
    /// A task entered namespaces of the host or of another container.
    Namespace(NamespaceChange),
    /// A container's cgroup was made or removed.
    Cgroup(CgroupChange),
    /// An engine told of a container.
    Container {
        /// What became of it.
        action: ContainerAction,
        /// All that is known of it now.
        facts: Box<Container>,
    },
    /// An engine told of an exec session.
    ExecSession(ExecSession),
    /// An engine told of an image.
    Image(Image),
    /// An engine has this image no longer.
    ImageRemoved {
        /// Its id.
        id: String,
    },
    /// The layers of an image were read.
    ImageFiles {
        /// Id of the image.
        id: String,
        /// What was found, or why nothing could be.
        files: Fact<Box<ImageFiles>>,
    },
    /// A watched file, directory or socket was changed.
    File(FileChange),
    /// The audit trail was changed.
    AuditChange(AuditChange),
    /// The audit trail tells of a watched object.
    AuditRecord(AuditRecord),
    /// Facts of the host, at the start and when they change.
    Host(Box<HostFacts>),
    /// What the operator allows, at the start and when it changes.
    Policy(Policy),
}

impl Event {
    /// Value of the JSON field `kind`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Exec(_) => "exec",
            Self::Connect(_) => "connect",
            Self::Mount(_) => "mount",
            Self::Namespace(_) => "namespace",
            Self::Cgroup(_) => "cgroup",
            Self::Container { .. } => "container",
            Self::ExecSession(_) => "exec-session",
            Self::Image(_) => "image",
            Self::ImageRemoved { .. } => "image-removed",
            Self::ImageFiles { .. } => "image-files",
            Self::File(_) => "file",
            Self::AuditChange(_) => "audit-change",
            Self::AuditRecord(_) => "audit-record",
            Self::Host(_) => "host",
            Self::Policy(_) => "policy",
        }
    }
}

/// A program image was committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Exec {
    /// The file whose image runs; for a script, its interpreter.
    pub file: ExecFile,
    /// What the caller named: a path, a script, `/dev/fd/N`.
    pub requested: String,
    /// Credentials before; null where this kernel's hook cannot see them.
    pub before: Option<Credentials>,
    /// Whether the kernel judged that privilege was gained (`AT_SECURE`).
    pub secure: bool,
    /// What the process came out with that it did not have.
    pub gained: Gained,
    /// Whether the parent is outside the container: the container's own start, an exec session, nsenter.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub entry: bool,
}

/// The file behind an exec, from its inode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExecFile {
    /// Path rebuilt from the directory tree in the process's mount namespace; ends at what is known.
    pub path: String,
    /// Device, `major:minor`.
    pub dev: String,
    /// Inode number.
    pub ino: u64,
    /// `st_mode`.
    pub mode: u32,
    /// Owner on the host.
    pub uid: u32,
    /// Group on the host.
    pub gid: u32,
    /// Whether no directory names it (memfd, deleted).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unlinked: bool,
    /// Whether its mount ignores setuid bits and file capabilities.
    pub nosuid: bool,
    /// Whether it is setuid.
    pub setuid: bool,
    /// Whether it is setgid and group-executable.
    pub setgid: bool,
    /// Whether it carries file capabilities; null where it was gone before it could be looked at.
    pub file_caps: Option<bool>,
}

impl ExecFile {
    /// Whether the file itself bears privilege; unknown file capabilities count as none.
    #[must_use]
    pub fn carries_privilege(&self) -> bool {
        self.setuid || self.setgid || self.file_caps == Some(true)
    }
}

/// What an exec added to a process. Where `before` is unknown it is the kernel's own judgement, told apart
/// by the real and effective ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gained {
    /// Effective user differs from the one before.
    pub uid: bool,
    /// Effective group differs from the one before.
    pub gid: bool,
    /// Permitted capabilities that it did not have before.
    pub caps: CapSet,
}

impl Gained {
    /// Whether anything was gained.
    #[must_use]
    pub const fn any(self) -> bool {
        self.uid || self.gid || !self.caps.is_empty()
    }
}

/// A runtime's socket was connected to or spoken on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Connect {
    /// How.
    pub op: ConnectOp,
    /// Which socket, by its inode.
    pub socket: RuntimeSocket,
    /// Name that the listening side bound, as it spelled it.
    pub bound: String,
}

/// What was done on a runtime's socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ConnectOp {
    /// A connection was made.
    Connect,
    /// A process sent its first bytes on a connection that it may not have made.
    Use,
}

/// A socket through which containers are controlled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuntimeSocket {
    /// `docker`, `containerd`, `podman`, `crio`, `buildkit`, or a name given by the operator.
    pub runtime: String,
    /// Path on the host.
    pub path: String,
    /// Inode number.
    pub ino: u64,
    /// Device, `major:minor`.
    pub dev: String,
}

/// A call of the mount family returned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mount {
    /// `mount`, `umount`, `move_mount`, `fsmount`, `open_tree`, `open_tree_attr`, `mount_setattr`, `pivot_root`.
    pub call: String,
    /// 0, or the error number.
    pub errno: u32,
    /// What was asked for: read from the caller's memory, so never decisive.
    pub requested: MountRequest,
    /// What came of it.
    pub effect: MountEffect,
}

/// What a mount call asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MountRequest {
    /// Source or path moved from; empty where the call has none.
    pub source: String,
    /// Target; empty where the call has none.
    pub target: String,
    /// Filesystem type; empty where the call has none.
    pub fstype: String,
    /// Flag register, `MS_*`, `MNT_*`, `OPEN_TREE_*` or `MOVE_MOUNT_*` by call.
    pub flags: u64,
}

/// What a mount call changed, from mountinfo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum MountEffect {
    /// Mount points that appeared or changed.
    Verified {
        /// New or changed, as they are now.
        mounts: Vec<MountPoint>,
        /// Gone.
        removed: Vec<String>,
    },
    /// The call changes no mount point by itself, or failed.
    None,
    /// The namespace was gone, or its state before the call not known.
    Unverified {
        /// Why.
        reason: String,
    },
}

/// One line of mountinfo (`proc(5)`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MountPoint {
    /// Where, in the process's mount namespace.
    pub path: String,
    /// Directory of the filesystem that forms the root of the mount.
    pub root: String,
    /// Source as the filesystem shows it.
    pub source: String,
    /// Filesystem type.
    pub fstype: String,
    /// Device of the filesystem, `major:minor`.
    pub dev: String,
    /// `shared`, `slave`, `private` or `unbindable`.
    pub propagation: String,
    /// Whether writes are refused.
    pub read_only: bool,
    /// The host's path of the same directory, where the host has the filesystem mounted; null elsewhere.
    pub host_path: Option<String>,
}

/// A task changed namespaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NamespaceChange {
    /// `setns` or `unshare`.
    pub call: String,
    /// Foreign namespaces the task is in now and was not before.
    pub entered: Vec<EnteredNamespace>,
}

/// One namespace that was entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EnteredNamespace {
    /// `mnt`, `pid`, `net`, `ipc`, `uts`, `user` or `cgroup`.
    pub namespace: String,
    /// Inode number.
    pub inum: u32,
    /// Whose it is.
    pub owner: NamespaceOwner,
}

/// Whose a namespace is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NamespaceOwner {
    /// The host's.
    Host,
    /// A container's; null where its id is not known.
    Container(Option<ContainerId>),
}

/// A container's cgroup was made or removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CgroupChange {
    /// What happened.
    pub op: CgroupOp,
    /// The cgroup.
    pub cgroup: CgroupId,
    /// Its path from the root of the hierarchy.
    pub path: String,
}

/// What happened to a cgroup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CgroupOp {
    /// Made.
    Created,
    /// Removed.
    Removed,
}

/// What became of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ContainerAction {
    /// It was there when we looked.
    Listed,
    /// It was made.
    Created,
    /// It was started.
    Started,
    /// Its configuration changed.
    Updated,
    /// It stopped.
    Stopped,
    /// It was removed.
    Removed,
}
