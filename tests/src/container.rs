//! Containers of the world.

use anyhow::{Context, Result};

use crate::docker::Docker;

/// A container. It is removed when this is dropped.
#[derive(Debug)]
pub struct Container {
    docker: Docker,
    /// Name.
    pub name: String,
    /// Full id.
    pub id: String,
}

impl Container {
    pub(crate) fn named(docker: &Docker, name: String) -> Self {
        Self {
            docker: docker.clone(),
            name,
            id: String::new(),
        }
    }

    /// A container that runs a program without a terminal, and on when its engine dies.
    pub(crate) fn detached(
        docker: &Docker,
        name: String,
        image: &str,
        options: &[&str],
        command: &[&str],
    ) -> Result<Self> {
        let mut container = Self::named(docker, name);
        let run = ["run", "--detach", "--name", &container.name];
        container.id = docker.run(&[&run, options, &[image], command].concat())?;
        Ok(container)
    }

    /// `docker exec OPTIONS NAME COMMAND`; gives what it printed.
    ///
    /// # Errors
    /// It failed.
    pub fn exec(&self, options: &[&str], command: &[&str]) -> Result<String> {
        self.docker
            .run(&[&["exec"], options, &[&self.name], command].concat())
    }

    /// Process id on the host of its first process.
    ///
    /// # Errors
    /// The engine does not tell.
    pub fn pid(&self) -> Result<u32> {
        let pid = self
            .docker
            .run(&["inspect", "--format", "{{.State.Pid}}", &self.name])?;
        pid.parse().context("pid of the container")
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // One that never started, or ended and removed itself, has nothing to remove.
        self.docker.attempt(&["rm", "--force", &self.name]).ok();
    }
}
