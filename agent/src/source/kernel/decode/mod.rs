//! Records of the probes to sightings: pure, total, every length checked.

mod exec;
mod other;
mod recent;
mod task;
#[cfg(test)]
mod tests;

pub use recent::RecentExec;
pub(super) use recent::recent;

use bytemuck::Pod;
use hullwatch_common::{ABI_VERSION, Header, Kind};

use super::clock::BootClock;
use crate::model::{CgroupId, Sighting};

/// Why a record was not understood.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DecodeError {
    /// Cut off.
    #[error("a record of {have} bytes is too short for {what}")]
    Short {
        /// What was to be read.
        what: &'static str,
        /// Bytes of the record.
        have: usize,
    },
    /// From other probes than this agent's.
    #[error("a record of ABI version {0}; this agent knows {ABI_VERSION}")]
    Version(u16),
    /// Of an unknown kind.
    #[error("a record of unknown kind {0}")]
    Kind(u16),
    /// Of a call or operation that this agent does not know.
    #[error("a {what} record of unknown operation {value}")]
    Operation {
        /// Which payload.
        what: &'static str,
        /// The value.
        value: u32,
    },
}

/// Decodes one record.
///
/// # Errors
/// [`DecodeError`] for bytes that no probe of this version sends.
pub fn decode(bytes: &[u8], clock: BootClock) -> Result<Sighting, DecodeError> {
    let (header, rest): (Header, _) = split(bytes, "the header")?;
    if header.abi != ABI_VERSION {
        return Err(DecodeError::Version(header.abi));
    }
    let mut process = task::process(&header);
    let what = match header.kind {
        Kind::EXEC => exec::exec(rest, &header, &mut process)?,
        Kind::CONNECT => other::connect(rest)?,
        Kind::MOUNT => other::mount(rest)?,
        Kind::NAMESPACE => other::namespace(rest, &header)?,
        Kind::CGROUP => other::cgroup(rest)?,
        Kind(unknown) => return Err(DecodeError::Kind(unknown)),
    };
    Ok(Sighting {
        time: clock.time(header.time),
        container: Some(header.container).filter(|id| *id != 0).map(CgroupId),
        by_namespace: header.task.flags & hullwatch_common::TASK_CONTAINER_BY_NAMESPACE != 0,
        exe: task::exe(&header.task),
        ancestors: task::ancestor_files(&header.task),
        process,
        what,
    })
}

/// Takes a value off the front.
fn split<'a, T: Pod>(bytes: &'a [u8], what: &'static str) -> Result<(T, &'a [u8]), DecodeError> {
    let short = DecodeError::Short {
        what,
        have: bytes.len(),
    };
    let Some((front, rest)) = bytes.split_at_checked(size_of::<T>()) else {
        return Err(short);
    };
    Ok((
        bytemuck::try_pod_read_unaligned(front).map_err(|_size| short)?,
        rest,
    ))
}

/// Text up to the first NUL; bytes that are not UTF-8 become U+FFFD.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}
