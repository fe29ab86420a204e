//! Identities that must not be confused with each other.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Id of a cgroup: the inode of its directory.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct CgroupId(pub u64);

/// A process, told apart from a later one with the same pid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessKey {
    /// Process id in the host's pid namespace.
    pub pid: u32,
    /// Start, `CLOCK_BOOTTIME` nanoseconds.
    pub start_time: u64,
}

/// A container's id: 64 lower-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[0-9a-f]{64}$"))]
pub struct ContainerId(Box<str>);

/// The text is not a container id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a container id is 64 lower-case hexadecimal digits, not `{0}`")]
pub struct ParseContainerIdError(String);

impl ContainerId {
    /// The 64 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve digits, as engines print them.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl TryFrom<String> for ContainerId {
    type Error = ParseContainerIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if digits && text.len() == hullwatch_common::CONTAINER_ID_LEN {
            Ok(Self(text.into_boxed_str()))
        } else {
            Err(ParseContainerIdError(text))
        }
    }
}

impl std::str::FromStr for ContainerId {
    type Err = ParseContainerIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text.to_owned())
    }
}

impl From<ContainerId> for String {
    fn from(id: ContainerId) -> Self {
        id.0.into()
    }
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_64_lower_case_digits_are_an_id() {
        let good = "ab01".repeat(16);
        assert_eq!(good.parse::<ContainerId>().unwrap().short(), "ab01ab01ab01");
        for bad in [
            String::new(),
            "ab01".repeat(15),
            "AB01".repeat(16),
            format!("{good}0"),
        ] {
            assert!(bad.parse::<ContainerId>().is_err(), "{bad}");
        }
    }
}
