//! What can be wrong with type information, and with a field's name.

use std::path::PathBuf;

/// The bytes are not usable type information.
#[derive(Debug, thiserror::Error)]
pub enum BtfError {
    /// The file cannot be read; a kernel built without `CONFIG_DEBUG_INFO_BTF` has none.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Larger than any kernel's.
    #[error("type information is too large")]
    TooLarge,
    /// No BTF magic.
    #[error("not BTF: wrong magic")]
    NotBtf,
    /// Written by a machine of the other byte order; only this machine's own is read.
    #[error("BTF of the other byte order")]
    ForeignEndian,
    /// A version that this parser does not know.
    #[error("BTF version {0} is not known")]
    Version(u8),
    /// A part lies beyond the end.
    #[error("BTF ends within its {0}")]
    Truncated(&'static str),
    /// The string section does not start and end with NUL.
    #[error("string section of BTF is malformed")]
    Strings,
    /// A type is cut off.
    #[error("BTF ends within type {id}")]
    TruncatedType {
        /// Its id.
        id: usize,
    },
    /// A kind whose size is not known, so that what follows cannot be read.
    #[error("type {id} of BTF is of the unknown kind {kind}")]
    UnknownKind {
        /// Its id.
        id: usize,
        /// Its kind.
        kind: u32,
    },
}

/// A field could not be located.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OffsetError {
    /// No structure or union of this name.
    #[error("this kernel has no such structure")]
    NoStructure,
    /// The structure has none of the member's names.
    #[error("no member `{0}`")]
    NoMember(String),
    /// A member that the path goes through is a pointer or a number.
    #[error("nothing lies within `{0}`: it is no structure")]
    NotAStructure(String),
    /// A field that is no bit-field and starts within a byte.
    #[error("`{0}` starts within a byte and has no width")]
    Unaligned(String),
    /// The offset does not fit, or types contain each other.
    #[error("types around `{0}` are malformed")]
    Malformed(String),
}
