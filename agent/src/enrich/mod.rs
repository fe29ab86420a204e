//! Who and where: container identity of a cgroup, identity of a process, effect of a mount, the runtime itself at work.

mod bounded;
mod containers;
mod files;
pub mod mounts;
mod plumbing;
mod processes;
mod sockets;

pub use containers::{Birth, ContainerTable};
pub use files::FileCaps;
pub use plumbing::Plumbing;
pub use processes::ProcessTable;
pub use sockets::SocketTable;
