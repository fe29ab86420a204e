//! Finding a member, through anonymous structures and modifiers.

use super::record::Record;
use super::{Btf, OffsetError};

/// Anonymous structures within anonymous structures: the kernel has three levels.
const MAX_DEPTH: u32 = 16;
/// Modifiers around one type: the kernel has five or so.
const MAX_MODIFIERS: u32 = 32;
/// Members looked at for one path: the kernel's largest structure has some hundreds. Anonymous
/// structures within each other could otherwise multiply with each level.
const MAX_STEPS: u32 = 100_000;

/// Where a field lies in its structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldOffset {
    /// An ordinary field: bytes from the structure's start.
    Bytes(u32),
    /// A bit-field: bits from the structure's start, counted as the machine's byte order does, and
    /// its width.
    Bits {
        /// First bit.
        offset: u32,
        /// Number of bits.
        width: u32,
    },
}

/// A member that was found, from the start of the outermost structure.
#[derive(Clone, Copy)]
struct Found {
    bit_offset: u32,
    bits: u32,
    type_id: u32,
}

/// A bounded walk.
pub(super) struct Search<'a> {
    btf: &'a Btf,
    steps: u32,
}

impl<'a> Search<'a> {
    /// A search for one path, in however many structures bear the name.
    pub(super) const fn new(btf: &'a Btf) -> Self {
        Self { btf, steps: 0 }
    }

    /// Offset of `path` in a structure.
    pub(super) fn offset(&mut self, structure: Record<'_>, path: &str) -> Result<FieldOffset, OffsetError> {
        let mut within = structure;
        let mut names = path.split('.');
        let mut name = names.next().unwrap_or_default();
        let mut found = self.any_of(within, name, 0)?;
        for next in names {
            within = self
                .btf
                .without_modifiers(found.type_id)
                .filter(|record| record.kind.is_composite() && found.bits == 0)
                .ok_or_else(|| OffsetError::NotAStructure(name.to_owned()))?;
            name = next;
            found = self.any_of(within, name, found.bit_offset)?;
        }
        match (found.bits, found.bit_offset % 8) {
            (0, 0) => Ok(FieldOffset::Bytes(found.bit_offset / 8)),
            (0, _) => Err(OffsetError::Unaligned(name.to_owned())),
            (width, _) => Ok(FieldOffset::Bits {
                offset: found.bit_offset,
                width,
            }),
        }
    }

    /// The first of the alternatives `a|b` that the structure has; `base` is where it starts, in bits.
    fn any_of(&mut self, structure: Record<'_>, names: &str, base: u32) -> Result<Found, OffsetError> {
        for name in names.split('|').filter(|name| !name.is_empty()) {
            let found = self
                .member(structure, name, base, 0)
                .map_err(|Entangled| OffsetError::Malformed(name.to_owned()))?;
            if let Some(found) = found {
                return Ok(found);
            }
        }
        Err(OffsetError::NoMember(names.to_owned()))
    }

    fn member(
        &mut self,
        structure: Record<'_>,
        name: &str,
        base: u32,
        depth: u32,
    ) -> Result<Option<Found>, Entangled> {
        for member in structure.members() {
            self.steps += 1;
            if self.steps > MAX_STEPS || depth > MAX_DEPTH {
                return Err(Entangled);
            }
            let named = self.btf.string_is(member.name, name);
            if !named && !self.btf.string_is(member.name, "") {
                continue;
            }
            let bit_offset = base.checked_add(member.bit_offset).ok_or(Entangled)?;
            if named {
                return Ok(Some(Found {
                    bit_offset,
                    bits: member.bits,
                    type_id: member.type_id,
                }));
            }
            if let Some(inner) = self.btf.without_modifiers(member.type_id)
                && let Some(found) = self.member(inner, name, bit_offset, depth + 1)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// The walk was given up, or an offset overflowed.
struct Entangled;

impl Btf {
    /// The type behind typedefs and qualifiers; `None` for `void`, for an id that does not exist and
    /// for modifiers that go in a circle.
    fn without_modifiers(&self, id: u32) -> Option<Record<'_>> {
        let mut id = id;
        for _ in 0..MAX_MODIFIERS {
            let record = self.record(id)?;
            if !record.kind.is_modifier() {
                return Some(record);
            }
            id = record.size_or_type;
        }
        None
    }
}
