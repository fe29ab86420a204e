//! Records from the kernel's read-only multicast group, beside whoever is the audit daemon.

use std::io;

use netlink_packet_audit::constants::AUDIT_NLGRP_READLOG;
use netlink_sys::protocols::NETLINK_AUDIT;
use netlink_sys::{AsyncSocket as _, AsyncSocketExt as _, Socket, SocketAddr, TokioSocket};
use rustix::io::Errno;
use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_recv_buffer_size_force};

use super::AuditError;
use super::link::split;

/// Bytes of records that may wait in the kernel: some seconds of a busy host.
const BUFFER: usize = 8 << 20;
/// Longest datagram; the kernel's records are shorter than 9 KiB.
const LONGEST: usize = 16 << 10;
/// The namespaces of the kernel's threads are the first ones.
const KTHREADD: u32 = 2;

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// A record: type, and text from `audit(` on.
    Record(u16, Vec<u8>),
    /// Datagrams are being dropped, for we are too slow: [`Trail::newly_dropped`] counts them. The kernel says so once,
    /// and again only after all that waited was taken.
    Dropping,
    /// A datagram that is no record.
    Malformed,
}

/// A socket on which the kernel sends a copy of every record. Never the daemon's: nobody waits for us, and what we do not
/// take is dropped and counted.
pub struct Trail {
    socket: TokioSocket,
    datagram: Vec<u8>,
    /// Drops that were told.
    dropped: u64,
    inode: u64,
}

impl std::fmt::Debug for Trail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trail")
            .field("dropped", &self.dropped)
            .finish_non_exhaustive()
    }
}

impl Trail {
    /// Joins the group. Call within the tokio runtime.
    ///
    /// # Errors
    /// [`AuditError`]; [`NetworkNamespace`](AuditError::NetworkNamespace) where nothing would ever come.
    pub fn open() -> Result<Self, AuditError> {
        let mut socket: TokioSocket =
            TokioSocket::new(NETLINK_AUDIT).map_err(|error| AuditError::of_call("open", error))?;
        join(socket.socket_mut())?;
        let status = rustix::fs::fstat(socket.socket_ref());
        let inode = status
            .map_err(|error| AuditError::of_call("look at", error.into()))?
            .st_ino;
        Ok(Self {
            socket,
            datagram: Vec::with_capacity(LONGEST),
            dropped: 0,
            inode,
        })
    }

    /// Waits for what comes next. Nothing is lost where the wait is given up.
    ///
    /// # Errors
    /// [`AuditError::Socket`].
    pub async fn next(&mut self) -> Result<Received, AuditError> {
        loop {
            self.datagram.clear();
            match self.socket.recv_from(&mut self.datagram).await {
                // Only the kernel has port 0.
                Ok(sender) if sender.port_number() != 0 => {}
                Ok(_kernel) => return Ok(self.interpret()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if Errno::from_io_error(&error) == Some(Errno::NOBUFS) => {
                    return Ok(Received::Dropping);
                }
                Err(error) => return Err(AuditError::of_call("read from", error)),
            }
        }
    }

    fn interpret(&self) -> Received {
        match split(&self.datagram) {
            Some((header, body)) => Received::Record(header.message_type, body.to_vec()),
            None => Received::Malformed,
        }
    }

    /// Datagrams dropped since the last call; `None` where the kernel does not say.
    pub fn newly_dropped(&mut self) -> Option<u64> {
        let table = std::fs::read_to_string("/proc/self/net/netlink").ok()?;
        let total = drops(&table, self.inode)?;
        // The kernel's counter has 32 bits.
        let new = total.wrapping_sub(self.dropped) & u64::from(u32::MAX);
        self.dropped = total;
        Some(new)
    }
}

/// Whether records can be read here: the group is joined, and left again.
///
/// # Errors
/// As [`Trail::open`].
pub fn readable() -> Result<(), AuditError> {
    let mut socket = Socket::new(NETLINK_AUDIT).map_err(|error| AuditError::of_call("open", error))?;
    join(&mut socket)
}

fn join(socket: &mut Socket) -> Result<(), AuditError> {
    if is_in_another_network() {
        return Err(AuditError::NetworkNamespace);
    }
    widen(socket)?;
    let group = 1 << (AUDIT_NLGRP_READLOG - 1);
    let joined = socket.bind(&SocketAddr::new(0, group));
    joined.map_err(|error| match Errno::from_io_error(&error) {
        Some(Errno::PERM | Errno::ACCESS) => AuditError::NoRead,
        _ => AuditError::of_call("bind", error),
    })
}

/// The drops of a socket, from `/proc/net/netlink`: the last columns are drops and inode.
fn drops(table: &str, inode: u64) -> Option<u64> {
    table.lines().find_map(|line| {
        let mut columns = line.split_ascii_whitespace().rev();
        let own = columns.next()?.parse() == Ok(inode);
        columns.next().filter(|_| own)?.parse().ok()
    })
}

/// Gives the socket room; without `CAP_NET_ADMIN` as much as the host grants everybody.
fn widen(socket: &Socket) -> Result<(), AuditError> {
    set_socket_recv_buffer_size_force(socket, BUFFER)
        .or_else(|_not_allowed| set_socket_recv_buffer_size(socket, BUFFER))
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
    fn drops_are_those_of_our_socket() {
        let table = "\
sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
00000000d1a3a53e 9   4117       00000001 0        0        0     2        12       31337
00000000a1a3a53e 9   0          00000000 0        0        0     2        0        9
";
        assert_eq!(drops(table, 31337), Some(12));
        assert_eq!(drops(table, 9), Some(0));
        assert_eq!(drops(table, 10), None);
    }

    #[test]
    fn a_program_is_no_kernel_thread() {
        assert!(!is_kernel_thread(std::process::id()));
        assert!(!is_kernel_thread(u32::MAX));
    }
}
