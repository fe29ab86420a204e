//! Who did it.

use hullwatch_common::{Header, TASK_NO_NEW_PRIVS, Task, UNSET};

use super::text;
use crate::model::{
    AncestorRef, CapSet, CgroupId, Credentials, InodeId, Namespaces, Process, ProcessKey, Seccomp,
};

/// The process of a record, with bare file names for executables and without arguments.
pub(super) fn process(header: &Header) -> Process {
    let task = &header.task;
    Process {
        pid: task.tgid,
        tid: task.tid,
        exe: String::new(),
        args: Vec::new(),
        args_truncated: false,
        comm: text(&task.comm),
        uid: task.creds.uid,
        euid: task.creds.euid,
        gid: task.creds.gid,
        egid: task.creds.egid,
        login_uid: Some(task.login_uid).filter(|uid| *uid != UNSET),
        caps_effective: CapSet(task.creds.cap_effective),
        caps_permitted: CapSet(task.creds.cap_permitted),
        caps_bounding: CapSet(task.creds.cap_bounding),
        no_new_privs: task.flags & TASK_NO_NEW_PRIVS != 0,
        seccomp: seccomp(task.seccomp),
        namespaces: namespaces(&task.ns),
        cgroup: CgroupId(header.cgroup),
        start_time: task.start_time,
        ancestors: ancestors(task),
    }
}

fn seccomp(mode: u32) -> Seccomp {
    match mode {
        0 => Seccomp::Off,
        1 => Seccomp::Strict,
        2 => Seccomp::Filter,
        _ => Seccomp::Unknown,
    }
}

fn namespaces(ns: &hullwatch_common::Namespaces) -> Namespaces {
    let hullwatch_common::Namespaces {
        mnt,
        pid,
        net,
        ipc,
        uts,
        user,
        cgroup,
        pad: _,
    } = *ns;
    Namespaces {
        mnt,
        pid,
        net,
        ipc,
        uts,
        user,
        cgroup,
    }
}

/// Credentials in the model's words.
pub(super) fn credentials(creds: &hullwatch_common::Credentials) -> Credentials {
    Credentials {
        uid: creds.uid,
        gid: creds.gid,
        euid: creds.euid,
        egid: creds.egid,
        caps_permitted: CapSet(creds.cap_permitted),
        caps_effective: CapSet(creds.cap_effective),
    }
}

/// File of the task's executable.
pub(super) fn exe(task: &Task) -> InodeId {
    InodeId {
        dev: task.exe_dev,
        ino: task.exe_ino,
    }
}

fn ancestors(task: &Task) -> Vec<AncestorRef> {
    known(task)
        .map(|ancestor| AncestorRef {
            pid: ancestor.tgid,
            comm: text(&ancestor.comm),
            exe: text(&ancestor.exe_name),
            start_time: ancestor.start_time,
        })
        .collect()
}

/// Identity and executable's file of each ancestor.
pub(super) fn ancestor_files(task: &Task) -> Vec<(ProcessKey, InodeId)> {
    known(task)
        .map(|ancestor| {
            let key = ProcessKey {
                pid: ancestor.tgid,
                start_time: ancestor.start_time,
            };
            (
                key,
                InodeId {
                    dev: ancestor.exe_dev,
                    ino: ancestor.exe_ino,
                },
            )
        })
        .collect()
}

fn known(task: &Task) -> impl Iterator<Item = &hullwatch_common::Ancestor> {
    let count = usize::try_from(task.ancestor_count).unwrap_or(usize::MAX);
    task.ancestors.iter().take(count)
}
