//! Ids of violations.

use crate::model::Violation;
use uuid::{Builder, Uuid};

/// Namespace of our name-based hashes; any fixed value, never to be changed.
const NAMESPACE: Uuid = Uuid::from_u128(0x6875_6c6c_7761_7463_682f_7669_6f6c_6174);

/// UUID version 7 of a violation: its millisecond, then a hash of what it is.
///
/// Not random, so that a replayed recording gives the same ids and a receiver can drop what it got
/// twice. SHA-1 (through UUID version 5) and not a table hash, because paths and arguments are the
/// attacker's to choose and two violations with one id would be one violation to the receiver.
pub(super) fn violation_id(violation: &Violation, subject: &str) -> String {
    let container = violation
        .container
        .as_ref()
        .and_then(|container| container.id.as_ref());
    let parts = [
        violation.host.boot_id.as_str(),
        violation.check.key.as_str(),
        violation.class.name(),
        violation.severity.name(),
        container.map_or("", |id| id.as_str()),
        subject,
    ];
    let mut name = Vec::new();
    for part in parts {
        // With its length before it, no part can pose as the end of the one before.
        name.extend(part.len().to_be_bytes());
        name.extend(part.as_bytes());
    }
    name.extend(violation.time.unix_nanos().to_be_bytes());
    name.extend(
        violation
            .first
            .map_or(0, |first| first.unix_nanos())
            .to_be_bytes(),
    );
    name.extend(violation.count.to_be_bytes());
    name.extend(
        violation
            .process
            .as_ref()
            .map_or(0, |process| process.pid)
            .to_be_bytes(),
    );
    let hash = Uuid::new_v5(&NAMESPACE, &name);
    // Bytes 6 to 8 of version 5 hold its version and variant; the others are hash.
    let [a, b, c, d, e, f, _, _, _, g, h, i, j, ..] = hash.into_bytes();
    let millis = u64::try_from(violation.time.unix_nanos() / 1_000_000).unwrap_or(0);
    Builder::from_unix_timestamp_millis(millis, &[a, b, c, d, e, f, g, h, i, j])
        .into_uuid()
        .to_string()
}
