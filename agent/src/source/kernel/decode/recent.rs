//! Who a process was that may be gone.

use hullwatch_common::{RECENT_LEN, Recent, UNSET};

use super::exec::arguments;
use super::text;
use crate::model::{AncestorRef, CapSet, CgroupId, InodeId, Namespaces, Process, Seccomp};

/// A process as it was at its last exec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecentExec {
    /// What is known of it; capabilities and namespaces are not.
    pub process: Process,
    /// Outermost cgroup of its container; none on the host.
    pub container: Option<CgroupId>,
    /// File of its executable.
    pub exe: InodeId,
}

/// From a value of the map of recent execs.
pub(in crate::source::kernel) fn recent(pid: u32, bytes: &[u8; RECENT_LEN]) -> RecentExec {
    let recent: Recent = bytemuck::pod_read_unaligned(bytes);
    let args = arguments(trimmed(&recent.args));
    let parent = AncestorRef {
        pid: recent.parent,
        comm: text(&recent.parent_comm),
        exe: text(&recent.parent_comm),
        start_time: recent.parent_start,
    };
    RecentExec {
        process: Process {
            pid,
            tid: pid,
            exe: text(&recent.name),
            args_truncated: recent.args.last().is_some_and(|byte| *byte != 0),
            args,
            comm: text(&recent.comm),
            uid: recent.uid,
            euid: recent.euid,
            gid: 0,
            egid: 0,
            login_uid: Some(recent.login_uid).filter(|uid| *uid != UNSET),
            caps_effective: CapSet::EMPTY,
            caps_permitted: CapSet::EMPTY,
            caps_bounding: CapSet::EMPTY,
            no_new_privs: false,
            seccomp: Seccomp::Unknown,
            namespaces: Namespaces::default(),
            cgroup: CgroupId(recent.container),
            start_time: recent.start_time,
            ancestors: Some(parent)
                .filter(|parent| parent.pid != 0)
                .into_iter()
                .collect(),
        },
        container: Some(CgroupId(recent.container)).filter(|cgroup| cgroup.0 != 0),
        exe: InodeId {
            dev: recent.exe.dev,
            ino: recent.exe.ino,
        },
    }
}

/// The arguments with the NUL of the last one, without the padding.
fn trimmed(args: &[u8]) -> &[u8] {
    let end = args
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 2);
    args.get(..end).unwrap_or(args)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_whole() {
        let mut recent: Recent = bytemuck::Zeroable::zeroed();
        recent.name[..10].copy_from_slice(b"/bin/chmod");
        recent.args[..10].copy_from_slice(b"chmod\x00666\x00");
        recent.args[10..15].copy_from_slice(b"/x/y\0");
        recent.comm[..5].copy_from_slice(b"chmod");
        (recent.uid, recent.login_uid, recent.parent) = (5, UNSET, 7);
        let found = super::recent(42, bytemuck::bytes_of(&recent).try_into().unwrap());
        assert_eq!((found.process.pid, found.process.uid), (42, 5));
        assert_eq!(found.process.exe, "/bin/chmod");
        assert_eq!(found.process.args, ["chmod", "666", "/x/y"]);
        assert_eq!((found.process.login_uid, found.container), (None, None));
        assert_eq!(found.process.ancestors[0].pid, 7);
    }
}
