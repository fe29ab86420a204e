//! Observations from events of the trail.

use super::assemble::AuditEvent;
use super::record::{Record, kind};
use super::rule::call_name;
use crate::model::{AncestorRef, AuditChange, AuditPath, AuditRecord, Event, Observation, Process, Source};

/// A user that is not set.
const UNSET: u32 = u32::MAX;
/// Separates the keys of a rule.
const KEY_SEPARATOR: u8 = 1;
/// Arguments of a command line that are kept, and paths of an event.
const MAX_ARGS: usize = 64;
const MAX_PATHS: usize = 256;

/// What an event tells: each change of the trail itself, and the objects of a system call.
#[must_use]
pub fn observations(event: &AuditEvent) -> Vec<Observation> {
    let call = event.record(kind::SYSCALL);
    let process = call.and_then(|call| process(event, call));
    let observation = |what: Event| Observation {
        time: event.id.time,
        source: Source::Audit,
        process: process.clone(),
        container: None,
        plumbing: false,
        event: what,
    };
    let changes = event.records.iter().filter_map(change).map(Event::AuditChange);
    let record = call.and_then(|call| record(event, call)).map(Event::AuditRecord);
    changes.chain(record).map(observation).collect()
}

/// Whether records of this type tell of a change of the trail.
pub(super) const fn is_change(kind: u16) -> bool {
    use kind::{CONFIG_CHANGE, DAEMON_ABORT, DAEMON_END, DAEMON_START, FEATURE_CHANGE};
    matches!(
        kind,
        CONFIG_CHANGE | FEATURE_CHANGE | DAEMON_START | DAEMON_END | DAEMON_ABORT
    )
}

/// What a record says was changed. One that says a change was refused says none.
fn change(record: &Record) -> Option<AuditChange> {
    let (op, what, old, new) = match record.kind {
        kind::CONFIG_CHANGE => config_change(record)?,
        kind::FEATURE_CHANGE => {
            let text = |name| record.get(name).map(|value| value.text());
            ("feature".to_owned(), text("feature")?, text("old"), text("new"))
        }
        kind::DAEMON_START => ("daemon-start".to_owned(), String::new(), None, None),
        kind::DAEMON_END | kind::DAEMON_ABORT => ("daemon-end".to_owned(), String::new(), None, None),
        _ => return None,
    };
    let refused = record.number::<u32>("res") == Some(0);
    (!refused).then(|| AuditChange {
        op,
        what,
        old,
        new,
        login_uid: login_uid(record),
        serial: Some(record.id.serial),
    })
}

type Change = (String, String, Option<String>, Option<String>);

fn config_change(record: &Record) -> Option<Change> {
    let op = record.get("op")?.text();
    if op != "set" {
        let what = keys(record).into_iter().next();
        let what = what
            .or_else(|| record.name("path"))
            .or_else(|| record.name("dir"));
        return Some((op, what.unwrap_or_default(), None, None));
    }
    let old = record.get("old").map(|value| value.text());
    // The setting is a field of its own name: `audit_enabled=0 old=1`, `lost=0 old=5`.
    let setting = record
        .fields()
        .find(|field| !matches!(field.name, b"op" | b"old"))?;
    let new = setting.value.text();
    let what = String::from_utf8_lossy(setting.name).into_owned();
    let op = match (what.as_str(), new.as_str()) {
        ("audit_pid", "0") => "daemon-end",
        ("audit_pid", _) => "daemon-start",
        _ => "set",
    };
    Some((op.to_owned(), what, old, Some(new)))
}

fn record(event: &AuditEvent, call: &Record) -> Option<AuditRecord> {
    let paths: Vec<_> = event.records_of(kind::PATH).take(MAX_PATHS).map(path).collect();
    let keys = keys(call);
    if paths.is_empty() && keys.is_empty() {
        return None;
    }
    Some(AuditRecord {
        serial: event.id.serial,
        keys,
        syscall: syscall(call),
        success: call.get("success").and_then(|value| match value.bytes() {
            b"yes" => Some(true),
            b"no" => Some(false),
            _ => None,
        }),
        paths,
    })
}

fn syscall(call: &Record) -> String {
    let number = call.number("syscall").unwrap_or(UNSET);
    named_call(call).map_or_else(|| number.to_string(), str::to_owned)
}

/// Name of the system call, where architecture and number are known.
pub(super) fn named_call(call: &Record) -> Option<&'static str> {
    let arch = call.get("arch").map(|value| value.text()).unwrap_or_default();
    let arch = u32::from_str_radix(&arch, 16).ok()?;
    call_name(arch, call.number("syscall")?)
}

/// Keys of the rule that matched: several come in one field.
fn keys(record: &Record) -> Vec<String> {
    let bytes = record
        .get("key")
        .and_then(|value| value.untrusted())
        .unwrap_or_default();
    let keys = bytes
        .split(|byte| *byte == KEY_SEPARATOR)
        .filter(|key| !key.is_empty());
    keys.map(|key| String::from_utf8_lossy(key).into_owned())
        .collect()
}

fn path(record: &Record) -> AuditPath {
    AuditPath {
        name: record.name("name"),
        ino: record.number("inode"),
        dev: device(record).map(|(major, minor)| format!("{major}:{minor}")),
        nametype: record
            .get("nametype")
            .map(|value| value.text())
            .unwrap_or_default(),
    }
}

/// Major and minor number of an object's device: `dev=fe:00`, in hexadecimal digits.
pub(super) fn device(record: &Record) -> Option<(u32, u32)> {
    let text = record.get("dev")?.text();
    let (major, minor) = text.split_once(':')?;
    let number = |digits| u32::from_str_radix(digits, 16).ok();
    Some((number(major)?, number(minor)?))
}

fn login_uid(record: &Record) -> Option<u32> {
    record.number("auid").filter(|uid| *uid != UNSET)
}

/// The process of a system call, as far as its record tells: no capabilities, namespaces, cgroup or start.
pub(super) fn process(event: &AuditEvent, call: &Record) -> Option<Process> {
    let pid = call.number("pid")?;
    let (args, args_truncated) = args(event);
    let parent = call.number("ppid").map(|pid| AncestorRef {
        pid,
        comm: String::new(),
        exe: String::new(),
        start_time: 0,
    });
    Some(Process {
        exe: call.name("exe").unwrap_or_default(),
        args,
        args_truncated,
        comm: call.name("comm").unwrap_or_default(),
        uid: call.number("uid")?,
        euid: call.number("euid")?,
        gid: call.number("gid")?,
        egid: call.number("egid")?,
        login_uid: login_uid(call),
        ancestors: parent.into_iter().collect(),
        ..Process::bare(pid)
    })
}

/// Arguments, and whether some are missing: those of an exec where the event has them, else the title of the process,
/// which the kernel cuts off.
fn args(event: &AuditEvent) -> (Vec<String>, bool) {
    if let Some(first) = event.record(kind::EXECVE) {
        let count = first.number("argc").unwrap_or(0);
        let args: Vec<String> = exec_args(event).take(MAX_ARGS).collect();
        let missing = args.len() < count;
        return (args, missing);
    }
    let title = event
        .record(kind::PROCTITLE)
        .and_then(|record| record.get("proctitle"));
    let title = title.and_then(|value| value.untrusted()).unwrap_or_default();
    let args = title.split(|byte| *byte == 0).take(MAX_ARGS);
    let args = args.map(|arg| String::from_utf8_lossy(arg).into_owned());
    let args = args.filter(|_| !title.is_empty()).collect();
    (args, title.len() >= MAX_TITLE)
}

/// Length from which on a title may have been cut off (`MAX_PROCTITLE_AUDIT_LEN`).
const MAX_TITLE: usize = 127;

/// Arguments of an exec. A long one is dealt out to several fields and records, `a1_len=`, `a1[0]=`: it counts as missing.
fn exec_args(event: &AuditEvent) -> impl Iterator<Item = String> {
    let fields = event.records_of(kind::EXECVE).flat_map(Record::fields);
    fields.filter_map(|field| {
        let digits = field.name.strip_prefix(b"a")?;
        let whole = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        field.value.name().filter(|_| whole)
    })
}
