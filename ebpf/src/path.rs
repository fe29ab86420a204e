//! The path of a file, from the directory tree: names do not come from the caller.

use aya_ebpf::helpers::generated::bpf_probe_read_kernel_str;
use hullwatch_common::event::PATH_MAX;

use crate::{kernel::Addr, offset};

/// Components and mounts that are walked at most.
const STEPS: u32 = 40;
/// Longest component (`NAME_MAX`), with its NUL.
const COMPONENT: u32 = 256;

/// Where a walk is. It lives in map memory, not in registers: what is read back from there is the same
/// unknown to the verifier at every step, so that it walks each step once and not every way to it.
#[repr(C)]
struct Walk {
    dentry: u64,
    vfsmount: u64,
    len: u64,
}

/// Bytes that [`write_components`] needs at its work place.
pub const WALK_LEN: usize = size_of::<Walk>();

/// Writes the components of a file's path from the file towards the root, each NUL-terminated, to
/// `out`, and returns their length and whether the root was not reached.
///
/// # Safety
/// `out` points to `PATH_MAX + COMPONENT` writable bytes of map memory, `work` to [`WALK_LEN`] others,
/// aligned to 8.
#[inline(always)]
pub unsafe fn write_components(out: *mut u8, work: *mut u8, file: Addr) -> (usize, bool) {
    let walk: *mut Walk = work.cast();
    let mut reached = false;
    // SAFETY: as promised by the caller; volatile keeps the state in memory.
    unsafe {
        (&raw mut (*walk).dentry).write_volatile(file.follow(&offset::FILE_DENTRY).0);
        (&raw mut (*walk).vfsmount).write_volatile(file.follow(&offset::FILE_MNT).0);
        (&raw mut (*walk).len).write_volatile(0);
        for _ in 0..STEPS {
            if step(out, walk) {
                reached = true;
                break;
            }
        }
        let len = (&raw const (*walk).len).read_volatile() as usize;
        (if len > PATH_MAX { PATH_MAX } else { len }, !reached)
    }
}

/// One step towards the root: over the root of a mount to the place it is mounted on, or over one
/// component. Says whether the walk is over.
///
/// # Safety
/// As for [`write_components`].
#[inline(always)]
unsafe fn step(out: *mut u8, walk: *mut Walk) -> bool {
    // SAFETY: as promised by the caller.
    unsafe {
        let dentry = Addr((&raw const (*walk).dentry).read_volatile());
        let vfsmount = Addr((&raw const (*walk).vfsmount).read_volatile());
        if dentry == vfsmount.follow(&offset::VFSMOUNT_ROOT) {
            let mount = Addr(vfsmount.0.wrapping_sub(u64::from(offset::MOUNT_MNT.load())));
            let above = mount.follow(&offset::MOUNT_PARENT);
            (&raw mut (*walk).dentry).write_volatile(mount.follow(&offset::MOUNT_MOUNTPOINT).0);
            (&raw mut (*walk).vfsmount).write_volatile(above.field(&offset::MOUNT_MNT).0);
            return above == mount;
        }
        let len = (&raw const (*walk).len).read_volatile();
        let name = dentry.follow(&offset::DENTRY_NAME);
        if len >= PATH_MAX as u64 {
            return false;
        }
        let read = bpf_probe_read_kernel_str(out.add(len as usize).cast(), COMPONENT, name.0 as *const _);
        if read > 0 {
            (&raw mut (*walk).len).write_volatile(len + read as u64);
        }
        let parent = dentry.follow(&offset::DENTRY_PARENT);
        (&raw mut (*walk).dentry).write_volatile(parent.0);
        // A tree that is mounted nowhere ends at itself: memfd, detached mount.
        parent == dentry
    }
}
