//! The socket of the group.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use netlink_packet_audit::constants::AUDIT_NLGRP_READLOG;
use netlink_sys::protocols::NETLINK_AUDIT;
use netlink_sys::{Socket, SocketAddr};
use nix::sys::socket::MsgFlags;
use rustix::io::Errno;
use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_recv_buffer_size_force};

use crate::source::audit::AuditError;
use crate::source::audit::batch::Batch;

/// Bytes of records that may wait in the kernel: some seconds of a busy host.
const WAITING: usize = 8 << 20;
/// The namespaces of the kernel's threads are the first ones.
const KTHREADD: u32 = 2;

/// A socket on which the kernel sends a copy of every record.
#[derive(Debug)]
pub(super) struct Records {
    socket: Socket,
}

/// What one call brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// So many datagrams; more may wait.
    Full,
    /// All that waited.
    All,
    /// Nothing, for datagrams were dropped.
    Dropping,
}

impl Records {
    pub(super) fn join() -> Result<Self, AuditError> {
        if is_in_another_network() {
            return Err(AuditError::NetworkNamespace);
        }
        let mut socket = Socket::new(NETLINK_AUDIT).map_err(|error| AuditError::of_call("open", error))?;
        widen(&socket)?;
        let group = 1 << (AUDIT_NLGRP_READLOG - 1);
        let joined = socket.bind(&SocketAddr::new(0, group));
        joined.map_err(|error| match Errno::from_io_error(&error) {
            Some(Errno::PERM | Errno::ACCESS) => AuditError::NoRead,
            _ => AuditError::of_call("bind", error),
        })?;
        Ok(Self { socket })
    }

    /// Number of the socket's inode, by which the kernel lists it.
    pub(super) fn inode(&self) -> Option<u64> {
        rustix::fs::fstat(&self.socket).ok().map(|status| status.st_ino)
    }

    /// Takes what waits, some at once. Waits for nothing.
    pub(super) fn take(&self, batch: &mut Batch, each: impl FnMut(&[u8])) -> Result<Taken, AuditError> {
        match batch.take(&self.socket, MsgFlags::MSG_DONTWAIT, each) {
            Ok(true) => Ok(Taken::Full),
            Ok(false) | Err(nix::Error::EAGAIN | nix::Error::EINTR) => Ok(Taken::All),
            Err(nix::Error::ENOBUFS) => Ok(Taken::Dropping),
            Err(error) => Err(AuditError::of_call("read from", error.into())),
        }
    }
}

impl AsFd for Records {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Gives the socket room; without `CAP_NET_ADMIN` as much as the host grants everybody.
fn widen(socket: &Socket) -> Result<(), AuditError> {
    set_socket_recv_buffer_size_force(socket, WAITING)
        .or_else(|_not_allowed| set_socket_recv_buffer_size(socket, WAITING))
        .map_err(|error| AuditError::of_call("set the buffer of", error.into()))
}

/// Whether this process is known to be in another network namespace than the kernel, which sends to its own only.
fn is_in_another_network() -> bool {
    let network = |process: &str| std::fs::read_link(format!("/proc/{process}/ns/net")).ok();
    let first = if is_kernel_thread(KTHREADD) {
        network(&KTHREADD.to_string())
    } else {
        None
    };
    matches!((first, network("self")), (Some(first), Some(own)) if first != own)
}

/// Whether a process has no program: outside the first pid namespace, process 2 is anybody.
fn is_kernel_thread(pid: u32) -> bool {
    let exe = std::fs::read_link(format!("/proc/{pid}/exe"));
    let children = std::fs::read_to_string(format!("/proc/{pid}/comm"));
    exe.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
        && children.is_ok_and(|name| name.trim_end() == "kthreadd")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_no_kernel_thread() {
        assert!(!is_kernel_thread(std::process::id()));
        assert!(!is_kernel_thread(u32::MAX));
    }
}
