//! A process at the time of an event.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CapSet, CgroupId, ProcessKey};

/// Who did it. Ids are those of the host's namespaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Process {
    /// Process id.
    pub pid: u32,
    /// Thread id.
    pub tid: u32,
    /// Executable: an absolute path in the process's mount namespace, or a bare file name where only that is known.
    pub exe: String,
    /// Arguments; empty where unknown.
    pub args: Vec<String>,
    /// Whether arguments are missing at the end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub args_truncated: bool,
    /// Command name, at most 15 bytes.
    pub comm: String,
    /// Real user.
    pub uid: u32,
    /// Effective user.
    pub euid: u32,
    /// Real group.
    pub gid: u32,
    /// Effective group.
    pub egid: u32,
    /// Who logged in; null where nobody did.
    pub login_uid: Option<u32>,
    /// Effective capabilities.
    pub caps_effective: CapSet,
    /// Permitted capabilities.
    pub caps_permitted: CapSet,
    /// Bounding set.
    pub caps_bounding: CapSet,
    /// Whether exec can add no privilege.
    pub no_new_privs: bool,
    /// Seccomp mode.
    pub seccomp: Seccomp,
    /// Namespaces by inode number.
    pub namespaces: Namespaces,
    /// Cgroup.
    pub cgroup: CgroupId,
    /// Start, `CLOCK_BOOTTIME` nanoseconds.
    pub start_time: u64,
    /// Parent first.
    pub ancestors: Vec<AncestorRef>,
}

impl Process {
    /// Identity of the process.
    #[must_use]
    pub fn key(&self) -> ProcessKey {
        ProcessKey {
            pid: self.pid,
            start_time: self.start_time,
        }
    }

    /// A process of which nothing but its number is known. It counts as root's, with nothing told of its capabilities.
    #[must_use]
    pub fn bare(pid: u32) -> Self {
        Self {
            pid,
            tid: pid,
            exe: String::new(),
            args: Vec::new(),
            args_truncated: false,
            comm: String::new(),
            uid: 0,
            euid: 0,
            gid: 0,
            egid: 0,
            login_uid: None,
            caps_effective: CapSet::default(),
            caps_permitted: CapSet::default(),
            caps_bounding: CapSet::default(),
            no_new_privs: false,
            seccomp: Seccomp::Unknown,
            namespaces: Namespaces::default(),
            cgroup: CgroupId::default(),
            start_time: 0,
            ancestors: Vec::new(),
        }
    }

    /// Last component of the executable's path.
    #[must_use]
    pub fn exe_name(&self) -> &str {
        self.exe.rsplit('/').next().unwrap_or(&self.exe)
    }
}

/// Credentials at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the names are those of struct cred")]
pub struct Credentials {
    pub uid: u32,
    pub gid: u32,
    pub euid: u32,
    pub egid: u32,
    pub caps_permitted: CapSet,
    pub caps_effective: CapSet,
}

/// Seccomp mode of a process (`/proc/PID/status`: Seccomp).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Seccomp {
    /// No filter.
    Off,
    /// Four system calls only.
    Strict,
    /// Filtered.
    Filter,
    /// Not known.
    Unknown,
}

/// Namespaces by inode number; 0 where not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the names are those of /proc/PID/ns")]
pub struct Namespaces {
    pub mnt: u32,
    pub pid: u32,
    pub net: u32,
    pub ipc: u32,
    pub uts: u32,
    pub user: u32,
    pub cgroup: u32,
}

impl Namespaces {
    /// The inode numbers, in the order of the fields.
    #[must_use]
    pub const fn inums(&self) -> [u32; 7] {
        let Self {
            mnt,
            pid,
            net,
            ipc,
            uts,
            user,
            cgroup,
        } = *self;
        [mnt, pid, net, ipc, uts, user, cgroup]
    }
}

/// One ancestor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AncestorRef {
    /// Process id.
    pub pid: u32,
    /// Command name.
    pub comm: String,
    /// Absolute path where it could be resolved, else the bare file name; empty for a kernel thread.
    pub exe: String,
    /// Start, `CLOCK_BOOTTIME` nanoseconds.
    pub start_time: u64,
}
