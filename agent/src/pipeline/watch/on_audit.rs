//! What the audit trail tells, and what becomes of it.

use std::collections::HashSet;

use super::{Fatal, Watch};
use crate::model::{AuditRecord, Event, Fact, Line, Object, Observation, Sighting};
use crate::pipeline::recorded::Place;
use crate::source::audit::AuditItem;

/// The inodes whose records matter: watched objects, and the directories that hold them.
#[derive(Debug, Default)]
pub(super) struct Watched {
    inodes: HashSet<(u64, String)>,
}

impl Watched {
    pub(super) fn new(objects: &[Object]) -> Self {
        let mut inodes = HashSet::new();
        for object in objects {
            if let Fact::Known(Some(state)) = &object.state {
                inodes.insert((state.ino, state.dev.clone()));
                let parents = state.parents.iter().map(|entry| (entry.ino, entry.dev.clone()));
                inodes.extend(parents);
            }
        }
        Self { inodes }
    }

    fn concerns(&self, record: &AuditRecord) -> bool {
        record.paths.iter().any(|path| match (path.ino, &path.dev) {
            (Some(ino), Some(dev)) => self.inodes.contains(&(ino, dev.clone())),
            _ => false,
        })
    }
}

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

    /// A host may record every exec: only what concerns watched objects is held against changes of theirs.
    async fn on_trail(&mut self, observation: Observation) -> Result<(), Fatal> {
        match &observation.event {
            Event::AuditRecord(record) if !self.everything && !self.watched.concerns(record) => Ok(()),
            Event::AuditRecord(_) => self.on_observation(observation).await,
            _ => {
                self.poke();
                self.on_observation(observation).await
            }
        }
    }
}
