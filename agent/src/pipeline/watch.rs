//! `hullwatch watch`: attach here and now, and tell.

use std::ops::ControlFlow;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::hold::{Held, Hold};
use super::outlet::Outlet;
use super::reader::{self, Read};
use super::scene::{Scene, Seen, socket_names};
use super::signals::Stop;
use super::startup::{WatchConfig, container_cgroups, probe_status, started};
use super::{PipelineError, engine, losses};
use crate::check;
use crate::correlate::{Correlator, Settings};
use crate::model::{
    Container, ContainerAction, ContainerId, Event, Fact, HostFacts, Line, Observation, Policy, Source,
    Status, StatusState, Time,
};
use crate::sink::stdout::{Ended, StdoutError};
use crate::source::engine::{EngineFacts, EngineItem};
use crate::source::host;
use crate::source::kernel::{Batch, Kernel, KernelConfig, KernelError};
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
    wanted: mpsc::Sender<ContainerId>,
    /// Whether the engine answers, as far as is known: only then is it worth waiting for.
    engine_answers: bool,
    ticks: u64,
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
    let socket_names = socket_names(&sockets);
    let mut kernel = Kernel::start(&KernelConfig {
        host,
        socket_names,
        ..config.kernel
    })
    .map_err(PipelineError::Kernel)?;
    let (rings, maps, meter) = kernel.split().map_err(PipelineError::Kernel)?;
    let outlet = Outlet::open(config.style, config.observations).map_err(PipelineError::Stdout)?;
    let reports = kernel.reports.clone();
    let found = container_cgroups(&cgroups);
    let scene = Scene::new(maps, sockets.clone(), host.mnt, config.observations);
    let scene = scene.map_err(PipelineError::Kernel)?;
    let (engine_items, wanted) = engine::spawn(config.engine, sockets);
    let settings = Settings {
        benchmark: config.benchmark,
        ..Settings::default()
    };
    let mut watch = Watch {
        scene,
        hold: Hold::default(),
        correlator: Correlator::new(settings, check::ALL),
        outlet,
        losses: losses::Losses::new(kernel, meter, Time::now()),
        facts,
        wanted,
        engine_answers: true,
        ticks: 0,
    };
    telemetry::give_back_memory();
    let outcome = async {
        watch.begin(config.policy, found, &reports).await?;
        let reason = watch
            .follow(reader::spawn(rings), engine_items, &mut stop)
            .await?;
        watch.end(reason).await
    }
    .await;
    watch.close(outcome).await
}

impl Watch {
    /// Tells what is known at the start.
    async fn begin(
        &mut self,
        policy: Policy,
        found: Result<host::FoundCgroups, host::CgroupError>,
        reports: &[crate::source::kernel::ProbeReport],
    ) -> Result<(), Fatal> {
        let now = Time::now();
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
        for status in reports.iter().filter_map(|report| probe_status(report, now)) {
            self.outlet.line(&Line::Status(status)).await?;
        }
        Ok(self.outlet.line(&Line::Status(started(reports, now))).await?)
    }

    /// The loop. Returns why it was asked to stop.
    async fn follow(
        &mut self,
        mut reader: mpsc::Receiver<Read>,
        mut engine: mpsc::Receiver<EngineItem>,
        stop: &mut Stop,
    ) -> Result<&'static str, Fatal> {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let step = tokio::select! {
                Some(read) = reader.recv() => self.on_read(read).await.map(ControlFlow::Continue),
                Some(item) = engine.recv() => self.on_engine(item).await.map(ControlFlow::Continue),
                _ = tick.tick() => self.on_tick().await.map(ControlFlow::Continue),
                () = sleep(HOLD_TICK), if !self.hold.is_empty() => self.let_go().await.map(ControlFlow::Continue),
                reason = stop.requested() => Ok(ControlFlow::Break(reason)),
            };
            if let ControlFlow::Break(reason) = step? {
                while let Ok(Some(read)) = timeout(LAST_LOOK, reader.recv()).await {
                    self.on_read(read).await?;
                }
                return Ok(reason);
            }
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

    async fn on_read(&mut self, read: Read) -> Result<(), Fatal> {
        match read {
            Read::Batch(batch) => self.on_batch(batch).await,
            Read::Failed(reason) => {
                self.degraded("probes", format!("events cannot be read: {reason}"))
                    .await
            }
        }
    }

    async fn on_batch(&mut self, batch: Batch) -> Result<(), Fatal> {
        self.losses.undecodable(batch.undecodable);
        for sighting in batch.sightings {
            match self.scene.look(sighting)? {
                Seen::Ready(observation) => self.on_observation(observation).await?,
                Seen::InContainer(held) => self.on_held(held).await?,
                Seen::Nothing => {}
            }
        }
        Ok(())
    }

    /// A container's event goes on at once if its container has a name, or if none is to be expected.
    async fn on_held(&mut self, held: Held) -> Result<(), Fatal> {
        let waits =
            self.hold.has(held.root) || (self.engine_answers && self.scene.containers.awaits_name(held.root));
        if !waits {
            return self.name_and_tell(held).await;
        }
        if !self.hold.has(held.root) {
            self.want(&held);
        }
        match self.hold.push(held) {
            Ok(()) => Ok(()),
            Err(held) => self.name_and_tell(*held).await,
        }
    }

    /// Asks the engine about a container that it has not told of by itself.
    fn want(&self, held: &Held) {
        if let Some(id) = self.scene.containers.id(held.root)
            && self.wanted.try_send(id.clone()).is_err()
        {
            tracing::debug!(container = %id, "The engine is too busy to be asked about a container.");
        }
    }

    async fn let_go(&mut self) -> Result<(), Fatal> {
        for held in self.hold.expired(Time::now()) {
            // The next event of this container need not wait for what does not come.
            self.scene.containers.give_up(held.root);
            self.name_and_tell(held).await?;
        }
        Ok(())
    }

    async fn name_and_tell(&mut self, held: Held) -> Result<(), Fatal> {
        let Held {
            mut observation,
            root,
            weak,
        } = held;
        observation.container = Some(self.scene.containers.reference(root, weak));
        self.on_observation(observation).await
    }

    async fn on_engine(&mut self, item: EngineItem) -> Result<(), Fatal> {
        match item {
            EngineItem::Observation(observation) => {
                if let Event::Container { action, facts } = &observation.event {
                    let (action, facts) = (*action, facts.clone());
                    self.learn(action, &facts, observation.time)?;
                    self.on_observation(observation).await?;
                    return self.release(&facts.id).await;
                }
                self.on_observation(observation).await
            }
            EngineItem::Status(status) => {
                self.engine_answers = status.state != StatusState::Degraded;
                self.outlet.line(&Line::Status(status)).await?;
                if !self.engine_answers {
                    for held in self.hold.drain() {
                        self.name_and_tell(held).await?;
                    }
                }
                Ok(())
            }
            EngineItem::Gap(gap) => Ok(self.outlet.line(&Line::Gap(gap)).await?),
            EngineItem::Engine(facts) => self.on_engine_facts(*facts).await,
        }
    }

    fn learn(&mut self, action: ContainerAction, facts: &Container, at: Time) -> Result<(), Fatal> {
        self.scene.containers.told(facts);
        if action == ContainerAction::Removed {
            self.scene.containers.removed(&facts.id, at);
        }
        let root = self.scene.containers.root(&facts.id);
        if let (Some(root), Some(truth), Some(host)) = (root, &facts.truth, &self.facts.namespaces) {
            self.scene
                .own_namespaces(root, &truth.namespaces.inums(), &host.inums())?;
            self.scene.learn_first(root, truth.pid, truth.namespaces.mnt);
        }
        Ok(())
    }

    /// Events that waited for this container's name go on.
    async fn release(&mut self, id: &ContainerId) -> Result<(), Fatal> {
        let Some(root) = self.scene.containers.root(id) else {
            return Ok(());
        };
        if self.scene.containers.awaits_name(root) {
            return Ok(());
        }
        for held in self.hold.release(root) {
            self.name_and_tell(held).await?;
        }
        Ok(())
    }

    async fn on_engine_facts(&mut self, told: EngineFacts) -> Result<(), Fatal> {
        self.engine_answers = true;
        self.facts.engine_version = Some(told.engine.version.clone());
        self.facts
            .security_options
            .clone_from(&told.engine.security_options);
        self.facts.engine_socket = told.socket.map(|path| path.to_string_lossy().into_owned());
        self.facts.engine = Fact::Known(told.engine);
        self.scene.refresh_sockets()?;
        self.facts.socket_access = self.socket_access();
        self.tell(Event::Host(Box::new(self.facts.clone()))).await
    }

    fn socket_access(&self) -> Option<Vec<crate::model::SocketAccess>> {
        host::socket_access(self.facts.engine_socket.as_ref()?.as_ref())
    }

    async fn on_tick(&mut self) -> Result<(), Fatal> {
        self.ticks += 1;
        if self.ticks.is_multiple_of(SOCKETS_EVERY) {
            self.scene.refresh_sockets()?;
        }
        if self.ticks.is_multiple_of(SLOW_EVERY) {
            self.scene.refresh_runtimes();
            let access = self.socket_access();
            if access != self.facts.socket_access {
                self.facts.socket_access = access;
                self.tell(Event::Host(Box::new(self.facts.clone()))).await?;
            }
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
        for violation in violations {
            self.outlet.line(&Line::Violation(Box::new(violation))).await?;
        }
        Ok(())
    }

    async fn degraded(&self, component: &str, reason: String) -> Result<(), Fatal> {
        let status = Status {
            time: Time::now(),
            state: StatusState::Degraded,
            component: component.to_owned(),
            reason,
        };
        Ok(self.outlet.line(&Line::Status(status)).await?)
    }
}
