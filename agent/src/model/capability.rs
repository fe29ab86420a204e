//! Sets of Linux capabilities (`linux/capability.h`).

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Names by bit, without the `CAP_` prefix.
const NAMES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// A set of capabilities; bit N is capability N. In JSON: `0x` and hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^0x[0-9a-f]+$"))]
pub struct CapSet(pub u64);

/// What engines grant a container by default: the fourteen of Docker and containerd.
pub const DEFAULT_CONTAINER_CAPS: CapSet = CapSet(
    1 | 1 << 1
        | 1 << 3
        | 1 << 4
        | 1 << 5
        | 1 << 6
        | 1 << 7
        | 1 << 8
        | 1 << 10
        | 1 << 13
        | 1 << 18
        | 1 << 27
        | 1 << 29
        | 1 << 31,
);

impl CapSet {
    /// No capability.
    pub const EMPTY: Self = Self(0);
    /// Every capability this build knows.
    pub const ALL: Self = Self((1 << NAMES.len()) - 1);

    /// The set of one name: any case, with or without `CAP_`; `ALL` is every capability.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let upper = name.trim().to_ascii_uppercase();
        let bare = upper.strip_prefix("CAP_").unwrap_or(&upper);
        if bare == "ALL" {
            return Some(Self::ALL);
        }
        NAMES
            .iter()
            .position(|known| *known == bare)
            .map(|bit| Self(1 << bit))
    }

    /// In both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// In either.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// In this and not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether every capability of `other` is in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Number of capabilities.
    #[must_use]
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Names without `CAP_`, in numerical order; a bit without a name is `CAP_N`.
    #[must_use]
    pub fn names(self) -> Vec<String> {
        (0..64)
            .filter(|bit| self.0 & (1 << bit) != 0)
            .map(|bit: usize| {
                NAMES
                    .get(bit)
                    .map_or_else(|| format!("CAP_{bit}"), |name| (*name).to_owned())
            })
            .collect()
    }
}

impl fmt::Debug for CapSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl From<CapSet> for String {
    fn from(set: CapSet) -> Self {
        format!("{:#x}", set.0)
    }
}

impl TryFrom<String> for CapSet {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digits = text
            .strip_prefix("0x")
            .ok_or_else(|| format!("a capability set starts with 0x, not `{text}`"))?;
        u64::from_str_radix(digits, 16)
            .map(Self)
            .map_err(|error| format!("`{text}` is no capability set: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_set_is_the_fourteen_that_engines_grant() {
        assert_eq!(DEFAULT_CONTAINER_CAPS.len(), 14);
        assert_eq!(DEFAULT_CONTAINER_CAPS.0, 0xa804_25fb);
        assert!(!DEFAULT_CONTAINER_CAPS.contains(CapSet::named("SYS_ADMIN").unwrap()));
    }

    #[test]
    fn names_are_read_in_every_spelling() {
        for spelling in ["sys_admin", "CAP_SYS_ADMIN", " Cap_Sys_Admin "] {
            assert_eq!(CapSet::named(spelling), Some(CapSet(1 << 21)), "{spelling}");
        }
        assert_eq!(CapSet::named("all"), Some(CapSet::ALL));
        assert_eq!(CapSet::named("SYS_NOTHING"), None);
    }

    #[test]
    fn json_is_hexadecimal_and_survives_a_round_trip() {
        let json = serde_json::to_string(&CapSet(0x1ff)).unwrap();
        assert_eq!(json, "\"0x1ff\"");
        assert_eq!(serde_json::from_str::<CapSet>(&json).unwrap(), CapSet(0x1ff));
        assert!(serde_json::from_str::<CapSet>("\"12\"").is_err());
    }
}
