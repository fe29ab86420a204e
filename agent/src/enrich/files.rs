//! Whether a file carries capabilities (`security.capability`), which no tracepoint shows.

use std::time::Duration;

use rustix::fs::{getxattr, stat};
use rustix::io::Errno;

use super::bounded::Bounded;
use crate::model::{Exec, InodeId, Process, Time};

/// Files remembered.
const CAPACITY: usize = 1024;
/// How long: a file's capabilities can change.
const FRESH: Duration = Duration::from_secs(2);

/// What is known of files' capabilities.
#[derive(Debug)]
pub struct FileCaps {
    seen: Bounded<InodeId, (bool, Time)>,
}

impl Default for FileCaps {
    fn default() -> Self {
        Self {
            seen: Bounded::new(CAPACITY),
        }
    }
}

impl FileCaps {
    /// Whether the file of an exec carries capabilities; none where it was gone before it could be
    /// looked at. What the process gained beyond what setuid explains needs no look.
    pub fn look(&mut self, exec: &Exec, inode: InodeId, process: &Process, now: Time) -> Option<bool> {
        let by_ids = exec.file.setuid || process.uid == 0 || process.euid == 0;
        if !exec.gained.caps.is_empty() && !by_ids {
            return Some(true);
        }
        if let Some((carries, at)) = self.seen.get(&inode)
            && now.since(*at) < FRESH
        {
            return Some(*carries);
        }
        let carries = read(process.pid, inode)?;
        self.seen.insert(inode, (carries, now));
        Some(carries)
    }
}

/// Looks through the process's own executable, which leads to the file whatever its path.
fn read(pid: u32, inode: InodeId) -> Option<bool> {
    let exe = format!("/proc/{pid}/exe");
    let carries = match getxattr(&exe, "security.capability", &mut [0u8; 64]) {
        Ok(len) => len > 0,
        Err(Errno::NODATA | Errno::OPNOTSUPP) => false,
        Err(_) => return None,
    };
    // Asked last: the process may have executed something else, or be somebody else, in between.
    (stat(&exe).ok()?.st_ino == inode.ino).then_some(carries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_file_in_the_meantime_is_not_taken_for_this_one() {
        let own = stat("/proc/self/exe").unwrap().st_ino;
        let pid = std::process::id();
        assert_eq!(read(pid, InodeId { dev: 0, ino: own }), Some(false));
        assert_eq!(read(pid, InodeId { dev: 0, ino: own + 1 }), None);
        assert_eq!(read(u32::MAX, InodeId { dev: 0, ino: own }), None);
    }
}
