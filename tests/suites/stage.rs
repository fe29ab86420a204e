//! The shared world, the `hullwatch` that watches it, and sentinels: deeds that must be reported, so that what
//! has not been reported before them is known to be silent, without waiting for time to pass.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use hullwatch_tests::{Line, Mark, Programs, Shell, Skip, Watch, World};

use crate::schema::Schemas;

/// A user whom the watching `hullwatch` is told to trust.
pub(crate) const TRUSTED_UID: &str = "4242";

static STAGE: Mutex<Option<Result<Stage, Skip>>> = Mutex::new(None);

/// What a test acts on.
#[derive(Debug)]
pub(crate) struct Stage {
    // In the order in which they end.
    watch: Option<Watch>,
    sentinel: Option<Shell>,
    pub(crate) world: World,
    schemas: Option<Schemas>,
}

/// The way by which a deed is reported; order is kept within one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    Exec,
    Connect,
    Mount,
    Engine,
}

/// Runs a test on the stage, which is set up for the first.
pub(crate) fn perform(test: fn(&mut Stage) -> Result<()>) -> Result<()> {
    let mut slot = STAGE.lock().unwrap_or_else(PoisonError::into_inner);
    if slot.is_none() {
        *slot = Some(match Stage::new() {
            Ok(stage) => Ok(stage),
            Err(error) => Err(error.downcast::<Skip>()?),
        });
    }
    match slot.as_mut().context("no stage")? {
        Ok(stage) => {
            if !stage.world.dockerd.is_running() {
                // An earlier test failed before it had started the engine again.
                stage.start_engine()?;
            }
            let mark = stage.watch.as_ref().map(Watch::mark);
            test(stage)?;
            stage.conforms(mark)
        }
        Err(skip) => Err(skip.clone().into()),
    }
}

/// Takes the stage down.
pub(crate) fn strike() {
    STAGE.lock().unwrap_or_else(PoisonError::into_inner).take();
}

/// The built programs; `HULLWATCH_BIN` names another `hullwatch` than the release build.
pub(crate) fn programs() -> Programs {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."));
    let hullwatch = std::env::var_os("HULLWATCH_BIN")
        .map_or_else(|| workspace.join("target/release/hullwatch"), PathBuf::from);
    Programs {
        hullwatch,
        actor: env!("CARGO_BIN_EXE_actor").into(),
        shim: env!("CARGO_BIN_EXE_oci-shim").into(),
    }
}

impl Stage {
    fn new() -> Result<Self> {
        let world = World::new(&programs())?;
        world.dockerd.open_to_everybody()?;
        Ok(Self {
            watch: None,
            sentinel: None,
            world,
            schemas: Schemas::published()?,
        })
    }

    /// The shared watching `hullwatch`; a new one if a test has ended it.
    pub(crate) fn watch(&mut self) -> Result<&Watch> {
        if !self.watch.as_mut().is_some_and(Watch::is_alive) {
            self.watch = Some(self.new_watch(&["--trusted-user", TRUSTED_UID])?);
        }
        self.watch.as_ref().context("no hullwatch")
    }

    /// Kills the engine.
    pub(crate) fn kill_engine(&mut self) -> Result<()> {
        // Its shell ends with the engine that feeds it.
        self.sentinel = None;
        self.world.dockerd.kill()
    }

    /// Starts the engine again.
    pub(crate) fn start_engine(&mut self) -> Result<()> {
        self.world.dockerd.start()?;
        self.world.dockerd.open_to_everybody()
    }

    /// A watching `hullwatch` of a test's own.
    pub(crate) fn new_watch(&self, options: &[&str]) -> Result<Watch> {
        let mut command = self.world.hullwatch();
        command.args([
            "watch",
            "--json",
            "--observations",
            "--engine",
            &self.world.dockerd.uri(),
        ]);
        Watch::start(command.args(options))
    }

    /// Does a deed that must be reported and waits for the report: whatever was to be said of earlier deeds
    /// of this way has been said.
    pub(crate) fn settle(&mut self, way: Way) -> Result<()> {
        let nonce = self.world.unique("sentinel");
        let mark = self.watch()?.mark();
        if matches!(way, Way::Engine) {
            let sentinel = self.world.container(&["--uts", "host"])?;
            self.watch()?
                .violation(mark, "runtime-no-host-uts", |line| line.is_in(&sentinel.id))?;
            return Ok(());
        }
        if self.sentinel.is_none() {
            self.sentinel = Some(self.world.privileged_container()?);
        }
        let sentinel = self.sentinel.as_mut().context("no sentinel")?;
        match way {
            Way::Exec => {
                // A program of a new name each time: the same violation repeated would be folded.
                let path = format!("/tmp/{nonce}");
                sentinel.must(&format!("/bin/busybox cp /bin/actor {path} && {path} nothing"))?;
                self.watch()?.violation(mark, "runtime-not-privileged", |line| {
                    line.text("/process/exe") == path
                })?;
            }
            Way::Mount => {
                let path = format!("/mnt/{nonce}");
                sentinel.must(&format!("/bin/mkdir {path} && /bin/actor mount tmpfs {path}"))?;
                self.watch()?
                    .observation(mark, "mount", |line| line.text("/requested/target") == path)?;
            }
            Way::Connect | Way::Engine => {
                let pid = self
                    .world
                    .act(&["connect", &self.world.dockerd.socket().to_string_lossy()])?;
                self.watch()?
                    .observation(mark, "connect", |line| line.is_by(pid))?;
            }
        }
        Ok(())
    }

    /// Fails if such a violation has been reported after the mark, once everything has been.
    pub(crate) fn silent(
        &mut self,
        way: Way,
        from: Mark,
        what: &str,
        is_it: impl Fn(&Line) -> bool,
    ) -> Result<()> {
        self.settle(way)?;
        self.watch()?.none_since(from, what, |line| {
            line.text("/type") == "violation" && is_it(line)
        })
    }

    /// Waits until an exec with this argument has been observed.
    pub(crate) fn ran(&mut self, from: Mark, arg: &str) -> Result<Line> {
        self.watch()?.observation(from, "exec", |line| line.has_arg(arg))
    }

    /// Waits until the engine has told of a started container: before that, what it was given is not known.
    pub(crate) fn known(&mut self, from: Mark, container: &str) -> Result<Line> {
        self.watch()?.observation(from, "container", |line| {
            line.text("/facts/id") == container && line.text("/action") == "started"
        })
    }

    /// Runs a program of a name that occurs nowhere else in a container and waits until it was observed.
    pub(crate) fn run_in(&mut self, shell: &mut Shell, program: &str) -> Result<Line> {
        let nonce = self.world.unique("run");
        let mark = self.watch()?.mark();
        shell.must(&format!("{program} nothing {nonce}"))?;
        self.watch()?.observation(mark, "exec", |line| {
            line.has_arg(&nonce) && line.at("/process/args/1") == "nothing"
        })
    }

    /// Holds every line that the shared `hullwatch` wrote during a test against the published schemas.
    fn conforms(&self, from: Option<Mark>) -> Result<()> {
        let (Some(schemas), Some(watch)) = (&self.schemas, &self.watch) else {
            return Ok(());
        };
        let lines = from.map_or_else(|| watch.all_lines(), |mark| watch.lines(mark));
        lines.iter().try_for_each(|line| schemas.check(line))
    }
}
