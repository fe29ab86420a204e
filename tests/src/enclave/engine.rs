//! The engine of an enclave.

use std::ffi::OsStr;
use std::fs::{self, File};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

use super::Enclave;
use crate::patience::{PATIENCE, eventually};

/// Where the engine's containerd says its process id.
const OF_CONTAINERD: &str = "/run/docker/containerd/containerd.pid";

impl Enclave {
    /// Starts its engine and waits until it answers. `config` is what `/etc/docker/daemon.json` is to hold; there is
    /// none where that is empty.
    ///
    /// # Errors
    /// It does not answer; its log is in the message.
    pub fn start_engine(&mut self, config: &str, flags: &[&str]) -> Result<()> {
        self.stop_engine()?;
        if config.is_empty() {
            fs::remove_file(self.path("/etc/docker/daemon.json")).ok();
        } else {
            self.write("/etc/docker/daemon.json", config)?;
        }
        self.run_engine(flags)
    }

    /// Starts its engine, with the configuration that is there, and waits until it answers.
    ///
    /// # Errors
    /// It does not answer; its log is in the message.
    pub fn run_engine(&mut self, flags: &[&str]) -> Result<()> {
        let log = File::create(self.root.join("dockerd.log"))?;
        // Where its containers' shims are not in processes of their own, this names them for the clean-up.
        let exec_root = self.root.join("exec");
        let of_shims =
            (!self.processes.are_own()).then(|| [OsStr::new("--exec-root"), exec_root.as_os_str()]);
        let child = self
            .command(&[], "dockerd")
            .args(of_shims.into_iter().flatten())
            .args(flags)
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("start dockerd")?;
        let docker = self.docker();
        let child = self.engine.insert(child);
        let answered = eventually("dockerd answers", 3 * PATIENCE, || {
            // One that ended has said why.
            let ended = child.try_wait().ok().flatten();
            let answer = docker.attempt(&["version"]).ok()?;
            (ended.is_some() || answer.status.success()).then_some(ended)
        });
        match answered {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(anyhow::anyhow!("dockerd ended: {status}")),
            Err(error) => Err(error),
        }
        .with_context(|| self.engine_log())
    }

    /// Ends its engine, if one runs, as a crash does: containers run on, where it lets them.
    ///
    /// # Errors
    /// It does not end.
    pub fn stop_engine(&mut self) -> Result<()> {
        let Some(mut child) = self.engine.take() else {
            return Ok(());
        };
        self.signal_engine("KILL")?;
        eventually("dockerd ends", PATIENCE, || child.try_wait().ok().flatten())?;
        // Its containerd dies with it; the next engine would wait for processes of before.
        let files = format!("{OF_CONTAINERD} /run/docker.pid");
        eventually("containerd ends", PATIENCE, || {
            self.sh(&format!(
                "! kill -0 \"$(cat {OF_CONTAINERD})\" 2>/dev/null && rm -f {files}"
            ))
            .ok()
        })?;
        Ok(())
    }

    /// Asks its engine to end, and waits.
    ///
    /// # Errors
    /// It does not run, or does not end.
    pub fn end_engine(&mut self) -> Result<()> {
        let mut child = self.engine.take().context("the engine does not run")?;
        self.signal_engine("TERM")?;
        eventually("dockerd ends", PATIENCE, || child.try_wait().ok().flatten())?;
        Ok(())
    }

    /// What dockerd has written.
    #[must_use]
    pub fn engine_log(&self) -> String {
        fs::read_to_string(self.root.join("dockerd.log")).unwrap_or_default()
    }

    /// Sends its engine a signal.
    ///
    /// # Errors
    /// There is none.
    pub fn signal_engine(&self, signal: &str) -> Result<()> {
        self.sh(&format!("kill -{signal} \"$(cat /run/docker.pid)\""))?;
        Ok(())
    }

    /// Lets its engine go on after `STOP`.
    ///
    /// # Errors
    /// It does not.
    pub fn resume_engine(&self) -> Result<()> {
        let child = self.engine.as_ref().context("no engine")?;
        // What started it stopped with it, at some later moment.
        let starter = Pid::from_child(child);
        eventually("dockerd goes on", PATIENCE, || {
            kill_process(starter, Signal::CONT).ok()?;
            self.signal_engine("CONT").ok()?;
            let state = self
                .sh("grep ^State: \"/proc/$(cat /run/docker.pid)/status\"")
                .ok()?;
            (!state.contains('T')).then_some(())
        })
    }
}
