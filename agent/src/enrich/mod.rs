//! Who and where: container identity of a cgroup, identity of a process, effect of a mount.

pub mod mounts;
