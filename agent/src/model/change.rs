//! Changes that make an assessment due.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Role, Time};

/// A watched object was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileChange {
    /// Path on the host of what was changed.
    pub path: String,
    /// What was done, each of `write`, `attributes`, `create`, `delete`, `move-from`, `move-to`.
    pub ops: Vec<String>,
    /// What the object is to the engine; null for one that is only near it.
    pub role: Option<Role>,
    /// Inode that was changed; null where nothing is there any more.
    #[serde(default)]
    pub ino: Option<u64>,
    /// Its device, `major:minor`.
    #[serde(default)]
    pub dev: Option<String>,
    /// What it was when the change was read; absent where nothing is there any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<FileAttributes>,
}

/// Mode, owner and last change of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileAttributes {
    /// `st_mode`.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// `st_ctim`: the last change of the file or of these.
    pub changed: Time,
}

/// The audit trail was changed (`CONFIG_CHANGE` and the audit daemon's own records).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditChange {
    /// `add_rule`, `remove_rule`, `updated_rules`, `set` (a setting of the kernel), `daemon-start`, `daemon-end`,
    /// `lost`, or another `op=` of the kernel.
    pub op: String,
    /// What was changed: a rule's key, a setting; empty where the record names none.
    pub what: String,
    /// Value before; null where the record does not say.
    pub old: Option<String>,
    /// Value after; null where the record does not say.
    pub new: Option<String>,
    /// Login user; null where it is unset.
    pub login_uid: Option<u32>,
    /// Serial number of the record; null where it was noticed otherwise.
    pub serial: Option<u64>,
}

/// An event of the audit trail that names one of the watched objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditRecord {
    /// Serial number.
    pub serial: u64,
    /// Keys of the rule that matched.
    pub keys: Vec<String>,
    /// Name of the system call where it is one of those that are told apart, else its number.
    pub syscall: String,
    /// Whether it succeeded; null where the record does not say.
    pub success: Option<bool>,
    /// Objects: path as recorded, inode, device.
    pub paths: Vec<AuditPath>,
}

/// One object of an audit event (`PATH`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditPath {
    /// Name as recorded; null where the kernel wrote none.
    pub name: Option<String>,
    /// Inode.
    pub ino: Option<u64>,
    /// Device, `major:minor`.
    pub dev: Option<String>,
    /// `NORMAL`, `PARENT`, `CREATE`, `DELETE`.
    pub nametype: String,
}
