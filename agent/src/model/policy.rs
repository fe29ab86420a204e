//! What the operator allows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CapSet;

/// Allow-lists that checks consult. Everything is empty by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Users, by resolved uid, who may drive a runtime's socket.
    pub trusted_uids: Vec<u32>,
    /// Capabilities that containers may have beyond the default set.
    pub allowed_caps: CapSet,
    /// Host devices that may be passed to containers.
    pub allowed_devices: Vec<String>,
    /// Absolute paths of setuid, setgid or file-capability programs that images may ship.
    pub allowed_setuid: Vec<String>,
    /// Host paths that may be mounted into containers, exactly as given.
    pub allowed_mounts: Vec<String>,
}
