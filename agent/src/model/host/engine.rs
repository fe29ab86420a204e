//! What the engine says of itself and of what it manages, beside containers and images.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{Fact, SecretHint, Time};

/// The engine (`GET /info`, `/version`) and all that it manages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Engine {
    /// `ServerVersion`.
    pub version: String,
    /// `Components[]` of `/version`: name, version.
    pub components: BTreeMap<String, String>,
    /// Address that it was asked at, as a URI.
    pub address: String,
    /// `DockerRootDir`.
    pub data_root: Option<String>,
    /// `Driver`: of storage.
    pub storage_driver: Option<String>,
    /// `LoggingDriver`.
    pub logging_driver: Option<String>,
    /// `CgroupDriver`.
    pub cgroup_driver: Option<String>,
    /// `CgroupVersion`.
    pub cgroup_version: Option<String>,
    /// `SecurityOptions`.
    pub security_options: Option<Vec<String>>,
    /// `LiveRestoreEnabled`.
    pub live_restore: Option<bool>,
    /// `ExperimentalBuild`.
    pub experimental: Option<bool>,
    /// `Debug`.
    pub debug: Option<bool>,
    /// `MemoryLimit`, `CpuCfsQuota`, `PidsLimit`: whether the kernel can limit them, by these names.
    pub can_limit: BTreeMap<String, bool>,
    /// `DefaultRuntime`.
    pub default_runtime: Option<String>,
    /// `Runtimes`: name, path.
    pub runtimes: BTreeMap<String, String>,
    /// `RegistryConfig`.
    pub registries: Option<Registries>,
    /// `Plugins.Authorization`.
    pub authorization_plugins: Option<Vec<String>>,
    /// `FirewallBackend.Driver`; none where the engine is too old to say.
    pub firewall: Option<String>,
    /// `Warnings`.
    pub warnings: Vec<String>,
    /// `Containerd.Address`.
    pub containerd_address: Option<String>,
    /// `Containers`, `ContainersRunning`, `ContainersPaused`, `ContainersStopped`, by these names.
    pub container_counts: BTreeMap<String, u64>,
    /// `Swarm`, and on a manager what it manages.
    pub swarm: Swarm,
    /// `GET /networks`.
    pub networks: Fact<Vec<Network>>,
    /// `GET /volumes`.
    pub volumes: Fact<Vec<Volume>>,
    /// `GET /plugins`: name, whether it is enabled.
    pub plugins: Fact<BTreeMap<String, bool>>,
}

/// Registries (`RegistryConfig`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Registries {
    /// `InsecureRegistryCIDRs`.
    pub insecure_cidrs: Vec<String>,
    /// Names in `IndexConfigs` with `Secure: false`.
    pub insecure_names: Vec<String>,
    /// `Mirrors`.
    pub mirrors: Vec<String>,
}

/// One network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Network {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Driver.
    pub driver: String,
    /// `local`, `swarm` or `global`.
    pub scope: String,
    /// Whether it is the routing mesh's own.
    pub ingress: bool,
    /// Whether it has IPv6.
    pub ipv6: bool,
    /// Driver options.
    pub options: BTreeMap<String, String>,
    /// Containers attached: id, name; as inspected, which lists running ones.
    pub containers: BTreeMap<String, String>,
}

/// One volume.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Volume {
    /// Name.
    pub name: String,
    /// Driver.
    pub driver: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

/// Swarm mode.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Swarm {
    /// `LocalNodeState`: `inactive`, `pending`, `active`, `error`, `locked`; empty where the engine did not say.
    pub state: String,
    /// `ControlAvailable`: whether this is a manager.
    pub manager: bool,
    /// `Managers`.
    pub managers: Option<u64>,
    /// `Nodes`.
    pub nodes: Option<u64>,
    /// `NodeAddr`.
    pub node_address: Option<String>,
    /// Addresses of `RemoteManagers`.
    pub remote_managers: Vec<String>,
    /// `GET /swarm`, on a manager.
    pub cluster: Fact<Cluster>,
    /// `GET /services`, on a manager.
    pub services: Fact<Vec<Service>>,
    /// Number of `GET /secrets`, on a manager.
    pub secrets: Fact<u64>,
    /// `notAfter` of the node's own certificate.
    pub node_certificate_expires: Fact<Time>,
    /// Local addresses of the data path: VXLAN interfaces, and sockets on its port.
    pub data_path_addresses: Fact<Vec<String>>,
    /// Network interface by local address.
    pub interfaces: Fact<BTreeMap<String, String>>,
}

/// The cluster (`GET /swarm`). Never its keys or tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cluster {
    /// `Version.Index`.
    pub version: u64,
    /// `UpdatedAt`.
    pub updated: Option<Time>,
    /// `Spec.EncryptionConfig.AutoLockManagers`.
    pub autolock: Option<bool>,
    /// `Spec.CAConfig.NodeCertExpiry`, in nanoseconds.
    pub node_cert_expiry: Option<u64>,
    /// `notBefore` of `TLSInfo.TrustRoot`.
    pub ca_issued: Option<Time>,
    /// `RootRotationInProgress`.
    pub ca_rotating: bool,
    /// `DataPathPort`.
    pub data_path_port: Option<u32>,
}

/// One service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Service {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Secrets that its tasks are given.
    pub secrets: u64,
    /// What looks like a secret in its environment, arguments and labels.
    pub hints: Vec<SecretHint>,
    /// `TaskTemplate.RestartPolicy`: condition, attempts (0: without end).
    pub restart: Option<(String, u64)>,
    /// Ports published: number, `ingress` or `host`.
    pub ports: Vec<(u32, String)>,
}
