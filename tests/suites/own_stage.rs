//! A host of our own with a `hullwatch` that watches it from its first moment, shared by the suites of live posture.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use hullwatch_tests::{Container, Enclave, Line, Mark, Skip, Watch};

use crate::schema::Schemas;
use crate::stage;

/// How soon a verdict that turned must be told: 2 s are promised, and a machine that does other things gets more.
const PROMPT: Duration = Duration::from_secs(5);
/// What the engine starts with. It leaves the network alone and ends at once.
const CONFIGURATION: &str = r#"{"iptables":false,"ip-forward":false,"shutdown-timeout":1}"#;
/// Name of the container that is there before `hullwatch` is.
pub(crate) const STANDING: &str = "standing";

static STAGE: Mutex<Option<Result<OwnStage, Skip>>> = Mutex::new(None);

/// What a test acts on.
#[derive(Debug)]
pub(crate) struct OwnStage {
    // In the order in which they end.
    pub(crate) watch: Watch,
    standing: Container,
    pub(crate) host: Enclave,
    schemas: Option<Schemas>,
    made: u32,
}

/// Runs a test on the stage, which is set up for the first.
pub(crate) fn perform(test: fn(&mut OwnStage) -> Result<()>) -> Result<()> {
    let mut slot = STAGE.lock().unwrap_or_else(PoisonError::into_inner);
    if slot.is_none() {
        *slot = Some(match OwnStage::new() {
            Ok(stage) => Ok(stage),
            Err(error) => Err(error.downcast::<Skip>()?),
        });
    }
    match slot.as_mut().context("no stage")? {
        Ok(stage) => {
            let mark = stage.watch.mark();
            test(stage)?;
            let Some(schemas) = &stage.schemas else {
                return Ok(());
            };
            stage
                .watch
                .lines(mark)
                .iter()
                .try_for_each(|line| schemas.check(line))
        }
        Err(skip) => Err(skip.clone().into()),
    }
}

/// Takes the stage down.
pub(crate) fn strike() {
    STAGE.lock().unwrap_or_else(PoisonError::into_inner).take();
}

/// Whether a line tells of a verdict that turned.
pub(crate) fn is_posture(line: &Line) -> bool {
    line.text("/type") == "posture"
}

/// Whether a line says that what passed is broken.
pub(crate) fn is_drift(line: &Line) -> bool {
    line.text("/type") == "violation" && line.text("/class") == "drift"
}

fn watch(host: &Enclave) -> Result<Watch> {
    Watch::start(host.watch()?.args(["--trusted-user", stage::TRUSTED_UID]))
}

impl OwnStage {
    fn new() -> Result<Self> {
        let host = Enclave::watched(&stage::programs(), CONFIGURATION)?;
        let standing = host.container(STANDING, &[])?;
        let watch = watch(&host)?;
        let stage = Self {
            watch,
            standing,
            host,
            schemas: Schemas::published()?,
            made: 0,
        };
        stage.known(Mark::default())?;
        Ok(stage)
    }

    /// Another `hullwatch` in the place of the one that watches; gives that.
    pub(crate) fn restart_watch(&mut self) -> Result<Watch> {
        let old = std::mem::replace(&mut self.watch, watch(&self.host)?);
        self.known(Mark::default())?;
        Ok(old)
    }

    /// Waits until everything is known: the host with its daemon and files, the container, the image.
    fn known(&self, from: Mark) -> Result<()> {
        let id = &self.standing.id;
        let watch = &self.watch;
        watch.observation(from, "image", |line| !line.at("/tags/0").is_null())?;
        watch.observation(from, "container", |line| line.text("/facts/id") == id)?;
        watch.observation(from, "host", |line| {
            !line.at("/daemon/known/pid").is_null() && !line.at("/objects/known").is_null()
        })?;
        Ok(())
    }

    /// A verdict that turned after the mark, told promptly.
    pub(crate) fn turned(&self, from: Mark, key: &str, item: &str, verdict: &str) -> Result<Line> {
        let what = format!("{key} of {item} turns to {verdict}");
        self.watch.expect_within(PROMPT, from, &what, |line| {
            is_posture(line)
                && line.text("/check/key") == key
                && (item.is_empty() || line.text("/item") == item)
                && line.text("/verdict") == verdict
        })
    }

    /// A verdict that turned after the mark, however long the engine takes.
    pub(crate) fn turned_at_last(&self, from: Mark, key: &str, verdict: &str) -> Result<Line> {
        self.watch
            .expect(from, &format!("{key} turns to {verdict}"), |line| {
                is_posture(line) && line.text("/check/key") == key && line.text("/verdict") == verdict
            })
    }

    /// The violation that says so, with what it is about.
    pub(crate) fn drifted(&self, from: Mark, key: &str, about: &str) -> Result<Line> {
        let told = |line: &Line| line.text("/class") == "drift" && line.text("/summary").contains(about);
        self.watch.violation(from, key, told)
    }

    /// The same, before the count of repetitions of an earlier one would be told.
    pub(crate) fn drifted_anew(&self, from: Mark, key: &str) -> Result<Line> {
        let what = format!("{key} is broken anew");
        self.watch.expect_within(PROMPT, from, &what, |line| {
            is_drift(line) && line.is_violation(key)
        })
    }

    /// Does something that turns a verdict and back: whatever was to be said of what was done before has been said.
    pub(crate) fn settle(&mut self) -> Result<()> {
        self.made += 1;
        let (from, name) = (self.watch.mark(), format!("sentinel{}", self.made));
        let cert = format!("/etc/docker/certs.d/{name}.crt");
        self.host.sh(&format!(
            "mkdir -p /etc/docker/certs.d; echo >{cert}; chmod 666 {cert}"
        ))?;
        self.watch.expect(from, "the sentinel's verdict", |line| {
            is_posture(line) && line.text("/item") == cert && line.text("/verdict") == "fail"
        })?;
        let from = self.watch.mark();
        self.host.sh(&format!("rm {cert}"))?;
        self.watch.expect(from, "the sentinel's end", |line| {
            is_posture(line) && line.text("/item") == cert
        })?;
        Ok(())
    }

    /// Fails if a verdict has turned since the mark, or a drift was told of the host or its container, but for the
    /// sentinels'. Other engines of this machine have containers too, which are none of ours.
    pub(crate) fn silent(&mut self, from: Mark, what: &str) -> Result<()> {
        self.settle()?;
        let ours = |line: &Line| line.at("/container").is_null() || line.is_in(&self.standing.id);
        self.watch.none_since(from, what, |line| {
            // The count of repetitions of something earlier is none.
            let counted = !line.at("/first").is_null();
            let news = is_posture(line) || is_drift(line) && ours(line) && !counted;
            news && !line.text.contains("sentinel")
        })
    }
}
