//! The kernel's audit, which a test may load rules into: the whole machine has but one. What was there is put back.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use rustix::fd::OwnedFd;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::net::netlink::{AUDIT, SocketAddrNetlink};
use rustix::net::sockopt::{Timeout, set_socket_recv_buffer_size_force, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recv, socket_with};

use crate::patience::PATIENCE;
use crate::skip::{Skip, is_installed};

/// `AUDIT_NLGRP_READLOG`, as a bit of the groups to join.
const READLOG: u32 = 1;
/// Bytes of records that may wait.
const BUFFER: usize = 16 << 20;
/// Records that may wait in the kernel.
const BACKLOG: &str = "8192";

/// The kernel's audit, enabled and without rules. What was there is put back when this is dropped.
#[derive(Debug)]
pub struct Audit {
    rules: String,
    enabled: String,
    backlog: String,
    /// Held as long as the audit is.
    _lock: File,
    /// Where records are listened to.
    records: Option<OwnedFd>,
    marks: u32,
}

/// A record: type, and text.
pub type Record = (u16, String);

impl Audit {
    /// Takes it, and listens to its records.
    ///
    /// # Errors
    /// [`Skip`] where the machine may not be changed, or cannot be; else what went wrong.
    pub fn take() -> Result<Self> {
        let mut audit = Self::take_unheard()?;
        audit.records = Some(listen()?);
        Ok(audit)
    }

    /// Takes it, and leaves its records to others.
    ///
    /// # Errors
    /// As [`Audit::take`].
    pub fn take_unheard() -> Result<Self> {
        let allowed =
            |name: &str| std::env::var(name).is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"));
        if !allowed("CI") && !allowed("HULLWATCH_ALLOW_HOST_CHANGES") {
            let why = "changes the audit rules of the whole machine: set HULLWATCH_ALLOW_HOST_CHANGES=1 to allow it";
            return Err(Skip::because(why).into());
        }
        if !rustix::process::geteuid().is_root() || !is_installed("auditctl") {
            return Err(Skip::because("needs root and auditctl (apt-get install auditd)").into());
        }
        let lock = lock()?;
        let (enabled, backlog, daemon) = (state("enabled")?, state("backlog_limit")?, state("pid")?);
        // The kernel keeps the number of one that was killed.
        if daemon != "0" && Path::new("/proc").join(&daemon).exists() {
            return Err(Skip::because(
                "an audit daemon runs: its trail is not to be mixed with that of tests",
            )
            .into());
        }
        if enabled == "2" {
            return Err(Skip::because("the audit rules are locked until the machine is restarted").into());
        }
        let rules = auditctl(&["-l"])?;
        let audit = Self {
            rules: rules
                .lines()
                .filter(|line| line.starts_with('-'))
                .map(|line| format!("{line}\n"))
                .collect(),
            enabled,
            backlog,
            _lock: lock,
            records: None,
            marks: 0,
        };
        auditctl(&["-b", BACKLOG])?;
        audit.clear()?;
        Ok(audit)
    }

    /// Enables it and removes every rule.
    ///
    /// # Errors
    /// `auditctl` fails.
    pub fn clear(&self) -> Result<()> {
        auditctl(&["-D"])?;
        auditctl(&["-e", "1"])?;
        Ok(())
    }

    /// Loads a rule file.
    ///
    /// # Errors
    /// `auditctl` refuses it.
    pub fn load(&self, directory: &Path, rules: &str) -> Result<()> {
        let file = directory.join("audit.rules");
        fs::write(&file, rules)?;
        auditctl(&["-R", &file.to_string_lossy()]).with_context(|| rules.to_owned())?;
        Ok(())
    }

    /// Switches it off or on.
    ///
    /// # Errors
    /// `auditctl` fails.
    pub fn enable(&self, on: bool) -> Result<()> {
        auditctl(&["-e", if on { "1" } else { "0" }]).map(drop)
    }

    /// Removes every rule, and gives the records that were made until then.
    ///
    /// # Errors
    /// Records are lost, or do not come.
    pub fn harvest(&mut self) -> Result<Vec<Record>> {
        self.clear()?;
        let mark = self.mark()?;
        let mut records = Vec::new();
        loop {
            let record = self.next()?;
            if record.1.contains(&mark) {
                return Ok(records);
            }
            records.push(record);
        }
    }

    /// Has a record written that nothing else is like; gives its text.
    ///
    /// # Errors
    /// `auditctl` fails.
    pub fn mark(&mut self) -> Result<String> {
        self.marks += 1;
        let mark = format!("hullwatch-mark-{}-{}-end", std::process::id(), self.marks);
        auditctl(&["-m", &mark])?;
        Ok(mark)
    }

    /// A line of the state: the value after its name.
    ///
    /// # Errors
    /// `auditctl` fails, or there is no such line.
    pub fn state(&self, name: &str) -> Result<String> {
        state(name)
    }

    /// Runs `auditctl`; gives its process id.
    ///
    /// # Errors
    /// It fails.
    pub fn control(&self, args: &[&str]) -> Result<u32> {
        let mut child = Command::new("auditctl")
            .args(args)
            .stdout(Stdio::null())
            .spawn()?;
        let status = child.wait()?;
        ensure!(status.success(), "auditctl {args:?}: {status}");
        Ok(child.id())
    }

    fn next(&self) -> Result<Record> {
        let socket = self.records.as_ref().context("nobody listens")?;
        let mut datagram = vec![0; 16 << 10];
        let length = loop {
            match recv(socket, datagram.as_mut_slice(), RecvFlags::empty()) {
                Ok((_, length)) => break length,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error).context("the kernel's records"),
            }
        };
        let kind = datagram.get(4..6).and_then(|kind| kind.try_into().ok());
        let kind = u16::from_ne_bytes(kind.context("a short record")?);
        let text = datagram.get(16..length).context("a short record")?;
        Ok((kind, String::from_utf8_lossy(text).into_owned()))
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        let restore = || -> Result<()> {
            auditctl(&["-D"])?;
            auditctl(&["-b", &self.backlog])?;
            if !self.rules.is_empty() {
                self.load(&std::env::temp_dir(), &self.rules)?;
            }
            auditctl(&["-e", &self.enabled])?;
            Ok(())
        };
        if let Err(error) = restore() {
            crate::world::say(&format!(
                "cleanup: the audit rules are not as they were: {error:#}"
            ));
        }
    }
}

/// Waits until no other test of this machine has it.
fn lock() -> Result<File> {
    let path = std::env::temp_dir().join("hullwatch-audit.lock");
    let file = File::options()
        .create(true)
        .append(true)
        .open(&path)
        .with_context(|| format!("open {}", path.display()))?;
    flock(&file, FlockOperation::LockExclusive)?;
    Ok(file)
}

fn state(name: &str) -> Result<String> {
    let status = auditctl(&["-s"])?;
    let value = status.lines().find_map(|line| {
        let (found, value) = line.split_once(' ')?;
        (found == name).then(|| value.trim().to_owned())
    });
    value.with_context(|| format!("auditctl -s without {name}"))
}

fn listen() -> Result<OwnedFd> {
    let socket = socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        Some(AUDIT),
    )?;
    bind(&socket, &SocketAddrNetlink::new(0, READLOG)).context("join the group of the records")?;
    set_socket_recv_buffer_size_force(&socket, BUFFER)?;
    set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
    Ok(socket)
}

fn auditctl(args: &[&str]) -> Result<String> {
    let output = match Command::new("auditctl").args(args).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(Skip::because("needs auditctl")),
        other => other?,
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "auditctl {args:?}: {text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(text)
}
