//! What the benchmark wants recorded.

use crate::model::{Fact, HostFacts, Object, ObjectState, Role, Verdict};

/// What one recommendation asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    /// Key of the check.
    pub(crate) key: &'static str,
    /// What it is about, for people.
    pub(crate) what: &'static str,
    roles: &'static [Role],
    /// Only benchmarks before 1.2.0 name these.
    older: &'static [Role],
}

const fn asked(key: &'static str, what: &'static str, roles: &'static [Role]) -> Asked {
    Asked {
        key,
        what,
        roles,
        older: &[],
    }
}

/// Every recommendation about audit rules, in the order of the catalogue.
pub(crate) const ASKED: [Asked; 16] = [
    Asked {
        older: &[Role::DockerBinary],
        ..asked(
            "audit-docker-daemon",
            "executable of the engine",
            &[Role::DockerdBinary],
        )
    },
    asked(
        "audit-run-containerd",
        "runtime directory of containerd",
        &[Role::RunContainerd],
    ),
    asked(
        "audit-docker-root",
        "data directory of the engine",
        &[Role::DataRoot],
    ),
    asked(
        "audit-etc-docker",
        "configuration directory of the engine",
        &[Role::ConfigDir],
    ),
    asked(
        "audit-docker-service-unit",
        "docker.service",
        &[Role::ServiceUnit],
    ),
    asked(
        "audit-containerd-socket",
        "socket of containerd",
        &[Role::ContainerdSocket],
    ),
    asked(
        "audit-docker-socket",
        "docker.socket, nor socket of the engine",
        &[Role::SocketUnit, Role::EngineSocket],
    ),
    asked(
        "audit-etc-default-docker",
        "environment file of the engine",
        &[Role::DefaultFile],
    ),
    asked(
        "audit-daemon-json",
        "configuration file of the engine",
        &[Role::ConfigFile],
    ),
    asked(
        "audit-containerd-config",
        "configuration file of containerd",
        &[Role::ContainerdConfig],
    ),
    asked(
        "audit-etc-sysconfig-docker",
        "file /etc/sysconfig/docker",
        &[Role::SysconfigFile],
    ),
    asked(
        "audit-containerd-binary",
        "executable of containerd",
        &[Role::ContainerdBinary],
    ),
    asked("audit-containerd-shim", "legacy shim", &[Role::Shim]),
    asked(
        "audit-containerd-shim-runc-v1",
        "runc v1 shim",
        &[Role::ShimRuncV1],
    ),
    asked(
        "audit-containerd-shim-runc-v2",
        "runc v2 shim",
        &[Role::ShimRuncV2],
    ),
    asked("audit-runc-binary", "OCI runtime", &[Role::RuncBinary]),
];

/// One object that the benchmark wants recorded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Required<'a> {
    /// Path as its owner names it.
    pub(crate) path: &'a str,
    /// What it is to the engine.
    pub(crate) role: Role,
    /// What is there.
    pub(crate) state: &'a ObjectState,
    /// Only benchmarks before 1.2.0 ask for it, and there is what later ones ask for.
    pub(crate) older: bool,
}

impl Required<'_> {
    /// Whether running it is worth recording.
    pub(crate) const fn is_executable(&self) -> bool {
        matches!(
            self.role,
            Role::DockerdBinary
                | Role::DockerBinary
                | Role::ContainerdBinary
                | Role::Shim
                | Role::ShimRuncV1
                | Role::ShimRuncV2
                | Role::RuncBinary
        )
    }
}

/// An object, or why it could not be looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found<'a> {
    /// It is there.
    Here(Required<'a>),
    /// It could not be looked at.
    Unseen {
        /// Path.
        path: &'a str,
        /// Why.
        why: &'a str,
    },
}

/// The objects of this host that a recommendation is about, each once.
///
/// # Errors
/// [`Verdict::unknown`] where they could not be looked for.
pub(crate) fn required<'a>(asked: &Asked, host: &'a HostFacts) -> Result<Vec<Found<'a>>, Verdict> {
    let objects = host.objects.look()?;
    let mut found = Vec::new();
    for role in asked.roles {
        collect(objects, *role, false, &mut found);
    }
    let older = !found.is_empty();
    for role in asked.older {
        collect(objects, *role, older, &mut found);
    }
    Ok(found)
}

fn collect<'a>(objects: &'a [Object], role: Role, older: bool, found: &mut Vec<Found<'a>>) {
    for object in objects.iter().filter(|object| object.role == role) {
        let path = object.path.as_str();
        match &object.state {
            Fact::Unknown(why) => found.push(Found::Unseen { path, why }),
            Fact::Known(None) => {}
            Fact::Known(Some(state)) => {
                let same =
                    |other: &Found<'_>| matches!(other, Found::Here(other) if is_same(other.state, state));
                if !found.iter().any(same) {
                    found.push(Found::Here(Required {
                        path,
                        role,
                        state,
                        older,
                    }));
                }
            }
        }
    }
}

fn is_same(left: &ObjectState, right: &ObjectState) -> bool {
    (left.ino, &left.dev, &left.resolved) == (right.ino, &right.dev, &right.resolved)
}
