//! The trail beside an audit daemon: whatever the daemon writes is seen and put together, or counted as lost, and the
//! daemon is none the worse for it.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use hullwatch_tests::{Audit, AuditDaemon, PATIENCE, Skip, eventually};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::case::cases;
use crate::stage;

cases! {
    alone:
        every_record_that_the_daemon_writes_is_seen,
        what_is_not_seen_is_counted;
}

/// Seconds of the busy run.
const SECONDS: &str = "HULLWATCH_AUDIT_SECONDS";
/// Changes while nobody reads: many more than fit into the socket's buffer of 8 MiB.
const FLOOD: u32 = 8_000;

/// Types of records by name, as far as a busy machine has them.
const KINDS: &[(&str, u64)] = &[
    ("USER", 1005),
    ("USER_AUTH", 1100),
    ("USER_ACCT", 1101),
    ("CRED_ACQ", 1103),
    ("USER_START", 1105),
    ("USER_END", 1106),
    ("SYSCALL", 1300),
    ("PATH", 1302),
    ("CONFIG_CHANGE", 1305),
    ("SOCKADDR", 1306),
    ("CWD", 1307),
    ("EXECVE", 1309),
    ("SOCKETCALL", 1304),
    ("IPC", 1303),
    ("FD_PAIR", 1317),
    ("BPRM_FCAPS", 1321),
    ("MMAP", 1323),
    ("NETFILTER_CFG", 1325),
    ("SECCOMP", 1326),
    ("PROCTITLE", 1327),
    ("KERN_MODULE", 1330),
    ("BPF", 1334),
    ("EVENT_LISTENER", 1335),
    ("OPENAT2", 1337),
    ("ANOM_PROMISCUOUS", 1700),
];
const SYSCALL: u64 = 1300;
/// End of an event that has a `SYSCALL`: the kernel sends it, and no daemon writes it down.
const EOE: u64 = 1320;

/// `(milliseconds since 1970, serial)`.
type Id = (u64, u64);

/// Types of the records of each event, sorted.
type Events = BTreeMap<Id, Vec<u64>>;

/// The developers' view of the trail.
struct Reader {
    child: Child,
    out: PathBuf,
}

impl Reader {
    fn start(directory: &Path) -> Result<Self> {
        let program = stage::programs().hullwatch;
        if !program.is_file() {
            return Err(Skip::because(format!("{} is not built", program.display())).into());
        }
        let out = directory.join("records");
        let child = Command::new(program)
            .args(["audit", "--records"])
            .stdin(Stdio::null())
            .stdout(File::create(&out)?)
            .spawn()?;
        let reader = Self { child, out };
        eventually("the reader listens", PATIENCE, || {
            reader.said().ok()?.contains("listening").then_some(())
        })?;
        Ok(reader)
    }

    fn said(&self) -> Result<String> {
        Ok(fs::read_to_string(&self.out)?)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        kill_process(Pid::from_child(&self.child), signal).context("signal the reader")
    }

    /// Ends it once it has told of this event: all events, and how many datagrams were dropped.
    fn finish(mut self, last: Id) -> Result<(Events, u64)> {
        let serial = serial(last);
        eventually("the reader tells of the last event", PATIENCE, || {
            self.said().ok()?.contains(&serial).then_some(())
        })?;
        self.signal(Signal::INT)?;
        let status = eventually("the reader ends", PATIENCE, || {
            self.child.try_wait().ok().flatten()
        })?;
        ensure!(status.success(), "the reader ended with {status}");
        self.read()
    }

    fn read(&self) -> Result<(Events, u64)> {
        let mut events = Events::new();
        for line in self.said()?.lines().skip(1) {
            let line: Value = serde_json::from_str(line)?;
            if let Some(totals) = line.get("totals") {
                ensure!(totals["malformed"] == 0, "{totals}");
                let dropped = totals["dropped"].as_u64().context("drops are not known")?;
                return Ok((events, dropped));
            }
            let field = |name: &str| line.get(name).with_context(|| format!("no {name}: {line}"));
            ensure!(field("left_out")? == 0, "{line}");
            let number = |name: &str| field(name)?.as_u64().context("a number");
            let kinds = field("kinds")?.as_array().context("kinds")?;
            let mut kinds: Vec<u64> = kinds.iter().filter_map(Value::as_u64).collect();
            if field("complete")? == true && kinds.contains(&SYSCALL) {
                kinds.push(EOE);
            }
            let event = events.entry((number("unix_ms")?, number("serial")?)).or_default();
            event.extend(kinds);
            event.sort_unstable();
        }
        bail!("the reader did not count")
    }
}

/// How the reader names an event.
fn serial(id: Id) -> String {
    format!("\"serial\":{},", id.1)
}

impl Drop for Reader {
    fn drop(&mut self) {
        // It may have ended.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Event and type of a line of the log; none for what the daemon says of itself.
fn parse(line: &str) -> Result<Option<(Id, u64)>> {
    let (kind, rest) = line
        .strip_prefix("type=")
        .and_then(|rest| rest.split_once(" msg=audit("))
        .with_context(|| format!("no record: {line}"))?;
    // The daemon's own, with numbers of its own.
    if kind.starts_with("DAEMON_") {
        return Ok(None);
    }
    let (time, rest) = rest.split_once(':').context("no time")?;
    let (serial, _) = rest.split_once(')').context("no serial")?;
    let unknown = kind
        .strip_prefix("UNKNOWN[")
        .and_then(|kind| kind.strip_suffix(']'));
    let number = match unknown {
        Some(number) => number.parse()?,
        None => {
            KINDS
                .iter()
                .find(|(name, _)| *name == kind)
                .with_context(|| format!("a type that the table lacks: {line}"))?
                .1
        }
    };
    Ok(Some(((time.replace('.', "").parse()?, serial.parse()?), number)))
}

/// The events of the log of which any record is between two texts, whole; and the last one's name.
fn logged(log: &str, from: &str, to: &str) -> Result<(Events, Id)> {
    let mut all = Events::new();
    let mut between = HashSet::new();
    let mut within = false;
    for line in log.lines() {
        let Some((id, kind)) = parse(line)? else { continue };
        within |= line.contains(from);
        all.entry(id).or_default().push(kind);
        if within {
            between.insert(id);
        }
        if line.contains(to) {
            for kinds in all.values_mut() {
                kinds.extend(kinds.contains(&SYSCALL).then_some(EOE));
                kinds.sort_unstable();
            }
            all.retain(|id, _| between.contains(id));
            return Ok((all, id));
        }
    }
    bail!("the log does not have {from} and {to}")
}

/// What every run is made of.
struct Run {
    // In the order in which they end.
    reader: Reader,
    daemon: AuditDaemon,
    audit: Audit,
    directory: tempfile::TempDir,
    began: String,
    lost: String,
}

impl Run {
    fn start() -> Result<Self> {
        let mut audit = Audit::take_unheard()?;
        let directory = tempfile::Builder::new().prefix("hullwatch-auditd-").tempdir()?;
        let daemon = AuditDaemon::start(&audit, directory.path())?;
        let reader = Reader::start(directory.path())?;
        let lost = audit.state("lost")?;
        let began = audit.mark()?;
        daemon.has_written(&began)?;
        let tree = directory.path().join("tree");
        fs::create_dir(&tree)?;
        let rules = format!(
            "-a always,exit -F dir={} -F perm=wa -k busy\n-a always,exit -F arch=b64 -S execve -k busy\n",
            tree.display()
        );
        audit.load(directory.path(), &rules)?;
        Ok(Self {
            reader,
            daemon,
            audit,
            directory,
            began,
            lost,
        })
    }

    fn tree(&self) -> PathBuf {
        self.directory.path().join("tree")
    }

    /// Waits until the reader has taken what had waited for it: until then, even a mark may be dropped.
    fn catch_up(&mut self) -> Result<()> {
        let mut marks: Vec<String> = Vec::new();
        eventually("the reader catches up", PATIENCE, || {
            let said = self.reader.said().ok()?;
            if marks.iter().any(|mark| said.contains(mark)) {
                return Some(());
            }
            let mark = self.audit.mark().ok()?;
            self.daemon.has_written(&mark).ok()?;
            let log = self.daemon.log().ok()?;
            let (id, _) = parse(log.lines().rfind(|line| line.contains(&mark))?).ok()??;
            marks.push(serial(id));
            None
        })
    }

    /// Ends it; how many datagrams were not seen that should have been, and how many events there were.
    fn check(mut self) -> Result<(u64, usize)> {
        self.audit.clear()?;
        let ended = self.audit.mark()?;
        self.daemon.has_written(&ended)?;
        let (expect, last) = logged(&self.daemon.log()?, &self.began, &ended)?;
        let (mut seen, dropped) = self.reader.finish(last)?;
        seen.retain(|id, _| expect.contains_key(id));
        let count = |events: &Events| events.values().map(Vec::len).sum::<usize>();
        let (written, taken) = (count(&expect), count(&seen));
        ensure!(
            written.checked_sub(taken) == Some(usize::try_from(dropped)?),
            "{written} datagrams for what the daemon wrote, {taken} taken, {dropped} counted as dropped"
        );
        if dropped == 0 {
            let wrong = expect.iter().find(|(id, kinds)| seen.get(id) != Some(kinds));
            ensure!(wrong.is_none(), "{wrong:?} in the log, else put together");
        }
        ensure!(
            self.audit.state("pid")? == self.daemon.pid().to_string(),
            "auditd was driven from its place"
        );
        ensure!(self.audit.state("lost")? == self.lost, "auditd has lost records");
        Ok((dropped, expect.len()))
    }
}

/// Changes one file in three ways that are recorded.
fn change(path: &Path) -> Result<()> {
    fs::write(path, "busy")?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    fs::remove_file(path)?;
    Ok(())
}

fn every_record_that_the_daemon_writes_is_seen() -> Result<()> {
    let run = Run::start()?;
    let seconds = std::env::var(SECONDS).map_or(Ok(10), |seconds| seconds.parse())?;
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut number: usize = 0;
    while Instant::now() < end {
        let file = run.tree().join(format!("file {number}"));
        change(&file)?;
        if number.is_multiple_of(16) {
            let status = Command::new("true").arg(&file).status()?;
            ensure!(status.success(), "true");
        }
        number += 1;
    }
    let (dropped, events) = run.check()?;
    ensure!(dropped == 0, "{dropped} of {events} events' records were dropped");
    ensure!(events > number, "{events} events of {number} changes");
    Ok(())
}

fn what_is_not_seen_is_counted() -> Result<()> {
    let mut run = Run::start()?;
    run.reader.signal(Signal::STOP)?;
    for _ in 0..FLOOD {
        change(&run.tree().join("file"))?;
    }
    run.reader.signal(Signal::CONT)?;
    run.catch_up()?;
    let (dropped, events) = run.check()?;
    ensure!(dropped > 0, "nothing was dropped of {events} events");
    Ok(())
}
