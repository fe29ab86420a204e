//! What fanotify calls a directory by.
#![allow(unsafe_code, reason = "no safe wrapper has name_to_handle_at(2)")]

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Longest handle (`MAX_HANDLE_SZ`).
const HANDLE_MAX: usize = 128;

/// `struct file_handle` with room for the longest handle.
#[repr(C)]
struct Handle {
    bytes: u32,
    kind: i32,
    handle: [u8; HANDLE_MAX],
}

/// Type and bytes of a file's handle (`name_to_handle_at(2)`), symlinks followed.
///
/// # Errors
/// Those of the call: `EOPNOTSUPP` where the filesystem has none.
pub(super) fn handle(path: &Path) -> io::Result<Vec<u8>> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let mut found = Handle {
        bytes: 128,
        kind: 0,
        handle: [0; HANDLE_MAX],
    };
    let mut mount = 0;
    // SAFETY: the path ends with a NUL; `found` has the layout of `struct file_handle` and the room that its first field
    // states; `mount` is an int to be written.
    let outcome = unsafe {
        libc::name_to_handle_at(
            libc::AT_FDCWD,
            path.as_ptr(),
            (&raw mut found).cast(),
            &raw mut mount,
            libc::AT_SYMLINK_FOLLOW,
        )
    };
    if outcome != 0 {
        return Err(io::Error::last_os_error());
    }
    let length = usize::try_from(found.bytes).unwrap_or_default().min(HANDLE_MAX);
    let mut all = found.kind.to_ne_bytes().to_vec();
    all.extend(found.handle.get(..length).unwrap_or_default());
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_one_handle_by_any_name() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(dir.path(), dir.path().join("alias")).unwrap();
        let own = handle(dir.path()).unwrap();
        assert!(own.len() > 4);
        assert_eq!(handle(&dir.path().join("alias")).unwrap(), own);
        assert_ne!(handle(dir.path().parent().unwrap()).unwrap(), own);
        assert!(handle(&dir.path().join("none")).is_err());
    }
}
