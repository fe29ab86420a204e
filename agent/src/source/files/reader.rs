//! The fanotify group, and the thread that reads it.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::sys::fanotify::{EventFFlags, Fanotify, InitFlags, MarkFlags, MaskFlags};
use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::mpsc;

use super::decode::{OVERFLOW, RawEvent, events};
use super::doer::{Doer, doer};
use super::table::Table;
use crate::model::{FileChange, Object, Time};

/// `FAN_REPORT_DIR_FID | FAN_REPORT_NAME` (Linux 5.9).
const REPORT_NAMES: u32 = 0x400 | 0x800;
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

    /// Watches exactly these objects from now on. Gives the directories that cannot be watched, with the reason.
    pub fn watch(&self, objects: &[Object]) -> Vec<String> {
        let (table, marks, mut failed) = Table::new(objects);
        // First the names, then the marks: nothing that is marked is unknown. Marks of before are left where they are: what
        // they tell of is nobody's by then.
        *self.shared.table.lock().unwrap_or_else(PoisonError::into_inner) = table;
        failed.extend(marks.iter().filter_map(|path| self.mark(path).err()));
        failed
    }

    fn mark(&self, directory: &PathBuf) -> Result<(), String> {
        let mask = MaskFlags::FAN_MODIFY
            | MaskFlags::FAN_CLOSE_WRITE
            | MaskFlags::FAN_ATTRIB
            | MaskFlags::FAN_CREATE
            | MaskFlags::FAN_DELETE
            | MaskFlags::FAN_MOVE
            | MaskFlags::FAN_DELETE_SELF
            | MaskFlags::FAN_MOVE_SELF
            | MaskFlags::FAN_EVENT_ON_CHILD
            | MaskFlags::FAN_ONDIR;
        let flags = MarkFlags::FAN_MARK_ADD | MarkFlags::FAN_MARK_ONLYDIR;
        self.shared
            .group
            .mark(flags, mask, rustix::fs::CWD, Some(directory))
            .map_err(|error| format!("{}: {error}", directory.display()))
    }
}

impl Shared {
    fn read(&self, out: &mpsc::Sender<FileItem>) {
        let mut buffer = vec![0; BUFFER];
        let wait = rustix::time::Timespec {
            tv_sec: 0,
            tv_nsec: i64::from(LOOK.subsec_nanos()),
        };
        while !out.is_closed() {
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
        let (path, role) = table.find(&event.directory, &event.name)?;
        drop(table);
        let there = rustix::fs::lstat(path.as_str()).ok();
        let device = |stat: &rustix::fs::Stat| {
            let (major, minor) = (rustix::fs::major(stat.st_dev), rustix::fs::minor(stat.st_dev));
            format!("{major}:{minor}")
        };
        Some(FileChange {
            ops: ops(event.mask),
            role: Some(role),
            ino: there.as_ref().map(|stat| stat.st_ino),
            dev: there.as_ref().map(device),
            path,
        })
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

/// Adds an event to the change it belongs to, if there is one.
fn merge(told: &mut [FileItem], event: &RawEvent, found: &FileChange) -> bool {
    for item in told {
        if let FileItem::Changed { change, pid, .. } = item
            && *pid == event.pid
            && change.path == found.path
        {
            for op in &found.ops {
                if !change.ops.contains(op) {
                    change.ops.push(op.clone());
                }
            }
            return true;
        }
    }
    false
}

fn failed(out: &mpsc::Sender<FileItem>, error: &io::Error) {
    // With nobody to tell it to there is nothing left to do.
    drop(out.try_send(FileItem::Failed(error.to_string())));
}
