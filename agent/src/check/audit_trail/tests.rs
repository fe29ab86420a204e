//! The table of rule sets, held against what is decided.

use super::call::Machine;
use super::decide::decide_on;
use super::field::{DIR, WATCH};
use super::required::Required;
use super::testing::{ino, state, target};
use crate::model::{AuditFacts, AuditRule, AuditStatus, Fact, ObjectKind, ObjectState, Role, WatchTarget};
use crate::source::audit::parse_rule;

const TABLE: &str = include_str!("../../../../tests/fixtures/audit-rules.txt");

const DIRECTORIES: [&str; 11] = [
    "/etc",
    "/etc/docker",
    "/etc/docker/certs.d",
    "/etc/docker-extra",
    "/run",
    "/var",
    "/var/lib",
    "/var/lib/docker",
    "/var/lib/docker/containers",
    "/var/lib/docker/overlay2",
    "/var/lib/docker/volumes",
];
const FILES: [&str; 3] = [
    "/etc/docker/daemon.json",
    "/etc/docker/daemon.json.bak",
    "/run/docker.sock",
];
/// A symlink, and what it leads to.
const SYMLINKS: [(&str, &str); 2] = [
    ("/etc/docker/link.json", "/etc/docker/daemon.json"),
    ("/etc/docker-link", "/etc/docker"),
];
const MOUNTED: &str = "8:2";
/// Where some sets show a directory as well.
const ALIAS: &str = "/alias";

/// One set of the table.
#[derive(Debug, Default)]
struct Set<'a> {
    title: &'a str,
    enabled: u32,
    mounted: bool,
    /// What lies hidden below mounts, for objects below the first path.
    hidden: Option<(&'a str, &'a str)>,
    /// What is shown at the other place.
    alias: Option<&'a str>,
    rules: Vec<&'a str>,
    expect: Vec<&'a str>,
}

fn sets() -> Vec<Set<'static>> {
    let mut sets: Vec<Set<'_>> = Vec::new();
    for line in TABLE
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        if let Some(title) = line.strip_prefix("== ") {
            sets.push(Set {
                title,
                enabled: 1,
                ..Set::default()
            });
            continue;
        }
        let set = sets.last_mut().unwrap();
        match line {
            "!enabled 0" => set.enabled = 0,
            "!mounted-before" | "!mounted-after" => set.mounted = true,
            "!above-before" | "!above-after" => set.hidden = Some(("/etc", "/etc/docker/daemon.json")),
            "!fresh-before" => set.hidden = Some(("/var", "/var")),
            "!alias-before" | "!alias-after" => set.alias = Some("/etc/docker"),
            "!outer-before" | "!outer-after" => set.alias = Some("/etc"),
            "!inner-before" | "!inner-after" => set.alias = Some("/etc/docker/certs.d"),
            "!replaced" | "!flood" | "!bound" => {}
            _ => match line.strip_prefix("=> ") {
                Some(expect) => set.expect.push(expect),
                None => set.rules.push(line),
            },
        }
    }
    sets
}

impl Set<'_> {
    fn facts(&self) -> AuditFacts {
        let mut rules = Vec::new();
        for line in &self.rules {
            let rule = self.rule(&line.replace('@', ""));
            let at = if line.starts_with("-A") { 0 } else { rules.len() };
            rules.insert(at, rule);
        }
        AuditFacts {
            status: AuditStatus {
                enabled: self.enabled,
                ..AuditStatus::default()
            },
            rules,
            unaudited_processes: Fact::Known(Vec::new()),
            ..AuditFacts::default()
        }
    }

    fn rule(&self, line: &str) -> AuditRule {
        let mut rule = parse_rule(line).unwrap_or_else(|| panic!("no rule: {line}"));
        let place = rule
            .fields
            .iter_mut()
            .find(|field| matches!(field.field, WATCH | DIR));
        if let Some(place) = place {
            let path = place.text.clone().unwrap();
            if line.starts_with("-w") {
                let directory = DIRECTORIES.contains(&path.as_str());
                place.field = if directory { DIR } else { WATCH };
            }
            rule.target = Some(self.target(&path));
        }
        rule
    }

    /// What the path of a rule stands for in the table's tree.
    fn target(&self, path: &str) -> WatchTarget {
        let path = path.replace("/var/run/", "/run/");
        if let Some((link, to)) = SYMLINKS.iter().find(|(link, _)| *link == path) {
            return WatchTarget {
                resolved: Some((*to).into()),
                symlink: true,
                ..target(link, false)
            };
        }
        if let Some((root, inner)) = self.alias.zip(path.strip_prefix(ALIAS)) {
            let shown = format!("{root}{inner}");
            let mut found = target(&path, DIRECTORIES.contains(&shown.as_str()));
            found.ino = Some(ino(&shown));
            if !inner.is_empty() {
                let (directory, _name) = shown.rsplit_once('/').unwrap();
                found.entry.as_mut().unwrap().ino = ino(directory);
            }
            return found;
        }
        let mut found = target(&path, DIRECTORIES.contains(&path.as_str()));
        if path == "/etc/docker/hard.json" {
            found.ino = Some(ino("/etc/docker/daemon.json"));
        } else if !found.directory && !FILES.contains(&path.as_str()) {
            (found.resolved, found.ino, found.dev) = (None, None, None);
        }
        if self.mounted && path.starts_with("/etc/docker") {
            found.dev = Some(MOUNTED.into());
        }
        found
    }

    fn object(&self, name: &str) -> (Role, ObjectState) {
        let (role, path, kind) = match name {
            "file" => (Role::ConfigFile, "/etc/docker/daemon.json", ObjectKind::File),
            "dir" => (Role::ConfigDir, "/etc/docker", ObjectKind::Directory),
            "root" => (Role::DataRoot, "/var/lib/docker", ObjectKind::Directory),
            "socket" => (Role::EngineSocket, "/run/docker.sock", ObjectKind::Socket),
            other => panic!("no object: {other}"),
        };
        let mut state = state(path, kind);
        if self.mounted && path.starts_with("/etc/docker") {
            state.dev = MOUNTED.into();
            state.mount_point = "/etc/docker".into();
            if kind == ObjectKind::File {
                state.parents[0].dev = MOUNTED.into();
            }
        }
        if let Some((mount, hidden)) = self.hidden
            && state.resolved.starts_with(mount)
        {
            state.mount_point = mount.into();
            state.hidden = vec![hidden.into()];
        }
        if let Some(root) = self.alias {
            if let Some(rest) = path.strip_prefix(root) {
                state.elsewhere = vec![format!("{ALIAS}{rest}")];
            } else if root.starts_with(path) {
                state.parts_elsewhere = vec![ALIAS.into()];
            }
        }
        (role, state)
    }

    /// What is wrong with a decision; none where it is as expected.
    fn fault(&self, facts: &AuditFacts, expect: &str) -> Option<String> {
        let mut words = expect.splitn(4, ' ');
        let (object, decision, _recorded) = (words.next()?, words.next()?, words.next()?);
        let reason = words.next().unwrap_or_default();
        let (role, state) = self.object(object);
        let required = Required {
            path: &state.resolved,
            role,
            state: &state,
            older: false,
        };
        let found = decide_on(&required, facts, Machine::X86_64);
        let letter = decision == "partial" && role == Role::DataRoot && reason.contains("itself");
        let right =
            found.kind.name() == decision && found.reason.contains(reason) && found.letter_only == letter;
        (!right).then(|| format!("{}: {expect}: {found:?}", self.title))
    }
}

#[test]
fn every_set_of_the_table_is_worth_what_it_says() {
    let sets = sets();
    assert!(sets.len() >= 60, "{}", sets.len());
    let faults: Vec<String> = sets
        .iter()
        .flat_map(|set| {
            let facts = set.facts();
            set.expect
                .iter()
                .filter_map(move |expect| set.fault(&facts, expect))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(faults.is_empty(), "{}\n{}", faults.len(), faults.join("\n"));
}
