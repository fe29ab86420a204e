//! Why the files of an image are not known.

use std::path::PathBuf;

use rustix::io::Errno;

/// Layers that could not be read to their end.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum LayersError {
    /// The engine says nothing of its storage.
    #[error("the engine does not say where the layers are")]
    Untold,
    /// The storage driver keeps no directory for each layer.
    #[error("layers of the storage driver `{0}` are not read")]
    Driver(String),
    /// A directory or file could not be read; an image that is removed meanwhile is among these.
    #[error("cannot read {path}")]
    Read {
        /// Path on the host.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: Errno,
    },
    /// A file is longer than any honest one.
    #[error("{0} is too long")]
    TooLong(PathBuf),
    /// A layer has more of what is looked for than any honest one.
    #[error("{0} has too many files that matter")]
    TooMany(PathBuf),
    /// There is more than may be read.
    #[error("the layers have more files than may be read")]
    Budget,
    /// Reading takes longer than it may.
    #[error("reading the layers takes too long")]
    Time,
}

impl LayersError {
    /// One sentence without a full stop, with the system's word.
    #[must_use]
    pub fn in_full(&self) -> String {
        match self {
            Self::Read { source, .. } => format!("{self}: {source}"),
            _ => self.to_string(),
        }
    }
}
