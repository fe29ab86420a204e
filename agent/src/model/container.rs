//! What is known of a container, from its engine and from the kernel.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use std::collections::BTreeMap;

use super::{CapSet, ContainerId, Listener, Namespaces, Seccomp, SecretHint, Time};

/// How surely an event's container is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Identity {
    /// The engine knows this container and the kernel's cgroup is its own.
    Confirmed,
    /// The cgroup bears a container's name; no engine has vouched for it.
    Inferred,
    /// In a container's namespaces or cgroup, but which one is not known.
    Unknown,
}

/// Which engine runs a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names are those of the engines")]
pub enum EngineKind {
    Docker,
    Podman,
    Unknown,
}

/// The container of an event, short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContainerRef {
    /// Full id; null where the identity is unknown.
    pub id: Option<ContainerId>,
    /// Name without a leading slash; null where no engine told.
    pub name: Option<String>,
    /// Image as the container names it; null where no engine told.
    pub image: Option<String>,
    /// Whether it was started privileged; null where no engine told.
    pub privileged: Option<bool>,
    /// Engine.
    pub engine: EngineKind,
    /// How surely this is known.
    pub identity: Identity,
}

impl ContainerRef {
    /// The short form of what an engine told of a container.
    #[must_use]
    pub fn from_container(container: &Container, identity: Identity) -> Self {
        Self {
            id: Some(container.id.clone()),
            name: Some(container.name.clone()),
            image: Some(container.image.clone()),
            privileged: container.privileged,
            engine: container.engine,
            identity,
        }
    }
}

/// Life of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names are the engine API's")]
pub enum ContainerState {
    Created,
    Running,
    Paused,
    Restarting,
    Removing,
    Exited,
    Dead,
    Unknown,
}

/// A container as its engine describes it (`GET /containers/ID/json`). An absent field of the API is
/// `None` here, never a default: a check that needs it says "unknown".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Container {
    /// Full id.
    pub id: ContainerId,
    /// Name without a leading slash.
    pub name: String,
    /// Image as the container names it.
    pub image: String,
    /// Id of the image.
    pub image_id: Option<String>,
    /// Engine.
    pub engine: EngineKind,
    /// Life.
    pub state: ContainerState,
    /// Process id of its first process on the host, while it runs.
    pub pid: Option<u32>,
    /// When it was made.
    pub created: Option<Time>,
    /// OCI runtime.
    pub runtime: Option<String>,
    /// Declared user: `""`, `user`, `uid`, `user:group`.
    pub user: Option<String>,
    /// `HostConfig.Privileged`.
    pub privileged: Option<bool>,
    /// `HostConfig.CapAdd`.
    pub cap_add: Option<Vec<String>>,
    /// `HostConfig.CapDrop`.
    pub cap_drop: Option<Vec<String>>,
    /// `HostConfig.SecurityOpt`.
    pub security_opt: Option<Vec<String>>,
    /// `HostConfig.NetworkMode`.
    pub network_mode: Option<String>,
    /// `HostConfig.PidMode`.
    pub pid_mode: Option<String>,
    /// `HostConfig.IpcMode`.
    pub ipc_mode: Option<String>,
    /// `HostConfig.UTSMode`.
    pub uts_mode: Option<String>,
    /// `HostConfig.UsernsMode`.
    pub userns_mode: Option<String>,
    /// `HostConfig.Devices`.
    pub devices: Option<Vec<Device>>,
    /// Drivers or device ids of `HostConfig.DeviceRequests`.
    pub device_requests: Option<Vec<String>>,
    /// `HostConfig.DeviceCgroupRules`.
    pub device_cgroup_rules: Option<Vec<String>>,
    /// `Mounts`, and for a container that never ran, `HostConfig.Binds` and `HostConfig.Mounts`.
    pub mounts: Option<Vec<ContainerMount>>,
    /// `AppArmorProfile`.
    pub apparmor_profile: Option<String>,
    /// `ProcessLabel`.
    pub process_label: Option<String>,
    /// `Config.Labels`, sorted by name.
    #[serde(default)]
    pub labels: Vec<(String, String)>,
    /// Limits of resources.
    #[serde(default)]
    pub limits: Limits,
    /// How it is reached and attached.
    #[serde(default)]
    pub reach: Reach,
    /// How it lives.
    #[serde(default)]
    pub life: Life,
    /// What looks like a secret in its environment, labels and command.
    #[serde(default)]
    pub secrets: Option<Vec<SecretHint>>,
    /// What the kernel says of its first process; absent while it does not run or could not be looked at.
    pub truth: Option<RunningTruth>,
}

/// Limits that a container was given. An absent field was not told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    /// `HostConfig.Memory` in bytes; 0 is none.
    pub memory: Option<i64>,
    /// `HostConfig.MemorySwap`.
    pub memory_swap: Option<i64>,
    /// `HostConfig.CpuShares`; 0 and 1024 are the default weight.
    pub cpu_shares: Option<i64>,
    /// `HostConfig.CpuQuota`.
    pub cpu_quota: Option<i64>,
    /// `HostConfig.NanoCpus`.
    pub nano_cpus: Option<i64>,
    /// `HostConfig.CpusetCpus`.
    pub cpuset: Option<String>,
    /// `HostConfig.PidsLimit`: null in the API is `Some(0)`, no limit.
    pub pids: Option<i64>,
    /// `HostConfig.Ulimits`.
    pub ulimits: Option<Vec<Ulimit>>,
    /// `HostConfig.CgroupParent`.
    pub cgroup_parent: Option<String>,
    /// `HostConfig.CgroupnsMode`.
    pub cgroupns_mode: Option<String>,
}

/// One limit of `setrlimit(2)`; -1 is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Ulimit {
    /// `nofile`, `nproc`, …
    pub name: String,
    /// Soft limit.
    pub soft: i64,
    /// Hard limit.
    pub hard: i64,
}

/// Networks and ports of a container. An absent field was not told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reach {
    /// Published ports: of `NetworkSettings.Ports` while it runs, else of `HostConfig.PortBindings`.
    pub published: Option<Vec<PublishedPort>>,
    /// `HostConfig.PublishAllPorts`.
    pub publish_all: Option<bool>,
    /// `Config.ExposedPorts`: `80/tcp`.
    pub exposed: Option<Vec<String>>,
    /// Names of the networks it is attached to, or will be.
    pub networks: Option<Vec<String>>,
}

/// One published port.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct PublishedPort {
    /// Port and protocol in the container: `80/tcp`.
    pub container: String,
    /// Address on the host; empty for the daemon's default.
    pub address: String,
    /// Port on the host, 0 where the engine is to choose; the first of a range.
    pub port: u16,
}

/// How a container lives. An absent field was not told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Life {
    /// `HostConfig.ReadonlyRootfs`.
    pub readonly_rootfs: Option<bool>,
    /// `HostConfig.RestartPolicy`: name, `MaximumRetryCount`.
    pub restart: Option<(String, i64)>,
    /// `HostConfig.LogConfig.Type`.
    pub log_driver: Option<String>,
    /// `Config.Healthcheck.Test`, and whether it is inherited from the image; empty where there is none.
    pub healthcheck: Option<Vec<String>>,
    /// `State.Health.Status`; `none` where there is no check.
    pub health: Option<String>,
    /// `State.FinishedAt`; null while it never finished.
    pub finished: Option<Time>,
    /// `HostConfig.MaskedPaths` and `ReadonlyPaths` are both empty: nothing of /proc and /sys is hidden.
    pub unmasked: Option<bool>,
    /// `DOCKER_HOST` of its environment.
    pub docker_host: Option<String>,
}

impl Container {
    /// A container of which nothing but its id is known; the name is then the id's first digits.
    #[must_use]
    pub fn unknown(id: ContainerId, engine: EngineKind) -> Self {
        Self {
            name: id.short().to_owned(),
            id,
            image: String::new(),
            image_id: None,
            engine,
            state: ContainerState::Unknown,
            pid: None,
            created: None,
            runtime: None,
            user: None,
            privileged: None,
            cap_add: None,
            cap_drop: None,
            security_opt: None,
            network_mode: None,
            pid_mode: None,
            ipc_mode: None,
            uts_mode: None,
            userns_mode: None,
            devices: None,
            device_requests: None,
            device_cgroup_rules: None,
            mounts: None,
            apparmor_profile: None,
            process_label: None,
            labels: Vec::new(),
            limits: Limits::default(),
            reach: Reach::default(),
            life: Life::default(),
            secrets: None,
            truth: None,
        }
    }
}

/// One mount of a container, as the engine lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContainerMount {
    /// `bind`, `volume`, `tmpfs`, …
    pub kind: String,
    /// Host path as given.
    pub source: String,
    /// Host path with every symlink resolved; null where it could not be.
    pub resolved: Option<String>,
    /// Runtime sockets at or below the source, by path; from inodes, so that names do not matter.
    #[serde(default)]
    pub sockets: Vec<String>,
    /// Path in the container.
    pub destination: String,
    /// Whether it is writable.
    pub writable: bool,
    /// `private`, `rprivate`, `slave`, `rslave`, `shared`, `rshared` or empty.
    pub propagation: String,
}

/// One device passed to a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Device {
    /// Path on the host.
    pub host: String,
    /// Path in the container.
    pub container: String,
    /// Of `r`, `w`, `m`.
    pub permissions: String,
}

/// AppArmor confinement of a process (`/proc/PID/attr/apparmor/current`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AppArmor {
    /// Profile, or `unconfined`.
    pub profile: String,
    /// `enforce`, `complain`, …; empty for `unconfined`.
    pub mode: String,
}

/// Facts of a container's first process, read from `/proc/PID`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunningTruth {
    /// The process that was looked at.
    pub pid: u32,
    /// Real user on the host.
    pub uid: u32,
    /// The user that uid 0 of the container's user namespace is on the host; null where it has none.
    pub root_uid: Option<u32>,
    /// Effective capabilities.
    pub caps_effective: CapSet,
    /// Bounding set.
    pub caps_bounding: CapSet,
    /// `NoNewPrivs`; null where the kernel does not show it.
    pub no_new_privs: Option<bool>,
    /// `Seccomp`.
    pub seccomp: Seccomp,
    /// Namespaces.
    pub namespaces: Namespaces,
    /// AppArmor confinement; null where the host has none.
    pub apparmor: Option<AppArmor>,
    /// SELinux label; null where the host has none.
    pub selinux: Option<String>,
    /// Mount points whose propagation peers include a host mount.
    pub shared_mounts: Vec<String>,
    /// Executables of every process in its cgroup, by absolute path.
    pub executables: Vec<String>,
    /// Whether there were more processes than were looked at, so that what `executables` lacks may
    /// still run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub executables_truncated: bool,
    /// Its cgroups: path in the hierarchy that limits memory, or in the only one.
    #[serde(default)]
    pub cgroup: Option<String>,
    /// Limits in force, those of enclosing cgroups below the engine's own included; what is not limited is absent.
    #[serde(default)]
    pub cgroup_limits: Option<BTreeMap<String, i64>>,
    /// Limits of `/proc/PID/limits`.
    #[serde(default)]
    pub ulimits: Option<Vec<Ulimit>>,
    /// Whether `/` is mounted read-only.
    #[serde(default)]
    pub rootfs_read_only: Option<bool>,
    /// What listens in its network namespace, or where that is the host's, what its own processes listen on; null where
    /// that could not be read.
    #[serde(default)]
    pub listeners: Option<Vec<Listener>>,
}

/// One exec session (`GET /exec/ID/json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExecSession {
    /// Session id.
    pub id: String,
    /// Container. An observation has a `container` of its own, beside which these fields are written.
    #[serde(rename = "container_id")]
    pub container: ContainerId,
    /// `ProcessConfig.privileged`; null where the session was gone before it could be inspected.
    pub privileged: Option<bool>,
    /// `ProcessConfig.user`; null as above, empty where none was given.
    pub user: Option<String>,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Process on the host, once started.
    pub pid: Option<u32>,
}

/// An image (`GET /images/ID/json`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Image {
    /// Id with its digest's algorithm.
    pub id: String,
    /// Names, `repository:tag`.
    pub tags: Vec<String>,
    /// `RepoDigests`.
    #[serde(default)]
    pub digests: Vec<String>,
    /// When it was made; null where it says nothing, or the epoch.
    #[serde(default)]
    pub created: Option<Time>,
    /// Size in bytes.
    #[serde(default)]
    pub size: Option<i64>,
    /// Declared user.
    pub user: Option<String>,
    /// `Config.Healthcheck.Test`; empty where there is none.
    #[serde(default)]
    pub healthcheck: Option<Vec<String>>,
    /// `Config.ExposedPorts`.
    #[serde(default)]
    pub exposed: Option<Vec<String>>,
    /// `RootFS.Layers`: digests, base first.
    #[serde(default)]
    pub layers: Option<Vec<String>>,
    /// `GET /images/ID/history`, oldest first, secrets taken out; null where it was not told.
    #[serde(default)]
    pub history: Option<Vec<HistoryEntry>>,
    /// What looks like a secret in its configuration, history and files.
    #[serde(default)]
    pub secrets: Option<Vec<SecretHint>>,
    /// What its files are; null where the layers could not be read.
    #[serde(default)]
    pub contents: Option<ImageContents>,
    /// Files with setuid, setgid or file capabilities, by absolute path; null where the layers could not be read.
    pub setuid_files: Option<Vec<String>>,
    /// Why its files are not known; absent where they are, or where nobody has tried to read them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<String>,
    /// Whether the engine told of it as it came or was given a name, and not in a list of what was there before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub announced: bool,
}

/// One step of an image's making.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryEntry {
    /// `CreatedBy`, secrets taken out.
    pub created_by: String,
    /// Whether it made no layer.
    pub empty_layer: bool,
    /// When.
    pub created: Option<Time>,
}

/// What the files of an image's layers tell, whiteouts honoured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImageContents {
    /// Packages installed, of the databases of dpkg and apk; null where there is neither.
    pub packages: Option<Vec<String>>,
    /// Package databases that were found: `dpkg`, `apk`, `rpm`. Of rpm's the packages are not listed.
    #[serde(default)]
    pub databases: Vec<String>,
    /// Names of programs that an image need not ship: compilers, debuggers, servers of logins, by absolute path.
    pub tools: Vec<String>,
    /// Package sources that are not verified: file and setting.
    pub unverified_sources: Vec<String>,
}
