//! The operating system around the engine.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::Fact;

/// The operating system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct System {
    /// Hardening indicators by name: sysctls (`kernel.kptr_restrict`), `lockdown`, `lsm`, `secure-boot`, `sshd-root-login`.
    /// One that could not be read is absent.
    pub indicators: BTreeMap<String, String>,
    /// The filesystem that holds the engine's data.
    pub data_root: Fact<DataRoot>,
    /// `net.ipv4.ip_unprivileged_port_start`.
    pub unprivileged_port_start: Fact<u32>,
    /// `DOCKER_CONTENT_TRUST` where logins and services get their environment: file, value; null where the file
    /// does not set it.
    pub content_trust: Fact<BTreeMap<String, Option<String>>>,
    /// Ranges of `/etc/subuid`: account, first, count.
    pub subuid: Fact<Vec<(String, u64, u64)>>,
    /// Ranges of `/etc/subgid`.
    pub subgid: Fact<Vec<(String, u64, u64)>>,
    /// Users of `/etc/passwd`, by number.
    pub users: Fact<BTreeMap<u32, String>>,
    /// What enforces image signatures here, each in words: a containerd verifier, `/etc/containers/policy.json`.
    pub image_verifiers: Fact<Vec<String>>,
    /// Forwarders of logs that run here, by name (`rsyslogd`, `fluent-bit`, …).
    pub log_forwarders: Fact<Vec<String>>,
    /// Sockets or specification files of legacy plugins, by plugin name.
    pub legacy_plugins: Fact<Vec<String>>,
}

/// The filesystem that holds the engine's data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DataRoot {
    /// Path with every symlink resolved.
    pub path: String,
    /// The mount point that it, or with user namespaces its parent, lies on.
    pub mount_point: String,
    /// Whether that mount point is the data root itself, or with user namespaces its parent.
    pub own_mount: bool,
    /// Whether the mounted filesystem is another one than the one of `/`, and of its parent directory: a bind mount is
    /// not.
    pub own_filesystem: bool,
    /// Source as mountinfo shows it.
    pub source: String,
    /// Filesystem type.
    pub fstype: String,
    /// Free space, in percent.
    pub free_percent: Option<u32>,
}
