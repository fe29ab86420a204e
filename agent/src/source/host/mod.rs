//! The host: its facts, and what /proc says of running containers.
//!
//! Everything here blocks on small files; callers on an async runtime use its blocking pool. What
//! cannot be read is `None` or an error, never a default that would pass a check.

mod access;
mod account;
mod acl;
mod cgroup;
mod complete;
mod executable;
mod facts;
mod inode;
mod label;
pub mod layers;
mod lookup;
mod proc;
mod program;
mod socket;
mod truth;

pub use access::socket_access;
pub use account::uid_of;
pub use cgroup::{
    CgroupError, CgroupVersion, FoundCgroup, FoundCgroups, Hierarchy, container_cgroups, container_cgroups_in,
};
pub use complete::complete;
pub use executable::{ExecutableFile, is_runtime_name, runtime_executable_of, runtime_executables};
pub use facts::facts;
pub use program::{Program, ProgramError, ProgramFile, own_program};
pub use socket::{SocketFile, known_socket_names, runtime_sockets};
pub use truth::{TruthError, truth};
