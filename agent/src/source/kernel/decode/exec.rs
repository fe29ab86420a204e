//! A program image was committed.

use hullwatch_common::event::{
    EXEC_ARGS_TRUNCATED, EXEC_HAS_BEFORE, EXEC_PATH_TRUNCATED, EXEC_SECURE, Exec as Payload, REASON_ENTRY,
};
use hullwatch_common::{FileFacts, Header};

use super::{DecodeError, split, task, text};
use crate::model::{CapSet, Credentials, Exec, ExecFile, Gained, InodeId, Process, What};

/// `MNT_NOSUID` (`linux/mount.h`).
const MNT_NOSUID: u32 = 1;
const S_ISUID: u32 = 0o4000;
const S_ISGID: u32 = 0o2000;
const S_IXGRP: u32 = 0o0010;

/// Decodes the payload and completes the process: its executable and arguments are those of the event.
pub(super) fn exec(bytes: &[u8], header: &Header, process: &mut Process) -> Result<What, DecodeError> {
    let (payload, tail): (Payload, _) = split(bytes, "an exec")?;
    let (path, tail) = part(tail, payload.path_len, "the path of an exec")?;
    let (requested, tail) = part(tail, payload.requested_len, "the name of an exec")?;
    let (args, _) = part(tail, payload.args_len, "the arguments of an exec")?;
    let before = (payload.flags & EXEC_HAS_BEFORE != 0).then(|| task::credentials(&payload.before));
    let path = join(path, payload.flags & EXEC_PATH_TRUNCATED != 0);
    process.exe.clone_from(&path);
    process.args = arguments(args);
    process.args_truncated = payload.flags & EXEC_ARGS_TRUNCATED != 0;
    Ok(What::Exec(Exec {
        file: file(&payload.file, path),
        requested: text(requested),
        gained: gained(
            before.as_ref(),
            &task::credentials(&header.task.creds),
            payload.flags & EXEC_SECURE != 0,
        ),
        before,
        secure: payload.flags & EXEC_SECURE != 0,
        entry: payload.reasons & REASON_ENTRY != 0,
    }))
}

fn part<'a>(bytes: &'a [u8], len: u16, what: &'static str) -> Result<(&'a [u8], &'a [u8]), DecodeError> {
    bytes
        .split_at_checked(usize::from(len))
        .ok_or(DecodeError::Short {
            what,
            have: bytes.len(),
        })
}

fn file(facts: &FileFacts, path: String) -> ExecFile {
    let setgid = facts.mode & S_ISGID != 0 && facts.mode & S_IXGRP != 0;
    ExecFile {
        path,
        dev: InodeId {
            dev: facts.dev,
            ino: facts.ino,
        }
        .device(),
        ino: facts.ino,
        mode: facts.mode,
        uid: facts.uid,
        gid: facts.gid,
        unlinked: facts.nlink == 0,
        nosuid: facts.mount_flags & MNT_NOSUID != 0,
        setuid: facts.mode & S_ISUID != 0,
        setgid,
        file_caps: None,
    }
}

/// What the process came out with that it did not have. Without the credentials before, the kernel's own
/// judgement (`AT_SECURE`) says whether, and the difference between the real and the effective ids what.
fn gained(before: Option<&Credentials>, after: &Credentials, secure: bool) -> Gained {
    match before {
        Some(before) => Gained {
            uid: after.euid != before.euid,
            gid: after.egid != before.egid,
            caps: after.caps_permitted.without(before.caps_permitted),
        },
        None if secure => {
            let (uid, gid) = (after.euid != after.uid, after.egid != after.gid);
            // A change of group alone brings no capability.
            let caps = if uid || !gid {
                after.caps_permitted
            } else {
                CapSet::EMPTY
            };
            Gained { uid, gid, caps }
        }
        None => Gained::default(),
    }
}

/// Components from the file towards the root to a path; `…` stands for what was cut.
fn join(components: &[u8], cut: bool) -> String {
    let mut parts: Vec<String> = components
        .split(|byte| *byte == 0)
        .filter(|part| !part.is_empty())
        .map(text)
        .collect();
    parts.reverse();
    let start = if cut { "…/" } else { "/" };
    if parts.first().is_some_and(|first| first == "/") {
        parts.remove(0);
    }
    format!("{start}{}", parts.join("/"))
}

pub(super) fn arguments(block: &[u8]) -> Vec<String> {
    if block.is_empty() {
        return Vec::new();
    }
    let whole = block.strip_suffix(&[0]).unwrap_or(block);
    whole
        .split(|byte| *byte == 0)
        .map(|argument| String::from_utf8_lossy(argument).into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_become_a_path() {
        assert_eq!(join(b"sh\0bin\0usr\0", false), "/usr/bin/sh");
        assert_eq!(join(b"sh\0bin\0", true), "…/bin/sh");
        assert_eq!(join(b"memfd:runc_cloned:\0", false), "/memfd:runc_cloned:");
        assert_eq!(join(b"", false), "/");
        assert_eq!(join(b"x\0/\0", false), "/x");
    }

    #[test]
    fn empty_arguments_are_kept() {
        assert_eq!(arguments(b"sh\0-c\0\0"), ["sh", "-c", ""]);
        assert_eq!(arguments(b""), Vec::<String>::new());
        assert_eq!(arguments(b"cut of"), ["cut of"]);
    }

    const ROOT_BY_FILE: Credentials = Credentials {
        uid: 1000,
        gid: 1000,
        euid: 0,
        egid: 1000,
        caps_permitted: CapSet(7),
        caps_effective: CapSet(7),
    };

    #[test]
    fn what_was_not_there_before_is_gained() {
        let user = Credentials {
            euid: 1000,
            caps_permitted: CapSet(1),
            ..ROOT_BY_FILE
        };
        let expect = Gained {
            uid: true,
            gid: false,
            caps: CapSet(6),
        };
        assert_eq!(gained(Some(&user), &ROOT_BY_FILE, true), expect);
        assert!(!gained(Some(&ROOT_BY_FILE), &ROOT_BY_FILE, false).any());
    }

    #[test]
    fn without_the_credentials_before_the_kernel_judges() {
        assert!(!gained(None, &ROOT_BY_FILE, false).any());
        let expect = Gained {
            uid: true,
            gid: false,
            caps: CapSet(7),
        };
        assert_eq!(gained(None, &ROOT_BY_FILE, true), expect);
        let by_group = Credentials {
            euid: 1000,
            egid: 5,
            ..ROOT_BY_FILE
        };
        assert_eq!(
            gained(None, &by_group, true),
            Gained {
                uid: false,
                gid: true,
                caps: CapSet::EMPTY
            }
        );
    }
}
