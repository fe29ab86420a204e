//! The world: a directory, an engine, images, programs, and containers. Everything in it ends with it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};
use rustix::thread::{CapabilitySet, capabilities};

use crate::container::Container;
use crate::docker::Docker;
use crate::dockerd::{BOUNDED, Dockerd, VENDOR};
use crate::shell::Shell;
use crate::{bridge, cleanup, image, skip};

/// The built programs that a world needs.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The product.
    pub hullwatch: PathBuf,
    /// [`actor`](../actor/index.html): does one deed per call.
    pub actor: PathBuf,
    /// The runtime shim.
    pub shim: PathBuf,
}

/// Images that every world has.
const IMAGES: [(&str, Option<&str>); 2] = [(World::IMAGE, None), (World::USER_IMAGE, Some("USER user"))];

/// A host to test on.
#[derive(Debug)]
pub struct World {
    root: PathBuf,
    programs: Programs,
    /// The engine.
    pub dockerd: Dockerd,
    /// The `docker` command for it.
    pub docker: Docker,
    made: AtomicU32,
}

impl World {
    /// Image whose user is root.
    pub const IMAGE: &str = "e2e-root:1";
    /// Image whose user is `user`, uid 1000.
    pub const USER_IMAGE: &str = "e2e-user:1";

    /// Makes a world with a running engine.
    ///
    /// # Errors
    /// [`Skip`](crate::Skip) where the machine lacks something; else what went wrong.
    pub fn new(programs: &Programs) -> Result<Self> {
        Self::make(programs, false)
    }

    /// Makes a world whose engine has a default network, on a bridge of its own.
    ///
    /// # Errors
    /// As [`World::new`].
    pub fn bridged(programs: &Programs) -> Result<Self> {
        Self::make(programs, true)
    }

    fn make(programs: &Programs, bridged: bool) -> Result<Self> {
        skip::requirements(&programs.hullwatch)?;
        let root = cleanup::new_root()?;
        let programs = Self::gather(&root, programs)?;
        let bridge = bridged.then(|| bridge::make(&root)).transpose()?;
        let vendor = vendor_runtime(&root);
        let dockerd = Dockerd::new(&root, &programs.shim, &vendor, bridge.as_deref())?;
        let docker = Docker::new(dockerd.uri(), root.join("docker-config"));
        let mut world = Self {
            root,
            programs,
            dockerd,
            docker,
            made: AtomicU32::new(0),
        };
        world.dockerd.start()?;
        let files = world.path("image");
        image::make_root(&files, &world.programs.actor)?;
        for (name, change) in IMAGES {
            image::import(&world.docker, &files, name, change)?;
        }
        Ok(world)
    }

    /// Copies the programs to where every user may run them.
    fn gather(root: &Path, programs: &Programs) -> Result<Programs> {
        let bin = root.join("bin");
        fs::create_dir(&bin)?;
        let take = |from: &Path, name: &str| -> Result<PathBuf> {
            let to = bin.join(name);
            image::copy(from, &to, 0o755)?;
            Ok(to)
        };
        Ok(Programs {
            hullwatch: take(&programs.hullwatch, "hullwatch")?,
            actor: take(&programs.actor, "actor")?,
            shim: take(&programs.shim, "oci-shim")?,
        })
    }

    /// Puts the runtime that lies in no usual place there, anew: each call gives it another inode, as an
    /// upgrade does. Gives the name to run containers by.
    ///
    /// # Errors
    /// There is no runtime, or it cannot be copied.
    pub fn upgrade_vendor_runtime(&self) -> Result<&'static str> {
        let to = vendor_runtime(&self.root);
        let new = to.with_extension("new");
        fs::create_dir_all(to.parent().context("a directory")?)?;
        image::copy(&skip::program("runc").context("no runc")?, &new, 0o755)?;
        fs::rename(new, to)?;
        Ok(VENDOR)
    }

    /// A network of the engine besides its default one, by name; it ends with the world.
    ///
    /// # Errors
    /// The engine does not make it.
    pub fn network(&self) -> Result<&'static str> {
        let device = bridge::second(&self.root);
        let option = format!("com.docker.network.bridge.name={device}");
        self.docker
            .run(&["network", "create", "--opt", &option, bridge::NETWORK])?;
        Ok(bridge::NETWORK)
    }

    /// A path in the world's directory.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// A name that nothing else in this world has.
    #[must_use]
    pub fn unique(&self, stem: &str) -> String {
        format!("{stem}-{}", self.made.fetch_add(1, Ordering::Relaxed))
    }

    /// A new empty directory in the world, which every user may enter.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn directory(&self, stem: &str) -> Result<PathBuf> {
        let path = self.path(&self.unique(stem));
        fs::create_dir(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(path)
    }

    /// The product.
    #[must_use]
    pub fn hullwatch(&self) -> Command {
        let mut command = Command::new(&self.programs.hullwatch);
        command.env_remove("DOCKER_HOST").env_remove("RUST_LOG");
        command
    }

    /// Where the product is, for commands that start it in another way.
    #[must_use]
    pub fn hullwatch_path(&self) -> &Path {
        &self.programs.hullwatch
    }

    /// The actor, to be run on the host.
    #[must_use]
    pub fn actor(&self) -> Command {
        Command::new(&self.programs.actor)
    }

    /// A copy of the actor on the host with these mode bits and, if given, file capabilities.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn actor_copy(&self, to: &Path, mode: u32, capability: Option<&str>) -> Result<()> {
        image::copy(&self.programs.actor, to, mode)?;
        capability.map_or(Ok(()), |capability| image::give_capability(to, capability))
    }

    /// Runs the actor on the host and waits; gives its process id, which is the deed's.
    ///
    /// # Errors
    /// The deed was not done.
    pub fn act(&self, args: &[&str]) -> Result<u32> {
        let (pid, output) = self.try_to_act(args)?;
        ensure!(
            output.status.success(),
            "actor {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(pid)
    }

    /// Runs the actor on the host and waits, whether or not the deed is done.
    ///
    /// # Errors
    /// It could not be started.
    pub fn try_to_act(&self, args: &[&str]) -> Result<(u32, Output)> {
        let child = self
            .actor()
            .args(args)
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .context("start the actor")?;
        let pid = child.id();
        Ok((pid, child.wait_with_output()?))
    }

    /// Options of `docker run` for containers that are privileged or into which privileged sessions are opened:
    /// the shim's runtime where the machine has not every capability, else none.
    #[must_use]
    pub fn bounded(&self) -> Vec<String> {
        let has = capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::SYS_RESOURCE));
        if has {
            Vec::new()
        } else {
            vec!["--runtime".to_owned(), BOUNDED.to_owned()]
        }
    }

    /// A running container of [`World::IMAGE`] with a shell to give commands to.
    ///
    /// # Errors
    /// It does not start.
    pub fn container(&self, options: &[&str]) -> Result<Shell> {
        self.container_of(Self::IMAGE, options)
    }

    /// A running container of an image with a shell to give commands to.
    ///
    /// # Errors
    /// It does not start.
    pub fn container_of(&self, image: &str, options: &[&str]) -> Result<Shell> {
        let name = self.unique("c");
        let id_file = self.path(&format!("{name}.id"));
        Shell::start(&self.docker, name, &id_file, image, options)
    }

    /// A running container of [`World::IMAGE`] that outlives its engine and does this.
    ///
    /// # Errors
    /// It does not start.
    pub fn detached(&self, options: &[&str], command: &[&str]) -> Result<Container> {
        Container::detached(&self.docker, self.unique("c"), Self::IMAGE, options, command)
    }

    /// A running privileged container.
    ///
    /// # Errors
    /// It does not start.
    pub fn privileged_container(&self) -> Result<Shell> {
        let runtime = self.bounded();
        let mut options: Vec<&str> = runtime.iter().map(String::as_str).collect();
        options.push("--privileged");
        self.container(&options)
    }
}

fn vendor_runtime(root: &Path) -> PathBuf {
    root.join("vendor/runc")
}

impl Drop for World {
    fn drop(&mut self) {
        self.dockerd.kill().ok();
        cleanup::remove_world(&self.root);
    }
}

/// Tells the person at the terminal; there is nobody to tell of a failure to.
pub(crate) fn say(text: &str) {
    writeln!(std::io::stderr(), "{text}").ok();
}
