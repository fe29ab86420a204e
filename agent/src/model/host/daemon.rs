//! The engine's daemon as a process of the host.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::{Fact, Time, Verdict};

/// A running `dockerd`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Daemon {
    /// Process id.
    pub pid: u32,
    /// Effective user on the host.
    pub uid: u32,
    /// The user that uid 0 of its user namespace is on the host; 0 for a daemon of the host.
    pub root_uid: u32,
    /// Path of its executable.
    pub exe: String,
    /// Whether the file at that path is another one by now: upgraded, not restarted.
    pub exe_replaced: bool,
    /// When it was started.
    pub started: Option<Time>,
    /// Its command line, split as it is.
    pub argv: Vec<String>,
    /// Its configuration file, as it sees it.
    pub config_file: ConfigFile,
    /// Effective options by their name in the configuration file (`icc`, `log-level`, `hosts`, …): those that are
    /// given by flag or file. One that is absent has its default.
    pub options: BTreeMap<String, DaemonOption>,
    /// Where it listens, from its own descriptors.
    pub listeners: Fact<Vec<Listener>>,
    /// Children that proxy published ports.
    pub userland_proxies: Fact<Vec<u32>>,
    /// SHA-256, in hexadecimal digits, of the file that `seccomp-profile` names, as the daemon sees it; unknown where
    /// none is named.
    #[serde(default)]
    pub seccomp_sha256: Fact<String>,
}

/// The configuration file of the daemon.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigFile {
    /// Path as the daemon names it.
    pub path: String,
    /// Whether the path was asked for, rather than the default.
    pub asked_for: bool,
    /// What it holds, keys by their name; null where there is no such file.
    pub content: Fact<Option<BTreeMap<String, Value>>>,
    /// When it was last changed.
    pub changed: Option<Time>,
}

/// How much earlier than the truth a start is told: the kernel counts it in ticks of 10 ms, and the clock adds another.
const START_ERROR: Duration = Duration::from_millis(20);

impl ConfigFile {
    /// Whether it was changed after this start of the daemon. A change within what the start is not known by was before
    /// it: a daemon takes longer than that to come to read the file.
    #[must_use]
    pub fn is_newer_than(&self, started: Option<Time>) -> bool {
        matches!((self.changed, started), (Some(changed), Some(started)) if changed.since(started) > START_ERROR)
    }
}

/// One effective option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DaemonOption {
    /// Value, as the configuration file would write it: a boolean, a string, a list, a map. Null where only the file
    /// gives it and was changed since the daemon was started, so that what it was started with is not known.
    pub value: Value,
    /// Where it is from.
    pub source: OptionSource,
    /// What the configuration file says by now, where that differs from what the daemon was started with and
    /// cannot have been reloaded: it holds after the next restart.
    pub pending: Option<Value>,
}

/// Where an option is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OptionSource {
    /// The command line.
    Flag,
    /// The configuration file.
    File,
    /// The engine's API, which shows what is in force.
    Engine,
}

/// An address that a process listens on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Listener {
    /// `tcp`, `tcp6`, `udp`, `udp6`, `unix` or `vsock`.
    pub protocol: String,
    /// Address without the port; the path of a Unix socket.
    pub address: String,
    /// Port; 0 where the protocol has none.
    pub port: u32,
}

impl Listener {
    /// Whether it accepts on every address.
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        matches!(self.address.as_str(), "0.0.0.0" | "::")
    }

    /// Whether only the host itself reaches it.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.address.starts_with("127.") || self.address == "::1"
    }
}

impl Daemon {
    /// An option that is given by flag or file.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&DaemonOption> {
        self.options.get(name)
    }

    /// An option that is given by flag or file and whose value is known; `None` where it has its default.
    ///
    /// # Errors
    /// [`Verdict::unknown`] where the file that may give it cannot be read, or was changed since the daemon was
    /// started.
    pub fn look(&self, name: &str) -> Result<Option<&DaemonOption>, Verdict> {
        match (self.option(name), &self.config_file.content) {
            (Some(option), _) if option.value.is_null() => {
                let path = &self.config_file.path;
                Err(Verdict::unknown(format!(
                    "{path} was changed after the daemon was started: whether its `{name}` is in force shows after a restart"
                )))
            }
            (None, Fact::Unknown(why)) => Err(Verdict::unknown(why.as_str())),
            (option, _) => Ok(option),
        }
    }

    /// A boolean option; `default` where it is not given. None where what is given is no boolean.
    #[must_use]
    pub fn flag(&self, name: &str, default: bool) -> Option<bool> {
        self.option(name)
            .map_or(Some(default), |option| option.value.as_bool())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(
        value: Option<Value>,
        content: Fact<Option<BTreeMap<String, Value>>>,
        expect: Result<Option<&str>, &str>,
    ) {
        let option = |value| DaemonOption {
            value,
            source: OptionSource::File,
            pending: None,
        };
        let daemon = Daemon {
            config_file: ConfigFile {
                path: "/daemon.json".to_owned(),
                content,
                ..ConfigFile::default()
            },
            options: value
                .into_iter()
                .map(|value| ("bridge".to_owned(), option(value)))
                .collect(),
            ..Daemon::default()
        };
        let found = daemon
            .look("bridge")
            .map(|option| option.and_then(|option| option.value.as_str()));
        let found = found.map_err(|verdict| verdict.reason);
        match (found, expect) {
            (Err(found), Err(words)) => assert!(found.contains(words), "{found}"),
            (found, expect) => assert_eq!(found, expect.map_err(str::to_owned)),
        }
    }

    #[test]
    fn an_option_is_looked_at_only_where_it_is_known() {
        let none = || Fact::Known(None);
        check(None, none(), Ok(None));
        check(Some(json!("none")), none(), Ok(Some("none")));
        check(Some(json!("none")), Fact::unknown("bad"), Ok(Some("none")));
        check(None, Fact::unknown("bad"), Err("bad"));
        check(Some(Value::Null), none(), Err("/daemon.json was changed"));
    }

    #[track_caller]
    fn check_newer(changed: Option<i128>, started: Option<i128>, expect: bool) {
        let at = |millis: i128| Time::from_unix_nanos((1_000_000 + millis) * 1_000_000);
        let file = ConfigFile {
            changed: changed.map(at),
            ..ConfigFile::default()
        };
        assert_eq!(file.is_newer_than(started.map(at)), expect);
    }

    #[test]
    fn a_file_written_just_before_a_start_is_not_newer() {
        check_newer(Some(-5000), Some(0), false);
        // Written, started at once, and the start told in whole ticks.
        check_newer(Some(19), Some(0), false);
        check_newer(Some(21), Some(0), true);
        check_newer(None, Some(0), false);
        check_newer(Some(5000), None, false);
    }
}
