//! An audit daemon with a configuration and a log of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::audit::Audit;
use crate::patience::{PATIENCE, eventually};
use crate::skip::{Skip, is_installed};

/// Where every audit daemon writes its number.
const PID_FILE: &str = "/run/auditd.pid";

/// A running audit daemon. It is killed when this is dropped.
#[derive(Debug)]
pub struct AuditDaemon {
    child: Child,
    log: PathBuf,
}

impl AuditDaemon {
    /// Starts one in a directory, which may have been used before, and waits until the kernel sends it records.
    ///
    /// # Errors
    /// [`Skip`] where there is none; else it does not take its place in time.
    pub fn start(audit: &Audit, directory: &Path) -> Result<Self> {
        if !is_installed("auditd") {
            return Err(Skip::because("needs auditd (apt-get install auditd)").into());
        }
        let log = directory.join("audit.log");
        fs::create_dir_all(directory.join("plugins.d"))?;
        // Records as they come, never rotated, whatever the disk.
        let config = format!(
            "local_events = yes\nwrite_logs = yes\nlog_file = {}\nlog_group = root\nlog_format = RAW\n\
             flush = INCREMENTAL_ASYNC\nfreq = 50\nnum_logs = 0\nmax_log_file = 4000\nmax_log_file_action = IGNORE\n\
             space_left = 1\nspace_left_action = IGNORE\nadmin_space_left = 0\nadmin_space_left_action = IGNORE\n\
             disk_full_action = IGNORE\ndisk_error_action = IGNORE\nverify_email = no\nname_format = NONE\n\
             plugin_dir = {}\n",
            log.display(),
            directory.join("plugins.d").display(),
        );
        fs::write(directory.join("auditd.conf"), config)?;
        let child = Command::new("auditd")
            .args(["-n", "-s", "nochange", "-c"])
            .arg(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("start auditd")?;
        let daemon = Self { child, log };
        let number = daemon.pid().to_string();
        eventually("auditd takes its place", PATIENCE, || {
            (audit.state("pid").ok()? == number).then_some(())
        })?;
        Ok(daemon)
    }

    /// Process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has written so far; the last line may be a part of one.
    ///
    /// # Errors
    /// There is no log.
    pub fn log(&self) -> Result<String> {
        Ok(String::from_utf8_lossy(&fs::read(&self.log)?).into_owned())
    }

    /// Waits until it has written this, and a line after it if it is asked twice with later texts.
    ///
    /// # Errors
    /// It does not in time.
    pub fn has_written(&self, text: &str) -> Result<()> {
        eventually("auditd writes a record", PATIENCE, || {
            self.log().ok()?.contains(text).then_some(())
        })
    }

    /// Ends it: with `TERM` it takes its leave of the kernel, with `KILL` it cannot.
    ///
    /// # Errors
    /// It does not end in time.
    pub fn end(mut self, signal: Signal) -> Result<()> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).context("signal auditd")?;
        let ended = eventually("auditd ends", PATIENCE, || self.child.try_wait().ok().flatten())?;
        ensure!(
            signal == Signal::KILL || ended.success(),
            "auditd ended with {ended}"
        );
        Ok(())
    }
}

impl Drop for AuditDaemon {
    fn drop(&mut self) {
        // It may have ended.
        self.child.kill().ok();
        self.child.wait().ok();
        if fs::read_to_string(PID_FILE).is_ok_and(|pid| pid.trim() == self.pid().to_string()) {
            fs::remove_file(PID_FILE).ok();
        }
    }
}
