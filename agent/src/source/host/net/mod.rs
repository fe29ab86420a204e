//! Tables of sockets of a network namespace (`/proc/PID/net/{tcp,tcp6,udp,udp6,unix}`, `proc_net(5)`).

mod diag;

use std::collections::HashSet;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};

use procfs::process::{FDTarget, Process};

use super::lookup::read_from;
use super::proc;
use crate::model::Listener;

/// Longest table that is read.
const MAX_TABLE: u64 = 32 << 20;
/// Descriptors of one process that are looked at.
const MAX_DESCRIPTORS: usize = 65_536;
/// Sockets of one table that are kept.
const MAX_LISTENERS: usize = 65_536;
/// Flag of a Unix socket that listens (`__SO_ACCEPTCON`).
const ACCEPTS: u32 = 0x0001_0000;
/// `TCP_LISTEN`.
const LISTEN: &str = "0A";
/// `TCP_CLOSE`: a UDP socket that is bound, and connected to nobody.
const BOUND: &str = "07";

/// A socket that waits for others, and its inode in sockfs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Socket {
    pub(super) inode: u64,
    pub(super) listener: Listener,
}

/// What listens on TCP or is bound on UDP in the network namespace of a process.
///
/// # Errors
/// A table cannot be read, other than one of a protocol that the kernel lacks.
pub(super) fn inet(process: &Process) -> io::Result<Vec<Socket>> {
    let mut found = diag::listening(process).or_else(|_cannot_tell| of_tables(process, &["tcp", "tcp6"]))?;
    found.extend(of_tables(process, &["udp", "udp6"])?);
    Ok(found)
}

/// Inodes of the sockets that a process has open.
///
/// # Errors
/// Its descriptors cannot be read.
pub(super) fn held(process: &Process) -> io::Result<HashSet<u64>> {
    let descriptors = process.fd().map_err(proc::into_io)?;
    let sockets = descriptors
        .flatten()
        .take(MAX_DESCRIPTORS)
        .filter_map(|descriptor| match descriptor.target {
            FDTarget::Socket(inode) => Some(inode),
            _ => None,
        });
    Ok(sockets.collect())
}

fn of_tables(process: &Process, protocols: &[&str]) -> io::Result<Vec<Socket>> {
    let mut found = Vec::new();
    for protocol in protocols {
        let text = table(process, protocol)?;
        let sockets = text.lines().filter_map(|line| parse_inet(protocol, line));
        found.extend(sockets.take(MAX_LISTENERS));
    }
    Ok(found)
}

/// What listens on Unix sockets with a name there.
///
/// # Errors
/// As of reading the table.
pub(super) fn unix(process: &Process) -> io::Result<Vec<Socket>> {
    let text = table(process, "unix")?;
    Ok(text.lines().filter_map(parse_unix).take(MAX_LISTENERS).collect())
}

fn table(process: &Process, name: &str) -> io::Result<String> {
    let file = process
        .open_relative(format!("net/{name}"))
        .map_err(proc::into_io);
    match file.and_then(|file| read_from(file, MAX_TABLE)) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        // IPv6 may be left out of the kernel or switched off.
        Err(error) if error.kind() == io::ErrorKind::NotFound && name.ends_with('6') => Ok(String::new()),
        Err(error) => Err(error),
    }
}

/// One line: `sl local remote st queues timer retransmits uid timeout inode …`.
fn parse_inet(protocol: &str, line: &str) -> Option<Socket> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let (local, remote, state) = (fields.next()?, fields.next()?, fields.next()?);
    let waits = if protocol.starts_with("tcp") {
        state == LISTEN
    } else {
        state == BOUND && remote.bytes().all(|byte| matches!(byte, b'0' | b':'))
    };
    let inode = fields.nth(5)?.parse().ok()?;
    let (address, port) = local.split_once(':')?;
    let listener = Listener {
        protocol: protocol.to_owned(),
        address: parse_address(address)?,
        port: u32::from_str_radix(port, 16)
            .ok()
            .filter(|port| *port <= 0xffff)?,
    };
    waits.then_some(Socket { inode, listener })
}

/// Words of 32 bits, each printed as the machine holds it.
fn parse_address(hex: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(16);
    for word in hex.as_bytes().chunks(8) {
        let word = str::from_utf8(word).ok().filter(|word| word.len() == 8)?;
        bytes.extend(u32::from_str_radix(word, 16).ok()?.to_ne_bytes());
    }
    address(&bytes)
}

/// An address in network order; `None` for any other number of bytes than 4 or 16.
fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(four).to_string());
    }
    let sixteen = <[u8; 16]>::try_from(bytes).ok()?;
    Some(Ipv6Addr::from(sixteen).to_string())
}

/// One line: `Num: RefCount Protocol Flags Type St Inode Path`. The path is the last, and may hold anything.
fn parse_unix(line: &str) -> Option<Socket> {
    let mut rest = line;
    let mut field = || {
        let trimmed = rest.trim_start_matches(' ');
        let (field, after) = trimmed.split_once(' ')?;
        rest = after;
        Some(field)
    };
    field()?;
    field()?;
    field()?;
    let flags = u32::from_str_radix(field()?, 16).ok()?;
    field()?;
    field()?;
    let inode = field()?.parse().ok()?;
    let listener = Listener {
        protocol: "unix".to_owned(),
        address: rest.to_owned(),
        port: 0,
    };
    (flags & ACCEPTS != 0 && !rest.is_empty()).then_some(Socket { inode, listener })
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};
    use std::os::unix::net::UnixListener;

    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(protocol: &str, line: &str, expect: Option<(u64, &str, u32)>) {
        let found = match protocol {
            "unix" => parse_unix(line),
            inet => parse_inet(inet, line),
        };
        let shown = found
            .as_ref()
            .map(|s| (s.inode, s.listener.address.as_str(), s.listener.port));
        assert_eq!(shown, expect, "{line}");
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn a_process_holds_the_sockets_that_it_has_open() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = u32::from(listener.local_addr().unwrap().port());
        let own = Process::myself().unwrap();
        let found = inet(&own).unwrap();
        let socket = found.iter().find(|socket| socket.listener.port == port).unwrap();
        assert!(held(&own).unwrap().contains(&socket.inode));
        drop(listener);
        assert!(!held(&own).unwrap().contains(&socket.inode));
    }

    #[test]
    fn inet_sockets_that_wait_are_listed() {
        let rest = "00000000:00000000 00:00000000 00000000     0        0";
        let line = |local: &str, remote: &str, state: &str| {
            format!("   0: {local} {remote} {state} {rest} 77 1 0 100")
        };
        let any = "00000000:0000";
        check(
            "tcp",
            &line("0100007F:0947", any, "0A"),
            Some((77, "127.0.0.1", 2375)),
        );
        check("tcp", &line("0100007F:0947", any, "01"), None);
        check("tcp", &line("0100007F:10947", any, "0A"), None);
        check("tcp", &line("0100007:0947", any, "0A"), None);
        let (unspecified, loopback) = ("0".repeat(32), format!("{}01000000", "0".repeat(24)));
        let remote = format!("{unspecified}:0000");
        let v6 = |address: &str| line(&format!("{address}:0050"), &remote, "0A");
        check("tcp6", &v6(&unspecified), Some((77, "::", 80)));
        check("tcp6", &v6(&loopback), Some((77, "::1", 80)));
        check(
            "udp",
            &line("00000000:12B5", any, "07"),
            Some((77, "0.0.0.0", 4789)),
        );
        check("udp", &line("00000000:12B5", "0100007F:0035", "07"), None);
        check(
            "tcp",
            "  sl  local_address rem_address   st tx_queue rx_queue",
            None,
        );
        check("tcp", "", None);
    }

    #[test]
    fn unix_sockets_that_listen_are_listed() {
        let line = |flags, path| format!("0000000000000000: 00000002 00000000 {flags} 0001 01   812 {path}");
        check(
            "unix",
            &line("00010000", "/run/docker.sock"),
            Some((812, "/run/docker.sock", 0)),
        );
        check("unix", &line("00010000", "@a b  c "), Some((812, "@a b  c ", 0)));
        check("unix", &line("00000000", "/run/docker.sock"), None);
        check("unix", &line("00010000", ""), None);
        check(
            "unix",
            "Num       RefCount Protocol Flags    Type St Inode Path",
            None,
        );
    }

    #[test]
    fn this_processs_sockets_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a socket");
        let _unix = UnixListener::bind(&path).unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let own = Process::myself().unwrap();
        let listed = inet(&own).unwrap();
        let has = |protocol: &str, port: u16| {
            listed.iter().any(|s| {
                let listener = &s.listener;
                (listener.protocol.as_str(), listener.port) == (protocol, u32::from(port))
                    && listener.is_loopback()
            })
        };
        let of_table = of_tables(&own, &["tcp"]).unwrap();
        let port = u32::from(tcp.local_addr().unwrap().port());
        assert!(
            of_table
                .iter()
                .any(|s| s.listener.port == port && s.listener.is_loopback())
        );
        assert!(has("tcp", tcp.local_addr().unwrap().port()));
        assert!(has("udp", udp.local_addr().unwrap().port()));
        let path = path.to_str().unwrap();
        assert!(unix(&own).unwrap().iter().any(|s| s.listener.address == path));
    }

    proptest! {
        #[test]
        fn arbitrary_lines_never_panic(line in "\\PC{0,120}", words in "( |[0-9A-F:]{0,40}){0,14}") {
            for line in [line, words] {
                for protocol in ["tcp", "udp6"] {
                    if let Some(found) = parse_inet(protocol, &line) {
                        prop_assert!(found.listener.port <= 0xffff);
                    }
                }
                drop(parse_unix(&line));
            }
        }
    }
}
