//! Pure data: what is seen, what is known, what is concluded. Knows nobody, does no I/O.

mod audit;
mod audit_report;
mod capability;
mod change;
mod container;
mod doctor;
mod evidence;
mod fact;
mod graph_driver;
mod host;
mod id;
mod image_files;
mod line;
mod mountinfo;
mod observation;
mod policy;
mod process;
mod report;
pub mod secret;
mod severity;
mod sighting;
#[cfg(test)]
pub(crate) mod testing;
mod time;
mod violation;

pub use audit::{AuditFacts, AuditField, AuditRule, AuditStatus, RuleLine, WatchTarget};
pub use audit_report::{
    AuditDecision, AuditPathRow, AuditPersistence, AuditProof, AuditReport, AuditState, PermissionProof,
};
pub use capability::{CapSet, DEFAULT_CONTAINER_CAPS};
pub use change::{AuditChange, AuditPath, AuditRecord, FileAttributes, FileChange};
pub use container::{
    AppArmor, Container, ContainerMount, ContainerRef, ContainerState, Device, EngineKind, ExecSession,
    HistoryEntry, Identity, Image, ImageContents, Life, Limits, PublishedPort, Reach, RunningTruth, Ulimit,
};
pub use doctor::{DoctorReport, EngineFact, KernelFacts, ProbeRow};
pub use evidence::Evidence;
pub use fact::Fact;
pub use graph_driver::GraphDriver;
pub use host::{
    Cluster, ConfigFile, Daemon, DaemonOption, DataRoot, DirEntry, Engine, Host, HostFacts, HostRef,
    Listener, Network, Object, ObjectKind, ObjectState, OptionSource, Registries, Role, Service,
    SocketAccess, Swarm, System, Users, Volume,
};
pub use id::{CgroupId, ContainerId, ParseContainerIdError, ProcessKey};
pub use image_files::ImageFiles;
pub use line::{Gap, Line, PostureChange, Status, StatusState};
pub use mountinfo::{MountLine, path_below};
pub use observation::{
    CgroupChange, CgroupOp, Connect, ConnectOp, ContainerAction, EnteredNamespace, Event, Exec, ExecFile,
    Gained, Mount, MountEffect, MountPoint, MountRequest, NamespaceChange, NamespaceOwner, Observation,
    RuntimeSocket, Source,
};
pub use policy::{Attestation, Policy};
pub use process::{AncestorRef, Credentials, Namespaces, Process, Seccomp};
pub use report::{Basis, Counts, EngineRef, Excluded, Report, ReportItem, ReportRow};
pub use secret::SecretHint;
pub use severity::Severity;
pub use sighting::{InodeId, Sighting, What};
pub use time::Time;
pub use violation::{AuditTrail, CheckRef, Class, PostureRef, Verdict, VerdictKind, Violation};
