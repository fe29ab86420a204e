//! Events from records.
//!
//! The kernel writes the records of one event one after the other, those of several events in between, and ends an event
//! of a system call with `EOE`. What a program or a kernel thread reports is one record without an end; nothing marks it,
//! so it ends when it has waited, except for types of which there is never more than one.
//!
//! Serial numbers are only compared for being equal, together with the time: they may begin anew and come in any order.
//! Missing ones prove nothing, since a number is also spent on an event whose records a rule of the exclude list takes
//! away; losses are counted where they happen, by the kernel (`lost`) and by our socket (its drops).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::record::{EventId, Record, kind};

/// How long an event may lack its end: as long as the audit daemon's own library waits.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a change of the configuration may lack its system call: those of kernel threads have none.
const PATIENCE_FOR_CHANGE: Duration = Duration::from_millis(200);
/// Events that may be open, their records, and the bytes of all.
const MAX_OPEN: usize = 512;
const MAX_RECORDS: usize = 512;
const MAX_BYTES: usize = 16 << 20;

/// Records that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// Which.
    pub id: EventId,
    /// Records in the order in which they came, without the end.
    pub records: Vec<Record>,
    /// Whether its end was seen, or it is of a type that has none.
    pub complete: bool,
    /// Records that were left out, for there were too many.
    pub left_out: usize,
}

impl AuditEvent {
    /// The first record of a type.
    #[must_use]
    pub fn record(&self, kind: u16) -> Option<&Record> {
        self.records_of(kind).next()
    }

    /// The records of a type.
    pub fn records_of(&self, kind: u16) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(move |record| record.kind == kind)
    }
}

/// An event whose end was not seen yet.
#[derive(Debug)]
struct Open {
    event: AuditEvent,
    since: Instant,
}

impl Open {
    fn deadline(&self) -> Instant {
        let has = |kind| self.event.record(kind).is_some();
        let is_change = has(kind::CONFIG_CHANGE) && !has(kind::SYSCALL);
        self.since + if is_change { PATIENCE_FOR_CHANGE } else { PATIENCE }
    }
}

/// Puts records together. Time is handed in.
#[derive(Debug, Default)]
pub struct Assembler {
    /// Oldest first.
    open: VecDeque<Open>,
    bytes: usize,
}

impl Assembler {
    /// Takes a record; the event that it completes, or that has to make room.
    pub fn push(&mut self, record: Record, now: Instant) -> Option<AuditEvent> {
        // The event that was begun last is the likeliest.
        let at = self.open.iter().rposition(|open| open.event.id == record.id);
        if record.kind == kind::EOE {
            return self.close(at?, true);
        }
        let Some(at) = at else {
            return self.begin(record, now);
        };
        let size = record.size();
        let event = &mut self.open.get_mut(at)?.event;
        if event.records.len() >= MAX_RECORDS {
            event.left_out += 1;
            return None;
        }
        event.records.push(record);
        self.bytes += size;
        self.make_room()
    }

    fn begin(&mut self, record: Record, now: Instant) -> Option<AuditEvent> {
        let complete = stands_alone(record.kind);
        let size = record.size();
        let event = AuditEvent {
            id: record.id,
            records: vec![record],
            complete,
            left_out: 0,
        };
        if complete {
            return Some(event);
        }
        self.bytes += size;
        self.open.push_back(Open { event, since: now });
        self.make_room()
    }

    fn make_room(&mut self) -> Option<AuditEvent> {
        if self.open.len() > MAX_OPEN || self.bytes > MAX_BYTES {
            return self.close(0, false);
        }
        None
    }

    /// An event that has waited long enough.
    pub fn expire(&mut self, now: Instant) -> Option<AuditEvent> {
        let at = self.open.iter().position(|open| open.deadline() <= now)?;
        self.close(at, false)
    }

    /// When the next event will have waited long enough.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.open.iter().map(Open::deadline).min()
    }

    fn close(&mut self, at: usize, complete: bool) -> Option<AuditEvent> {
        let mut event = self.open.remove(at)?.event;
        self.bytes -= event.records.iter().map(Record::size).sum::<usize>();
        // Of a change by a kernel thread, nothing more was to come.
        event.complete = complete
            || event
                .records
                .iter()
                .all(|record| record.kind == kind::CONFIG_CHANGE);
        Some(event)
    }
}

/// Whether there is only ever one record of an event of this type: messages of programs and of the audit daemon.
const fn stands_alone(kind: u16) -> bool {
    matches!(kind, 1005 | 1100..=1299 | 2100..=2999)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(kind: u16, serial: u64) -> Record {
        sized(kind, serial, 0)
    }

    fn sized(kind: u16, serial: u64, size: usize) -> Record {
        let text = format!("audit(1700000000.000:{serial}): {}", "x".repeat(size));
        Record::parse(kind, text.as_bytes()).unwrap()
    }

    /// Serial, types, complete.
    type Seen = (u64, Vec<u16>, bool);

    fn seen(event: AuditEvent) -> Seen {
        let kinds = event.records.iter().map(|record| record.kind).collect();
        (event.id.serial, kinds, event.complete)
    }

    /// Records by type and serial, 10 ms apart; and then a long wait.
    #[track_caller]
    fn check(records: &[(u16, u64)], expect: &[Seen]) {
        let mut assembler = Assembler::default();
        let mut now = Instant::now();
        let mut found = Vec::new();
        for (kind, serial) in records {
            now += Duration::from_millis(10);
            found.extend(assembler.expire(now).map(seen));
            found.extend(assembler.push(record(*kind, *serial), now).map(seen));
        }
        while let Some(deadline) = assembler.deadline() {
            found.extend(assembler.expire(deadline).map(seen));
        }
        assert_eq!(found, expect);
        assert_eq!(assembler.bytes, 0);
    }

    #[test]
    fn records_of_an_event_come_together() {
        check(
            &[(1300, 1), (1302, 1), (1302, 1), (1327, 1), (1320, 1)],
            &[(1, vec![1300, 1302, 1302, 1327], true)],
        );
    }

    #[test]
    fn events_are_taken_apart() {
        check(
            &[(1300, 7), (1300, 5), (1302, 7), (1302, 5), (1320, 5), (1320, 7)],
            &[(5, vec![1300, 1302], true), (7, vec![1300, 1302], true)],
        );
    }

    #[test]
    fn serial_numbers_may_begin_anew() {
        check(
            &[
                (1300, 4_294_967_295),
                (1300, 0),
                (1320, 4_294_967_295),
                (1302, 0),
                (1320, 0),
            ],
            &[(4_294_967_295, vec![1300], true), (0, vec![1300, 1302], true)],
        );
    }

    #[test]
    fn messages_of_programs_are_whole_at_once() {
        check(
            &[(1300, 1), (1112, 2), (1005, 3), (1320, 1)],
            &[
                (2, vec![1112], true),
                (3, vec![1005], true),
                (1, vec![1300], true),
            ],
        );
    }

    #[test]
    fn a_change_waits_for_its_call_but_not_long() {
        check(&[(1305, 1), (1300, 1), (1320, 1)], &[(1, vec![1305, 1300], true)]);
        let mut assembler = Assembler::default();
        let start = Instant::now();
        assert_eq!(assembler.push(record(1305, 1), start), None);
        assert_eq!(assembler.deadline(), Some(start + PATIENCE_FOR_CHANGE));
        assert_eq!(assembler.expire(start + PATIENCE_FOR_CHANGE / 2), None);
        let event = assembler.expire(start + PATIENCE_FOR_CHANGE).unwrap();
        assert_eq!(seen(event), (1, vec![1305], true));
    }

    #[test]
    fn what_lost_its_end_is_told_as_such() {
        check(&[(1300, 1), (1302, 1)], &[(1, vec![1300, 1302], false)]);
        check(&[(1320, 1)], &[]);
    }

    #[test]
    fn the_oldest_makes_room() {
        let mut assembler = Assembler::default();
        let now = Instant::now();
        let count = u64::try_from(MAX_OPEN).unwrap();
        for serial in 0..count {
            assert_eq!(assembler.push(record(1300, serial), now), None);
        }
        let oldest = assembler.push(record(1300, count), now).unwrap();
        assert_eq!(seen(oldest), (0, vec![1300], false));
    }

    #[test]
    fn bytes_are_limited() {
        let mut assembler = Assembler::default();
        let now = Instant::now();
        let mut made_room = 0;
        for serial in 0..400 {
            for _ in 0..100 {
                made_room += usize::from(assembler.push(sized(1302, serial, 8000), now).is_some());
            }
            assert!(assembler.bytes <= MAX_BYTES + 9000);
        }
        assert!(made_room > 300);
    }

    #[test]
    fn an_event_without_end_is_cut_off() {
        let mut assembler = Assembler::default();
        let now = Instant::now();
        for _ in 0..MAX_RECORDS + 3 {
            assert_eq!(assembler.push(record(1302, 1), now), None);
        }
        let event = assembler.push(record(1320, 1), now).unwrap();
        assert_eq!((event.records.len(), event.left_out), (MAX_RECORDS, 3));
    }

    proptest! {
        /// Whatever comes in whatever order, each record comes out once, with its own.
        #[test]
        fn no_record_is_lost(records in proptest::collection::vec((1298..1330u16, 0..40u64), 0..300)) {
            let mut assembler = Assembler::default();
            let now = Instant::now();
            let mut out = Vec::new();
            for (kind, serial) in &records {
                out.extend(assembler.push(record(*kind, *serial), now));
            }
            out.extend(std::iter::from_fn(|| assembler.expire(now + PATIENCE)));
            prop_assert_eq!(assembler.bytes, 0);
            let own = |event: &AuditEvent| event.records.iter().all(|record| record.id == event.id);
            prop_assert!(out.iter().all(own));
            let came = records.iter().filter(|(kind, _)| *kind != kind::EOE).count();
            prop_assert_eq!(out.iter().map(|event| event.records.len()).sum::<usize>(), came);
        }
    }
}
