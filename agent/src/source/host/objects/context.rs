//! What decides where the engine's objects are: its options, its user and its environment.

use std::collections::BTreeMap;

use super::super::proc;
use super::root::Root;
use crate::model::{Daemon, HostFacts};

/// Variables of the daemon that are kept.
const MAX_VARIABLES: usize = 4096;
/// Where programs are looked for if the daemon's environment does not say.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Facts that were collected before, and what they lack.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub(super) facts: &'a HostFacts,
    environment: BTreeMap<String, String>,
    /// Home directory of the daemon's user.
    pub(super) home: String,
}

impl<'a> Context<'a> {
    /// With the environment of the daemon's process.
    pub(super) fn new(root: &Root, facts: &'a HostFacts) -> Self {
        let pid = facts.daemon.get().map(|daemon| daemon.pid);
        let bytes = pid.and_then(|pid| proc::read(&proc::open(pid).ok()?, "environ").ok());
        Self::with_environment(root, facts, &bytes.unwrap_or_default())
    }

    /// With the variables of an environment, as `/proc/PID/environ` has them.
    pub(super) fn with_environment(root: &Root, facts: &'a HostFacts, environment: &[u8]) -> Self {
        let text = String::from_utf8_lossy(environment);
        let variables = text.split('\0').filter_map(|variable| variable.split_once('='));
        let environment: BTreeMap<_, _> = variables
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .take(MAX_VARIABLES)
            .collect();
        let uid = facts.daemon.get().map_or(0, |daemon| daemon.uid);
        let home = environment.get("HOME").cloned().filter(|home| !home.is_empty());
        Self {
            facts,
            home: home
                .or_else(|| home_of(root, uid))
                .unwrap_or_else(|| "/".to_owned()),
            environment,
        }
    }

    /// The daemon, where it is known.
    pub(super) fn daemon(&self) -> Option<&Daemon> {
        self.facts.daemon.get()
    }

    /// User of a daemon that runs without root.
    pub(super) fn rootless(&self) -> Option<u32> {
        self.daemon().map(|daemon| daemon.uid).filter(|uid| *uid != 0)
    }

    /// A variable of the daemon that is not empty.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.environment
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// A text option of the daemon.
    pub(super) fn option(&self, name: &str) -> Option<&str> {
        self.daemon()?
            .option(name)?
            .value
            .as_str()
            .filter(|value| !value.is_empty())
    }

    /// A list option of the daemon.
    pub(super) fn list(&self, name: &str) -> Vec<&str> {
        let value = self
            .daemon()
            .and_then(|daemon| daemon.option(name))
            .map(|option| &option.value);
        let items = value.and_then(|value| value.as_array()).into_iter().flatten();
        items
            .chain(value.filter(|value| value.is_string()))
            .filter_map(|item| item.as_str())
            .collect()
    }

    /// Where a program is, as the daemon finds it: a path stays, a name is looked for in its `PATH`.
    pub(super) fn program(&self, root: &Root, name: &str) -> Option<String> {
        if name.contains('/') {
            return Some(name.to_owned());
        }
        let path = self.variable("PATH").unwrap_or(DEFAULT_PATH);
        let candidates = path
            .split(':')
            .filter(|directory| directory.starts_with('/'))
            .map(|directory| format!("{}/{name}", directory.trim_end_matches('/')));
        candidates.into_iter().find(|candidate| root.has(candidate))
    }
}

/// Home directory of an account of the tree.
fn home_of(root: &Root, uid: u32) -> Option<String> {
    let passwd = root.read("/etc/passwd").ok()?;
    let number = uid.to_string();
    let fields = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let mut homes = fields
        .filter(|fields| fields.get(2) == Some(&number.as_str()))
        .filter_map(|fields| fields.get(5).map(|home| (*home).to_owned()));
    homes.next().filter(|home| home.starts_with('/'))
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{DaemonOption, Fact, OptionSource};

    /// Facts of a daemon of this user with these options.
    pub(in super::super) fn facts(uid: u32, options: &serde_json::Value) -> HostFacts {
        let options = options.as_object().unwrap().iter().map(|(name, value)| {
            let (source, pending) = (OptionSource::File, None);
            let value = value.clone();
            (
                name.clone(),
                DaemonOption {
                    value,
                    source,
                    pending,
                },
            )
        });
        HostFacts {
            daemon: Fact::Known(Daemon {
                uid,
                exe: "/usr/bin/dockerd".into(),
                options: options.collect(),
                ..Daemon::default()
            }),
            ..HostFacts::default()
        }
    }

    #[test]
    fn homes_and_programs_are_found_as_the_daemon_finds_them() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["etc", "opt/bin", "usr/bin"] {
            std::fs::create_dir_all(dir.path().join(path)).unwrap();
        }
        std::fs::write(
            dir.path().join("etc/passwd"),
            "ana:x:1000:1000::/home/ana:/bin/sh\nbad\n",
        )
        .unwrap();
        for path in ["opt/bin/runc", "usr/bin/runc"] {
            std::fs::write(dir.path().join(path), "").unwrap();
        }
        let root = Root::open(dir.path()).unwrap();
        let facts = facts(
            1000,
            &json!({"hosts": ["unix:///a"], "data-root": "/data", "group": ""}),
        );
        let plain = Context::with_environment(&root, &facts, b"");
        assert_eq!((plain.home.as_str(), plain.rootless()), ("/home/ana", Some(1000)));
        assert_eq!(plain.program(&root, "runc").as_deref(), Some("/usr/bin/runc"));
        assert_eq!(plain.program(&root, "none"), None);
        assert_eq!(plain.program(&root, "/x/y").as_deref(), Some("/x/y"));
        assert_eq!(plain.list("hosts"), ["unix:///a"]);
        assert_eq!(
            (plain.option("data-root"), plain.option("group")),
            (Some("/data"), None)
        );
        let environment = b"PATH=rel:/opt/bin/\0HOME=/srv\0\xff\0EMPTY=\0";
        let own = Context::with_environment(&root, &facts, environment);
        assert_eq!(own.program(&root, "runc").as_deref(), Some("/opt/bin/runc"));
        assert_eq!((own.home.as_str(), own.variable("EMPTY")), ("/srv", None));
    }
}
