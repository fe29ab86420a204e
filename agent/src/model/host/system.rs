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
    pub users: Fact<Users>,
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

/// Names of users by their number. In JSON an object; a key that is no number is left out when it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
#[schemars(with = "BTreeMap<String, String>")]
pub struct Users(pub BTreeMap<u32, String>);

impl From<BTreeMap<String, String>> for Users {
    fn from(names: BTreeMap<String, String>) -> Self {
        let number = |(uid, name): (String, String)| Some((uid.parse().ok()?, name));
        Self(names.into_iter().filter_map(number).collect())
    }
}

impl From<Users> for BTreeMap<String, String> {
    fn from(users: Users) -> Self {
        let text = |(uid, name): (u32, String)| (uid.to_string(), name);
        users.0.into_iter().map(text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Event, HostFacts};

    #[test]
    fn facts_of_a_host_are_read_back_from_a_recording() {
        let users = Users(BTreeMap::from([(0, "root".into()), (1000, "ana".into())]));
        let facts = HostFacts {
            system: Fact::Known(System {
                users: Fact::Known(users),
                ..System::default()
            }),
            ..HostFacts::default()
        };
        let event = Event::Host(Box::new(facts));
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
    }
}
