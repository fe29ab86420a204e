//! TCP sockets that listen, asked of the kernel (`sock_diag(7)`).
//!
//! `/proc/PID/net/tcp` goes through every bucket of established connections, milliseconds on a large machine, each
//! time that it is read; this goes through those that listen alone.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use procfs::process::Process;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::super::proc;
use super::{MAX_LISTENERS, Socket, address};
use crate::model::Listener;

/// How long the kernel may take for one part of its answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longest part of an answer.
const BUFFER: usize = 64 << 10;
/// `SOCK_DIAG_BY_FAMILY` (`linux/sock_diag.h`).
const BY_FAMILY: u16 = 20;
/// `NLM_F_REQUEST | NLM_F_DUMP` (`linux/netlink.h`).
const DUMP: u16 = 0x301;
const DONE: u16 = 3;
const ERROR: u16 = 2;
const HEADER: usize = 16;
/// Length of a request: the header, and `inet_diag_req_v2`.
const REQUEST: u16 = 16 + 56;
/// `1 << TCP_LISTEN`.
const LISTENING: u32 = 1 << 10;
const TCP: u8 = 6;
/// Families, and what their sockets are called: `AF_INET`, `AF_INET6`.
const FAMILIES: [(u8, &str); 2] = [(2, "tcp"), (10, "tcp6")];

/// TCP sockets that listen in the network namespace of a process.
///
/// # Errors
/// The namespace cannot be entered, or the kernel cannot tell.
pub(super) fn listening(process: &Process) -> io::Result<Vec<Socket>> {
    let namespace = process.open_relative("ns/net").map_err(proc::into_io)?;
    // A thread that ends here, so that nobody goes on in the other namespace.
    let thread = std::thread::Builder::new().spawn(move || {
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
        ask()
    })?;
    let ended = || io::Error::other("the thread that asked has ended");
    thread.join().map_err(|_panic| ended())?
}

/// As [`listening`], in this thread's own namespace.
fn ask() -> io::Result<Vec<Socket>> {
    let protocol = Some(rustix::net::netlink::SOCK_DIAG);
    let kernel = socket_with(
        AddressFamily::NETLINK,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        protocol,
    )?;
    set_socket_timeout(&kernel, Timeout::Recv, Some(PATIENCE))?;
    let mut found = Vec::new();
    for (family, name) in FAMILIES {
        send(&kernel, &request(family), SendFlags::empty())?;
        while !take(&kernel, name, &mut found)? {}
    }
    Ok(found)
}

/// `nlmsghdr` and `inet_diag_req_v2`, without any condition but the state.
fn request(family: u8) -> Vec<u8> {
    let mut message = Vec::with_capacity(usize::from(REQUEST));
    message.extend(u32::from(REQUEST).to_ne_bytes());
    message.extend(BY_FAMILY.to_ne_bytes());
    message.extend(DUMP.to_ne_bytes());
    message.extend([0; 8]);
    message.extend([family, TCP, 0, 0]);
    message.extend(LISTENING.to_ne_bytes());
    message.resize(usize::from(REQUEST), 0);
    message
}

/// One part of the answer; whether it was the last.
fn take(kernel: &OwnedFd, name: &str, found: &mut Vec<Socket>) -> io::Result<bool> {
    let mut buffer = vec![0; BUFFER];
    let (length, _) = recv(kernel, buffer.as_mut_slice(), RecvFlags::empty())?;
    decode(buffer.get(..length).unwrap_or_default(), name, found)
}

/// Messages of one part; whether the last of all is among them.
fn decode(mut part: &[u8], name: &str, found: &mut Vec<Socket>) -> io::Result<bool> {
    let cut_off = || io::Error::new(io::ErrorKind::InvalidData, "the kernel's answer is cut off");
    if part.is_empty() {
        return Err(cut_off());
    }
    while !part.is_empty() {
        let length = u32_at(part, 0).and_then(|length| usize::try_from(length).ok());
        let length = length.filter(|length| *length >= HEADER).ok_or_else(cut_off)?;
        let kind = u16_at(part, 4).ok_or_else(cut_off)?;
        let body = part.get(HEADER..length).ok_or_else(cut_off)?;
        match kind {
            DONE => return Ok(true),
            ERROR => {
                let code = u32_at(body, 0).ok_or_else(cut_off)?.cast_signed();
                return Err(io::Error::from_raw_os_error(code.saturating_neg()));
            }
            BY_FAMILY if found.len() < MAX_LISTENERS => found.extend(socket(body, name)),
            _ => {}
        }
        part = part.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(false)
}

/// `inet_diag_msg`: family, state, timer, retransmits; ports and addresses in network order; the inode last.
fn socket(body: &[u8], name: &str) -> Option<Socket> {
    let port = body.get(4..6)?.first_chunk::<2>()?;
    let length = if name == "tcp" { 4 } else { 16 };
    let listener = Listener {
        protocol: name.to_owned(),
        address: address(body.get(8..8 + length)?)?,
        port: u32::from(u16::from_be_bytes(*port)),
    };
    let inode = u64::from(u32_at(body, 68)?);
    Some(Socket { inode, listener })
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|chunk| u32::from_ne_bytes(*chunk))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|chunk| u16::from_ne_bytes(*chunk))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use proptest::prelude::*;

    use super::*;

    fn message(kind: u16, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(HEADER + body.len()).unwrap();
        let mut message = length.to_ne_bytes().to_vec();
        message.extend(kind.to_ne_bytes());
        message.resize(HEADER, 0);
        message.extend(body);
        message
    }

    fn body(address: &[u8], port: u16, inode: u32) -> Vec<u8> {
        let mut body = vec![0; 72];
        body[4..6].copy_from_slice(&port.to_be_bytes());
        body[8..8 + address.len()].copy_from_slice(address);
        body[68..].copy_from_slice(&inode.to_ne_bytes());
        body
    }

    #[test]
    fn answers_are_decoded() {
        let mut part = message(BY_FAMILY, &body(&[127, 0, 0, 1], 2375, 7));
        part.extend(message(77, &[0; 5]));
        part.extend([0; 3]);
        part.extend(message(BY_FAMILY, &body(&[0; 4], 22, 8)));
        let mut found = Vec::new();
        assert!(!decode(&part, "tcp", &mut found).unwrap());
        part.extend(message(DONE, &[0; 4]));
        assert!(decode(&part, "tcp6", &mut found).unwrap());
        let shown: Vec<_> = found
            .iter()
            .map(|s| {
                (
                    s.listener.protocol.as_str(),
                    s.listener.address.as_str(),
                    s.listener.port,
                    s.inode,
                )
            })
            .collect();
        let expect = [
            ("tcp", "127.0.0.1", 2375, 7),
            ("tcp", "0.0.0.0", 22, 8),
            ("tcp6", "7f00:1::", 2375, 7),
            ("tcp6", "::", 22, 8),
        ];
        assert_eq!(shown, expect);
    }

    #[test]
    fn what_is_cut_off_or_refused_is_an_error() {
        let whole = message(BY_FAMILY, &[0; 72]);
        for part in [&whole[..40], &whole[..7], &[][..], &[0; 16][..]] {
            assert!(decode(part, "tcp", &mut Vec::new()).is_err(), "{part:?}");
        }
        let refused = decode(&message(ERROR, &(-2_i32).to_ne_bytes()), "tcp", &mut Vec::new());
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn this_processs_listeners_are_told() {
        let own = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = u32::from(own.local_addr().unwrap().port());
        match listening(&Process::myself().unwrap()) {
            Ok(found) => assert!(
                found
                    .iter()
                    .any(|s| s.listener.port == port && s.listener.is_loopback())
            ),
            // Another user than root may not enter even its own namespace.
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::PermissionDenied),
        }
    }

    proptest! {
        #[test]
        fn arbitrary_answers_never_panic(part in prop::collection::vec(any::<u8>(), 0..200), length in 0_u32..200) {
            drop(decode(&part, "tcp6", &mut Vec::new()));
            let mut framed = length.to_ne_bytes().to_vec();
            framed.extend(BY_FAMILY.to_ne_bytes());
            framed.extend(part);
            drop(decode(&framed, "tcp", &mut Vec::new()));
        }
    }
}
