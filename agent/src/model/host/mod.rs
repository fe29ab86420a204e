//! The host, and everything that a static assessment looks at.

mod daemon;
mod engine;
mod object;
mod system;

pub use daemon::{ConfigFile, Daemon, DaemonOption, Listener, OptionSource};
pub use engine::{Cluster, Engine, Network, Registries, Service, Swarm, Volume};
pub use object::{DirEntry, Object, ObjectKind, ObjectState, Role};
pub use system::{DataRoot, System, Users};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AuditFacts, Container, ContainerId, Fact, Image, Namespaces, Policy, Time};

/// Which host an event is from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostRef {
    /// Node name.
    pub name: String,
    /// `/etc/machine-id`; empty where there is none.
    pub id: String,
    /// `/proc/sys/kernel/random/boot_id`.
    pub boot_id: String,
}

/// Somebody who can open a runtime's socket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct SocketAccess {
    /// Account name; the number where it has none.
    pub user: String,
    /// User id.
    pub uid: u32,
    /// `group NAME`, `primary group NAME`, `owner`, `acl` or `everyone`.
    pub via: String,
}

/// Facts of the host that checks need.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostFacts {
    /// Name and ids.
    pub host: HostRef,
    /// Namespaces of process 1; null where they could not be read.
    pub namespaces: Option<Namespaces>,
    /// Whether AppArmor is enabled in the kernel; null where it could not be read.
    pub apparmor: Option<bool>,
    /// SELinux: `Some(true)` enforcing, `Some(false)` permissive or absent, null where it could not be read.
    pub selinux_enforcing: Option<bool>,
    /// `SecurityOptions` of the engine; null where no engine answered.
    pub security_options: Option<Vec<String>>,
    /// `ServerVersion` of the engine; null where no engine answered.
    pub engine_version: Option<String>,
    /// Path of the engine's socket; null where none was found.
    pub engine_socket: Option<String>,
    /// Who can open the engine's socket, root apart; null where it could not be determined.
    pub socket_access: Option<Vec<SocketAccess>>,
    /// What the engine says of itself and manages.
    #[serde(default)]
    pub engine: Fact<Engine>,
    /// The engine's daemon as a process.
    #[serde(default)]
    pub daemon: Fact<Daemon>,
    /// Files, directories and sockets.
    #[serde(default)]
    pub objects: Fact<Vec<Object>>,
    /// The operating system.
    #[serde(default)]
    pub system: Fact<System>,
    /// The audit trail.
    #[serde(default)]
    pub audit: Fact<AuditFacts>,
}

impl HostFacts {
    /// The objects of a role.
    ///
    /// # Errors
    /// [`Verdict::unknown`](super::Verdict::unknown) where they could not be looked for.
    pub fn objects(&self, role: Role) -> Result<Vec<&Object>, super::Verdict> {
        let all = self.objects.look()?;
        Ok(all.iter().filter(|object| object.role == role).collect())
    }
}

/// Everything known at one moment: the input of every static assessment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Host {
    /// When it was collected.
    pub taken: Option<Time>,
    /// The host's own facts.
    pub facts: HostFacts,
    /// The container that Hullwatch itself runs in; null where it runs in none.
    #[serde(default)]
    pub own_container: Option<ContainerId>,
    /// Containers, running or not; null where no engine answered.
    pub containers: Option<Vec<Container>>,
    /// Images; null where no engine answered.
    pub images: Option<Vec<Image>>,
    /// What the operator allows.
    pub policy: Policy,
}
