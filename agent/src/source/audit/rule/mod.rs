//! Rules: from the kernel's structure, from `auditctl`'s words, and into them.

mod accounts;
mod calls;
mod decode;
mod field;
mod listing;
mod names;
mod parse;
mod recorded;
mod render;
mod target;
#[cfg(test)]
mod tests;

pub use calls::call_name;
pub use decode::decode_rule;
pub use parse::parse_rule;
pub use recorded::{Recorded, recorded};
pub use render::render;
pub(super) use target::Targets;

/// `AUDIT_BITMASK_SIZE`: words of a rule's system call mask.
const MASK_WORDS: usize = 64;
/// `AUDIT_MAX_FIELDS`.
const MAX_FIELDS: usize = 64;
/// Separates the keys of a rule.
const KEY_SEPARATOR: char = '\u{1}';
