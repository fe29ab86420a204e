//! Bounded reading of small files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Reads a whole file of at most `limit` bytes.
///
/// # Errors
/// As of opening and reading; [`io::ErrorKind::FileTooLarge`] beyond the limit.
pub(super) fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    read_from(File::open(path)?, limit)
}

/// Reads the rest of a file of at most `limit` bytes.
pub(super) fn read_from(file: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(read).is_ok_and(|read| read <= limit) {
        Ok(bytes)
    } else {
        Err(io::ErrorKind::FileTooLarge.into())
    }
}

/// A file of one line, trimmed and made UTF-8.
pub(super) fn read_line(path: &Path) -> io::Result<String> {
    let bytes = read(path, 4096)?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}
