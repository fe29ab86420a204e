//! What the audit rules record of the engine's files: `audit --json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AuditStatus, HostRef, Time};

/// The audit trail of the engine's files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditReport {
    /// Version of Hullwatch.
    pub version: String,
    /// When it was looked at.
    pub time: Time,
    /// Where.
    pub host: HostRef,
    /// State of the kernel's audit.
    pub status: AuditState,
    /// Rules that the kernel has.
    pub rules: u64,
    /// What the benchmark wants recorded, in its order.
    pub paths: Vec<AuditPathRow>,
}

/// State of the kernel's audit, and what is to be said of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditState {
    /// As the kernel tells it.
    #[serde(flatten)]
    pub kernel: AuditStatus,
    /// Whether rules can be changed only by a restart of the host.
    pub immutable: bool,
    /// What impairs the trail as a whole, each one sentence.
    pub notes: Vec<String>,
}

/// What becomes of changes to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AuditDecision {
    /// Every change of content or attributes is recorded.
    Covered,
    /// Some are; the reason says which are not.
    Partial,
    /// A rule would record them, and another keeps it from doing so.
    Shadowed,
    /// A rule would record them, and auditing as a whole does not work.
    Dead,
    /// No rule is about it.
    Absent,
}

impl AuditDecision {
    /// Name in lines and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Covered => "covered",
            Self::Partial => "partial",
            Self::Shadowed => "shadowed",
            Self::Dead => "dead",
            Self::Absent => "absent",
        }
    }
}

/// Whether rules are in the kernel, and in the files that it is given at boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum AuditPersistence {
    LoadedAndPersistent,
    LoadedOnly,
    FileOnly,
    Neither,
    Unknown,
}

impl AuditPersistence {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::LoadedAndPersistent => "loaded and persistent",
            Self::LoadedOnly => "loaded only",
            Self::FileOnly => "in the rule files only",
            Self::Neither => "neither loaded nor in the rule files",
            Self::Unknown => "rule files unknown",
        }
    }
}

/// One object that the benchmark wants recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditPathRow {
    /// Key of the check.
    pub key: String,
    /// Number of the check in the newest benchmark that has it.
    pub number: String,
    /// Whether the benchmark that the number is of asks for it; false for what only the oldest name.
    pub required: bool,
    /// Path on the host; null where nothing is there.
    pub path: Option<String>,
    /// The decision; null where there is nothing to decide, or where it could not be looked at.
    pub decision: Option<AuditDecision>,
    /// One sentence.
    pub reason: String,
    /// The rule that decides it, in `auditctl`'s syntax; null where none does.
    pub rule: Option<String>,
    /// Permissions that are not wholly recorded, of `rwxa`.
    pub missing: String,
    /// Whether the rule files make the same so after a restart; null where that is not known.
    pub persistent: Option<bool>,
    /// The same with what is loaded.
    pub persistence: AuditPersistence,
    /// What else is to be known.
    pub notes: Vec<String>,
    /// What a change showed; null where none was made.
    pub proof: Option<AuditProof>,
}

/// What became of the changes that were tried to see whether they are recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditProof {
    /// Whether every one was recorded; null where none is missing, but one could not be tried or shows nothing.
    pub proven: Option<bool>,
    /// What was done and seen, one sentence.
    pub reason: String,
    /// Serial number of a record.
    pub serial: Option<u64>,
    /// Keys of the records, each once.
    pub keys: Vec<String>,
    /// Changes of content (`w`).
    pub write: PermissionProof,
    /// Changes of mode, owner and attributes (`a`).
    pub attribute: PermissionProof,
}

/// What became of one change that was tried.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PermissionProof {
    /// Whether it was recorded; null where it could not be tried, or shows nothing.
    pub proven: Option<bool>,
    /// What was done and seen, or why not.
    pub reason: String,
    /// Serial number of the record.
    pub serial: Option<u64>,
    /// Keys of the record.
    pub keys: Vec<String>,
}

impl AuditProof {
    /// Both together.
    #[must_use]
    pub fn of(write: PermissionProof, attribute: PermissionProof) -> Self {
        let proven = match (write.proven, attribute.proven) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        };
        let mut keys = attribute.keys.clone();
        keys.extend(
            write
                .keys
                .iter()
                .filter(|key| !attribute.keys.contains(key))
                .cloned(),
        );
        Self {
            proven,
            reason: format!("attributes {}; writes {}", attribute.reason, write.reason),
            serial: attribute.serial.or(write.serial),
            keys,
            write,
            attribute,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(write: Option<bool>, attribute: Option<bool>, expect: Option<bool>) {
        let proof = |proven| PermissionProof {
            proven,
            ..PermissionProof::default()
        };
        assert_eq!(AuditProof::of(proof(write), proof(attribute)).proven, expect);
    }

    #[test]
    fn what_shows_nothing_proves_nothing() {
        check(Some(true), Some(true), Some(true));
        check(None, Some(true), None);
        check(Some(true), None, None);
        check(None, None, None);
    }

    #[test]
    fn what_is_missing_disproves() {
        check(Some(false), Some(true), Some(false));
        check(None, Some(false), Some(false));
    }
}
