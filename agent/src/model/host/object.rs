//! Files, directories and sockets of the host that recommendations are about.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::Fact;

/// What an object is to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// `docker.service`: its fragment in force, and its drop-ins.
    ServiceUnit,
    /// `docker.socket`: its fragment in force, and its drop-ins.
    SocketUnit,
    /// Directory of the daemon's configuration file.
    ConfigDir,
    /// The daemon's configuration file.
    ConfigFile,
    /// A file below `certs.d`.
    RegistryCert,
    /// A directory below `certs.d`.
    RegistryCertDir,
    /// `tlscacert`.
    TlsCa,
    /// `tlscert`.
    TlsCert,
    /// `tlskey`.
    TlsKey,
    /// A Unix socket that the engine listens on.
    EngineSocket,
    /// `/etc/default/docker`, and further environment files of the service.
    DefaultFile,
    /// `/etc/sysconfig/docker`.
    SysconfigFile,
    /// The socket of containerd.
    ContainerdSocket,
    /// containerd's configuration file.
    ContainerdConfig,
    /// Runtime directory of containerd.
    RunContainerd,
    /// The engine's data.
    DataRoot,
    /// What the engine keeps of its swarm, below the data root: nothing to be judged, but a sign that the swarm changed.
    SwarmState,
    /// Executable of the daemon.
    DockerdBinary,
    /// Executable of the client.
    DockerBinary,
    /// Executable of containerd.
    ContainerdBinary,
    /// `containerd-shim`.
    Shim,
    /// `containerd-shim-runc-v1`.
    ShimRuncV1,
    /// `containerd-shim-runc-v2`, and the executables of shims that run.
    ShimRuncV2,
    /// Executable of an OCI runtime.
    RuncBinary,
    /// Seccomp profile of the daemon.
    SeccompProfile,
    /// Files that say who is in which group.
    Accounts,
    /// Files of the audit rules.
    AuditRules,
    /// Files that set the environment of logins.
    LoginEnvironment,
}

/// A file, directory or socket of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Object {
    /// What it is to the engine.
    pub role: Role,
    /// Path as its owner names it, on the host.
    pub path: String,
    /// What is there; null where nothing is.
    pub state: Fact<Option<ObjectState>>,
}

/// What is at a path, every symlink followed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectState {
    /// Path with every symlink resolved.
    pub resolved: String,
    /// Sort.
    pub kind: ObjectKind,
    /// Permission bits, with setuid, setgid and sticky (`st_mode & 07777`).
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Name of the group; null where it has none.
    pub group: Option<String>,
    /// Group that the unit which makes it asks for (`SocketGroup=`); null where no unit does.
    #[serde(default)]
    pub asked_group: Option<String>,
    /// Permission bits (`0`–`07`) that its access list gives to named users, named groups beyond the mode's own:
    /// the widest entry after the mask; 0 where there is none.
    pub acl: u32,
    /// Inode number.
    pub ino: u64,
    /// Device, `major:minor`.
    pub dev: String,
    /// Inode of the directory that holds the last component of `path` as named, and of `resolved`.
    pub parents: Vec<DirEntry>,
    /// Mount point that it lies on, itself where it is one; empty where that could not be told. A directory that is
    /// mounted on itself hides nothing and is none.
    #[serde(default)]
    pub mount_point: String,
    /// For each mount on the way to it, itself included where it is a mount point: as much of its path as lies hidden
    /// below that mount, or may do so where that could not be looked at; at least the mount point. What an audit rule
    /// names there it may hold on to, if it is older than the mount. A directory that is mounted on itself hides
    /// nothing, and nothing is older than what the init process mounts first (`/run`).
    #[serde(default)]
    pub hidden: Vec<String>,
    /// Mount points strictly below it (a directory).
    pub mounts_below: Vec<String>,
    /// Other paths at which mounts show it as well.
    #[serde(default)]
    pub elsewhere: Vec<String>,
    /// Mount points outside of it that show something in it (a directory).
    #[serde(default)]
    pub parts_elsewhere: Vec<String>,
}

/// A name in a directory: what an audit watch holds on to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DirEntry {
    /// Inode of the directory.
    pub ino: u64,
    /// Its device, `major:minor`.
    pub dev: String,
    /// Name within it.
    pub name: String,
    /// Path of the directory, resolved.
    pub directory: String,
    /// Owner of the directory.
    pub uid: u32,
    /// Group of the directory.
    #[serde(default)]
    pub gid: u32,
    /// Permission bits of the directory.
    pub mode: u32,
}

/// Sort of an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum ObjectKind {
    #[default]
    File,
    Directory,
    Socket,
    Other,
}
