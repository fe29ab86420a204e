//! The fanotify group, and the thread that reads it.

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::sys::fanotify::{EventFFlags, Fanotify, InitFlags, MarkFlags, MaskFlags};
use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::mpsc;

use super::decode::{OVERFLOW, RawEvent, events};
use super::doer::{Doer, doer};
use super::table::{Mark, Table};
use crate::model::{FileAttributes, FileChange, Object, Role, Time};

/// `FAN_REPORT_FID | FAN_REPORT_DIR_FID | FAN_REPORT_NAME` (Linux 5.9).
const REPORT_NAMES: u32 = 0x200 | 0x400 | 0x800;
/// `FAN_CREATE | FAN_MOVED_TO`, and `FAN_ONDIR`.
const ARRIVED: u64 = 0x100 | 0x80;
const ON_DIR: u64 = 0x4000_0000;
/// Entries of a new directory that are looked at, and how deep.
const ADOPTED: usize = 256;
const ADOPTED_BELOW: usize = 2;
/// Marks that may stay on what is watched no longer, before all are made anew.
const MARKED: usize = 4096;
/// Bytes read at once.
const BUFFER: usize = 64 * 1024;
/// Changes that may wait to be taken.
const QUEUE: usize = 1024;
/// How often the thread looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(500);

/// `FAN_*` by what they are called in [`FileChange::ops`].
const OPS: [(u64, &str); 7] = [
    (0x2 | 0x8, "write"),
    (0x4, "attributes"),
    (0x100, "create"),
    (0x200 | 0x400, "delete"),
    (0x40, "move-from"),
    (0x80, "move-to"),
    (0x800, "move-from"),
];

/// Why files cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum FileWatchError {
    /// The kernel is too old, or the privilege is missing.
    #[error("fanotify with names (Linux 5.9, CAP_SYS_ADMIN) is not to be had")]
    Init(#[source] io::Error),
    /// No thread could be started.
    #[error("no thread could be started")]
    Thread(#[source] io::Error),
}

/// What the watch tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileItem {
    /// A watched object was changed.
    Changed {
        /// When it was noticed.
        time: Time,
        /// What was done.
        change: FileChange,
        /// Process id; 0 where the kernel does not say.
        pid: u32,
        /// The process, where it was still there.
        doer: Option<Box<Doer>>,
    },
    /// Changes were lost; how many, where that is known.
    Lost {
        /// When it was noticed.
        time: Time,
        /// How many.
        count: Option<u64>,
    },
    /// Nothing can be read any more, and why.
    Failed(String),
}

/// A watch over files. It ends when its queue is dropped.
#[derive(Debug)]
pub struct FileWatch {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    group: Fanotify,
    table: Mutex<Table>,
    /// Handles of all that was marked.
    marked: Mutex<HashSet<Vec<u8>>>,
    /// Whether marks were taken away since that was last told.
    flushed: AtomicBool,
    unsent: AtomicU64,
}

impl FileWatch {
    /// Starts watching nothing.
    ///
    /// # Errors
    /// [`FileWatchError`].
    pub fn start() -> Result<(Self, mpsc::Receiver<FileItem>), FileWatchError> {
        let flags = InitFlags::FAN_CLOEXEC
            | InitFlags::FAN_CLASS_NOTIF
            | InitFlags::FAN_NONBLOCK
            | InitFlags::from_bits_retain(REPORT_NAMES);
        let group = Fanotify::init(flags, EventFFlags::O_RDONLY);
        let group = group.map_err(|error| FileWatchError::Init(error.into()))?;
        let shared = Arc::new(Shared {
            group,
            table: Mutex::default(),
            marked: Mutex::default(),
            flushed: AtomicBool::new(false),
            unsent: AtomicU64::new(0),
        });
        let (told, queue) = mpsc::channel(QUEUE);
        let reader = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("files".to_owned())
            .spawn(move || reader.read(&told))
            .map_err(FileWatchError::Thread)?;
        Ok((Self { shared }, queue))
    }

    /// Watches exactly these objects of the host from now on, whose files begin at `root` for this process. Gives what
    /// cannot be watched, with the reason.
    pub fn watch(&self, root: &str, objects: &[Object]) -> Vec<String> {
        let (table, marks, mut failed) = Table::new(Path::new(root), objects);
        // First the names, then the marks: nothing that is marked is unknown. Marks of before are left where they are: what
        // they tell of is nobody's by then.
        *self.shared.table.lock().unwrap_or_else(PoisonError::into_inner) = table;
        failed.extend(self.shared.clear());
        failed.extend(marks.iter().filter_map(|mark| self.shared.mark(mark).err()));
        failed
    }
}

impl Shared {
    fn mark(&self, mark: &Mark) -> Result<(), String> {
        let mut mask = MaskFlags::FAN_MODIFY | MaskFlags::FAN_CLOSE_WRITE | MaskFlags::FAN_ATTRIB;
        let mut flags = MarkFlags::FAN_MARK_ADD;
        if mark.is_directory {
            mask |= MaskFlags::FAN_CREATE
                | MaskFlags::FAN_DELETE
                | MaskFlags::FAN_MOVE
                | MaskFlags::FAN_DELETE_SELF
                | MaskFlags::FAN_MOVE_SELF
                | MaskFlags::FAN_EVENT_ON_CHILD
                | MaskFlags::FAN_ONDIR;
            flags |= MarkFlags::FAN_MARK_ONLYDIR;
        }
        self.group
            .mark(flags, mask, rustix::fs::CWD, Some(&mark.path))
            .map_err(|error| format!("{}: {error}", mark.path.display()))?;
        let mut marked = self.marked.lock().unwrap_or_else(PoisonError::into_inner);
        marked.insert(mark.handle.clone());
        Ok(())
    }

    /// Takes all marks away where too many were left behind: what happens until they are made anew is not seen.
    fn clear(&self) -> Option<String> {
        let mut marked = self.marked.lock().unwrap_or_else(PoisonError::into_inner);
        if marked.len() < MARKED {
            return None;
        }
        marked.clear();
        let flush = MarkFlags::FAN_MARK_FLUSH;
        let done = self
            .group
            .mark(flush, MaskFlags::empty(), rustix::fs::CWD, None::<&Path>);
        self.flushed.store(true, Ordering::Relaxed);
        done.err().map(|error| format!("marks: {error}"))
    }

    fn read(&self, out: &mpsc::Sender<FileItem>) {
        let mut buffer = vec![0; BUFFER];
        let wait = rustix::time::Timespec {
            tv_sec: 0,
            tv_nsec: i64::from(LOOK.subsec_nanos()),
        };
        while !out.is_closed() {
            if self.flushed.swap(false, Ordering::Relaxed) {
                let (time, count) = (Time::now(), None);
                self.send(FileItem::Lost { time, count }, out);
            }
            let mut ready = [PollFd::new(&self.group, PollFlags::IN)];
            match poll(&mut ready, Some(&wait)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => continue,
                Ok(_) => {}
                Err(error) => return failed(out, &error.into()),
            }
            match rustix::io::read(&self.group, &mut buffer) {
                Ok(length) => self.tell(buffer.get(..length).unwrap_or_default(), out),
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
                Err(error) => return failed(out, &error.into()),
            }
        }
    }

    /// Tells what a read brought: one change for all that one process did to one object.
    fn tell(&self, bytes: &[u8], out: &mpsc::Sender<FileItem>) {
        let time = Time::now();
        let Ok(all) = events(bytes) else {
            return self.send(FileItem::Lost { time, count: None }, out);
        };
        let own = std::process::id();
        let mut told: Vec<FileItem> = Vec::new();
        for event in all.into_iter().filter(|event| event.pid != own) {
            if event.mask & OVERFLOW != 0 {
                told.push(FileItem::Lost { time, count: None });
            } else if let Some(found) = self.change(&event)
                && !merge(&mut told, &event, &found)
            {
                told.push(FileItem::Changed {
                    time,
                    change: found,
                    pid: event.pid,
                    doer: doer(event.pid).map(Box::new),
                });
            }
        }
        for item in told {
            self.send(item, out);
        }
    }

    fn change(&self, event: &RawEvent) -> Option<FileChange> {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let (path, role) = table.find(&event.directory, &event.name, &event.object)?;
        let inner = table.inner(&path);
        drop(table);
        let grows = matches!(role, Role::RegistryCertDir | Role::SwarmState);
        if grows && event.mask & ON_DIR != 0 && event.mask & ARRIVED != 0 {
            self.adopt(&path, role, ADOPTED_BELOW);
        }
        let there = rustix::fs::lstat(&inner).ok();
        let device = |stat: &rustix::fs::Stat| {
            let (major, minor) = (rustix::fs::major(stat.st_dev), rustix::fs::minor(stat.st_dev));
            format!("{major}:{minor}")
        };
        Some(FileChange {
            ops: ops(event.mask),
            role: Some(role),
            ino: there.as_ref().map(|stat| stat.st_ino),
            dev: there.as_ref().map(device),
            attributes: there.as_ref().map(attributes),
            path,
        })
    }

    /// Follows what is made in a new directory at once, and what was made in it before anybody could look.
    fn adopt(&self, path: &str, role: Role, depth: usize) {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mark) = table.adopt(path, role) else {
            return;
        };
        drop(table);
        if let Err(failed) = self.mark(&mark) {
            tracing::debug!(%failed, "A new directory cannot be watched.");
        }
        let Ok(entries) = std::fs::read_dir(&mark.path) else {
            return;
        };
        for entry in entries.flatten().take(ADOPTED) {
            if depth > 0 && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                let inner = format!("{path}/{}", entry.file_name().to_string_lossy());
                self.adopt(&inner, role, depth - 1);
            }
        }
    }

    /// Hands an item over, or counts it: nobody is waited for, since the kernel would lose more.
    fn send(&self, item: FileItem, out: &mpsc::Sender<FileItem>) {
        let before = self.unsent.swap(0, Ordering::Relaxed);
        if before > 0 {
            let lost = FileItem::Lost {
                time: Time::now(),
                count: Some(before),
            };
            if out.try_send(lost).is_err() {
                self.unsent.fetch_add(before, Ordering::Relaxed);
            }
        }
        if out.try_send(item).is_err() {
            self.unsent.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn ops(mask: u64) -> Vec<String> {
    let mut ops: Vec<String> = OPS
        .iter()
        .filter(|(bits, _)| mask & bits != 0)
        .map(|(_, name)| (*name).to_owned())
        .collect();
    ops.dedup();
    ops
}

fn attributes(stat: &rustix::fs::Stat) -> FileAttributes {
    let seconds = i128::from(stat.st_ctime).saturating_mul(1_000_000_000);
    FileAttributes {
        mode: stat.st_mode,
        uid: stat.st_uid,
        gid: stat.st_gid,
        changed: Time::from_unix_nanos(seconds.saturating_add(i128::from(stat.st_ctime_nsec))),
    }
}

/// Adds an event to the change it belongs to, if that is the last of its object: the order of what others did stands.
fn merge(told: &mut [FileItem], event: &RawEvent, found: &FileChange) -> bool {
    let of_object =
        |item: &&mut FileItem| matches!(item, FileItem::Changed { change, .. } if change.path == found.path);
    let Some(FileItem::Changed { change, pid, .. }) = told.iter_mut().rev().find(of_object) else {
        return false;
    };
    if *pid != event.pid {
        return false;
    }
    for op in &found.ops {
        if !change.ops.contains(op) {
            change.ops.push(op.clone());
        }
    }
    change.attributes = found.attributes;
    true
}

fn failed(out: &mpsc::Sender<FileItem>, error: &io::Error) {
    // With nobody to tell it to there is nothing left to do.
    drop(out.try_send(FileItem::Failed(error.to_string())));
}
