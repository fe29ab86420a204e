//! A connection to a socket of the file system.

use super::{hex, inode, mode, succeeded};
use crate::model::{Connect, ConnectOp, RuntimeSocket, What};
use crate::source::audit::assemble::AuditEvent;
use crate::source::audit::record::{Record, kind};

/// `AF_UNIX`.
const UNIX: [u8; 2] = 1u16.to_ne_bytes();
/// `SYS_CONNECT` of `socketcall(2)`.
const CONNECT: u64 = 3;
/// `S_IFMT`, `S_IFSOCK`.
const TYPE: u32 = 0o170_000;
const SOCKET: u32 = 0o140_000;

/// The connection. Whose socket it is, its inode tells; the name is the caller's.
pub(super) fn what(event: &AuditEvent, call: &Record) -> Option<What> {
    let is_other = super::named_call(call) == Some("socketcall") && hex(call, "a0") != Some(CONNECT);
    if !succeeded(call) || is_other {
        return None;
    }
    let address = event.record(kind::SOCKADDR)?.get("saddr")?.untrusted()?;
    let path = path(&address)?;
    let is_socket = |record: &&Record| mode(record).is_some_and(|mode| mode & TYPE == SOCKET);
    let inode = event.records_of(kind::PATH).find(is_socket).and_then(inode)?;
    let connect = Connect {
        op: ConnectOp::Connect,
        socket: RuntimeSocket {
            runtime: String::new(),
            path,
            ino: inode.ino,
            dev: inode.device(),
        },
        // What the other side has bound is not told.
        bound: String::new(),
    };
    Some(What::Connect {
        connect,
        inode,
        by_name: true,
    })
}

/// The path in a `struct sockaddr_un`; none of another family, of an abstract name, or of no name.
fn path(address: &[u8]) -> Option<String> {
    let path = address.strip_prefix(&UNIX)?;
    let path = path.split(|byte| *byte == 0).next()?;
    (!path.is_empty()).then(|| String::from_utf8_lossy(path).into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(address: &[u8], expect: Option<&str>) {
        assert_eq!(path(address).as_deref(), expect);
    }

    #[test]
    fn only_addresses_of_the_file_system_have_a_path() {
        check(b"\x01\0/run/docker.sock\0", Some("/run/docker.sock"));
        check(b"\x01\0docker.sock", Some("docker.sock"));
        check(b"\x01\0\0abstract", None);
        check(b"\x01\0", None);
        check(b"\x02\0/run", None);
        check(b"\x01", None);
        check(b"", None);
    }

    proptest! {
        #[test]
        fn any_address_is_survived(address: Vec<u8>) {
            if let Some(path) = path(&address) {
                prop_assert!(!path.is_empty() && !path.contains('\0'));
            }
        }
    }
}
