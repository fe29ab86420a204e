//! The world that `hullwatch bench` is run over, and its report as a stranger reads it. The engine has a default
//! network; the world is made for the first test that asks for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail, ensure};
use hullwatch_tests::{Assessment, Skip, World};
use serde_json::{Value, json};

use crate::schema::Schemas;
use crate::stage;

/// Image without a defect: no privileged file, a user, a health check.
pub(crate) const SOUND: &str = "sound:1";
/// What it is made from: busybox and two accounts, root by default.
pub(crate) const CLEAN: &str = "clean:1";

static BENCH: Mutex<Option<Result<Bench, Skip>>> = Mutex::new(None);

/// What a test assesses.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) world: World,
    context: PathBuf,
}

/// Runs a test in the world, which is made for the first.
pub(crate) fn perform(test: impl FnOnce(&Bench) -> Result<()>) -> Result<()> {
    let mut slot = BENCH.lock().unwrap_or_else(PoisonError::into_inner);
    if slot.is_none() {
        *slot = Some(match Bench::new() {
            Ok(bench) => Ok(bench),
            Err(error) => Err(error.downcast::<Skip>()?),
        });
    }
    match slot.as_ref().context("no world")? {
        Ok(bench) => test(bench),
        Err(skip) => Err(skip.clone().into()),
    }
}

/// Takes the world down.
pub(crate) fn strike() {
    BENCH.lock().unwrap_or_else(PoisonError::into_inner).take();
}

impl Bench {
    fn new() -> Result<Self> {
        let world = World::bridged(&stage::programs())?;
        world.network()?;
        let context = world.directory("context")?;
        fs::copy("/bin/busybox", context.join("busybox"))?;
        let accounts = "root:x:0:0::/:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n\
            toor:x:0:0::/:/bin/sh\nrootless-app:x:1001:1001::/:/bin/sh\n";
        fs::write(context.join("passwd"), accounts)?;
        let bench = Self { world, context };
        bench.build(
            CLEAN,
            "FROM scratch\nCOPY busybox /bin/busybox\nCOPY passwd /etc/passwd\n\
             RUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]\n",
        )?;
        bench.build(SOUND, &format!("FROM {CLEAN}\nHEALTHCHECK CMD true\nUSER user\n"))?;
        Ok(bench)
    }

    /// A file for builds to copy.
    pub(crate) fn give(&self, name: &str, content: &[u8]) -> Result<()> {
        fs::write(self.context.join(name), content).with_context(|| name.to_owned())
    }

    /// `docker build`, by the builder that records each instruction as it is written.
    pub(crate) fn build(&self, tag: &str, dockerfile: &str) -> Result<()> {
        self.build_with(tag, dockerfile, &[])
    }

    /// `docker build` with options.
    pub(crate) fn build_with(&self, tag: &str, dockerfile: &str, options: &[&str]) -> Result<()> {
        let file = self.world.path(&self.world.unique("Dockerfile"));
        fs::write(&file, dockerfile)?;
        let output = self
            .world
            .docker
            .command()
            .env("DOCKER_BUILDKIT", "0")
            .args(["build", "--network", "none", "--tag", tag, "--file"])
            .arg(file)
            .args(options)
            .arg(&self.context)
            .output()
            .context("start docker build")?;
        ensure!(
            output.status.success(),
            "build {tag}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }

    /// Loads a copy of an image whose configuration was edited.
    pub(crate) fn doctor(
        &self,
        from: &str,
        tag: &str,
        edit: impl FnOnce(&mut Value) -> Result<()>,
    ) -> Result<()> {
        let directory = self.world.directory("doctored")?;
        let archive = self.world.path(&self.world.unique("archive"));
        let path = archive.to_str().context("path")?;
        self.world.docker.run(&["save", "--output", path, from])?;
        tar(&["-xf", path], &directory)?;
        let manifest = directory.join("manifest.json");
        let mut list: Value = serde_json::from_slice(&fs::read(&manifest)?)?;
        let entry = list.get_mut(0).context("an image")?;
        let file = directory.join(entry["Config"].as_str().context("Config")?);
        let mut config: Value = serde_json::from_slice(&fs::read(&file)?)?;
        edit(&mut config)?;
        fs::write(&file, config.to_string())?;
        entry["RepoTags"] = json!([tag]);
        fs::write(&manifest, list.to_string())?;
        fs::remove_file(directory.join("repositories"))?;
        tar(&["-cf", path, "."], &directory)?;
        self.world.docker.run(&["load", "--input", path])?;
        Ok(())
    }

    /// Writes a policy; gives its path.
    pub(crate) fn policy(&self, text: &str) -> Result<String> {
        let path = self.world.path(&self.world.unique("policy"));
        fs::write(&path, text)?;
        path.into_os_string()
            .into_string()
            .map_err(|path| anyhow::anyhow!("{}", Path::new(&path).display()))
    }

    /// `hullwatch bench` against the world's engine, however it ends.
    pub(crate) fn run(&self, args: &[&str]) -> Result<Output> {
        let mut command = self.world.hullwatch();
        command.args(["bench", "--engine", &self.world.dockerd.uri()]);
        command.args(args).output().context("start hullwatch bench")
    }

    /// What `hullwatch bench` wrote, which must end well.
    pub(crate) fn text(&self, args: &[&str]) -> Result<String> {
        let output = self.run(args)?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "bench {args:?}: {}: {stderr}",
            output.status
        );
        ensure!(!stderr.contains("panicked"), "{stderr}");
        String::from_utf8(output.stdout).context("no UTF-8")
    }

    /// The report of `hullwatch bench --json`, which is held against its schema.
    pub(crate) fn report(&self, args: &[&str]) -> Result<Assessment> {
        let text = self.text(&[&["--json"], args].concat())?;
        ensure!(text.trim_end().lines().count() == 1, "not one line: {text}");
        let report = Assessment::read(text.as_bytes())?;
        if let Some(schemas) = Schemas::published()? {
            schemas.check_value("bench", &report.value)?;
        }
        Ok(report)
    }
}

fn tar(args: &[&str], directory: &Path) -> Result<()> {
    let status = Command::new("tar").arg("-C").arg(directory).args(args).status()?;
    ensure!(status.success(), "tar {args:?}");
    Ok(())
}

/// Collects what is wrong with the rows of a table, so that one run tells all of it.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<String>);

impl Faults {
    pub(crate) fn note(&mut self, row: &str, outcome: Result<()>) {
        if let Err(error) = outcome {
            self.0.push(format!("{row}: {error:#}"));
        }
    }

    pub(crate) fn finish(self) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        bail!("{} wrong:\n{}", self.0.len(), self.0.join("\n"))
    }
}
