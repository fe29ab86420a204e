//! What is proposed makes every check of the trail pass, and a proof shows what it is worth: of each object and each
//! permission by itself, without a trace on the object, and also where the list of rules cannot tell.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use hullwatch_tests::{Assessment, Audit, Skip, text};
use rustix::fs::{lgetxattr, llistxattr};
use serde_json::Value;

use crate::audited::Audited;
use crate::case::cases;
use crate::schema::Schemas;
use crate::stage;

cases! {
    alone:
        what_is_proposed_is_complete_and_proven,
        a_mount_on_the_way_is_told_and_proven;
}

/// Checks that apply to the world: of the catalogue's sixteen, those whose objects the machine has.
const AT_LEAST: usize = 10;

/// What is asked of the world.
struct Scene(Audited);

impl Scene {
    fn new() -> Result<Self> {
        Audited::new().map(Self)
    }

    /// Verdicts of the checks of the trail that apply.
    fn verdicts(&self) -> Result<BTreeMap<String, String>> {
        let mut command = self.0.world.hullwatch();
        command.args(["bench", "--json", "--engine", &self.0.world.dockerd.uri()]);
        let report = Assessment::by(&mut command)?;
        let checks = report.list("/checks").iter();
        Ok(checks
            .map(|check| (text(check, "key").to_owned(), text(check, "verdict").to_owned()))
            .filter(|(key, verdict)| key.starts_with("audit-") && verdict != "not-applicable")
            .collect())
    }

    /// What a proof shows of each path.
    fn proofs(&self) -> Result<BTreeMap<String, Value>> {
        let uri = self.0.world.dockerd.uri();
        let mut command = self.0.world.hullwatch();
        proofs(command.args(["audit", "--prove", "--json", "--engine", &uri]))
    }
}

/// The rows of a report that have a proof, by path.
fn proofs(command: &mut Command) -> Result<BTreeMap<String, Value>> {
    let output = command.output()?;
    let report: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    if let Some(schemas) = Schemas::published()? {
        schemas.check_value("audit", &report)?;
    }
    let rows = report.pointer("/paths").and_then(Value::as_array);
    let proven = rows.context("no paths")?.iter();
    Ok(proven
        .filter(|row| !row["proof"].is_null())
        .map(|row| (text(row, "path").to_owned(), row.clone()))
        .collect())
}

/// Whether writes and attributes are proven, `-` where that shows nothing: `+-` and so on.
fn shown(row: &Value) -> String {
    let proven = |permission: &str| row.pointer(&format!("/proof/{permission}/proven"));
    let sign = |permission: &str| match proven(permission).and_then(Value::as_bool) {
        Some(true) => '+',
        Some(false) => '0',
        None => '-',
    };
    [sign("write"), sign("attribute")].iter().collect()
}

fn what_is_proposed_is_complete_and_proven() -> Result<()> {
    let scene = Scene::new()?;
    every_check_turns_to_pass(&scene)?;
    every_object_is_proven_and_stays_as_it_is(&scene)?;
    a_directory_that_was_replaced_is_disproved(&scene)?;
    each_permission_is_proven_by_itself(&scene)
}

fn every_check_turns_to_pass(scene: &Scene) -> Result<()> {
    let before = scene.verdicts()?;
    ensure!(
        before.len() >= AT_LEAST && before.values().all(|verdict| verdict == "fail"),
        "without rules: {before:?}"
    );
    let rules = scene.0.proposed()?;
    scene.0.load(&rules)?;
    let after = scene.verdicts()?;
    ensure!(
        after.keys().eq(before.keys()) && after.values().all(|verdict| verdict == "pass"),
        "{after:?} with\n{rules}"
    );
    Ok(())
}

/// All of an object but the time of the last change of its attributes.
#[derive(Debug, PartialEq, Eq)]
struct State {
    inode: (u64, u64, u64),
    mode: u32,
    owner: (u32, u32),
    size: u64,
    mtime: (i64, i64),
    attributes: BTreeMap<String, Vec<u8>>,
    content: String,
}

fn state(path: &str) -> Result<(State, (i64, i64))> {
    let found = fs::symlink_metadata(path)?;
    let mut names = vec![0; 64 << 10];
    let length = llistxattr(path, names.as_mut_slice())?;
    let names = String::from_utf8_lossy(names.get(..length).unwrap_or_default()).into_owned();
    let attribute = |name: &str| -> Result<(String, Vec<u8>)> {
        let mut value = vec![0; 64 << 10];
        let length = lgetxattr(path, name, value.as_mut_slice())?;
        value.truncate(length);
        Ok((name.to_owned(), value))
    };
    let names = names.split('\0').filter(|name| !name.is_empty());
    let state = State {
        inode: (found.dev(), found.ino(), found.nlink()),
        mode: found.mode(),
        owner: (found.uid(), found.gid()),
        size: found.size(),
        mtime: (found.mtime(), found.mtime_nsec()),
        attributes: names.map(attribute).collect::<Result<_>>()?,
        content: content(Path::new(path))?,
    };
    Ok((state, (found.ctime(), found.ctime_nsec())))
}

/// The sum of a file, the names in a directory, nothing of anything else.
fn content(path: &Path) -> Result<String> {
    let mut command = if path.is_dir() {
        Command::new("ls")
    } else if path.is_file() {
        Command::new("sha256sum")
    } else {
        return Ok(String::new());
    };
    let output = command.arg(path).output()?;
    ensure!(output.status.success(), "{}", path.display());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn every_object_is_proven_and_stays_as_it_is(scene: &Scene) -> Result<()> {
    let paths: Vec<String> = scene.proofs()?.into_keys().collect();
    let states = || paths.iter().map(|path| state(path)).collect::<Result<Vec<_>>>();
    let before = states()?;
    let proofs = scene.proofs()?;
    let after = states()?;
    ensure!(proofs.keys().eq(&paths), "{paths:?}, {proofs:?}");
    for row in proofs.values().filter(|row| row["required"] == true) {
        ensure!(
            row["decision"] == "covered"
                && row.pointer("/proof/proven") == Some(&true.into())
                && shown(row) == "++",
            "{row}"
        );
    }
    for ((path, (was, was_touched)), (is, is_touched)) in paths.iter().zip(before).zip(after) {
        ensure!(was == is, "{path}: {was:?}, then {is:?}");
        ensure!(is_touched > was_touched, "{path}: its mode was not set");
    }
    Ok(())
}

/// The list is as before, and nothing is recorded: no list of rules can tell.
fn a_directory_that_was_replaced_is_disproved(scene: &Scene) -> Result<()> {
    let directory = scene.0.world.dockerd.configuration();
    let old = directory.with_extension("old");
    fs::rename(&directory, &old)?;
    let copied = Command::new("cp").arg("-a").args([&old, &directory]).status()?;
    ensure!(copied.success(), "cp -a: {copied}");
    let proofs = scene.proofs()?;
    let below = |path: &str| Path::new(path).starts_with(&directory);
    ensure!(proofs.keys().any(|path| below(path)), "{proofs:?}");
    for (path, row) in proofs.iter().filter(|(_, row)| row["required"] == true) {
        let expect = if below(path) { "00" } else { "++" };
        ensure!(shown(row) == expect, "{path}: not {expect}: {row}");
        ensure!(row["decision"] == "covered", "{row}");
    }
    // Loaded again, they are about the new one.
    let rules = scene.0.proposed()?;
    ensure!(!rules.contains("-a "), "nothing is missing in the list:\n{rules}");
    scene.0.audit.clear()?;
    let rules = scene.0.proposed()?;
    scene.0.load(&rules)?;
    for (path, row) in scene.proofs()?.iter().filter(|(path, _)| below(path)) {
        ensure!(shown(row) == "++", "{path}: {row}");
    }
    Ok(())
}

fn each_permission_is_proven_by_itself(scene: &Scene) -> Result<()> {
    let directory = scene.0.world.dockerd.configuration();
    let (directory, file) = (directory.display(), directory.join("daemon.json"));
    let (file, socket) = (file.display(), scene.0.world.dockerd.socket());
    let (socket, program) = (socket.display(), "/usr/bin/containerd");
    // Rules, and what is shown of the directory, the file, the socket, and a program.
    for (rules, expect) in [
        (
            format!("-w {file} -p w\n-w {socket} -p a\n-w {program} -p w"),
            ["00", "+0", "0+", "+0"],
        ),
        (
            format!("-w {directory} -p w\n-w {socket} -p w\n-w {program} -p a"),
            ["+0", "+0", "+0", "0+"],
        ),
        (
            format!("-w {directory} -p a\n-w {socket} -p r\n-w {program} -p rx"),
            ["0+", "0+", "00", "00"],
        ),
        // What is refused shows nothing where a rule asks how a call ends.
        (
            ["dir", "path", "path"]
                .iter()
                .zip([directory.to_string(), socket.to_string(), program.to_owned()])
                .map(|(field, path)| format!("-a always,exit -F {field}={path} -F perm=wa -F success=1\n"))
                .collect(),
            ["-+", "++", "-+", "-+"],
        ),
    ] {
        scene.0.load(&rules)?;
        let proofs = scene.proofs()?;
        for (path, expect) in [
            directory.to_string(),
            file.to_string(),
            socket.to_string(),
            program.to_owned(),
        ]
        .iter()
        .zip(expect)
        {
            let row = proofs.get(path).with_context(|| format!("no {path}"))?;
            ensure!(shown(row) == expect, "{path}: not {expect}: {row} with\n{rules}");
        }
    }
    Ok(())
}

/// A host whose `/usr` and `/etc` are filesystems of their own, on a root with nothing below them: rules for what is
/// there cannot be older than the mounts. `$1` is a directory, `$2` the product. Then another `/etc` is mounted on it,
/// and what was watched lies hidden.
const MOUNTS: &str = r#"set -e
mount -t tmpfs root "$1"
cd "$1"
mkdir usr etc proc run tmp dev sys var old
for link in bin sbin lib lib64; do ln -s "usr/$link" "$link"; done
cp "$2" hullwatch
mount --bind /usr usr
mount -t tmpfs etc etc
cp -a /etc/. etc
mkdir -p etc/docker etc/default
echo '{}' >etc/docker/daemon.json
mount --rbind /proc proc
mount -t tmpfs run run
pivot_root . old
umount -l old
mount --bind /proc/$$ /proc/1
/hullwatch audit --emit-rules >/rules
auditctl -R /rules >/dev/null
/hullwatch audit --prove --json >/before || :
mount -t tmpfs copy /var
cp -a /etc/. /var
mount --move /var /etc
/hullwatch audit --prove --json >/after || :
cat /before /after
"#;

fn a_mount_on_the_way_is_told_and_proven() -> Result<()> {
    let audit = Audit::take_unheard()?;
    audit.clear()?;
    let program = stage::programs().hullwatch;
    if !program.is_file() {
        return Err(Skip::because(format!("{} is not built", program.display())).into());
    }
    let directory = tempfile::tempdir()?;
    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-c", MOUNTS, "host"])
        .arg(directory.path())
        .arg(program)
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{said}");
    let mut reports = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
    for (hidden, expect) in [(false, "++"), (true, "00")] {
        let report = reports.next().context("no report")??;
        let rows = report
            .pointer("/paths")
            .and_then(Value::as_array)
            .context("no paths")?;
        let there = rows.iter().filter(|row| !row["proof"].is_null());
        let (etc, rest): (Vec<_>, Vec<_>) = there
            .filter(|row| row["required"] == true)
            .partition(|row| text(row, "path").starts_with("/etc/"));
        ensure!(etc.len() >= 2 && !rest.is_empty(), "{report}\n{said}");
        let decision = if hidden { "partial" } else { "covered" };
        for row in &etc {
            ensure!(
                shown(row) == expect && row["decision"] == decision,
                "{row}\n{said}"
            );
            ensure!(
                !hidden || text(row, "reason").contains("every mount on the way"),
                "{row}"
            );
        }
        for row in &rest {
            ensure!(
                shown(row) == "++" && row["decision"] == "covered",
                "{row}\n{said}"
            );
        }
    }
    Ok(())
}
