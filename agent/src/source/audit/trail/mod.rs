//! Records from the kernel's read-only multicast group, beside whoever is the audit daemon.
//!
//! A host may record every call of every process, and most of it is nobody's concern here. A thread of its own takes what
//! came in batches, puts events together and keeps only those that matter: the rest never reaches a queue.

mod reader;
mod socket;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::mpsc;

use super::assemble::AuditEvent;
use super::{AuditError, Interest};
use crate::model::Time;
use reader::Reader;
use socket::Records;

/// Events that may wait to be taken; beyond, records wait in the kernel.
const QUEUE: usize = 512;

/// What came.
#[derive(Debug)]
pub enum Heard {
    /// An event that matters.
    Event(AuditEvent),
    /// Records are being dropped, for we are too slow: [`Trail::newly_dropped`] counts them. The kernel says so once, and
    /// again only after all that waited was taken.
    Dropping {
        /// Time of the last record that was taken.
        from: Time,
    },
    /// A datagram that is no record.
    Malformed {
        /// Time of the last record that was taken.
        after: Time,
    },
    /// Nothing more comes.
    Failed(AuditError),
}

/// What reader and listener share.
#[derive(Debug, Default)]
struct Shared {
    is_closed: AtomicBool,
    taken: AtomicU64,
}

/// The trail from now on. Never the audit daemon's own: nobody waits for us, and what we do not take is dropped and counted.
#[derive(Debug)]
pub struct Trail {
    heard: mpsc::Receiver<Heard>,
    shared: Arc<Shared>,
    /// Kept here too: what it dropped is known only as long as it is open.
    records: Arc<Records>,
    /// Drops that were told.
    dropped: u64,
}

impl Trail {
    /// Joins the group, for events in which there is an interest.
    ///
    /// # Errors
    /// [`AuditError`]; [`NetworkNamespace`](AuditError::NetworkNamespace) where nothing would ever come.
    pub fn open(interest: Arc<Interest>) -> Result<Self, AuditError> {
        let records = Arc::new(Records::join()?);
        let shared = Arc::new(Shared::default());
        let (out, heard) = mpsc::channel(QUEUE);
        let reader = Reader::new(Arc::clone(&records), interest, Arc::clone(&shared), out);
        std::thread::Builder::new()
            .name("audit-trail".to_owned())
            .spawn(move || reader.run())
            .map_err(|source| AuditError::Socket {
                doing: "start a thread for",
                source,
            })?;
        Ok(Self {
            heard,
            shared,
            records,
            dropped: 0,
        })
    }

    /// Waits for what comes next; `None` where nothing more comes. Nothing is lost where the wait is given up.
    pub async fn next(&mut self) -> Option<Heard> {
        self.heard.recv().await
    }

    /// Takes no more records. What was taken still comes, events without their end as they are.
    pub fn close(&self) {
        self.shared.is_closed.store(true, Ordering::Relaxed);
    }

    /// Datagrams taken so far: each holds one record, or the end of an event.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.shared.taken.load(Ordering::Relaxed)
    }

    /// Datagrams dropped since the last call; `None` where the kernel does not say.
    pub fn newly_dropped(&mut self) -> Option<u64> {
        let table = std::fs::read_to_string("/proc/self/net/netlink").ok()?;
        let total = drops(&table, self.records.inode()?)?;
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
    Records::join().map(drop)
}

/// The drops of a socket, from `/proc/net/netlink`: the last columns are drops and inode.
fn drops(table: &str, inode: u64) -> Option<u64> {
    table.lines().find_map(|line| {
        let mut columns = line.split_ascii_whitespace().rev();
        let own = columns.next()?.parse() == Ok(inode);
        columns.next().filter(|_| own)?.parse().ok()
    })
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
}
