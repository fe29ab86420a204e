//! What probes see, from records: for hosts where a probe cannot attach, or was declined.
//!
//! A record tells of the call and its objects; where the process belongs is for others to find out.

mod connect;
mod exec;
mod mount;

use super::assemble::AuditEvent;
use super::observe::{device, named_call, process};
use super::record::{Record, kind};
use crate::model::{InodeId, Process, Sighting};

/// Facts that records are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Program images.
    pub exec: bool,
    /// Connections to sockets of the file system.
    pub connect: bool,
    /// Calls of the mount family.
    pub mount: bool,
}

impl Facts {
    /// Whether one of them may be in a record of this call.
    pub(super) fn may_have(self, call: &str) -> bool {
        match call {
            "execve" | "execveat" => self.exec,
            "connect" | "socketcall" => self.connect,
            other => self.mount && mount::is_call(other),
        }
    }
}

/// What a probe would have seen, where it is one of the facts that are asked for and the event has all of it. Container,
/// namespaces, start and ancestors' files are not known; of the executable, only that of an exec.
#[must_use]
pub fn sighting(event: &AuditEvent, facts: Facts) -> Option<Sighting> {
    let call = event.record(kind::SYSCALL)?;
    let name = named_call(call).filter(|name| facts.may_have(name))?;
    let mut process = process(event, call)?;
    let (what, exe) = match name {
        "execve" | "execveat" => exec::what(event, call, &mut process)?,
        "connect" | "socketcall" => (connect::what(event, call)?, InodeId::default()),
        name => (mount::what(event, call, name)?, InodeId::default()),
    };
    Some(Sighting {
        time: event.id.time,
        container: None,
        by_namespace: false,
        process,
        exe,
        ancestors: Vec::new(),
        what,
    })
}

/// Whether the call returned without an error.
fn succeeded(call: &Record) -> bool {
    call.get("success").is_some_and(|value| value.bytes() == b"yes")
}

/// The object of a record.
fn inode(path: &Record) -> Option<InodeId> {
    let (major, minor) = device(path)?;
    Some(InodeId {
        dev: major.checked_shl(20)? | minor,
        ino: path.number("inode")?,
    })
}

/// Type and permissions, in octal digits.
fn mode(path: &Record) -> Option<u32> {
    u32::from_str_radix(&path.get("mode")?.text(), 8).ok()
}

/// A number in hexadecimal digits: an argument of a call, a set of capabilities.
fn hex(record: &Record, name: &str) -> Option<u64> {
    u64::from_str_radix(&record.get(name)?.text(), 16).ok()
}

/// Without what the kernel adds to the name of a file that no directory has any more.
fn without_deleted(process: &Process) -> (&str, bool) {
    let stripped = process.exe.strip_suffix(" (deleted)");
    (stripped.unwrap_or(&process.exe), stripped.is_some())
}

#[cfg(test)]
mod tests;
