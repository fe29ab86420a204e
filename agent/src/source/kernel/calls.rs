//! Numbers of the system calls of interest (`asm/unistd_64.h`, `asm-generic/unistd.h`).

use hullwatch_common::event::{
    CALL_FSMOUNT, CALL_MOUNT, CALL_MOUNT_SETATTR, CALL_MOVE_MOUNT, CALL_OPEN_TREE, CALL_OPEN_TREE_ATTR,
    CALL_PIVOT_ROOT, CALL_SETNS, CALL_UMOUNT, CALL_UNSHARE,
};

#[cfg(target_arch = "x86_64")]
const OLD: [u32; 5] = [165, 166, 155, 308, 272];
#[cfg(not(target_arch = "x86_64"))]
const OLD: [u32; 5] = [40, 39, 41, 268, 97];

/// Mount family: number, `CALL_*`. Calls since 5.2 have one number on every architecture.
pub(super) const MOUNT_CALLS: [(u32, u32); 8] = [
    (OLD[0], CALL_MOUNT),
    (OLD[1], CALL_UMOUNT),
    (OLD[2], CALL_PIVOT_ROOT),
    (428, CALL_OPEN_TREE),
    (429, CALL_MOVE_MOUNT),
    (432, CALL_FSMOUNT),
    (442, CALL_MOUNT_SETATTR),
    (467, CALL_OPEN_TREE_ATTR),
];

/// Namespace calls: number, `CALL_*`.
pub(super) const NAMESPACE_CALLS: [(u32, u32); 2] = [(OLD[3], CALL_SETNS), (OLD[4], CALL_UNSHARE)];

/// Name of a `CALL_*` of the mount family.
pub(super) const fn mount_call_name(call: u32) -> Option<&'static str> {
    Some(match call {
        CALL_MOUNT => "mount",
        CALL_UMOUNT => "umount",
        CALL_MOVE_MOUNT => "move_mount",
        CALL_FSMOUNT => "fsmount",
        CALL_OPEN_TREE => "open_tree",
        CALL_OPEN_TREE_ATTR => "open_tree_attr",
        CALL_MOUNT_SETATTR => "mount_setattr",
        CALL_PIVOT_ROOT => "pivot_root",
        _ => return None,
    })
}

/// Name of a namespace `CALL_*`.
pub(super) const fn namespace_call_name(call: u32) -> Option<&'static str> {
    match call {
        CALL_SETNS => Some("setns"),
        CALL_UNSHARE => Some("unshare"),
        _ => None,
    }
}
