//! The audit trail: the kernel's rules, its state, and what is written down.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DirEntry, Fact};

/// All that is known of the audit trail at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditFacts {
    /// `AUDIT_GET`.
    pub status: AuditStatus,
    /// `AUDIT_LIST_RULES`, in the kernel's order.
    pub rules: Vec<AuditRule>,
    /// Rules on disk, in the order in which they would be loaded.
    pub files: Fact<Vec<RuleLine>>,
    /// Whether the running engine and containerd were started before auditing was enabled: `pid name`, for each that
    /// has no audit context. Empty where all have one; unknown where the kernel does not tell.
    pub unaudited_processes: Fact<Vec<String>>,
    /// Where no audit daemon runs: names of the other programs that take the kernel's records. Empty where a daemon runs
    /// or nobody does.
    #[serde(default)]
    pub listeners: Fact<Vec<String>>,
}

/// State of the kernel's audit (`struct audit_status`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditStatus {
    /// 0 disabled, 1 enabled, 2 immutable until the next boot.
    pub enabled: u32,
    /// What a failure does: 0 nothing, 1 a message, 2 panic.
    pub failure: u32,
    /// Process id of the audit daemon; 0 where there is none.
    pub pid: u32,
    /// Name of that process; null where it could not be read.
    pub daemon: Option<String>,
    /// Records per second, 0 without limit.
    pub rate_limit: u32,
    /// Records that may wait.
    pub backlog_limit: u32,
    /// Records lost since boot.
    pub lost: u32,
    /// Records that wait.
    pub backlog: u32,
}

/// One rule (`struct audit_rule_data`, `include/uapi/linux/audit.h`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditRule {
    /// List: 0 user, 1 task, 4 exit, 5 exclude, 6 filesystem, 7 uring-exit.
    pub list: u32,
    /// Action: 0 never, 2 always.
    pub action: u32,
    /// System calls: bit N of word N / 32 is call N of the rule's architecture. All ones: every call.
    pub mask: Vec<u32>,
    /// Fields, in order.
    pub fields: Vec<AuditField>,
    /// What the path of a watch, a directory or an executable stands for now; null for a rule without one.
    pub target: Option<WatchTarget>,
}

/// One field of a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct AuditField {
    /// `AUDIT_PID` and so on.
    pub field: u32,
    /// Operator bits (`AUDIT_EQUAL` and so on).
    pub op: u32,
    /// Value; the length of the text for a text.
    pub value: u32,
    /// Text of a path, key or label; bytes that are no UTF-8 are replaced.
    pub text: Option<String>,
}

/// What the path of a rule stands for now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WatchTarget {
    /// Path with every symlink resolved, where something is there.
    pub resolved: Option<String>,
    /// The name and the directory that holds it, as the kernel resolved them: symlinks in the last component are not
    /// followed.
    pub entry: Option<DirEntry>,
    /// Inode at the path; the last component's own where it is a symlink.
    pub ino: Option<u64>,
    /// Device of that inode, `major:minor`.
    pub dev: Option<String>,
    /// Whether it is a directory.
    pub directory: bool,
    /// Whether the last component is a symlink.
    pub symlink: bool,
}

/// One rule on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleLine {
    /// File.
    pub file: String,
    /// Line number, from 1.
    pub line: u32,
    /// Text as written, without what surrounds it.
    pub text: String,
    /// Whether the file is the merged one that is loaded at boot, rather than one of those it is merged from.
    pub merged: bool,
    /// The rule that loading it would make; null for an option (`-D`, `-e 2`) and for what is no rule.
    #[serde(default)]
    pub rule: Option<AuditRule>,
}
