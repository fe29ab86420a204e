//! What the engine says.

use super::{Fatal, Watch};
use crate::model::{Container, ContainerAction, ContainerId, Event, Fact, Line, StatusState, Time};
use crate::pipeline::layers::ImageRead;
use crate::source::engine::{EngineFacts, EngineItem};
use crate::source::host;

impl Watch {
    pub(super) async fn on_engine(&mut self, item: EngineItem) -> Result<(), Fatal> {
        match item {
            EngineItem::Observation(observation) => {
                if let Event::Container { action, facts } = &observation.event {
                    let (action, facts) = (*action, facts.clone());
                    self.learn(action, &facts, observation.time)?;
                    self.on_observation(observation).await?;
                    return self.release(&facts.id).await;
                }
                if let Event::ImageRemoved { id } = &observation.event {
                    self.layers.forget(id);
                }
                self.on_observation(observation).await
            }
            EngineItem::Layers(layers) => match self.layers.ask(layers) {
                Ok(()) => Ok(()),
                Err(unread) => self.on_image_read(unread).await,
            },
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
        if action == ContainerAction::Stopped
            && !self.sees_cgroups
            && let Some(root) = self.scene.containers.root(&facts.id)
        {
            self.scene.bury(root, at);
        }
        if let (Some(truth), Some(host)) = (&facts.truth, &self.facts.namespaces)
            && let Some(root) = self.scene.root_of(&facts.id, truth.pid)
        {
            self.scene
                .own_namespaces(root, &truth.namespaces.inums(), &host.inums())?;
            self.scene.learn_first(root, truth.pid, truth.namespaces.mnt);
        }
        Ok(())
    }

    pub(super) async fn on_image_read(&mut self, read: ImageRead) -> Result<(), Fatal> {
        let ImageRead { id, files } = read;
        if files.get().is_none() {
            self.layers.forget(&id);
        }
        self.tell(Event::ImageFiles { id, files }).await
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
        let is_first = self.facts.engine.get().is_none();
        self.facts.engine_version = Some(told.engine.version.clone());
        self.facts
            .security_options
            .clone_from(&told.engine.security_options);
        self.facts.engine_socket = told.socket.map(|path| path.to_string_lossy().into_owned());
        let mut engine = told.engine;
        host::complete_engine(&mut engine, self.facts.daemon.get());
        self.facts.engine = Fact::Known(engine);
        self.scene.refresh_sockets()?;
        self.facts.socket_access = self.socket_access();
        self.poke();
        if is_first {
            return self.tell(Event::Host(Box::new(self.facts.clone()))).await;
        }
        // What the daemon is told, as it was seen before, would contradict it: both are told together.
        self.untold = true;
        Ok(())
    }
}
