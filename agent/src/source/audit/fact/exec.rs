//! A program image was committed: `execve`, `execveat`.

use super::{hex, inode, mode, succeeded, without_deleted};
use crate::model::{CapSet, Exec, ExecFile, Gained, InodeId, Process, What};
use crate::source::audit::assemble::AuditEvent;
use crate::source::audit::record::{Record, kind};

/// `S_ISUID`, `S_ISGID`, `S_IXGRP`.
const SETUID: u32 = 0o4000;
const SETGID: u32 = 0o2000;
const GROUP_EXECUTES: u32 = 0o010;

/// The exec, and the file whose image runs. The process is told its capabilities and its executable's path.
pub(super) fn what(event: &AuditEvent, call: &Record, process: &mut Process) -> Option<(What, InodeId)> {
    if !succeeded(call) {
        return None;
    }
    let requested = event.record(kind::PATH)?.name("name").unwrap_or_default();
    let (exe, unlinked) = without_deleted(process);
    let exe = exe.to_owned();
    let program = program(event, &exe)?;
    let id = inode(program)?;
    let file = file(program, id, exe.clone(), unlinked)?;
    let gained = gained(event, &file, process);
    process.exe = exe;
    let exec = Exec {
        file,
        requested,
        before: None,
        secure: gained.any(),
        gained,
        entry: false,
    };
    Some((What::Exec(exec), id))
}

/// Of the files that an exec opened — the script, its interpreter, the loader of shared libraries — the one that runs: by the
/// path that the kernel shows, else by its name. A link bears neither: then the last that is no loader.
fn program<'e>(event: &'e AuditEvent, exe: &str) -> Option<&'e Record> {
    let files: Vec<_> = event.records_of(kind::PATH).collect();
    let named = |is_it: &dyn Fn(&str) -> bool| {
        let mut files = files.iter().copied();
        files.find(|file| file.name("name").is_some_and(|name| is_it(&name)))
    };
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let is_loader = |file: &Record| {
        file.name("name")
            .is_some_and(|name| last(&name).starts_with("ld-"))
    };
    named(&|name| name == exe)
        .or_else(|| named(&|name| last(name) == last(exe)))
        .or_else(|| files.iter().rev().copied().find(|file| !is_loader(file)))
}

fn file(record: &Record, id: InodeId, path: String, unlinked: bool) -> Option<ExecFile> {
    let mode = mode(record)?;
    Some(ExecFile {
        path,
        dev: id.device(),
        ino: id.ino,
        mode,
        uid: record.number("ouid")?,
        gid: record.number("ogid")?,
        unlinked,
        // Records do not tell the options of its mount.
        nosuid: false,
        setuid: mode & SETUID != 0,
        setgid: mode & SETGID != 0 && mode & GROUP_EXECUTES != 0,
        file_caps: file_caps(record),
    })
}

/// `cap_fp=? cap_fi=?` where they could not be read.
fn file_caps(record: &Record) -> Option<bool> {
    Some(hex(record, "cap_fp")? | hex(record, "cap_fi")? != 0)
}

/// What the ids show of a file that bears them, and what the kernel tells of capabilities where they grew.
fn gained(event: &AuditEvent, file: &ExecFile, process: &mut Process) -> Gained {
    let mut gained = Gained {
        uid: file.setuid && process.euid == file.uid && process.euid != process.uid,
        gid: file.setgid && process.egid == file.gid && process.egid != process.gid,
        caps: CapSet::EMPTY,
    };
    if let Some(record) = event.record(kind::BPRM_FCAPS) {
        let caps = |name| CapSet(hex(record, name).unwrap_or_default());
        process.caps_permitted = caps("pp");
        process.caps_effective = caps("pe");
        gained.caps = caps("pp").without(caps("old_pp"));
    }
    gained
}
