//! One record of the trail: its header, and its fields.
//!
//! Written by the kernel and by programs that it trusts, but full of names that anybody chose: total on any bytes.

mod fields;

pub use fields::{Field, Fields, Value};

use crate::model::Time;

/// Longest body that is kept; the kernel's own limit (`AUDIT_MESSAGE_TEXT_MAX` is 8560, with header and name of the type).
const MAX_BODY: usize = 9000;
/// Separates what the kernel wrote from what the daemon added to explain it (`log_format = ENRICHED`).
const ENRICHMENT: u8 = 0x1d;

/// Types of records (`include/uapi/linux/audit.h`).
pub(super) mod kind {
    pub(in super::super) use netlink_packet_audit::constants::{
        AUDIT_BPRM_FCAPS as BPRM_FCAPS, AUDIT_CONFIG_CHANGE as CONFIG_CHANGE,
        AUDIT_DAEMON_ABORT as DAEMON_ABORT, AUDIT_DAEMON_END as DAEMON_END,
        AUDIT_DAEMON_START as DAEMON_START, AUDIT_EOE as EOE, AUDIT_EXECVE as EXECVE,
        AUDIT_FEATURE_CHANGE as FEATURE_CHANGE, AUDIT_PATH as PATH, AUDIT_PROCTITLE as PROCTITLE,
        AUDIT_SOCKADDR as SOCKADDR, AUDIT_SYSCALL as SYSCALL,
    };
}

/// Which event a record is part of. Serial numbers alone come back: they have 32 bits, and start anew at boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// When it happened, to the millisecond.
    pub time: Time,
    /// Serial number.
    pub serial: u64,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Type, `AUDIT_SYSCALL` and so on.
    pub kind: u16,
    /// Its event.
    pub id: EventId,
    /// What follows the header.
    body: Box<[u8]>,
}

impl Record {
    /// From type and text, as they come from the kernel. `None` where the text has no header or is too long.
    #[must_use]
    pub fn parse(kind: u16, text: &[u8]) -> Option<Self> {
        if text.len() > MAX_BODY {
            return None;
        }
        let text = text.strip_suffix(b"\0").unwrap_or(text);
        let (id, body) = header(text)?;
        let body = body.into();
        Some(Self { kind, id, body })
    }

    /// Size, for limits.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>() + self.body.len()
    }

    /// The fields, in order.
    #[must_use]
    pub fn fields(&self) -> Fields<'_> {
        let raw = self.body.split(|byte| *byte == ENRICHMENT).next();
        Fields::of(raw.unwrap_or_default())
    }

    /// The first field of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Value<'_>> {
        self.fields()
            .find(|field| field.name == name.as_bytes())
            .map(|field| field.value)
    }

    /// A field that is a decimal number.
    #[must_use]
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.number()
    }

    /// A field that holds a name: quoted, in hexadecimal digits, or `(null)`, which is none.
    #[must_use]
    pub fn name(&self, name: &str) -> Option<String> {
        self.get(name)?.name()
    }
}

/// `audit(SECONDS.MILLISECONDS:SERIAL): `, and what follows.
fn header(text: &[u8]) -> Option<(EventId, &[u8])> {
    let text = text.strip_prefix(b"audit(")?;
    let (seconds, text) = digits(text)?;
    let (milliseconds, text) = digits(text.strip_prefix(b".")?)?;
    let (serial, text) = digits(text.strip_prefix(b":")?)?;
    let body = text.strip_prefix(b"):")?;
    let nanos = i128::from(seconds) * 1_000_000_000 + i128::from(milliseconds) * 1_000_000;
    let id = EventId {
        time: Time::from_unix_nanos(nanos),
        serial,
    };
    Some((id, body))
}

/// The number at the start of a text.
fn digits(text: &[u8]) -> Option<(u64, &[u8])> {
    let end = text.iter().position(|byte| !byte.is_ascii_digit());
    let (number, rest) = text.split_at_checked(end.unwrap_or(text.len()))?;
    Some((std::str::from_utf8(number).ok()?.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Option<(&str, u64)>) {
        let id = Record::parse(1300, text.as_bytes()).map(|record| record.id);
        let id = id.map(|id| (id.time.to_string(), id.serial));
        assert_eq!(id, expect.map(|(time, serial)| (time.to_owned(), serial)));
    }

    #[test]
    fn a_header_has_a_time_and_a_serial_number() {
        let time = "2023-11-14T22:13:20.123000000Z";
        check("audit(1700000000.123:456): a=b", Some((time, 456)));
        check("audit(1700000000.123:4294967295):", Some((time, 4_294_967_295)));
        for bad in [
            "",
            "audit(",
            "audit(1.2:3)",
            "audit(x.2:3): ",
            "audit(1.2:): ",
            "audit(1:2): ",
            "audit(99999999999999999999.1:1): ",
            " audit(1.2:3): ",
        ] {
            check(bad, None);
        }
        let long = format!("audit(1.2:3): {}", "a".repeat(MAX_BODY));
        check(&long, None);
    }

    #[test]
    fn what_the_daemon_added_is_no_part_of_it() {
        let text = "audit(1.2:3): uid=0 comm=\"a\"\u{1d}UID=\"root\" comm=\"b\"";
        let record = Record::parse(1300, text.as_bytes()).unwrap();
        assert_eq!(record.number::<u32>("uid"), Some(0));
        assert_eq!(record.get("UID"), None);
        assert_eq!(record.name("comm").as_deref(), Some("a"));
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "audit\\([0-9]{1,12}\\.[0-9]{1,4}:[0-9]{1,22}\\):[ -~\u{0}\u{1d}é]{0,200}") {
            if let Some(record) = Record::parse(1300, text.as_bytes()) {
                let read: usize = record.fields().map(|field| field.name.len() + 1).sum();
                prop_assert!(read <= text.len());
                prop_assert!(record.name("a").is_none_or(|name| name.len() <= text.len() * 3));
            }
        }

        #[test]
        fn any_bytes_are_survived(kind: u16, bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let text = [b"audit(1.2:3): ".as_slice(), &bytes].concat();
            let record = Record::parse(kind, &text).unwrap();
            prop_assert!(record.fields().count() <= bytes.len());
        }
    }
}
