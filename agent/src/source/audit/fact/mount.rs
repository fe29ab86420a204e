//! A call of the mount family returned.

use super::hex;
use crate::model::{MountRequest, What};
use crate::source::audit::assemble::AuditEvent;
use crate::source::audit::record::{Record, kind};

/// The call; none where it is another. What came of it, only the mounts of its process show.
pub(super) fn what(event: &AuditEvent, call: &Record, name: &str) -> Option<What> {
    let (call_name, flags) = mount_call(name)?;
    let returned: i64 = call.number("exit").unwrap_or(0);
    let failed = call.get("success").is_some_and(|value| value.bytes() == b"no");
    let errno = u32::try_from(returned.min(0).unsigned_abs()).unwrap_or(u32::MAX);
    let mut paths = event
        .records_of(kind::PATH)
        .map(|path| path.name("name").unwrap_or_default());
    let (first, second) = (paths.next().unwrap_or_default(), paths.next());
    let (source, target) = match (call_name, second) {
        // The target is looked up first, and a source only where that is a path.
        ("mount" | "pivot_root", second) => (second.unwrap_or_default(), first),
        ("move_mount", Some(second)) => (first, second),
        ("open_tree" | "open_tree_attr", _) => (first, String::new()),
        _ => (String::new(), first),
    };
    Some(What::Mount {
        call: call_name,
        errno: if failed { errno.max(1) } else { 0 },
        requested: MountRequest {
            source,
            target,
            fstype: String::new(),
            flags: flags.and_then(|field| hex(call, field)).unwrap_or_default(),
        },
    })
}

/// Whether this is a call of the family.
pub(super) fn is_call(name: &str) -> bool {
    mount_call(name).is_some()
}

/// The call as probes name it, and the argument that holds its flags; a record has only the first four.
fn mount_call(name: &str) -> Option<(&'static str, Option<&'static str>)> {
    Some(match name {
        "mount" => ("mount", Some("a3")),
        "umount" => ("umount", None),
        "umount2" => ("umount", Some("a1")),
        "pivot_root" => ("pivot_root", None),
        "open_tree" => ("open_tree", Some("a2")),
        "open_tree_attr" => ("open_tree_attr", Some("a2")),
        "move_mount" => ("move_mount", None),
        "fsmount" => ("fsmount", None),
        "mount_setattr" => ("mount_setattr", None),
        _ => return None,
    })
}
