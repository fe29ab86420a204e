//! A builder of type information for tests.

use super::Btf;

pub(super) const INT: u32 = 1;
pub(super) const PTR: u32 = 2;
pub(super) const ARRAY: u32 = 3;
pub(super) const STRUCT: u32 = 4;
pub(super) const UNION: u32 = 5;
pub(super) const ENUM: u32 = 6;
pub(super) const TYPEDEF: u32 = 8;
pub(super) const VOLATILE: u32 = 9;
pub(super) const CONST: u32 = 10;
pub(super) const FUNC: u32 = 12;
pub(super) const ENUM64: u32 = 19;

/// Types are numbered from 1 in the order in which they are added.
pub(super) struct Builder {
    types: Vec<u8>,
    strings: Vec<u8>,
    count: u32,
    /// Length that the header claims for itself, with as many bytes.
    pub(super) header_len: u32,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            types: Vec::new(),
            strings: vec![0],
            count: 0,
            header_len: 24,
        }
    }

    fn string(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            return 0;
        }
        let at = u32::try_from(self.strings.len()).unwrap();
        self.strings.extend_from_slice(text.as_bytes());
        self.strings.push(0);
        at
    }

    fn words(&mut self, words: &[u32]) {
        self.types
            .extend(words.iter().flat_map(|word| word.to_ne_bytes()));
    }

    /// A type whose data are given as they lie in the file.
    pub(super) fn raw(&mut self, kind: u32, name: &str, vlen: u32, size_or_type: u32, data: &[u32]) -> u32 {
        let name = self.string(name);
        self.words(&[name, kind << 24 | vlen, size_or_type]);
        self.words(data);
        self.count += 1;
        self.count
    }

    pub(super) fn int(&mut self) -> u32 {
        self.raw(INT, "int", 0, 4, &[32])
    }

    /// A typedef, a qualifier or a pointer.
    pub(super) fn of(&mut self, kind: u32, name: &str, target: u32) -> u32 {
        self.raw(kind, name, 0, target, &[])
    }

    /// A structure or union of members (name, type, byte offset).
    pub(super) fn composite(&mut self, kind: u32, name: &str, members: &[(&str, u32, u32)]) -> u32 {
        let data: Vec<u32> = members
            .iter()
            .flat_map(|(name, type_id, offset)| [self.string(name), *type_id, offset * 8])
            .collect();
        let vlen = u32::try_from(members.len()).unwrap();
        self.raw(kind, name, vlen, 64, &data)
    }

    /// A structure with bit-fields: members (name, type, width, bit offset).
    pub(super) fn bit_fields(&mut self, name: &str, members: &[(&str, u32, u32, u32)]) -> u32 {
        let data: Vec<u32> = members
            .iter()
            .flat_map(|(name, type_id, width, offset)| [self.string(name), *type_id, width << 24 | offset])
            .collect();
        let vlen = u32::try_from(members.len()).unwrap();
        self.raw(STRUCT, name, vlen | 1 << 31, 64, &data)
    }

    /// An enumeration of (name, value words).
    pub(super) fn enumeration(&mut self, kind: u32, name: &str, signed: bool, values: &[(&str, &[u32])]) {
        let mut data = Vec::new();
        for (name, words) in values {
            data.push(self.string(name));
            data.extend_from_slice(words);
        }
        let vlen = u32::try_from(values.len()).unwrap();
        self.raw(kind, name, vlen | u32::from(signed) << 31, 8, &data);
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let types = u32::try_from(self.types.len()).unwrap();
        let strings = u32::try_from(self.strings.len()).unwrap();
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&0xeb9f_u16.to_ne_bytes());
        bytes.extend_from_slice(&[1, 0]);
        for field in [self.header_len, 0, types, types, strings] {
            bytes.extend_from_slice(&field.to_ne_bytes());
        }
        bytes.resize(bytes.len() + usize::try_from(self.header_len - 24).unwrap(), 0xee);
        bytes.extend_from_slice(&self.types);
        bytes.extend_from_slice(&self.strings);
        bytes
    }

    pub(super) fn parse(&self) -> Btf {
        Btf::parse(&self.bytes()).unwrap()
    }
}

/// A little of everything that the kernel's structures have.
pub(super) fn sample() -> Builder {
    let mut b = Builder::new();
    let int = b.int();
    let pointer = b.of(PTR, "", int);
    let array = b.raw(ARRAY, "", 0, 0, &[int, int, 16]);
    let inner = b.composite(STRUCT, "inner", &[("first", int, 0), ("second", int, 4)]);
    let alias = b.of(TYPEDEF, "inner_t", inner);
    let constant = b.of(CONST, "", alias);
    let volatile = b.of(VOLATILE, "", constant);
    let leaf = b.composite(UNION, "", &[("deep", int, 0), ("also_deep", int, 0)]);
    let middle = b.composite(STRUCT, "", &[("shallow", int, 0), ("", leaf, 8)]);
    b.composite(
        STRUCT,
        "outer",
        &[
            ("plain", int, 0),
            ("pointer", pointer, 8),
            ("", middle, 16),
            ("wrapped", volatile, 40),
            ("comm", array, 48),
        ],
    );
    b.bit_fields(
        "flags",
        &[("whole", int, 0, 0), ("one", int, 1, 33), ("three", int, 3, 34)],
    );
    b.composite(STRUCT, "twice", &[("old", int, 0)]);
    b.composite(STRUCT, "twice", &[("new", int, 12)]);
    b.of(TYPEDEF, "btf_trace_sched_process_exec", pointer);
    b.of(FUNC, "do_mount", int);
    b.enumeration(ENUM, "subsys", false, &[("pids_id", &[11]), ("big", &[u32::MAX])]);
    b.enumeration(ENUM, "", true, &[("minus", &[u32::MAX])]);
    b.enumeration(
        ENUM64,
        "wide",
        false,
        &[("wide", &[1, 1]), ("huge", &[0, u32::MAX])],
    );
    b
}
