//! The host: its facts, and what /proc says of running containers.
//!
//! Everything here blocks on small files; callers on an async runtime use its blocking pool. What
//! cannot be read is `None` or an error, never a default that would pass a check.

mod access;
mod account;
mod acl;
mod cgroup;
mod cgroup_limits;
mod collect;
mod complete;
mod daemon;
mod executable;
mod facts;
mod inode;
mod label;
pub mod layers;
mod lookup;
mod net;
mod objects;
mod own_container;
mod proc;
mod process_root;
mod processes;
mod program;
mod sentence;
mod socket;
mod swarm;
mod system;
mod truth;
mod ulimits;

pub use access::socket_access;
pub use account::uid_of;
pub use cgroup::{
    CgroupError, CgroupVersion, FoundCgroup, FoundCgroups, Hierarchy, container_cgroup_of, container_cgroups,
    container_cgroups_in,
};
pub use collect::collect;
pub use complete::complete;
pub use daemon::daemon;
pub use executable::{ExecutableFile, is_runtime_name, runtime_executable_of, runtime_executables};
pub use facts::facts;
pub use objects::{files_root, objects};
pub use own_container::own_containers;
pub use proc::namespaces_of;
pub use program::{Program, ProgramError, ProgramFile, own_program};
pub use socket::{SocketFile, known_socket_names, runtime_sockets};
pub use swarm::complete_engine;
pub use system::system;
pub use truth::{TruthError, truth};
