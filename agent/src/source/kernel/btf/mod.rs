//! The running kernel's type information, read for field offsets.
//!
//! Format: the kernel's `Documentation/bpf/btf.rst`. The bytes are taken as hostile: every access is
//! checked, every walk is bounded, and what is kept beyond the bytes is one `u32` per type.

mod error;
mod member;
mod record;
mod resolve;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

pub use error::{BtfError, OffsetError};
pub use member::FieldOffset;
pub use resolve::{Missing, Resolution, resolve};

use record::{Kind, RECORD_LEN, Record, word};

/// Where a kernel with `CONFIG_DEBUG_INFO_BTF` shows its own types (Linux 5.4).
pub const KERNEL_BTF: &str = "/sys/kernel/btf/vmlinux";

const MAGIC: u16 = 0xeb9f;
const VERSION: u8 = 1;
/// Header up to and with `str_len`; later kernels may append to it.
const HEADER_LEN: usize = 24;
/// Largest file that is read: ten times the largest distribution kernel's.
const MAX_LEN: u64 = 128 << 20;

/// Parsed type information. Meant to be dropped once the offsets are known: it holds the whole file.
#[derive(Debug)]
pub struct Btf {
    /// The file as it was read: one allocation, which goes back to the system when this is dropped.
    bytes: Vec<u8>,
    types: Range<usize>,
    strings: Range<usize>,
    /// Where each type starts in `types`; type N is entry N - 1, for type 0 is `void`.
    starts: Vec<u32>,
}

impl Btf {
    /// Reads and parses a BTF file, usually [`KERNEL_BTF`].
    ///
    /// # Errors
    /// The file cannot be read, is larger than 128 MiB, or is not well-formed.
    pub fn read(path: &Path) -> Result<Self, BtfError> {
        let unreadable = |source| BtfError::Read {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(unreadable)?;
        let len = file.metadata().map_err(unreadable)?.len();
        if len > MAX_LEN {
            return Err(BtfError::TooLarge);
        }
        let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or_default().saturating_add(1));
        let read = file
            .take(MAX_LEN + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        if u64::try_from(read).is_ok_and(|read| read <= MAX_LEN) {
            Self::own(bytes)
        } else {
            Err(BtfError::TooLarge)
        }
    }

    /// Parses the bytes of a BTF file of this machine's byte order.
    ///
    /// # Errors
    /// The bytes are not BTF, of another byte order or version, cut off, or hold a kind of type that
    /// this parser does not know the size of.
    pub fn parse(bytes: &[u8]) -> Result<Self, BtfError> {
        Self::own(bytes.to_vec())
    }

    fn own(bytes: Vec<u8>) -> Result<Self, BtfError> {
        let (types, strings) = sections(&bytes)?;
        let btf = Self {
            bytes,
            types,
            strings,
            starts: Vec::new(),
        };
        if btf.strings().first() != Some(&0) || btf.strings().last() != Some(&0) {
            return Err(BtfError::Strings);
        }
        Ok(Self {
            starts: type_starts(btf.types())?,
            ..btf
        })
    }

    fn types(&self) -> &[u8] {
        self.bytes.get(self.types.clone()).unwrap_or_default()
    }

    fn strings(&self) -> &[u8] {
        self.bytes.get(self.strings.clone()).unwrap_or_default()
    }

    /// Number of types, `void` not counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there is no type but `void`.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Byte offset of a field, or place and width of a bit-field.
    ///
    /// `path` names members from the structure inwards, separated by dots; `|` separates the names
    /// that one member has had, the first one present wins. Members of anonymous structures and
    /// unions are found as in C. Where several structures bear the name, the first that has the
    /// whole path counts.
    ///
    /// # Errors
    /// No such structure or member, or the types are entangled beyond what any compiler emits.
    pub fn offset(&self, structure: &str, path: &str) -> Result<FieldOffset, OffsetError> {
        let mut search = member::Search::new(self);
        let mut first_error = None;
        for record in self.records().filter(|record| record.kind.is_composite()) {
            if !self.is_named(&record, structure) {
                continue;
            }
            match search.offset(record, path) {
                Ok(offset) => return Ok(offset),
                Err(error) => {
                    first_error.get_or_insert(error);
                }
            }
        }
        Err(first_error.unwrap_or(OffsetError::NoStructure))
    }

    /// Value of an enumerator, looked for in the enumerations of that name, or in all where `None`.
    /// `None` where there is none or its value does not fit.
    #[must_use]
    pub fn enum_value(&self, enumeration: Option<&str>, variant: &str) -> Option<i64> {
        self.records()
            .filter(|record| record.kind.is_enum())
            .filter(|record| enumeration.is_none_or(|name| self.is_named(record, name)))
            .flat_map(|record| record.enumerators())
            .find(|enumerator| self.string_is(enumerator.name, variant))
            .and_then(|enumerator| enumerator.value)
    }

    /// Whether the kernel has a function of this name that BTF describes.
    #[must_use]
    pub fn has_function(&self, name: &str) -> bool {
        self.has(Kind::Func, name)
    }

    /// Whether there is a typedef of this name; `btf_trace_NAME` exists where the kernel has the
    /// tracepoint NAME.
    #[must_use]
    pub fn has_typedef(&self, name: &str) -> bool {
        self.has(Kind::Typedef, name)
    }

    fn has(&self, kind: Kind, name: &str) -> bool {
        self.records()
            .any(|record| record.kind == kind && self.is_named(&record, name))
    }

    fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.starts.iter().filter_map(|&start| self.record_at(start))
    }

    /// The type of an id; `None` for `void` and for ids that do not exist.
    fn record(&self, id: u32) -> Option<Record<'_>> {
        let entry = usize::try_from(id.checked_sub(1)?).ok()?;
        self.record_at(*self.starts.get(entry)?)
    }

    fn record_at(&self, start: u32) -> Option<Record<'_>> {
        Record::at(self.types().get(usize::try_from(start).ok()?..)?).ok()
    }

    fn is_named(&self, record: &Record<'_>, name: &str) -> bool {
        self.string_is(record.name, name)
    }

    /// Whether the string at an offset of the string section is this one. No offset is the name of
    /// anything with a NUL in it.
    fn string_is(&self, offset: u32, text: &str) -> bool {
        usize::try_from(offset)
            .ok()
            .and_then(|offset| self.strings().get(offset..))
            .and_then(|tail| tail.strip_prefix(text.as_bytes()))
            .is_some_and(|rest| rest.first() == Some(&0) && !text.contains('\0'))
    }
}

/// The type and string sections, by the header.
fn sections(bytes: &[u8]) -> Result<(Range<usize>, Range<usize>), BtfError> {
    let magic = bytes.first_chunk().copied().map(u16::from_ne_bytes);
    match magic {
        Some(MAGIC) => {}
        Some(magic) if magic == MAGIC.swap_bytes() => return Err(BtfError::ForeignEndian),
        _ => return Err(BtfError::NotBtf),
    }
    match bytes.get(2) {
        Some(&VERSION) => {}
        Some(&version) => return Err(BtfError::Version(version)),
        None => return Err(BtfError::Truncated("header")),
    }
    let field = |at| {
        word(bytes, at)
            .and_then(|value| usize::try_from(value).ok())
            .ok_or(BtfError::Truncated("header"))
    };
    let header = field(4)?;
    if header < HEADER_LEN || header > bytes.len() {
        return Err(BtfError::Truncated("header"));
    }
    let section = |offset: usize, len: usize| {
        let start = header.checked_add(offset)?;
        let end = start.checked_add(len)?;
        (end <= bytes.len()).then_some(start..end)
    };
    let types = section(field(8)?, field(12)?).ok_or(BtfError::Truncated("type section"))?;
    let strings = section(field(16)?, field(20)?).ok_or(BtfError::Truncated("string section"))?;
    Ok((types, strings))
}

/// Where each type of the section starts.
fn type_starts(types: &[u8]) -> Result<Vec<u32>, BtfError> {
    // Bytes per type in real kernels: a guess that only saves reallocations.
    let mut starts = Vec::with_capacity(types.len() / (2 * RECORD_LEN));
    let mut at = 0;
    while let Some(rest) = types.get(at..).filter(|rest| !rest.is_empty()) {
        let record = Record::at(rest).map_err(|error| error.of_type(starts.len() + 1))?;
        starts.push(u32::try_from(at).map_err(|_too_long| BtfError::TooLarge)?);
        at += RECORD_LEN + record.data.len();
    }
    starts.shrink_to_fit();
    Ok(starts)
}
