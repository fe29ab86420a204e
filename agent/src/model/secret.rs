//! Traces of secrets, without the secrets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something that looks like a secret where none should be. Never its value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct SecretHint {
    /// Where: `env`, `label`, `command`, `history`, `file`, `deleted-file`.
    pub place: String,
    /// Name of the variable, label, build argument, or path of the file.
    pub name: String,
    /// What it looks like: `private key`, `token`, `password`, …
    pub kind: String,
    /// First 8 hexadecimal digits of the value's SHA-256, to tell two apart; empty where the value was not read.
    pub digest: String,
}
