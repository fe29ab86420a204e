//! The `docker` command, aimed at the world's own engine.

use std::path::PathBuf;
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};

/// How to call it.
#[derive(Clone, Debug)]
pub struct Docker {
    uri: String,
    config: PathBuf,
}

impl Docker {
    pub(crate) fn new(uri: String, config: PathBuf) -> Self {
        Self { uri, config }
    }

    /// The command, without arguments of its own.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new("docker");
        command.env("DOCKER_CONFIG", &self.config).args(["-H", &self.uri]);
        command
    }

    /// Runs it to the end, whether or not it succeeds.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn attempt(&self, args: &[&str]) -> Result<Output> {
        self.command()
            .args(args)
            .output()
            .with_context(|| format!("start docker {args:?}"))
    }

    /// Runs it; gives what it printed.
    ///
    /// # Errors
    /// It failed; its stderr is in the message.
    pub fn run(&self, args: &[&str]) -> Result<String> {
        let output = self.attempt(args)?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "docker {args:?}: {}: {stderr}",
            output.status
        );
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }
}
