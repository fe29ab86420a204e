//! Files of images, read beside everything else: of each image once, for its layers never change.

use std::collections::HashSet;
use std::sync::mpsc as threads;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::model::{Fact, GraphDriver, ImageFiles};
use crate::source::host::layers::{Budget, Reader};
use crate::telemetry;

/// Images that may wait to be read.
const WAITING: usize = 4096;
/// Work that one image may make.
const BUDGET: Budget = Budget {
    entries: 300_000,
    bytes: 64 << 20,
    largest: 16 << 20,
    time: Duration::from_secs(60),
};
/// The lowest priority that a thread can have, of the processor and thereby of the disk.
const NICE: i32 = 19;

/// What was read of one image, or why nothing was.
#[derive(Debug)]
pub(super) struct ImageRead {
    /// Its id.
    pub(super) id: String,
    pub(super) files: Fact<Box<ImageFiles>>,
}

/// Has images read.
#[derive(Debug)]
pub(super) struct Layers {
    ask: threads::SyncSender<GraphDriver>,
    /// Ids of images that were asked for and are still there.
    asked: HashSet<String>,
}

impl Layers {
    /// Starts the thread that reads. It ends when this is dropped.
    pub(super) fn start() -> (Self, mpsc::Receiver<ImageRead>) {
        let (ask, asked) = threads::sync_channel(WAITING);
        let (told, queue) = mpsc::channel(1);
        let thread = std::thread::Builder::new().name("layers".to_owned());
        if let Err(error) = thread.spawn(move || read_all(&asked, &told)) {
            tracing::warn!(%error, "No thread could be started to read images.");
        }
        let asked = HashSet::new();
        (Self { ask, asked }, queue)
    }

    /// Has an image read, unless it was.
    ///
    /// # Errors
    /// Why it will not be.
    pub(super) fn ask(&mut self, layers: GraphDriver) -> Result<(), ImageRead> {
        if self.asked.contains(&layers.image) {
            return Ok(());
        }
        let id = layers.image.clone();
        match self.ask.try_send(layers) {
            Ok(()) => {
                self.asked.insert(id);
                Ok(())
            }
            Err(error) => {
                let why = match error {
                    threads::TrySendError::Full(_) => "too many images wait to be read",
                    threads::TrySendError::Disconnected(_) => "nobody reads images any more",
                };
                let files = Fact::unknown(why);
                Err(ImageRead { id, files })
            }
        }
    }

    /// Forgets an image that is gone, or that could not be read: it is read when it is told again.
    pub(super) fn forget(&mut self, id: &str) {
        self.asked.remove(id);
    }
}

fn read_all(asked: &threads::Receiver<GraphDriver>, told: &mpsc::Sender<ImageRead>) {
    // Of this thread alone, as `setpriority(2)` has it on Linux.
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(%error, "Images are read at the usual priority.");
    }
    let mut reader = Reader::default();
    let mut next = asked.recv();
    while let Ok(layers) = next {
        let files = match reader.read(&layers, BUDGET) {
            Ok(files) => Fact::Known(Box::new(files)),
            Err(error) => Fact::unknown(error.in_full()),
        };
        let id = layers.image;
        if told.blocking_send(ImageRead { id, files }).is_err() {
            return;
        }
        next = asked.try_recv().or_else(|_none_waits| {
            telemetry::give_back_memory();
            asked.recv()
        });
    }
}
