//! The thread that reads the trail.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::time::Timespec;
use tokio::sync::mpsc::Sender;

use super::socket::{Records, Taken};
use super::{Heard, Shared};
use crate::model::Time;
use crate::source::audit::assemble::{Assembler, AuditEvent};
use crate::source::audit::batch::{Batch, MANY};
use crate::source::audit::link::split;
use crate::source::audit::record::Record;
use crate::source::audit::{AuditError, Interest};

/// How often the thread looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(500);
/// How long records gather before the next are taken: whoever is recorded is not made to wake this thread for each.
const GATHER: Duration = Duration::from_millis(2);

/// Reads the trail until nobody listens.
pub(super) struct Reader {
    records: Arc<Records>,
    sorter: Sorter,
    shared: Arc<Shared>,
    out: Sender<Heard>,
}

impl Reader {
    pub(super) fn new(
        records: Arc<Records>,
        interest: Arc<Interest>,
        shared: Arc<Shared>,
        out: Sender<Heard>,
    ) -> Self {
        let sorter = Sorter {
            assembler: Assembler::default(),
            interest,
            last: Time::now(),
            heard: Vec::new(),
        };
        Self {
            records,
            sorter,
            shared,
            out,
        }
    }

    pub(super) fn run(mut self) {
        let mut batch = Batch::of(MANY);
        while self.is_wanted() {
            let round = self.wait().and_then(|()| self.drain(&mut batch));
            if let Err(error) = round {
                self.sorter.heard.push(Heard::Failed(error));
                self.send();
                return;
            }
            if !self.sorter.interest.is_urgent() {
                std::thread::sleep(GATHER);
            }
        }
        self.sorter.give_up();
        self.send();
    }

    fn is_wanted(&self) -> bool {
        !self.out.is_closed() && !self.shared.is_closed.load(Ordering::Relaxed)
    }

    /// Waits for a record, or until an event has waited long enough for its end.
    fn wait(&self) -> Result<(), AuditError> {
        let due = self.sorter.assembler.deadline();
        let patience = due.map_or(LOOK, |due| {
            due.saturating_duration_since(Instant::now()).min(LOOK)
        });
        let patience = Timespec::try_from(patience).ok();
        let mut ready = [PollFd::new(&*self.records, PollFlags::IN)];
        match poll(&mut ready, patience.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(AuditError::of_call("wait for", error.into())),
        }
    }

    /// Takes all that waits.
    fn drain(&mut self, batch: &mut Batch) -> Result<(), AuditError> {
        loop {
            let now = Instant::now();
            let mut count = 0;
            let taken = self.records.take(batch, |datagram| {
                count += 1;
                self.sorter.take(datagram, now);
            })?;
            self.shared.taken.fetch_add(count, Ordering::Relaxed);
            if taken == Taken::Dropping {
                let from = self.sorter.last;
                self.sorter.heard.push(Heard::Dropping { from });
            }
            self.sorter.expire(now);
            self.send();
            if taken == Taken::All || !self.is_wanted() {
                return Ok(());
            }
        }
    }

    /// Hands over what was found; waits where the queue is full. Where nobody listens any more, the thread ends soon.
    fn send(&mut self) {
        for heard in self.sorter.heard.drain(..) {
            if self.out.blocking_send(heard).is_err() {
                return;
            }
        }
    }
}

/// Makes events of datagrams, and keeps those that matter.
struct Sorter {
    assembler: Assembler,
    interest: Arc<Interest>,
    /// Time of the last record.
    last: Time,
    heard: Vec<Heard>,
}

impl Sorter {
    fn take(&mut self, datagram: &[u8], now: Instant) {
        let record = split(datagram).and_then(|(header, body)| Record::parse(header.message_type, body));
        match record {
            Some(record) => {
                self.last = record.id.time;
                let event = self.assembler.push(record, now);
                self.keep(event);
            }
            None => self.heard.push(Heard::Malformed { after: self.last }),
        }
    }

    fn expire(&mut self, now: Instant) {
        while let Some(event) = self.assembler.expire(now) {
            self.keep(Some(event));
        }
    }

    /// Gives away what is open as it is.
    fn give_up(&mut self) {
        while let Some(deadline) = self.assembler.deadline() {
            self.expire(deadline);
        }
    }

    fn keep(&mut self, event: Option<AuditEvent>) {
        let event = event.filter(|event| self.interest.concerns(event));
        self.heard.extend(event.map(Heard::Event));
    }
}
