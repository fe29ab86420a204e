//! What the audit trail tells, and what becomes of it.

use super::{Fatal, Watch};
use crate::model::{Event, Line, Observation, Sighting};
use crate::pipeline::recorded::Place;
use crate::source::audit::AuditItem;

impl Watch {
    pub(super) async fn on_audit(&mut self, item: AuditItem) -> Result<(), Fatal> {
        match item {
            AuditItem::Observation(observation) => self.on_trail(*observation).await,
            AuditItem::Sighting(sighting) => self.on_recorded(*sighting).await,
            AuditItem::Gap(gap) => Ok(self.outlet.line(&Line::Gap(gap)).await?),
            AuditItem::Status(status) => Ok(self.outlet.line(&Line::Status(status)).await?),
        }
    }

    /// What a probe would have seen.
    async fn on_recorded(&mut self, mut sighting: Sighting) -> Result<(), Fatal> {
        match self.scene.place(&mut sighting) {
            Place::Known => {
                let seen = self.scene.look_at_recorded(sighting)?;
                self.on_seen(seen).await
            }
            Place::Unknown => {
                self.losses.unplaced();
                Ok(())
            }
            Place::Indifferent => Ok(()),
        }
    }

    async fn on_trail(&mut self, observation: Observation) -> Result<(), Fatal> {
        if !matches!(observation.event, Event::AuditRecord(_)) {
            self.poke();
        }
        self.on_observation(observation).await
    }
}
