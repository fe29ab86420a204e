//! The fields of a rule (`include/uapi/linux/audit.h`) with the names that `auditctl` gives them.

use netlink_packet_audit::constants as k;

/// What the value of a field stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A number.
    Number,
    /// A user.
    User,
    /// A group.
    Group,
    /// An architecture.
    Arch,
    /// A type of record.
    MessageType,
    /// A path, a key or a label: in the text behind the structure.
    Text,
    /// Letters of `rwxa`.
    Perm,
    /// A sort of file.
    FileType,
    /// A negated error number, or what a call returned.
    Exit,
    /// A filesystem.
    FsType,
    /// Two fields that are compared.
    Comparison,
}

/// `AUDIT_SADDR_FAM`, which the constants of the packet crate lack.
const SADDR_FAM: u32 = 113;

/// Number, name, kind.
const FIELDS: &[(u32, &str, Kind)] = &[
    (k::AUDIT_PID, "pid", Kind::Number),
    (k::AUDIT_UID, "uid", Kind::User),
    (k::AUDIT_EUID, "euid", Kind::User),
    (k::AUDIT_SUID, "suid", Kind::User),
    (k::AUDIT_FSUID, "fsuid", Kind::User),
    (k::AUDIT_GID, "gid", Kind::Group),
    (k::AUDIT_EGID, "egid", Kind::Group),
    (k::AUDIT_SGID, "sgid", Kind::Group),
    (k::AUDIT_FSGID, "fsgid", Kind::Group),
    (k::AUDIT_LOGINUID, "auid", Kind::User),
    (k::AUDIT_LOGINUID, "loginuid", Kind::User),
    (k::AUDIT_PERS, "pers", Kind::Number),
    (k::AUDIT_ARCH, "arch", Kind::Arch),
    (k::AUDIT_MSGTYPE, "msgtype", Kind::MessageType),
    (k::AUDIT_SUBJ_USER, "subj_user", Kind::Text),
    (k::AUDIT_SUBJ_ROLE, "subj_role", Kind::Text),
    (k::AUDIT_SUBJ_TYPE, "subj_type", Kind::Text),
    (k::AUDIT_SUBJ_SEN, "subj_sen", Kind::Text),
    (k::AUDIT_SUBJ_CLR, "subj_clr", Kind::Text),
    (k::AUDIT_PPID, "ppid", Kind::Number),
    (k::AUDIT_OBJ_USER, "obj_user", Kind::Text),
    (k::AUDIT_OBJ_ROLE, "obj_role", Kind::Text),
    (k::AUDIT_OBJ_TYPE, "obj_type", Kind::Text),
    (k::AUDIT_OBJ_LEV_LOW, "obj_lev_low", Kind::Text),
    (k::AUDIT_OBJ_LEV_HIGH, "obj_lev_high", Kind::Text),
    (k::AUDIT_LOGINUID_SET, "loginuid_set", Kind::Number),
    (k::AUDIT_SESSIONID, "sessionid", Kind::Number),
    (k::AUDIT_FSTYPE, "fstype", Kind::FsType),
    (k::AUDIT_DEVMAJOR, "devmajor", Kind::Number),
    (k::AUDIT_DEVMINOR, "devminor", Kind::Number),
    (k::AUDIT_INODE, "inode", Kind::Number),
    (k::AUDIT_EXIT, "exit", Kind::Exit),
    (k::AUDIT_SUCCESS, "success", Kind::Number),
    (k::AUDIT_WATCH, "path", Kind::Text),
    (k::AUDIT_PERM, "perm", Kind::Perm),
    (k::AUDIT_DIR, "dir", Kind::Text),
    (k::AUDIT_FILETYPE, "filetype", Kind::FileType),
    (k::AUDIT_OBJ_UID, "obj_uid", Kind::User),
    (k::AUDIT_OBJ_GID, "obj_gid", Kind::Group),
    (k::AUDIT_FIELD_COMPARE, "field_compare", Kind::Comparison),
    (k::AUDIT_EXE, "exe", Kind::Text),
    (SADDR_FAM, "saddr_fam", Kind::Number),
    (k::AUDIT_ARG0, "a0", Kind::Number),
    (k::AUDIT_ARG0 + 1, "a1", Kind::Number),
    (k::AUDIT_ARG0 + 2, "a2", Kind::Number),
    (k::AUDIT_ARG0 + 3, "a3", Kind::Number),
    (k::AUDIT_FILTERKEY, "key", Kind::Text),
];

/// Operators, longest first.
const OPERATORS: &[(u32, &str)] = &[
    (k::AUDIT_NOT_EQUAL, "!="),
    (k::AUDIT_LESS_THAN_OR_EQUAL, "<="),
    (k::AUDIT_GREATER_THAN_OR_EQUAL, ">="),
    (k::AUDIT_BIT_MASK | k::AUDIT_EQUAL, "&="),
    (k::AUDIT_EQUAL, "="),
    (k::AUDIT_LESS_THAN, "<"),
    (k::AUDIT_GREATER_THAN, ">"),
    (k::AUDIT_BIT_MASK, "&"),
];

/// Lists.
const LISTS: &[(u32, &str)] = &[
    (0, "user"),
    (1, "task"),
    (4, "exit"),
    (5, "exclude"),
    (6, "filesystem"),
    (7, "io_uring"),
];

/// Actions.
const ACTIONS: &[(u32, &str)] = &[(0, "never"), (1, "possible"), (2, "always")];

/// Name and kind of a field.
pub(super) fn named(field: u32) -> Option<(&'static str, Kind)> {
    FIELDS
        .iter()
        .find(|(number, ..)| *number == field)
        .map(|(_, name, kind)| (*name, *kind))
}

/// Number and kind of the field of this name.
pub(super) fn numbered(name: &str) -> Option<(u32, Kind)> {
    FIELDS
        .iter()
        .find(|(_, known, _)| *known == name)
        .map(|(number, _, kind)| (*number, *kind))
}

/// Whether the value of a field is the length of a text.
pub(super) fn is_text(field: u32) -> bool {
    matches!(named(field), Some((_, Kind::Text)))
}

/// `name`, operator and value of `name=value`.
pub(super) fn split(text: &str) -> Option<(&str, u32, &str)> {
    let at = text.find(['=', '!', '<', '>', '&'])?;
    let (name, rest) = text.split_at_checked(at)?;
    let (bits, value) = OPERATORS
        .iter()
        .find_map(|(bits, sign)| Some((*bits, rest.strip_prefix(sign)?)))?;
    Some((name, bits, value))
}

/// The sign of an operator.
pub(super) fn operator(bits: u32) -> Option<&'static str> {
    word(OPERATORS, bits)
}

/// The name of a list.
pub(super) fn list(number: u32) -> Option<&'static str> {
    word(LISTS, number)
}

/// The list of this name.
pub(super) fn list_named(name: &str) -> Option<u32> {
    // Later releases and the manual also say it so.
    let name = if name == "io_uring_exit" { "io_uring" } else { name };
    number(LISTS, name)
}

/// The name of an action.
pub(super) fn action(number: u32) -> Option<&'static str> {
    word(ACTIONS, number)
}

/// The action of this name.
pub(super) fn action_named(name: &str) -> Option<u32> {
    number(ACTIONS, name)
}

/// The word for a number.
pub(super) fn word(table: &[(u32, &'static str)], number: u32) -> Option<&'static str> {
    table
        .iter()
        .find(|(known, _)| *known == number)
        .map(|(_, word)| *word)
}

/// The number that a word stands for.
pub(super) fn number(table: &[(u32, &str)], word: &str) -> Option<u32> {
    table
        .iter()
        .find(|(_, known)| *known == word)
        .map(|(number, _)| *number)
}
