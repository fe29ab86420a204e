//! Watched files, directories and sockets of the host, by fanotify (`fanotify(7)`, Linux 5.9 and later).
//!
//! Directories are marked: a mark on a directory tells of every change of what it holds, replacements included, and of the
//! files themselves, for one may have other names. Nothing else on the host pays for it. Events name the directory by its
//! handle and what it holds by name, and the file by its own handle; the
//! process is looked at as soon as its event is read, for most are gone soon after.

mod decode;
mod doer;
mod handle;
mod reader;
mod table;

pub use decode::{DecodeError, RawEvent, events};
pub use doer::{Doer, container_of, doer, exe_file};
pub use reader::{FileItem, FileWatch, FileWatchError};
