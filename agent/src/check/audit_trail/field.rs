//! Fields of rules: what they ask of an event, and how people read them.

use super::call::Arch;
use crate::model::{AuditField, AuditRule};

pub(super) const ARCH: u32 = 11;
pub(super) const MSGTYPE: u32 = 12;
pub(super) const FSTYPE: u32 = 26;
pub(super) const INODE: u32 = 102;
pub(super) const WATCH: u32 = 105;
pub(super) const PERM: u32 = 106;
pub(super) const DIR: u32 = 107;
pub(super) const KEY: u32 = 210;
const LOGINUID: u32 = 9;
const LOGINUID_SET: u32 = 24;
const EXIT: u32 = 103;
const SUCCESS: u32 = 104;
const FILETYPE: u32 = 108;
const FIELD_COMPARE: u32 = 111;

const LESS: u32 = 0x1000_0000;
const GREATER: u32 = 0x2000_0000;
pub(super) const NOT_EQUAL: u32 = LESS | GREATER;
pub(super) const EQUAL: u32 = 0x4000_0000;
const BIT_MASK: u32 = 0x0800_0000;
/// Where the kernel keeps the operator.
const OPERATOR: u32 = EQUAL | NOT_EQUAL | BIT_MASK;

/// Whether something holds; `Maybe` where it depends on what is not known of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tri {
    No,
    Maybe,
    Yes,
}

impl Tri {
    pub(super) const fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }

    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Maybe,
        }
    }
}

/// `audit_comparator` of the kernel; `Maybe` for an operator that is not known here.
pub(super) fn compare(left: u32, op: u32, right: u32) -> Tri {
    match op & OPERATOR {
        EQUAL => Tri::of(left == right),
        NOT_EQUAL => Tri::of(left != right),
        LESS => Tri::of(left < right),
        GREATER => Tri::of(left > right),
        op if op == LESS | EQUAL => Tri::of(left <= right),
        op if op == GREATER | EQUAL => Tri::of(left >= right),
        BIT_MASK => Tri::of(left & right != 0),
        op if op == BIT_MASK | EQUAL => Tri::of(left & right == right),
        _ => Tri::Maybe,
    }
}

/// Whether a field holds for a call of this architecture and these permission bits. What a rule says of the place is
/// judged elsewhere and holds here; what depends on who acts is `Maybe`.
pub(super) fn holds(field: &AuditField, arch: Arch, perms: u32) -> Tri {
    match field.field {
        ARCH => compare(arch.code(), field.op, field.value),
        PERM => match field.op & OPERATOR {
            EQUAL => Tri::of(field.value & perms != 0),
            NOT_EQUAL => Tri::of(field.value & perms == 0),
            _ => Tri::Maybe,
        },
        INODE if field.op & OPERATOR == EQUAL => Tri::Yes,
        WATCH | DIR | KEY => Tri::Yes,
        _ => Tri::Maybe,
    }
}

/// The fields of a rule that ask who acts, how it ends, or what is not known here: in words.
pub(super) fn filters(rule: &AuditRule) -> Vec<String> {
    let fields = rule.fields.iter();
    fields.filter(|field| is_filter(field)).map(words).collect()
}

/// Whether a rule has such a field.
pub(super) fn is_filtered(rule: &AuditRule) -> bool {
    rule.fields.iter().any(is_filter)
}

fn is_filter(field: &AuditField) -> bool {
    !matches!(field.field, ARCH | PERM) && holds(field, Arch::X86_64, 0) == Tri::Maybe
}

/// Whether the kernel looks a rule up by the inode of a name.
pub(super) fn is_kept_by_inode(rule: &AuditRule) -> bool {
    rule.fields
        .iter()
        .any(|field| matches!(field.field, WATCH | INODE))
}

/// Whether a rule asks how a call ends: what it makes of one that is refused shows nothing of one that succeeds.
pub(crate) fn asks_outcome(rule: &AuditRule) -> bool {
    rule.fields
        .iter()
        .any(|field| matches!(field.field, EXIT | SUCCESS))
}

/// The keys of a rule.
pub(crate) fn keys(rule: &AuditRule) -> Vec<&str> {
    let texts = rule.fields.iter().filter(|field| field.field == KEY);
    texts
        .filter_map(|field| field.text.as_deref())
        .flat_map(|text| text.split('\u{1}'))
        .collect()
}

/// The rule with this number, from 1, in short.
pub(crate) fn describe(index: usize, rule: &AuditRule) -> String {
    let action = match rule.action {
        0 => "never",
        2 => "always",
        _ => "possible",
    };
    let list = match rule.list {
        0 => "user",
        1 => "task",
        4 => "exit",
        5 => "exclude",
        6 => "filesystem",
        7 => "io_uring",
        _ => "an unknown list",
    };
    let fields: Vec<String> = rule.fields.iter().map(words).collect();
    format!("rule {} ({action},{list} {})", index + 1, fields.join(" ")).replace(" )", ")")
}

/// A field as `auditctl` writes it, without what surrounds it.
pub(super) fn words(field: &AuditField) -> String {
    if field.field == FIELD_COMPARE {
        return format!("-C {}", comparison(field));
    }
    let name = name(field.field);
    let name = name.map_or_else(|| format!("field {}", field.field), str::to_owned);
    let op = operator(field.op);
    match (&field.text, field.field) {
        (Some(text), _) => format!("{name}{op}{}", text.replace('\u{1}', ",")),
        (None, LOGINUID_SET) => {
            let set = (field.op & OPERATOR == EQUAL) == (field.value == 1);
            format!("auid{}unset", if set { "!=" } else { "=" })
        }
        (None, code) => format!("{name}{op}{}", value(code, field.value)),
    }
}

fn value(code: u32, value: u32) -> String {
    match code {
        PERM => [(4, 'r'), (2, 'w'), (1, 'x'), (8, 'a')]
            .iter()
            .filter(|(bit, _)| value & bit != 0)
            .map(|(_, letter)| *letter)
            .collect(),
        ARCH if value & 0x8000_0000 != 0 => "b64".to_owned(),
        ARCH => "b32".to_owned(),
        MSGTYPE => record(value).map_or_else(|| value.to_string(), str::to_owned),
        FILETYPE => filetype(value).map_or_else(|| value.to_string(), str::to_owned),
        FSTYPE => format!("{value:#x}"),
        EXIT => value.cast_signed().to_string(),
        1..=LOGINUID | 25 | 109 | 110 if value == u32::MAX => "unset".to_owned(),
        _ => value.to_string(),
    }
}

fn operator(op: u32) -> &'static str {
    match op & OPERATOR {
        NOT_EQUAL => "!=",
        LESS => "<",
        GREATER => ">",
        op if op == LESS | EQUAL => "<=",
        op if op == GREATER | EQUAL => ">=",
        BIT_MASK => "&",
        op if op == BIT_MASK | EQUAL => "&=",
        _ => "=",
    }
}

fn name(code: u32) -> Option<&'static str> {
    const FIRST: [&str; 27] = [
        "pid",
        "uid",
        "euid",
        "suid",
        "fsuid",
        "gid",
        "egid",
        "sgid",
        "fsgid",
        "auid",
        "pers",
        "arch",
        "msgtype",
        "subj_user",
        "subj_role",
        "subj_type",
        "subj_sen",
        "subj_clr",
        "ppid",
        "obj_user",
        "obj_role",
        "obj_type",
        "obj_lev_low",
        "obj_lev_high",
        "auid",
        "sessionid",
        "fstype",
    ];
    const SECOND: [&str; 14] = [
        "devmajor",
        "devminor",
        "inode",
        "exit",
        "success",
        "path",
        "perm",
        "dir",
        "filetype",
        "obj_uid",
        "obj_gid",
        "-C",
        "exe",
        "saddr_fam",
    ];
    const ARGUMENTS: [&str; 4] = ["a0", "a1", "a2", "a3"];
    let at = |list: &'static [&'static str], first: u32| {
        let index = usize::try_from(code.checked_sub(first)?).ok()?;
        list.get(index).copied()
    };
    if code == KEY {
        return Some("key");
    }
    at(&FIRST, 0)
        .or_else(|| at(&SECOND, 100))
        .or_else(|| at(&ARGUMENTS, 200))
}

/// The record types that matter to a rule's trail.
fn record(code: u32) -> Option<&'static str> {
    Some(match code {
        1300 => "SYSCALL",
        1302 => "PATH",
        1305 => "CONFIG_CHANGE",
        1307 => "CWD",
        1309 => "EXECVE",
        1327 => "PROCTITLE",
        _ => return None,
    })
}

fn filetype(mode: u32) -> Option<&'static str> {
    Some(match mode {
        0o140_000 => "socket",
        0o120_000 => "link",
        0o100_000 => "file",
        0o060_000 => "block",
        0o040_000 => "dir",
        0o020_000 => "character",
        0o010_000 => "fifo",
        _ => return None,
    })
}

/// `AUDIT_COMPARE_*`.
fn comparison(field: &AuditField) -> String {
    let (left, right) = match field.value {
        1 => ("uid", "obj_uid"),
        2 => ("gid", "obj_gid"),
        3 => ("euid", "obj_uid"),
        4 => ("egid", "obj_gid"),
        5 => ("auid", "obj_uid"),
        6 => ("suid", "obj_uid"),
        7 => ("sgid", "obj_gid"),
        8 => ("fsuid", "obj_uid"),
        9 => ("fsgid", "obj_gid"),
        10 => ("uid", "auid"),
        11 => ("uid", "euid"),
        12 => ("uid", "fsuid"),
        13 => ("uid", "suid"),
        14 => ("auid", "fsuid"),
        15 => ("auid", "suid"),
        16 => ("auid", "euid"),
        17 => ("euid", "suid"),
        18 => ("euid", "fsuid"),
        19 => ("suid", "fsuid"),
        20 => ("gid", "egid"),
        21 => ("gid", "fsgid"),
        22 => ("gid", "sgid"),
        23 => ("egid", "fsgid"),
        24 => ("egid", "sgid"),
        25 => ("sgid", "fsgid"),
        other => return format!("comparison {other}"),
    };
    format!("{left}{}{right}", operator(field.op))
}
