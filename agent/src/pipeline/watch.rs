//! `hullwatch watch`: attach here and now, and tell.

mod on_audit;
mod on_engine;
mod on_host;
mod on_probes;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout, timeout_at};

use super::hold::Hold;
use super::layers::{ImageRead, Layers};
use super::outlet::Outlet;
use super::reader::Read;
use super::scene::{Scene, socket_names};
use super::sight::Sight;
use super::signals::Stop;
use super::stand_in::StandIn;
use super::startup::{WatchConfig, attach, first_statuses, hierarchy};
use super::{PipelineError, audit, engine, losses, survey};
use crate::check::{self, Benchmark};
use crate::correlate::{Correlator, Settings};
use crate::model::{Event, HostFacts, Line, Observation, Policy, Source, Status, StatusState, Time};
use crate::sink::stdout::{Ended, StdoutError};
use crate::source::audit::{AuditItem, Interest};
use crate::source::engine::{EngineItem, Wanted};
use crate::source::files::{FileItem, FileWatch};
use crate::source::host;
use crate::source::kernel::{KernelConfig, KernelError};
use crate::telemetry;

/// How often losses are counted, sockets looked for, and folded counts told.
const TICK: Duration = Duration::from_secs(1);
/// How often events that wait for the engine are looked at, while there are any.
const HOLD_TICK: Duration = Duration::from_millis(25);
/// Ticks between two looks for the runtimes' sockets. One that was made since is known by its name.
const SOCKETS_EVERY: u64 = 5;
/// Ticks between two looks for the runtimes' executables and for who can open the engine's socket.
const SLOW_EVERY: u64 = 30;
/// How long, at the end, events that have happened are waited for.
const LAST_LOOK: Duration = Duration::from_millis(20);

/// The probe that tells of the birth and end of containers' cgroups.
const PROBE_OF_CGROUPS: &str = "cgroup";

/// Why the loop cannot go on.
enum Fatal {
    /// Nobody reads.
    Ended,
    /// The probes' maps cannot be written.
    Kernel(KernelError),
}

impl From<Ended> for Fatal {
    fn from(_: Ended) -> Self {
        Self::Ended
    }
}

impl From<KernelError> for Fatal {
    fn from(error: KernelError) -> Self {
        Self::Kernel(error)
    }
}

/// Everything the loop works on.
struct Watch {
    scene: Scene,
    hold: Hold,
    correlator: Correlator,
    outlet: Outlet,
    losses: losses::Losses,
    facts: HostFacts,
    wanted: mpsc::Sender<Wanted>,
    /// Where the host's facts are sent to be completed.
    survey: mpsc::Sender<HostFacts>,
    /// Whether something changed since they were last sent.
    stale: bool,
    /// Whether the engine said something since the host's facts were last told.
    untold: bool,
    files: Option<FileWatch>,
    layers: Layers,
    /// Which records of the audit trail matter.
    interest: Arc<Interest>,
    /// The probes in whose place records are taken.
    stand_in: StandIn,
    /// Whether a probe tells of the end of containers' cgroups; else the engine's word of the containers' must do.
    sees_cgroups: bool,
    /// Whether the engine answers, as far as is known: only then is it worth waiting for.
    engine_answers: bool,
    ticks: u64,
}

/// Where the loop hears from.
struct Inlets {
    probes: mpsc::Receiver<Read>,
    engine: mpsc::Receiver<EngineItem>,
    files: mpsc::Receiver<FileItem>,
    images: mpsc::Receiver<ImageRead>,
    survey: mpsc::Receiver<HostFacts>,
    audit: mpsc::Receiver<AuditItem>,
}

/// What the loop heard.
enum Heard {
    Probes(Read),
    Engine(EngineItem),
    Files(FileItem),
    Image(ImageRead),
    Survey(Box<HostFacts>),
    Audit(AuditItem),
}

impl Inlets {
    /// What comes next; waits for ever where nobody speaks any more.
    async fn next(&mut self) -> Heard {
        tokio::select! {
            Some(read) = self.probes.recv() => Heard::Probes(read),
            Some(item) = self.engine.recv() => Heard::Engine(item),
            Some(item) = self.files.recv() => Heard::Files(item),
            Some(read) = self.images.recv() => Heard::Image(read),
            Some(facts) = self.survey.recv() => Heard::Survey(Box::new(facts)),
            Some(item) = self.audit.recv() => Heard::Audit(item),
            else => std::future::pending().await,
        }
    }
}

/// Watches until asked to stop, or until nobody reads.
///
/// # Errors
/// [`PipelineError`] where watching cannot begin, or the stream cannot be written.
pub async fn watch(config: WatchConfig) -> Result<(), PipelineError> {
    let mut stop = Stop::new(config.lasting)?;
    let cgroups = config.kernel.cgroups.clone();
    let sockets = config.all_sockets();
    let facts = host::facts();
    let host = facts.namespaces.unwrap_or_default();
    let (probes, stand_in) = attach(&KernelConfig {
        host,
        socket_names: socket_names(&sockets),
        ..config.kernel
    })?;
    let mut statuses = first_statuses(&probes, &stand_in, Time::now());
    let sees_cgroups = probes.sees(PROBE_OF_CGROUPS);
    let outlet = Outlet::open(config.style, config.observations).map_err(PipelineError::Stdout)?;
    let Sight { events, maps, losses } = Sight::open(probes).map_err(PipelineError::Kernel)?;
    let scene = Scene::new(maps, sockets.clone(), host.mnt, config.observations);
    let mut scene = scene.map_err(PipelineError::Kernel)?;
    let found = hierarchy(&cgroups).and_then(|hierarchy| scene.find_containers(hierarchy));
    let (engine_items, wanted) = engine::spawn(config.engine, sockets);
    let (survey, surveyed) = survey::spawn();
    let (files, changed, unwatched) = on_host::start_files();
    statuses.extend(unwatched.map(|reason| degraded("files", reason)));
    let (layers, images) = Layers::start();
    let interest = Arc::new(Interest::new(stand_in.facts(), config.observations));
    let inlets = Inlets {
        probes: events,
        engine: engine_items,
        files: changed,
        images,
        survey: surveyed,
        audit: audit::spawn(Arc::clone(&interest)),
    };
    let mut watch = Watch {
        scene,
        hold: Hold::default(),
        correlator: correlator(config.benchmark),
        outlet,
        losses,
        facts,
        wanted,
        survey,
        stale: true,
        untold: false,
        files,
        layers,
        interest,
        stand_in,
        sees_cgroups,
        engine_answers: true,
        ticks: 0,
    };
    telemetry::give_back_memory();
    let outcome = async {
        watch.begin(config.policy, found, statuses).await?;
        let reason = watch.follow(inlets, &mut stop).await?;
        watch.end(reason).await
    }
    .await;
    watch.close(outcome).await
}

fn degraded(component: &str, reason: String) -> Status {
    Status {
        time: Time::now(),
        state: StatusState::Degraded,
        component: component.to_owned(),
        reason,
    }
}

fn correlator(benchmark: Benchmark) -> Correlator {
    let settings = Settings {
        benchmark,
        ..Settings::default()
    };
    Correlator::new(settings, check::ALL)
}

impl Watch {
    /// Tells what is known at the start.
    async fn begin(
        &mut self,
        policy: Policy,
        found: Result<host::FoundCgroups, host::CgroupError>,
        statuses: Vec<Status>,
    ) -> Result<(), Fatal> {
        match found {
            Ok(found) => match self.scene.adopt(&found) {
                0 => {}
                left_out => {
                    let reason = format!(
                        "{left_out} cgroups of containers are not followed: too many in one container, or in all"
                    );
                    self.degraded("cgroups", reason).await?;
                }
            },
            Err(error) => {
                let reason = format!("containers that run already are not known: {error}");
                self.degraded("cgroups", reason).await?;
            }
        }
        if self.facts.namespaces.is_none() {
            let reason =
                "the host's own namespaces cannot be read: who enters or shares them is not told apart";
            self.degraded("host", reason.to_owned()).await?;
        }
        self.tell(Event::Policy(policy)).await?;
        self.tell(Event::Host(Box::new(self.facts.clone()))).await?;
        self.statuses(statuses).await
    }

    /// The loop. Returns why it was asked to stop.
    async fn follow(&mut self, mut inlets: Inlets, stop: &mut Stop) -> Result<&'static str, Fatal> {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let step = tokio::select! {
                heard = inlets.next() => self.on_heard(heard).await.map(ControlFlow::Continue),
                _ = tick.tick() => self.on_tick().await.map(ControlFlow::Continue),
                () = sleep(HOLD_TICK), if !self.hold.is_empty() => self.let_go().await.map(ControlFlow::Continue),
                reason = stop.requested() => Ok(ControlFlow::Break(reason)),
            };
            if let ControlFlow::Break(reason) = step? {
                self.look_last(&mut inlets).await?;
                return Ok(reason);
            }
        }
    }

    /// What happened before the end and is still on its way.
    async fn look_last(&mut self, inlets: &mut Inlets) -> Result<(), Fatal> {
        while let Ok(Some(read)) = timeout(LAST_LOOK, inlets.probes.recv()).await {
            self.on_read(read).await?;
        }
        // A host may record without a pause.
        let end = Instant::now() + LAST_LOOK;
        while !self.stand_in.is_empty()
            && let Ok(Some(item)) = timeout_at(end, inlets.audit.recv()).await
        {
            self.on_audit(item).await?;
        }
        Ok(())
    }

    async fn on_heard(&mut self, heard: Heard) -> Result<(), Fatal> {
        match heard {
            Heard::Probes(read) => self.on_read(read).await,
            Heard::Engine(item) => self.on_engine(item).await,
            Heard::Files(item) => self.on_file(item).await,
            Heard::Image(read) => self.on_image_read(read).await,
            Heard::Survey(facts) => self.on_survey(*facts).await,
            Heard::Audit(item) => self.on_audit(item).await,
        }
    }

    /// Tells what was held back.
    async fn end(&mut self, reason: &str) -> Result<(), Fatal> {
        for held in self.hold.drain() {
            self.name_and_tell(held).await?;
        }
        self.report_losses().await?;
        let now = Time::now();
        for violation in self.correlator.finish(now) {
            self.outlet.line(&Line::Violation(Box::new(violation))).await?;
        }
        let status = Status {
            time: now,
            state: StatusState::Stopped,
            component: "hullwatch".to_owned(),
            reason: reason.to_owned(),
        };
        Ok(self.outlet.line(&Line::Status(status)).await?)
    }

    /// Ends the stream; a reader that is gone is an end like any other.
    async fn close(self, outcome: Result<(), Fatal>) -> Result<(), PipelineError> {
        let closed = self.outlet.close().await;
        if let Err(Fatal::Kernel(error)) = outcome {
            return Err(PipelineError::Kernel(error));
        }
        match closed {
            Ok(()) | Err(StdoutError::ReaderGone) => Ok(()),
            Err(error) => Err(PipelineError::Stdout(error)),
        }
    }

    async fn on_tick(&mut self) -> Result<(), Fatal> {
        self.ticks += 1;
        if self.ticks.is_multiple_of(SOCKETS_EVERY) {
            self.scene.refresh_sockets()?;
        }
        if self.ticks.is_multiple_of(SLOW_EVERY) {
            self.scene.refresh_runtimes();
            self.stale = true;
        }
        if self.stale {
            self.poke();
        }
        self.report_losses().await?;
        let now = Time::now();
        self.scene.containers.forget(now);
        for violation in self.correlator.advance(now) {
            self.outlet.line(&Line::Violation(Box::new(violation))).await?;
        }
        if let Some(gap) = self.correlator.take_loss(now) {
            self.outlet.line(&Line::Gap(gap)).await?;
        }
        Ok(self.outlet.report_dropped(now).await?)
    }

    async fn report_losses(&mut self) -> Result<(), Fatal> {
        for gap in self.losses.gaps(&self.scene.containers, Time::now()) {
            self.outlet.line(&Line::Gap(gap)).await?;
        }
        Ok(())
    }

    /// An observation of our own.
    async fn tell(&mut self, event: Event) -> Result<(), Fatal> {
        let time = Time::now();
        let observation = Observation {
            time,
            source: Source::Assessment,
            process: None,
            container: None,
            plumbing: false,
            event,
        };
        self.on_observation(observation).await
    }

    async fn on_observation(&mut self, observation: Observation) -> Result<(), Fatal> {
        let violations = self.correlator.on(&observation);
        self.outlet
            .line(&Line::Observation(Box::new(observation)))
            .await?;
        for change in self.correlator.take_changes() {
            self.outlet.line(&Line::Posture(Box::new(change))).await?;
        }
        for violation in violations {
            self.outlet.line(&Line::Violation(Box::new(violation))).await?;
        }
        Ok(())
    }

    async fn statuses(&self, statuses: Vec<Status>) -> Result<(), Fatal> {
        for status in statuses {
            self.outlet.line(&Line::Status(status)).await?;
        }
        Ok(())
    }

    async fn degraded(&self, component: &str, reason: String) -> Result<(), Fatal> {
        Ok(self
            .outlet
            .line(&Line::Status(degraded(component, reason)))
            .await?)
    }
}
