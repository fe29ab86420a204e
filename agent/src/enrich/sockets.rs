//! Which runtime a socket belongs to.

use std::collections::VecDeque;

use crate::model::{Connect, InodeId, RuntimeSocket};

/// Sockets that are no longer where they were and are remembered.
const FORMER_MAX: usize = 64;

/// One runtime socket that exists, or existed a moment ago.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    runtime: String,
    path: String,
    inode: InodeId,
}

/// The runtime sockets of this host. Indices are stable, so that an event that was under way when a
/// daemon made its socket anew still finds its runtime.
#[derive(Debug, Default)]
pub struct SocketTable {
    entries: Vec<Entry>,
    present: Vec<InodeId>,
    /// Those that were, with their index: whoever renames a socket still speaks to the runtime by it.
    former: VecDeque<(InodeId, u32)>,
}

impl SocketTable {
    /// Replaces what exists: runtime, path, inode. Says whether anything changed.
    pub fn update(&mut self, sockets: impl IntoIterator<Item = (String, String, InodeId)>) -> bool {
        let before = std::mem::take(&mut self.present);
        let indices = self.indices(&before);
        for (runtime, path, inode) in sockets {
            self.present.push(inode);
            let same = |entry: &&mut Entry| entry.path == path && entry.runtime == runtime;
            match self.entries.iter_mut().find(same) {
                Some(entry) => entry.inode = inode,
                None => self.entries.push(Entry { runtime, path, inode }),
            }
        }
        self.former.extend(
            indices
                .into_iter()
                .filter(|(inode, _)| !self.present.contains(inode)),
        );
        self.former.retain(|(inode, _)| !self.present.contains(inode));
        while self.former.len() > FORMER_MAX {
            self.former.pop_front();
        }
        before != self.present
    }

    /// What the probes are told: inode and index.
    #[must_use]
    pub fn indexed(&self) -> Vec<(InodeId, u32)> {
        let mut indexed = self.indices(&self.present);
        indexed.extend(&self.former);
        indexed
    }

    fn indices(&self, of: &[InodeId]) -> Vec<(InodeId, u32)> {
        let numbered = self.entries.iter().zip(0u32..);
        numbered
            .filter(|(entry, _)| of.contains(&entry.inode))
            .map(|(entry, index)| (entry.inode, index))
            .collect()
    }

    /// Whether an inode was a runtime's socket that is no longer found. Its number may be another's by now:
    /// the name that it was bound to must be a runtime's too.
    #[must_use]
    pub fn was_runtime(&self, inode: InodeId) -> bool {
        self.former.iter().any(|(former, _)| *former == inode)
    }

    /// Whether an inode is a runtime's socket now.
    #[must_use]
    pub fn is_runtime(&self, inode: InodeId) -> bool {
        self.present.contains(&inode)
    }

    /// The socket of an event, by its inode, else by the index that the probes were told.
    #[must_use]
    pub fn socket(&self, connect: &Connect, inode: InodeId) -> RuntimeSocket {
        let by_inode = self.entries.iter().find(|entry| entry.inode == inode);
        let index = connect.socket.runtime.parse().ok();
        let entry = by_inode.or_else(|| self.entries.get::<usize>(index?));
        entry.map_or_else(
            || connect.socket.clone(),
            |entry| RuntimeSocket {
                runtime: entry.runtime.clone(),
                path: entry.path.clone(),
                ino: inode.ino,
                dev: inode.device(),
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ConnectOp;

    fn entry(path: &str, ino: u64) -> (String, String, InodeId) {
        ("docker".into(), path.into(), InodeId { dev: 5, ino })
    }

    #[test]
    fn a_socket_made_anew_keeps_its_index() {
        let mut table = SocketTable::default();
        assert!(table.update([entry("/run/a.sock", 1), entry("/run/b.sock", 2)]));
        assert!(!table.update([entry("/run/a.sock", 1), entry("/run/b.sock", 2)]));
        assert!(table.update([entry("/run/b.sock", 3)]));
        let inode = |ino| InodeId { dev: 5, ino };
        assert_eq!(table.indexed(), [(inode(3), 1), (inode(1), 0), (inode(2), 1)]);
        for gone in [inode(1), inode(2)] {
            assert!(!table.is_runtime(gone) && table.was_runtime(gone));
        }
        let late = Connect {
            op: ConnectOp::Connect,
            socket: RuntimeSocket {
                runtime: "1".into(),
                path: String::new(),
                ino: 2,
                dev: "0:5".into(),
            },
            bound: String::new(),
        };
        assert_eq!(
            table.socket(&late, InodeId { dev: 5, ino: 2 }).path,
            "/run/b.sock"
        );
    }

    #[test]
    fn a_socket_that_is_back_is_no_former_one_and_few_of_those_are_kept() {
        let mut table = SocketTable::default();
        table.update([entry("/run/a.sock", 1)]);
        table.update([]);
        assert_eq!(table.indexed(), [(InodeId { dev: 5, ino: 1 }, 0)]);
        table.update([entry("/run/a.sock", 1)]);
        assert!(!table.was_runtime(InodeId { dev: 5, ino: 1 }));
        assert_eq!(table.indexed(), [(InodeId { dev: 5, ino: 1 }, 0)]);
        for ino in 2..1000 {
            table.update([entry("/run/a.sock", ino)]);
        }
        assert_eq!(table.indexed().len(), FORMER_MAX + 1);
    }
}
