//! Pure data: what is seen, what is known, what is concluded. Knows nobody, does no I/O.

mod capability;
mod container;
mod doctor;
mod host;
mod id;
mod line;
mod mountinfo;
mod observation;
mod policy;
mod process;
mod severity;
mod sighting;
#[cfg(test)]
pub(crate) mod testing;
mod time;
mod violation;

pub use capability::{CapSet, DEFAULT_CONTAINER_CAPS};
pub use container::{
    AppArmor, Container, ContainerMount, ContainerRef, ContainerState, Device, EngineKind, ExecSession,
    Identity, Image, RunningTruth,
};
pub use doctor::{DoctorReport, EngineFact, KernelFacts, ProbeRow};
pub use host::{Host, HostFacts, HostRef, SocketAccess};
pub use id::{CgroupId, ContainerId, ParseContainerIdError, ProcessKey};
pub use line::{Gap, Line, Status, StatusState};
pub use mountinfo::{MountLine, path_below};
pub use observation::{
    CgroupChange, CgroupOp, Connect, ConnectOp, ContainerAction, EnteredNamespace, Event, Exec, ExecFile,
    Gained, Mount, MountEffect, MountPoint, MountRequest, NamespaceChange, NamespaceOwner, Observation,
    RuntimeSocket, Source,
};
pub use policy::Policy;
pub use process::{AncestorRef, Credentials, Namespaces, Process, Seccomp};
pub use severity::Severity;
pub use sighting::{InodeId, Sighting, What};
pub use time::Time;
pub use violation::{AuditTrail, CheckRef, Class, Evidence, PostureRef, Verdict, VerdictKind, Violation};
