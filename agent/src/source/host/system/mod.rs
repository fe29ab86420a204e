//! The operating system around the engine.

mod content_trust;
mod data_root;
mod files;
mod forwarders;
mod indicators;
mod sshd;
mod verifiers;

use std::io;
use std::path::Path;

use super::account::Accounts;
use super::lookup;
use super::proc;
use super::process_root::ProcessRoot;
use super::processes::Processes;
use crate::model::{DataRoot, Fact, HostFacts, System, Users};

const DATA_ROOT: &str = "/var/lib/docker";
const PORT_START: &str = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
/// Where plugins that the engine does not manage make themselves known.
const PLUGIN_DIRECTORIES: [&str; 3] = [
    "/run/docker/plugins",
    "/etc/docker/plugins",
    "/usr/lib/docker/plugins",
];

/// The operating system, as the daemon of `facts` sees it; `facts.engine`, `facts.daemon` and `facts.socket_access`
/// are to be filled in before.
#[must_use]
pub fn system(facts: &HostFacts) -> Fact<System> {
    match Processes::read() {
        Ok(processes) => system_among(facts, &processes),
        Err(error) => Fact::unknown(format!("cannot list processes: {error}")),
    }
}

/// As [`system`], with processes that were listed already.
pub(super) fn system_among(facts: &HostFacts, processes: &Processes) -> Fact<System> {
    let root = match ProcessRoot::own() {
        Ok(root) => root,
        Err(error) => return Fact::unknown(format!("cannot open the root directory: {error}")),
    };
    Fact::Known(System {
        indicators: indicators::indicators(&root),
        data_root: data_root(facts),
        unprivileged_port_start: port_start(),
        content_trust: content_trust::content_trust(
            &root,
            facts.socket_access.as_deref().unwrap_or_default(),
        ),
        subuid: ranges(&root, "/etc/subuid"),
        subgid: ranges(&root, "/etc/subgid"),
        users: users(),
        image_verifiers: verifiers::verifiers(&root),
        log_forwarders: forwarders::forwarders(&root, processes),
        legacy_plugins: Fact::Known(plugins(&root)),
    })
}

/// The data root where the engine says it is, else where the daemon's options or the default put it; as the daemon
/// sees it, or this process where there is none.
fn data_root(facts: &HostFacts) -> Fact<DataRoot> {
    let engine = facts.engine.get();
    let daemon = facts.daemon.get();
    let option = daemon.and_then(|daemon| daemon.option("data-root")?.value.as_str());
    let told = engine.and_then(|engine| engine.data_root.as_deref());
    let path = told.or(option).unwrap_or(DATA_ROOT);
    let options = engine
        .and_then(|engine| engine.security_options.as_deref())
        .unwrap_or_default();
    let remapped = options.iter().any(|option| option == "name=userns");
    let look = || {
        let process = proc::open(daemon.map_or_else(std::process::id, |daemon| daemon.pid))?;
        let mounts = proc::mounts(&process)?;
        data_root::data_root(&ProcessRoot::of(&process)?, &mounts, path, remapped)
    };
    look().map_or_else(
        |error| Fact::unknown(format!("cannot look at the data root {path}: {error}")),
        Fact::Known,
    )
}

fn port_start() -> Fact<u32> {
    let text = lookup::read_line(Path::new(PORT_START));
    let number = text.and_then(|text| text.parse().map_err(io::Error::other));
    number.map_or_else(
        |error| Fact::unknown(format!("cannot read {PORT_START}: {error}")),
        Fact::Known,
    )
}

/// Ranges of a file of subordinate ids (`subuid(5)`); none where there is no such file.
fn ranges(root: &ProcessRoot, path: &str) -> Fact<Vec<(String, u64, u64)>> {
    match files::text_if_any(root, path) {
        Ok(text) => Fact::Known(text.unwrap_or_default().lines().filter_map(range).collect()),
        Err(error) => Fact::unknown(format!("cannot read {path}: {error}")),
    }
}

/// `account:first:count`.
fn range(line: &str) -> Option<(String, u64, u64)> {
    let mut fields = line.trim().split(':');
    let account = fields
        .next()
        .filter(|account| !account.is_empty() && !account.starts_with('#'))?;
    let (first, count) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((account.to_owned(), first, count))
}

/// Of accounts that share a number the first counts, as for the C library.
fn users() -> Fact<Users> {
    match Accounts::read() {
        Ok(accounts) => {
            let users = accounts.users.into_iter().rev();
            Fact::Known(Users(users.map(|user| (user.uid, user.name)).collect()))
        }
        Err(error) => Fact::unknown(format!("cannot read the accounts: {error}")),
    }
}

/// Names of plugins by their socket (`NAME.sock`, `NAME/NAME.sock`) or specification (`NAME.spec`, `NAME.json`).
fn plugins(root: &ProcessRoot) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for directory in PLUGIN_DIRECTORIES {
        for path in files::list(root, directory) {
            let name = path.rsplit('/').next().unwrap_or_default();
            let known = [".sock", ".spec", ".json"]
                .iter()
                .find_map(|end| name.strip_suffix(end));
            let nested = || {
                root.locate(&format!("{path}/{name}.sock"))
                    .is_ok()
                    .then_some(name)
            };
            names.extend(known.or_else(nested).map(str::to_owned));
        }
    }
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::files::testing::Tree;
    use super::*;

    #[track_caller]
    fn check_range(line: &str, expect: Option<(&str, u64, u64)>) {
        let expect = expect.map(|(account, first, count)| (account.to_owned(), first, count));
        assert_eq!(range(line), expect, "{line}");
    }

    #[test]
    fn ranges_are_decoded_and_other_lines_left_out() {
        check_range("dockremap:100000:65536", Some(("dockremap", 100_000, 65_536)));
        check_range(" 1000:4294967296:1 ", Some(("1000", 4_294_967_296, 1)));
        for line in ["", "#a:1:2", ":1:2", "a:1", "a:x:2", "a:1:-2"] {
            check_range(line, None);
        }
    }

    #[test]
    fn plugins_are_known_by_socket_or_specification() {
        let tree = Tree::new(&[
            ("run/docker/plugins/a.sock", ""),
            ("run/docker/plugins/b/b.sock", ""),
            ("run/docker/plugins/c/other.sock", ""),
            ("etc/docker/plugins/a.spec", ""),
            ("usr/lib/docker/plugins/d.json", ""),
            ("usr/lib/docker/plugins/README", ""),
        ]);
        assert_eq!(plugins(&tree.root()), ["a", "b", "d"]);
    }

    #[test]
    fn this_host_is_described() {
        let found = system(&HostFacts::default());
        let found = found.get().unwrap();
        assert_eq!(
            found.users.get().unwrap().0.get(&0).map(String::as_str),
            Some("root")
        );
        assert!(found.subuid.get().is_some() && found.legacy_plugins.get().is_some());
        let start = std::fs::read_to_string(PORT_START).unwrap();
        assert_eq!(
            found.unprivileged_port_start,
            Fact::Known(start.trim().parse().unwrap())
        );
    }
}
