//! System calls that change, read or run what is audited, by what a rule's `perm` takes them for
//! (`audit_match_perm` and the classes in `include/asm-generic/audit_*.h` of the kernel).
//!
//! Two changes are in no class, so that no rule by `perm` records them and none is asked to: `utimensat`, and an
//! `open` for reading that truncates.

/// Bits of `perm`.
pub(super) const EXECUTE: u32 = 1;
pub(super) const WRITE: u32 = 2;
pub(super) const READ: u32 = 4;
pub(super) const ATTRIBUTES: u32 = 8;

/// A machine's own architecture, and the older one whose programs it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Machine {
    /// x86-64, which runs i386 programs.
    X86_64,
    /// 64-bit ARM. What 32-bit programs do there is not judged.
    Aarch64,
}

impl Machine {
    /// The one this was built for.
    pub(crate) const NATIVE: Self = if cfg!(target_arch = "aarch64") {
        Self::Aarch64
    } else {
        Self::X86_64
    };
}

/// `AUDIT_ARCH_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arch {
    X86_64,
    I386,
    Aarch64,
}

impl Arch {
    pub(super) const fn native(machine: Machine) -> Self {
        match machine {
            Machine::X86_64 => Self::X86_64,
            Machine::Aarch64 => Self::Aarch64,
        }
    }

    pub(super) const fn compat(machine: Machine) -> Option<Self> {
        match machine {
            Machine::X86_64 => Some(Self::I386),
            Machine::Aarch64 => None,
        }
    }

    pub(super) const fn code(self) -> u32 {
        match self {
            Self::X86_64 => 0xc000_003e,
            Self::I386 => 0x4000_0003,
            Self::Aarch64 => 0xc000_00b7,
        }
    }
}

/// What is acted on, as the kernel notes it down in the order in which it looks for rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// The object.
    Object,
    /// The directory that holds it, then the object.
    ParentFirst,
    /// The object, then the directory.
    ParentLast,
}

/// Where a call can act.
pub(super) mod on {
    /// A file.
    pub(in super::super) const FILE: u8 = 1;
    /// A socket.
    pub(in super::super) const SOCKET: u8 = 2;
    /// A directory itself.
    pub(in super::super) const OWN: u8 = 4;
    /// A name in a directory.
    pub(in super::super) const DIRECT: u8 = 8;
    /// Anything further down.
    pub(in super::super) const WITHIN: u8 = 16;
}
use on::{DIRECT, FILE, OWN, SOCKET, WITHIN};

/// One way to act.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    /// System call, as reasons name it.
    pub(super) name: &'static str,
    x86_64: Option<u16>,
    i386: Option<u16>,
    aarch64: Option<u16>,
    /// Which permission it is an example of.
    pub(super) kind: u32,
    /// Bits of `perm` that take it.
    pub(super) perms: u32,
    /// Where it can act.
    pub(super) on: u8,
    pub(super) names: Names,
}

impl Call {
    /// Its number; none where the architecture has no such call.
    pub(super) fn number(&self, arch: Arch) -> Option<u32> {
        let number = match arch {
            Arch::X86_64 => self.x86_64,
            Arch::I386 => self.i386,
            Arch::Aarch64 => self.aarch64,
        };
        number.map(u32::from)
    }
}

const fn call(
    name: &'static str,
    numbers: (i16, i16, i16),
    (kind, perms): (u32, u32),
    on: u8,
    names: Names,
) -> Call {
    const fn some(number: i16) -> Option<u16> {
        if number < 0 {
            None
        } else {
            Some(number.unsigned_abs())
        }
    }
    Call {
        name,
        x86_64: some(numbers.0),
        i386: some(numbers.1),
        aarch64: some(numbers.2),
        kind,
        perms,
        on,
        names,
    }
}

const W: (u32, u32) = (WRITE, WRITE);
/// An `open` for both reading and writing.
const RW: (u32, u32) = (WRITE, WRITE | READ);
const A: (u32, u32) = (ATTRIBUTES, ATTRIBUTES);
const R: (u32, u32) = (READ, READ);
const X: (u32, u32) = (EXECUTE, EXECUTE);
/// Links are changes of both sorts.
const L: (u32, u32) = (WRITE, WRITE | ATTRIBUTES);

const MADE: u8 = FILE | DIRECT | WITHIN;
const CONTENT: u8 = FILE | WITHIN;
const MOVED: u8 = FILE | SOCKET | OWN | DIRECT | WITHIN;
const REMOVED: u8 = FILE | SOCKET | DIRECT | WITHIN;
const ENTRY: u8 = DIRECT | WITHIN;
const BY_NAME: u8 = FILE | SOCKET | OWN | WITHIN;
/// Through a descriptor, which nobody has of a socket's name.
const BY_FD: u8 = FILE | OWN | WITHIN;
const READS: u8 = FILE | OWN | WITHIN;

/// Every call: name, numbers on x86-64, i386 and aarch64 (negative: none), permission, where, names.
#[rustfmt::skip]
pub(super) const CALLS: &[Call] = &[
    call("open",          (2, 5, -1),        W,  MADE,    Names::Object),
    call("openat",        (257, 295, 56),    W,  MADE,    Names::Object),
    call("openat2",       (437, 437, 437),   W,  MADE,    Names::Object),
    call("open",          (2, 5, -1),        RW, CONTENT, Names::Object),
    call("openat",        (257, 295, 56),    RW, CONTENT, Names::Object),
    call("openat2",       (437, 437, 437),   RW, CONTENT, Names::Object),
    call("creat",         (85, 8, -1),       W,  MADE,    Names::Object),
    call("truncate",      (76, 92, 45),      W,  CONTENT, Names::Object),
    call("ftruncate",     (77, 93, 46),      W,  CONTENT, Names::Object),
    call("rename",        (82, 38, -1),      W,  MOVED,   Names::ParentFirst),
    call("renameat",      (264, 302, 38),    W,  MOVED,   Names::ParentFirst),
    call("renameat2",     (316, 353, 276),   W,  MOVED,   Names::ParentFirst),
    call("unlink",        (87, 10, -1),      W,  REMOVED, Names::ParentFirst),
    call("unlinkat",      (263, 301, 35),    W,  MOVED,   Names::ParentFirst),
    call("rmdir",         (84, 40, -1),      W,  OWN | ENTRY, Names::ParentFirst),
    call("link",          (86, 9, -1),       L,  REMOVED, Names::ParentLast),
    call("linkat",        (265, 303, 37),    L,  REMOVED, Names::ParentLast),
    call("symlink",       (88, 83, -1),      W,  ENTRY,   Names::ParentFirst),
    call("symlinkat",     (266, 304, 36),    W,  ENTRY,   Names::ParentFirst),
    call("mknod",         (133, 14, -1),     W,  ENTRY,   Names::ParentFirst),
    call("mknodat",       (259, 297, 33),    W,  ENTRY,   Names::ParentFirst),
    call("mkdir",         (83, 39, -1),      W,  ENTRY,   Names::ParentFirst),
    call("mkdirat",       (258, 296, 34),    W,  ENTRY,   Names::ParentFirst),
    call("chmod",         (90, 15, -1),      A,  BY_NAME, Names::Object),
    call("fchmod",        (91, 94, 52),      A,  BY_FD,   Names::Object),
    call("fchmodat",      (268, 306, 53),    A,  BY_NAME, Names::Object),
    call("fchmodat2",     (452, 452, 452),   A,  BY_NAME, Names::Object),
    call("chown",         (92, 182, -1),     A,  BY_NAME, Names::Object),
    call("fchown",        (93, 95, 55),      A,  BY_FD,   Names::Object),
    call("lchown",        (94, 16, -1),      A,  BY_NAME, Names::Object),
    call("fchownat",      (260, 298, 54),    A,  BY_NAME, Names::Object),
    call("setxattr",      (188, 226, 5),     A,  BY_NAME, Names::Object),
    call("lsetxattr",     (189, 227, 6),     A,  BY_NAME, Names::Object),
    call("fsetxattr",     (190, 228, 7),     A,  BY_FD,   Names::Object),
    call("setxattrat",    (463, 463, 463),   A,  BY_NAME, Names::Object),
    call("removexattr",   (197, 235, 14),    A,  BY_NAME, Names::Object),
    call("lremovexattr",  (198, 236, 15),    A,  BY_NAME, Names::Object),
    call("fremovexattr",  (199, 237, 16),    A,  BY_FD,   Names::Object),
    call("removexattrat", (466, 466, 466),   A,  BY_NAME, Names::Object),
    call("open",          (2, 5, -1),        R,  READS,   Names::Object),
    call("openat",        (257, 295, 56),    R,  READS,   Names::Object),
    call("openat2",       (437, 437, 437),   R,  READS,   Names::Object),
    call("execve",        (59, 11, 221),     X,  CONTENT, Names::Object),
    call("execveat",      (322, 358, 281),   X,  CONTENT, Names::Object),
];
