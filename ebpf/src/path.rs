//! The path of a file, from the directory tree: names do not come from the caller.

use aya_ebpf::helpers::generated::bpf_probe_read_kernel_str;
use hullwatch_common::event::PATH_MAX;

use crate::{kernel::Addr, offset};

/// Components and mounts that are walked at most.
const STEPS: u32 = 48;
/// Longest component (`NAME_MAX`), with its NUL.
const COMPONENT: u32 = 256;

/// Writes the components of a file's path from the file towards the root, each NUL-terminated, to
/// `out`, and returns their length and whether the root was not reached.
///
/// # Safety
/// `out` points to `PATH_MAX + COMPONENT` writable bytes.
#[inline(always)]
pub unsafe fn write_components(out: *mut u8, file: Addr) -> (u32, bool) {
    let mut dentry = file.follow(&offset::FILE_DENTRY);
    let mut vfsmount = file.follow(&offset::FILE_MNT);
    let mut len: u32 = 0;
    for _ in 0..STEPS {
        let parent = dentry.follow(&offset::DENTRY_PARENT);
        if dentry == vfsmount.follow(&offset::VFSMOUNT_ROOT) {
            // The root of a mount: go on at the place it is mounted on.
            let mount = Addr(vfsmount.0.wrapping_sub(u64::from(offset::MOUNT_MNT.load())));
            let above = mount.follow(&offset::MOUNT_PARENT);
            if above == mount || above.0 == 0 {
                return (len, false);
            }
            dentry = mount.follow(&offset::MOUNT_MOUNTPOINT);
            vfsmount = above.field(&offset::MOUNT_MNT);
            continue;
        }
        if parent == dentry || dentry.0 == 0 {
            // A tree that is mounted nowhere: memfd, detached mount.
            let name = dentry.follow(&offset::DENTRY_NAME);
            len = unsafe { append(out, len, name) };
            return (len, false);
        }
        if len as usize >= PATH_MAX {
            return (len, true);
        }
        // SAFETY: `len` is below PATH_MAX, so a component fits.
        len = unsafe { append(out, len, dentry.follow(&offset::DENTRY_NAME)) };
        dentry = parent;
    }
    (len, true)
}

/// # Safety
/// `out` points to `PATH_MAX + COMPONENT` writable bytes.
#[inline(always)]
unsafe fn append(out: *mut u8, len: u32, name: Addr) -> u32 {
    // The mask repeats for the verifier what the caller has tested.
    let at = (len as usize) & (2 * PATH_MAX - 1);
    if name.0 == 0 || at >= PATH_MAX {
        return len;
    }
    // SAFETY: `at` is below PATH_MAX and the helper writes at most COMPONENT bytes.
    let read = unsafe { bpf_probe_read_kernel_str(out.add(at).cast(), COMPONENT, name.0 as *const _) };
    if read > 0 && read <= i64::from(COMPONENT) { at as u32 + read as u32 } else { len }
}
