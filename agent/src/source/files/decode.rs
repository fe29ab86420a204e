//! What a read of the fanotify descriptor holds: pure, total, every length checked.

/// Bytes of `struct fanotify_event_metadata`.
const METADATA: usize = 24;
/// `FANOTIFY_METADATA_VERSION`.
const VERSION: u8 = 3;
/// `FAN_EVENT_INFO_TYPE_FID`, `…_DFID_NAME`, `…_DFID`.
const FID: u8 = 1;
const DFID_NAME: u8 = 2;
const DFID: u8 = 3;
/// Bytes of `struct fanotify_event_info_header`, of the filesystem id after it, and of `struct file_handle` without the
/// handle.
const INFO: usize = 4;
const FSID: usize = 8;
const HANDLE: usize = 8;
/// Longest handle (`MAX_HANDLE_SZ`).
const HANDLE_MAX: usize = 128;

/// `FAN_Q_OVERFLOW`: events were lost.
pub(super) const OVERFLOW: u64 = 0x4000;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawEvent {
    /// `FAN_*`.
    pub mask: u64,
    /// The process; 0 where the kernel does not say.
    pub pid: u32,
    /// Type and bytes of the directory's handle; empty for an event that names none.
    pub directory: Vec<u8>,
    /// Name within it; `.` for the directory itself.
    pub name: String,
    /// Type and bytes of the handle of what was changed; empty where the kernel does not say.
    pub object: Vec<u8>,
}

/// The bytes are no events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Cut off, or of a length that cannot be.
    #[error("an event of {0} bytes in a buffer of {1}")]
    Length(usize, usize),
    /// Of another version.
    #[error("an event of version {0}; this agent knows {VERSION}")]
    Version(u8),
}

/// Every event of a buffer.
///
/// # Errors
/// [`DecodeError`] for bytes that no kernel of this version writes; what came before is lost with them.
pub fn events(mut bytes: &[u8]) -> Result<Vec<RawEvent>, DecodeError> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let length = u32_at(bytes, 0).and_then(|length| usize::try_from(length).ok());
        let length = length.unwrap_or_default();
        if length < METADATA || length > bytes.len() {
            return Err(DecodeError::Length(length, bytes.len()));
        }
        let (event, rest) = bytes.split_at(length);
        match event.get(4) {
            Some(&VERSION) => {}
            other => return Err(DecodeError::Version(other.copied().unwrap_or_default())),
        }
        all.push(one(event));
        bytes = rest;
    }
    Ok(all)
}

fn one(event: &[u8]) -> RawEvent {
    let mask = event.get(8..16).and_then(|bytes| bytes.try_into().ok());
    let mut found = RawEvent {
        mask: mask.map_or(0, u64::from_ne_bytes),
        pid: u32_at(event, 20).unwrap_or_default(),
        directory: Vec::new(),
        name: String::new(),
        object: Vec::new(),
    };
    let start = event.get(6..8).and_then(|bytes| bytes.try_into().ok());
    let mut at = start.map_or(METADATA, |bytes| usize::from(u16::from_ne_bytes(bytes)));
    while let Some(info) = event.get(at..).filter(|rest| rest.len() >= INFO) {
        let kind = info.first().copied().unwrap_or_default();
        let length = info.get(2..4).and_then(|bytes| bytes.try_into().ok());
        let length = length.map_or(0, |bytes| usize::from(u16::from_ne_bytes(bytes)));
        let Some(info) = info.get(..length).filter(|_| length > INFO) else {
            break;
        };
        match kind {
            DFID_NAME | DFID if found.directory.is_empty() => directory(info, kind, &mut found),
            FID if found.object.is_empty() => found.object = handle(info).unwrap_or_default().0,
            _ => {}
        }
        at += length;
    }
    found
}

fn directory(info: &[u8], kind: u8, into: &mut RawEvent) {
    let Some((handle, name)) = handle(info) else {
        return;
    };
    into.directory = handle;
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    into.name = match kind {
        DFID_NAME if !name.is_empty() => String::from_utf8_lossy(name).into_owned(),
        _ => ".".to_owned(),
    };
}

/// Type and bytes of the handle that a record holds, and what follows them.
fn handle(info: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let at = INFO + FSID;
    let length = u32_at(info, at).and_then(|length| usize::try_from(length).ok())?;
    let end = (length <= HANDLE_MAX).then_some(at + HANDLE + length)?;
    Some((info.get(at + 4..end)?.to_vec(), info.get(end..)?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    four.try_into().ok().map(u32::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An event as the kernel writes it: where it happened, and to what.
    fn event(mask: u64, pid: u32, directory: &[u8], name: &str) -> Vec<u8> {
        let mut info = record(DFID_NAME, directory, Some(name));
        info.extend(record(FID, b"object", None));
        let mut all = u32::try_from(METADATA + info.len())
            .unwrap()
            .to_ne_bytes()
            .to_vec();
        all.extend([VERSION, 0]);
        all.extend(u16::try_from(METADATA).unwrap().to_ne_bytes());
        all.extend(mask.to_ne_bytes());
        all.extend((-1_i32).to_ne_bytes());
        all.extend(pid.to_ne_bytes());
        all.extend(info);
        all
    }

    fn record(kind: u8, handle: &[u8], name: Option<&str>) -> Vec<u8> {
        let mut info = vec![kind, 0, 0, 0];
        info.extend([9; FSID]);
        info.extend(u32::try_from(handle.len()).unwrap().to_ne_bytes());
        info.extend(1_i32.to_ne_bytes());
        info.extend(handle);
        info.extend(
            name.map(|name| [name.as_bytes(), &[0]].concat())
                .unwrap_or_default(),
        );
        info.resize(info.len().next_multiple_of(4), 0);
        let length = u16::try_from(info.len()).unwrap().to_ne_bytes();
        info[2..4].copy_from_slice(&length);
        info
    }

    #[test]
    fn events_are_read_one_after_another() {
        let mut bytes = event(4, 42, b"handle", "daemon.json");
        bytes.extend(event(0x400, 43, b"other", "."));
        let all = events(&bytes).unwrap();
        assert_eq!(
            (all[0].mask, all[0].pid, all[0].name.as_str()),
            (4, 42, "daemon.json")
        );
        assert_eq!(all[0].directory, [&1_i32.to_ne_bytes()[..], b"handle"].concat());
        assert_eq!(all[0].object, [&1_i32.to_ne_bytes()[..], b"object"].concat());
        assert_eq!((all[1].pid, all[1].name.as_str()), (43, "."));
    }

    #[test]
    fn what_is_cut_off_is_refused() {
        let bytes = event(4, 42, b"handle", "x");
        for length in 1..bytes.len() {
            assert!(events(&bytes[..length]).is_err(), "{length}");
        }
        let mut other = bytes;
        other[4] = 9;
        assert_eq!(events(&other), Err(DecodeError::Version(9)));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            drop(events(&bytes));
        }

        #[test]
        fn a_damaged_event_never_panics(at in 0..60_usize, value: u8) {
            let mut bytes = event(4, 42, b"handle", "daemon.json");
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
            drop(events(&bytes));
        }
    }
}
