//! One type as it lies in the type section: `struct btf_type` and the data that follow it.

use super::BtfError;

/// Bytes of `struct btf_type`.
pub(super) const RECORD_LEN: usize = 12;

/// `BTF_KIND_*` (Linux 6.0 knows nineteen).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Ptr,
    Array,
    Struct,
    Union,
    Enum,
    Fwd,
    Typedef,
    Volatile,
    Const,
    Restrict,
    Func,
    FuncProto,
    Var,
    Datasec,
    Float,
    DeclTag,
    TypeTag,
    Enum64,
}

impl Kind {
    const fn new(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::Int,
            2 => Self::Ptr,
            3 => Self::Array,
            4 => Self::Struct,
            5 => Self::Union,
            6 => Self::Enum,
            7 => Self::Fwd,
            8 => Self::Typedef,
            9 => Self::Volatile,
            10 => Self::Const,
            11 => Self::Restrict,
            12 => Self::Func,
            13 => Self::FuncProto,
            14 => Self::Var,
            15 => Self::Datasec,
            16 => Self::Float,
            17 => Self::DeclTag,
            18 => Self::TypeTag,
            19 => Self::Enum64,
            _ => return None,
        })
    }

    /// Bytes of data after the record: a fixed part, and a part for each of `vlen`.
    const fn data_len(self) -> (usize, usize) {
        match self {
            Self::Int | Self::Var | Self::DeclTag => (4, 0),
            Self::Array => (12, 0),
            Self::Struct | Self::Union | Self::Datasec | Self::Enum64 => (0, 12),
            Self::Enum | Self::FuncProto => (0, 8),
            Self::Ptr
            | Self::Fwd
            | Self::Typedef
            | Self::Volatile
            | Self::Const
            | Self::Restrict
            | Self::Func
            | Self::Float
            | Self::TypeTag => (0, 0),
        }
    }

    /// Whether it has members.
    pub(super) const fn is_composite(self) -> bool {
        matches!(self, Self::Struct | Self::Union)
    }

    /// Whether it has enumerators.
    pub(super) const fn is_enum(self) -> bool {
        matches!(self, Self::Enum | Self::Enum64)
    }

    /// Whether it only renames or qualifies another type.
    pub(super) const fn is_modifier(self) -> bool {
        matches!(
            self,
            Self::Typedef | Self::Volatile | Self::Const | Self::Restrict | Self::TypeTag
        )
    }
}

/// Why no record starts at a place.
pub(super) enum RecordError {
    Truncated,
    UnknownKind(u32),
}

impl RecordError {
    pub(super) const fn of_type(self, id: usize) -> BtfError {
        match self {
            Self::Truncated => BtfError::TruncatedType { id },
            Self::UnknownKind(kind) => BtfError::UnknownKind { id, kind },
        }
    }
}

/// One type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    /// Offset in the string section.
    pub(super) name: u32,
    pub(super) kind: Kind,
    /// Meaning depends on the kind.
    kind_flag: bool,
    /// Size in bytes, or id of the type that this one is made of.
    pub(super) size_or_type: u32,
    /// What follows the record.
    pub(super) data: &'a [u8],
}

/// `struct btf_member`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) name: u32,
    pub(super) type_id: u32,
    /// From the start of the structure.
    pub(super) bit_offset: u32,
    /// Width of a bit-field; 0 for any other member.
    pub(super) bits: u32,
}

/// `struct btf_enum` or `struct btf_enum64`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Enumerator {
    pub(super) name: u32,
    /// `None` where it does not fit.
    pub(super) value: Option<i64>,
}

impl<'a> Record<'a> {
    /// The record at the start of these bytes.
    pub(super) fn at(bytes: &'a [u8]) -> Result<Self, RecordError> {
        let field = |at| word(bytes, at).ok_or(RecordError::Truncated);
        let info = field(4)?;
        let number = info >> 24 & 0x7f;
        let kind = Kind::new(number).ok_or(RecordError::UnknownKind(number))?;
        let (fixed, each) = kind.data_len();
        // Sixteen bits, and eight above them that are zero: read as one, should they ever be used.
        let vlen = usize::try_from(info & 0x00ff_ffff).map_err(|_too_many| RecordError::Truncated)?;
        let data = bytes.get(RECORD_LEN..RECORD_LEN + fixed + vlen * each);
        Ok(Self {
            name: field(0)?,
            kind,
            kind_flag: info >> 31 != 0,
            size_or_type: field(8)?,
            data: data.ok_or(RecordError::Truncated)?,
        })
    }

    /// Members of a structure or union; none of any other kind.
    pub(super) fn members(self) -> impl Iterator<Item = Member> + 'a {
        let data = if self.kind.is_composite() { self.data } else { &[] };
        data.chunks_exact(12).filter_map(move |member| {
            let place = word(member, 8)?;
            // With the flag set, the upper byte is the width of a bit-field.
            let (bits, bit_offset) = if self.kind_flag {
                (place >> 24, place & 0x00ff_ffff)
            } else {
                (0, place)
            };
            Some(Member {
                name: word(member, 0)?,
                type_id: word(member, 4)?,
                bit_offset,
                bits,
            })
        })
    }

    /// Enumerators of an enumeration; none of any other kind.
    pub(super) fn enumerators(self) -> impl Iterator<Item = Enumerator> + 'a {
        let (data, each): (&[u8], _) = match self.kind {
            Kind::Enum => (self.data, 8),
            Kind::Enum64 => (self.data, 12),
            _ => (&[], 8),
        };
        data.chunks_exact(each).filter_map(move |entry| {
            let low = word(entry, 4)?;
            let value = match word(entry, 8) {
                Some(high) => wide_value(low, high, self.kind_flag),
                None if self.kind_flag => Some(i64::from(low.cast_signed())),
                None => Some(i64::from(low)),
            };
            Some(Enumerator {
                name: word(entry, 0)?,
                value,
            })
        })
    }
}

/// Value of a 64-bit enumerator; `None` where it is unsigned and too large.
fn wide_value(low: u32, high: u32, signed: bool) -> Option<i64> {
    let value = u64::from(high) << 32 | u64::from(low);
    if signed {
        Some(value.cast_signed())
    } else {
        i64::try_from(value).ok()
    }
}

/// The 32-bit word at a byte offset.
pub(super) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_ne_bytes)
}
