//! A container with a shell that is told what to do: `docker run -i … sh`, commands on its stdin. A command
//! costs one fork in the container and no call of the engine.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::ops::Deref;
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};

use anyhow::{Context, Result, ensure};

use crate::container::Container;
use crate::docker::Docker;
use crate::patience::PATIENCE;

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Exit code.
    pub code: i32,
    /// What it printed, both streams.
    pub output: String,
}

/// A container whose shell takes commands. It ends when this is dropped, or when its engine dies.
#[derive(Debug)]
pub struct Shell {
    container: Container,
    client: Child,
    commands: ChildStdin,
    answers: Receiver<String>,
    given: u32,
}

impl Shell {
    pub(crate) fn start(
        docker: &Docker,
        name: String,
        id_file: &Path,
        image: &str,
        options: &[&str],
    ) -> Result<Self> {
        let mut client = docker
            .command()
            .args(["run", "-i", "--rm", "--name", &name, "--cidfile"])
            .arg(id_file)
            .args(options)
            .args([image, "/bin/sh", "-c", "exec /bin/sh 2>&1"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("start docker run")?;
        let commands = client.stdin.take().context("stdin of docker run")?;
        let stdout = client.stdout.take().context("stdout of docker run")?;
        let (send, answers) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        let container = Container::named(docker, name);
        let mut shell = Self {
            container,
            client,
            commands,
            answers,
            given: 0,
        };
        if shell.sh("true").is_err() {
            return Err(shell.last_words()).context(format!("docker run {options:?} {image}"));
        }
        shell.container.id = fs::read_to_string(id_file)?;
        ensure!(shell.id.len() == 64, "no container id: {}", shell.id);
        Ok(shell)
    }

    /// Has its shell run a command to the end.
    ///
    /// # Errors
    /// The shell does not answer.
    pub fn sh(&mut self, command: &str) -> Result<Reply> {
        self.given += 1;
        let end = format!("::end {} ", self.given);
        writeln!(self.commands, "{command} </dev/null\necho \"{end}$?\"").context("give a command")?;
        let mut output = Vec::new();
        loop {
            let line = self.answers.recv_timeout(PATIENCE).with_context(|| {
                format!(
                    "`{command}` in {} has not ended; so far: {output:?}",
                    self.container.name
                )
            })?;
            if let Some((rest, code)) = line.split_once(&end) {
                output.push(rest.to_owned());
                let code = code.parse().context("exit code")?;
                return Ok(Reply {
                    code,
                    output: output.join("\n").trim_end().to_owned(),
                });
            }
            output.push(line);
        }
    }

    /// Has its shell run a command that must succeed; gives what it printed.
    ///
    /// # Errors
    /// It failed.
    pub fn must(&mut self, command: &str) -> Result<String> {
        let reply = self.sh(command)?;
        ensure!(
            reply.code == 0,
            "`{command}` in {}: exit {}: {}",
            self.name,
            reply.code,
            reply.output
        );
        Ok(reply.output)
    }

    /// Why it did not start, in the words of `docker run`.
    fn last_words(&mut self) -> anyhow::Error {
        self.client.kill().ok();
        let mut words = String::new();
        if let Some(mut stderr) = self.client.stderr.take() {
            stderr.read_to_string(&mut words).ok();
        }
        anyhow::anyhow!("{}", words.trim())
    }
}

impl Deref for Shell {
    type Target = Container;

    fn deref(&self) -> &Container {
        &self.container
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // The container itself is removed after this.
        self.client.kill().ok();
        self.client.wait().ok();
    }
}
