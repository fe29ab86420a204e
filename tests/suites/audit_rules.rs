//! What audit rules are worth, by the kernel's own records; and that the rules which Hullwatch proposes are complete.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use hullwatch_tests::{Audit, AuditRecord, Skip};
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_bind, unmount};
use serde_json::Value;

use crate::case::cases;
use crate::schema::Schemas;
use crate::stage;

cases! {
    alone:
        the_kernel_agrees_with_the_table,
        emitted_rules_are_complete_and_proven,
        emitted_rules_overcome_those_that_hinder;
}

const TABLE: &str = include_str!("../fixtures/audit-rules.txt");
const SYSCALL: u16 = 1300;
const PATH: u16 = 1302;

/// One set of the table.
#[derive(Debug, Default)]
struct Set<'a> {
    title: &'a str,
    conditions: HashSet<&'a str>,
    rules: Vec<&'a str>,
    expect: Vec<&'a str>,
}

fn sets() -> Result<Vec<Set<'static>>> {
    let mut sets: Vec<Set<'_>> = Vec::new();
    for line in TABLE
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        if let Some(title) = line.strip_prefix("== ") {
            sets.push(Set {
                title,
                ..Set::default()
            });
            continue;
        }
        let set = sets.last_mut().context("a line before the first title")?;
        if let Some(condition) = line.strip_prefix('!') {
            set.conditions.insert(condition);
        } else if let Some(expect) = line.strip_prefix("=> ") {
            set.expect.push(expect);
        } else {
            set.rules.push(line);
        }
    }
    Ok(sets)
}

/// Ways to change an object, each done by a shell of its own: `$0` is the path.
const WRITE: &str = r#": >> "$0""#;
const READ_AND_WRITE: &str = r#": <> "$0""#;
const MODE: &str = r#"exec chmod 700 "$0""#;
const MOVE: &str = r#"exec mv "$0" "$0~""#;
const MOVE_BACK: &str = r#"exec mv "$0~" "$0""#;
const MAKE: &str = r#": > "$0/made""#;
const REMOVE: &str = r#"exec rm "$0/made""#;

fn deeds(object: &str) -> &'static [(&'static str, &'static str)] {
    const FILE: &str = "etc/docker/daemon.json";
    const DIR: &str = "etc/docker";
    const ROOT: &str = "var/lib/docker";
    const SOCKET: &str = "run/docker.sock";
    match object {
        "file" => &[
            (WRITE, FILE),
            (READ_AND_WRITE, FILE),
            (MODE, FILE),
            (MOVE, FILE),
            (MOVE_BACK, FILE),
        ],
        "dir" => &[
            (MODE, DIR),
            (MAKE, DIR),
            (REMOVE, DIR),
            (WRITE, "etc/docker/certs.d/ca"),
            (MODE, "etc/docker/certs.d"),
            (MODE, FILE),
        ],
        "root" => &[
            (MODE, ROOT),
            (MAKE, ROOT),
            (REMOVE, ROOT),
            (WRITE, "var/lib/docker/image/layer"),
            (MODE, "var/lib/docker/containers/config"),
        ],
        _ => &[(MODE, SOCKET), (MOVE, SOCKET), (MOVE_BACK, SOCKET)],
    }
}

/// The tree of the table, made anew. It is unmounted with what lies on it.
struct Tree {
    directory: tempfile::TempDir,
}

impl Tree {
    fn new() -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("hullwatch-audit-").tempdir()?;
        let root = directory.path();
        for path in ["alias", "etc/docker-extra", "opt/etc/docker", "run"] {
            fs::create_dir_all(root.join(path))?;
        }
        fs::write(root.join("opt/etc/docker/daemon.json"), "")?;
        symlink("docker", root.join("etc/docker-link"))?;
        drop(UnixListener::bind(root.join("run/docker.sock"))?);
        let tree = Self { directory };
        tree.make_data()?;
        tree.configure()?;
        Ok(tree)
    }

    fn root(&self) -> &Path {
        self.directory.path()
    }

    /// Makes what is in the data directory, and beside it.
    fn make_data(&self) -> Result<()> {
        let data = self.root().join("var/lib/docker");
        for path in ["overlay2", "volumes", "containers", "image"] {
            fs::create_dir_all(data.join(path))?;
        }
        for path in ["image/layer", "containers/config"] {
            fs::write(data.join(path), "")?;
        }
        Ok(symlink("../run", self.root().join("var/run"))?)
    }

    /// Makes what is in the configuration directory.
    fn configure(&self) -> Result<()> {
        let docker = self.root().join("etc/docker");
        fs::create_dir_all(docker.join("certs.d"))?;
        for file in ["daemon.json", "daemon.json.bak", "certs.d/ca"] {
            fs::write(docker.join(file), "")?;
        }
        symlink("daemon.json", docker.join("link.json"))?;
        fs::hard_link(docker.join("daemon.json"), docker.join("hard.json"))?;
        Ok(())
    }

    fn mount(&self) -> Result<()> {
        self.mount_on("etc/docker")?;
        self.configure()
    }

    fn mount_on(&self, path: &str) -> Result<()> {
        let target = self.root().join(path);
        Ok(mount("hullwatch", &target, "tmpfs", MountFlags::empty(), None)?)
    }

    /// A filesystem with the same names, above the configuration.
    fn mount_above(&self) -> Result<()> {
        self.mount_on("etc")?;
        self.configure()
    }

    /// A filesystem above the data, of which nothing is left below it.
    fn mount_afresh(&self) -> Result<()> {
        fs::remove_dir_all(self.root().join("var"))?;
        fs::create_dir(self.root().join("var"))?;
        self.mount_on("var")?;
        self.make_data()
    }

    /// Shows a directory at another place too.
    fn mount_alias_of(&self, path: &str) -> Result<()> {
        let root = self.root();
        Ok(mount_bind(root.join(path), root.join("alias"))?)
    }

    /// Mounts what a set asks for at this time: before or after its rules are loaded.
    fn prepare(&self, conditions: &HashSet<&str>, time: &str) -> Result<()> {
        type Mount = fn(&Tree) -> Result<()>;
        const MOUNTS: [(&str, Mount); 6] = [
            ("mounted", Tree::mount),
            ("above", Tree::mount_above),
            ("fresh", Tree::mount_afresh),
            ("alias", |tree| tree.mount_alias_of("etc/docker")),
            ("outer", |tree| tree.mount_alias_of("etc")),
            ("inner", |tree| tree.mount_alias_of("etc/docker/certs.d")),
        ];
        let asked = |name: &str| conditions.contains(format!("{name}-{time}").as_str());
        MOUNTS
            .iter()
            .filter(|(name, _)| asked(name))
            .try_for_each(|(_, mount)| mount(self))
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        for path in ["alias", "etc/docker", "etc", "var"] {
            // Where nothing is mounted there is nothing to unmount.
            unmount(self.root().join(path), UnmountFlags::DETACH).ok();
        }
    }
}

/// Process id of each deed.
fn perform(tree: &Tree, object: &str) -> Result<Vec<u32>> {
    let done = deeds(object).iter().map(|(script, path)| {
        let path = tree.root().join(path);
        let mut child = Command::new("sh").args(["-c", script]).arg(&path).spawn()?;
        let status = child.wait()?;
        ensure!(status.success(), "{script} on {}", path.display());
        Ok(child.id())
    });
    done.collect()
}

/// Whether a record says that a process changed something of the tree.
fn is_recorded(records: &[AuditRecord], pid: u32, root: &Path) -> bool {
    let event = |text: &str| text.split_once(')').map(|(id, _)| id.to_owned());
    let named = format!("\"{}", root.display());
    let events: HashSet<String> = records
        .iter()
        .filter(|(kind, text)| *kind == PATH && text.contains(&named))
        .filter_map(|(_, text)| event(text))
        .collect();
    let by = format!(" pid={pid} ");
    records.iter().any(|(kind, text)| {
        *kind == SYSCALL && text.contains(&by) && event(text).is_some_and(|id| events.contains(&id))
    })
}

fn the_kernel_agrees_with_the_table() -> Result<()> {
    let mut audit = Audit::take()?;
    let mut faults = Vec::new();
    for set in sets()?.iter().filter(|set| !set.conditions.contains("flood")) {
        for expect in &set.expect {
            let found = try_out(&mut audit, set, expect).with_context(|| set.title)?;
            let mut words = expect.split(' ').skip(1);
            let (decision, recorded) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let right = (recorded == "-" || recorded == found) && (decision != "covered" || found == "all");
            if !right {
                faults.push(format!("{}: {expect}: the kernel recorded {found}", set.title));
            }
        }
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

/// Loads a set, changes an object in every way, and says how much of that was recorded.
fn try_out(audit: &mut Audit, set: &Set<'_>, expect: &str) -> Result<&'static str> {
    let tree = Tree::new()?;
    let root = tree.root();
    tree.prepare(&set.conditions, "before")?;
    let rules: Vec<_> = set
        .rules
        .iter()
        .map(|rule| rule.replace('@', &root.to_string_lossy()))
        .collect();
    audit.load(root, &rules.join("\n"))?;
    tree.prepare(&set.conditions, "after")?;
    if set.conditions.contains("bound") {
        let docker = root.join("etc/docker");
        mount_bind(&docker, &docker)?;
    }
    if set.conditions.contains("replaced") {
        let file = root.join("etc/docker/daemon.json");
        fs::remove_file(&file)?;
        fs::write(&file, "")?;
    }
    audit.enable(!set.conditions.contains("enabled 0"))?;
    let pids = perform(&tree, expect.split(' ').next().unwrap_or_default())?;
    let records = audit.harvest()?;
    let recorded = pids
        .iter()
        .filter(|pid| is_recorded(&records, **pid, root))
        .count();
    Ok(match recorded {
        0 => "none",
        some if some == pids.len() => "all",
        _ => "some",
    })
}

fn hullwatch(args: &[&str]) -> Result<Output> {
    let path = stage::programs().hullwatch;
    if !path.is_file() {
        return Err(Skip::because(format!("{} is not built", path.display())).into());
    }
    Command::new(path)
        .arg("audit")
        .args(args)
        .output()
        .context("start hullwatch")
}

/// The paths of a report.
fn paths(output: &Output) -> Result<HashSet<String>> {
    let report: Value = serde_json::from_slice(&output.stdout)?;
    let rows = report
        .pointer("/paths")
        .and_then(Value::as_array)
        .context("no paths")?;
    Ok(rows
        .iter()
        .filter_map(|row| row["path"].as_str().map(str::to_owned))
        .collect())
}

/// Every object of this host that is there is covered and proven after the rules that are proposed are loaded.
fn check_emitted(audit: &mut Audit) -> Result<()> {
    // Engines of others may come and go.
    let before = paths(&hullwatch(&["--json"])?)?;
    let output = hullwatch(&["--emit-rules"])?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let rules = String::from_utf8(output.stdout)?;
    let directory = tempfile::tempdir()?;
    audit.load(directory.path(), &rules)?;
    let output = hullwatch(&["--prove", "--json"])?;
    let report: Value = serde_json::from_slice(&output.stdout)?;
    if let Some(schemas) = Schemas::published()? {
        schemas.check_value("audit", &report)?;
    }
    let rows = report
        .pointer("/paths")
        .and_then(Value::as_array)
        .context("no paths")?;
    let there: Vec<_> = rows
        .iter()
        .filter(|row| {
            row["required"] == true && row["path"].as_str().is_some_and(|path| before.contains(path))
        })
        .collect();
    if there.is_empty() {
        return Err(Skip::because("nothing of an engine is on this machine").into());
    }
    for row in there {
        ensure!(
            row["decision"] == "covered" && row.pointer("/proof/proven") == Some(&Value::Bool(true)),
            "{row}\nwith\n{rules}"
        );
    }
    Ok(())
}

fn emitted_rules_are_complete_and_proven() -> Result<()> {
    let mut audit = Audit::take()?;
    check_emitted(&mut audit)
}

fn emitted_rules_overcome_those_that_hinder() -> Result<()> {
    let mut audit = Audit::take()?;
    let directory = tempfile::tempdir()?;
    for hindrance in [
        "-a never,task",
        "-a always,exclude -F msgtype=SYSCALL",
        "-a never,exit -F dir=/etc",
        "-a never,exit -S all -F auid=-1",
        "-a never,exit -F path=/usr/bin/containerd\n-w /usr/bin/containerd -p wa",
        "-a always,exit -F path=/usr/bin/containerd -F perm=wa -F uid=1000",
        "-a never,exit -F path=/usr/bin",
    ] {
        audit.clear()?;
        audit.load(directory.path(), hindrance)?;
        check_emitted(&mut audit).with_context(|| hindrance.to_owned())?;
    }
    Ok(())
}
