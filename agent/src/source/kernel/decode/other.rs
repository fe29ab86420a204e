//! The smaller payloads.

use hullwatch_common::Header;
use hullwatch_common::event::{
    CALL_MOUNT, CALL_MOVE_MOUNT, CALL_OPEN_TREE, CALL_OPEN_TREE_ATTR, CALL_UMOUNT, CGROUP_CREATED,
    CGROUP_REMOVED, CONNECT_NEW, CONNECT_USE, Cgroup, Connect as ConnectPayload, MATCH_NAME,
    Mount as MountPayload, NAMESPACE_KINDS, Namespace, OWNER_HOST,
};

use super::super::calls::{mount_call_name, namespace_call_name};
use super::{DecodeError, split, text};
use crate::model::{CgroupId, CgroupOp, Connect, ConnectOp, InodeId, MountRequest, RuntimeSocket, What};

/// A runtime's socket. The runtime is still an index, as the text of a number; whoever holds the table
/// names it.
pub(super) fn connect(bytes: &[u8]) -> Result<What, DecodeError> {
    let (payload, _): (ConnectPayload, _) = split(bytes, "a connect")?;
    let op = match payload.op {
        CONNECT_NEW => ConnectOp::Connect,
        CONNECT_USE => ConnectOp::Use,
        value => {
            return Err(DecodeError::Operation {
                what: "connect",
                value,
            });
        }
    };
    let inode = InodeId {
        dev: payload.dev,
        ino: payload.ino,
    };
    let bound = text(&payload.name);
    let socket = RuntimeSocket {
        runtime: payload.runtime.to_string(),
        path: bound.clone(),
        ino: inode.ino,
        dev: inode.device(),
    };
    Ok(What::Connect {
        connect: Connect { op, socket, bound },
        inode,
        by_name: payload.matched == MATCH_NAME,
    })
}

pub(super) fn mount(bytes: &[u8]) -> Result<What, DecodeError> {
    let (payload, _): (MountPayload, _) = split(bytes, "a mount")?;
    let unknown = DecodeError::Operation {
        what: "mount",
        value: payload.call,
    };
    let call = mount_call_name(payload.call).ok_or(unknown)?;
    let [_, second, third, fourth, fifth, _] = payload.args;
    let flags = match payload.call {
        CALL_MOUNT => fourth,
        CALL_UMOUNT => second,
        CALL_MOVE_MOUNT => fifth,
        CALL_OPEN_TREE | CALL_OPEN_TREE_ATTR => third,
        _ => 0,
    };
    Ok(What::Mount {
        call,
        errno: u32::try_from(payload.ret.min(0).unsigned_abs()).unwrap_or(u32::MAX),
        requested: MountRequest {
            source: text(&payload.source),
            target: text(&payload.target),
            fstype: text(&payload.fstype),
            flags,
        },
    })
}

pub(super) fn namespace(bytes: &[u8], header: &Header) -> Result<What, DecodeError> {
    let (payload, _): (Namespace, _) = split(bytes, "a namespace change")?;
    let unknown = DecodeError::Operation {
        what: "namespace",
        value: payload.call,
    };
    let call = namespace_call_name(payload.call).ok_or(unknown)?;
    let ns = &header.task.ns;
    let inums = [ns.mnt, ns.pid, ns.net, ns.ipc, ns.uts, ns.user, ns.cgroup];
    let entered = NAMESPACE_KINDS
        .into_iter()
        .zip(inums)
        .zip(payload.owners)
        .filter(|(_, owner)| *owner != 0)
        .map(|((kind, inum), owner)| {
            (
                kind,
                inum,
                Some(owner).filter(|owner| *owner != OWNER_HOST).map(CgroupId),
            )
        })
        .collect();
    Ok(What::Namespace { call, entered })
}

pub(super) fn cgroup(bytes: &[u8]) -> Result<What, DecodeError> {
    let (payload, _): (Cgroup, _) = split(bytes, "a cgroup change")?;
    let op = match payload.op {
        CGROUP_CREATED => CgroupOp::Created,
        CGROUP_REMOVED => CgroupOp::Removed,
        value => {
            return Err(DecodeError::Operation {
                what: "cgroup",
                value,
            });
        }
    };
    Ok(What::Cgroup {
        op,
        cgroup: CgroupId(payload.id),
        root: CgroupId(payload.root),
        path: text(&payload.path),
    })
}
