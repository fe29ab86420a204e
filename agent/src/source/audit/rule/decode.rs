//! A rule from `struct audit_rule_data` (`include/uapi/linux/audit.h`).

use netlink_packet_audit::constants::{AUDIT_DIR, AUDIT_EXE, AUDIT_WATCH};
use zerocopy::{FromBytes, Immutable, KnownLayout};

use super::{MASK_WORDS, MAX_FIELDS, field};
use crate::model::{AuditField, AuditRule};

/// `AUDIT_FILTER_PREPEND`: not part of which list it is.
const PREPEND: u32 = 0x10;

/// The fixed part of the structure.
#[derive(FromBytes, KnownLayout, Immutable)]
#[repr(C)]
struct Head {
    flags: u32,
    action: u32,
    field_count: u32,
    mask: [u32; MASK_WORDS],
    fields: [u32; MAX_FIELDS],
    values: [u32; MAX_FIELDS],
    operators: [u32; MAX_FIELDS],
    text_length: u32,
}

/// A rule from the body of an `AUDIT_LIST_RULES` message. `None` where the bytes are not one: too short, more fields than
/// there can be, or texts that lie outside.
#[must_use]
pub fn decode_rule(body: &[u8]) -> Option<AuditRule> {
    let (head, rest) = Head::read_from_prefix(body).ok()?;
    let mut texts = rest.get(..usize::try_from(head.text_length).ok()?)?;
    let count = usize::try_from(head.field_count).ok()?;
    if count > MAX_FIELDS {
        return None;
    }
    let columns = head.fields.iter().zip(&head.values).zip(&head.operators);
    let mut fields = Vec::with_capacity(count);
    for ((number, value), operator) in columns.take(count) {
        let text = if field::is_text(*number) {
            let (text, after) = texts.split_at_checked(usize::try_from(*value).ok()?)?;
            texts = after;
            Some(String::from_utf8_lossy(text).into_owned())
        } else {
            None
        };
        fields.push(AuditField {
            field: *number,
            op: *operator,
            value: *value,
            text,
        });
    }
    Some(AuditRule {
        list: head.flags & !PREPEND,
        action: head.action,
        mask: calls(&head.mask),
        fields,
        target: None,
    })
}

/// The mask with every bit set where it means every call: the kernel takes away the last sixteen bits, which stand for
/// classes of calls in a request.
fn calls(mask: &[u32; MASK_WORDS]) -> Vec<u32> {
    match mask.split_last() {
        Some((_classes, words)) if words.iter().all(|word| *word == u32::MAX) => vec![u32::MAX; MASK_WORDS],
        _ => mask.to_vec(),
    }
}

/// The path that a rule is about: of what it watches, else of the program it is for.
pub(super) fn path(rule: &AuditRule) -> Option<&str> {
    [AUDIT_WATCH, AUDIT_DIR, AUDIT_EXE].iter().find_map(|wanted| {
        let field = rule.fields.iter().find(|field| field.field == *wanted)?;
        field.text.as_deref()
    })
}
