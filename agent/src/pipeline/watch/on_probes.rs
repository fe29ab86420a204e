//! What the probes see.

use super::{Fatal, Watch};
use crate::model::Time;
use crate::pipeline::hold::Held;
use crate::pipeline::reader::Read;
use crate::pipeline::scene::Seen;
use crate::source::engine::Wanted;
use crate::source::kernel::Batch;

impl Watch {
    pub(super) async fn on_read(&mut self, read: Read) -> Result<(), Fatal> {
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
        // We look into the namespaces of containers ourselves.
        let own = std::process::id();
        for sighting in batch.sightings.into_iter().filter(|seen| seen.process.pid != own) {
            let seen = self.scene.look(sighting)?;
            self.on_seen(seen).await?;
        }
        Ok(())
    }

    pub(super) async fn on_seen(&mut self, seen: Seen) -> Result<(), Fatal> {
        match seen {
            Seen::Ready(observation) => self.on_observation(observation).await,
            Seen::InContainer(held) => self.on_held(held).await,
            Seen::Nothing => Ok(()),
        }
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
            && self.wanted.try_send(Wanted::Container(id.clone())).is_err()
        {
            tracing::debug!(container = %id, "The engine is too busy to be asked about a container.");
        }
    }

    pub(super) async fn let_go(&mut self) -> Result<(), Fatal> {
        for held in self.hold.expired(Time::now()) {
            // The next event of this container need not wait for what does not come.
            self.scene.containers.give_up(held.root);
            self.name_and_tell(held).await?;
        }
        Ok(())
    }

    pub(super) async fn name_and_tell(&mut self, held: Held) -> Result<(), Fatal> {
        let Held {
            mut observation,
            root,
            weak,
        } = held;
        observation.container = Some(self.scene.containers.reference(root, weak));
        self.on_observation(observation).await
    }
}
