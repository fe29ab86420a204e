//! One probe per file.

mod cgroup;
mod connect;
mod exec;
mod mount;
mod namespace;
mod syscall;
