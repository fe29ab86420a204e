//! Lists: everything at the start, and comparisons later.

use std::collections::HashSet;
use std::sync::Arc;

use super::{End, Errand, Landing, MAX_ERRANDS, Session};
use crate::model::{ContainerId, GraphDriver, Image, Time};
use crate::source::engine::EngineItem;
use crate::source::engine::desk::Desk;
use crate::source::engine::error::{RequestError, in_full};
use crate::source::engine::event::Hints;
use crate::source::engine::health::Ailment;
use crate::source::engine::job::{Job, Outcome, Why};
use crate::source::engine::survey::FoundImage;

impl Session<'_> {
    pub(super) fn ask_lists(&mut self) {
        self.pulse.listing();
        let client = Arc::clone(&self.client);
        self.flights.push(Box::pin(async move {
            let asked = Time::now();
            let answer = client.containers().await;
            Landing::Listed { asked, answer }
        }));
        let client = Arc::clone(&self.client);
        self.flights
            .push(Box::pin(async move { Landing::Images(client.images().await) }));
    }

    pub(super) fn ask_comparison(&mut self) {
        let client = Arc::clone(&self.client);
        self.flights.push(Box::pin(async move {
            let answer = client.containers().await;
            Landing::Compared { answer }
        }));
    }

    /// Everything that is there will be looked at; what was known and is not there is removed.
    pub(super) fn listed(&mut self, asked: Time, answer: Result<Vec<ContainerId>, RequestError>) {
        let ids = match answer {
            Ok(ids) => ids,
            Err(error) => {
                let what = format!("the engine does not list its containers: {}", in_full(&error));
                self.degraded(Ailment::from(&error), &what);
                self.pulse.list_failed();
                return;
            }
        };
        let list: HashSet<_> = ids.iter().cloned().collect();
        for id in self.state.desk.known.missing_from(&list) {
            // What events told since the list was asked for is newer than the list.
            let newer = self.state.lanes.pends(&id, Job::is_inspection);
            if !newer && !self.state.desk.known.is_fresh(&id) {
                let hints = Hints::default();
                let outcomes = self
                    .state
                    .lanes
                    .push_result(&id, Outcome::Removed { at: asked, hints });
                self.tell(&id, outcomes);
            }
        }
        self.queue_containers(ids);
        self.pulse.listed();
    }

    fn queue_containers(&mut self, ids: Vec<ContainerId>) {
        for id in ids {
            if self.errands.len() >= MAX_ERRANDS {
                let container = Some(self.state.desk.reference(&id, &Hints::default()));
                self.state
                    .desk
                    .losses
                    .count(1, "map-full", Time::now(), container, || {
                        "the engine has more containers than can be looked at".to_owned()
                    });
            } else {
                self.errands.push_back(Errand::Container(id));
            }
        }
    }

    pub(super) fn run_errand(&mut self, errand: Errand) {
        match errand {
            Errand::Container(id) => {
                let told = self.state.lanes.pends(&id, Job::is_inspection);
                if told || self.state.desk.known.is_fresh(&id) {
                    return;
                }
                self.slow += 1;
                let (why, at, hints) = (Why::Listed, Time::now(), Hints::default());
                self.state.lanes.push(&id, Job::Inspect { why, at, hints });
            }
            Errand::Image { name, at } => self.look_at_image(name, at),
        }
    }

    /// Looks at an image; after the look that is under way, where there is one: of two answers, the later must be told last.
    fn look_at_image(&mut self, name: String, at: Option<Time>) {
        if let Some(next) = self.looks.get_mut(&name) {
            // That an event told of it is not forgotten for a list.
            if next.is_none() || at.is_some() {
                *next = Some(Errand::Image { name, at });
            }
            return;
        }
        self.looks.insert(name.clone(), None);
        self.slow += 1;
        let client = Arc::clone(&self.client);
        let (announced, at) = (at.is_some(), at.unwrap_or_else(Time::now));
        self.flights.push(Box::pin(async move {
            let answer = client.image(&name).await;
            Landing::Image {
                at,
                name,
                announced,
                answer,
            }
        }));
    }

    /// An image was looked at.
    pub(super) fn image_landed(
        &mut self,
        at: Time,
        name: String,
        announced: bool,
        answer: Result<FoundImage, RequestError>,
    ) {
        self.slow = self.slow.saturating_sub(1);
        if let Some(next) = self.looks.remove(&name).flatten() {
            self.errands.push_front(next);
        }
        match answer {
            Ok(found) => self.image(at, found, announced),
            Err(error) => self.no_image(at, name, &error),
        }
    }

    pub(super) fn images(&mut self, answer: Result<Vec<String>, RequestError>) {
        match answer {
            Ok(names) => {
                let room = MAX_ERRANDS.saturating_sub(self.errands.len());
                let beyond = u64::try_from(names.len().saturating_sub(room)).unwrap_or(u64::MAX);
                if beyond > 0 {
                    self.state
                        .desk
                        .losses
                        .count(beyond, "map-full", Time::now(), None, || {
                            "the engine has more images than can be looked at".to_owned()
                        });
                }
                let images = names.into_iter().take(room);
                self.errands
                    .extend(images.map(|name| Errand::Image { name, at: None }));
            }
            Err(error) => self.state.desk.lost(None, Time::now(), &error),
        }
    }

    /// Tells of an image, then where its layers are.
    fn image(&mut self, at: Time, (image, layers): FoundImage, announced: bool) {
        let layers = layers.unwrap_or_else(|| GraphDriver {
            image: image.id.clone(),
            ..GraphDriver::default()
        });
        let image = Image { announced, ..image };
        self.state.outbox.push_back(Desk::image(at, image));
        self.state.outbox.push_back(EngineItem::Layers(layers));
    }

    fn no_image(&mut self, at: Time, name: String, error: &RequestError) {
        match error {
            // By another name than its id, it may be there still.
            RequestError::NotFound if name.starts_with("sha256:") => {
                self.state.outbox.push_back(Desk::image_removed(at, name));
            }
            RequestError::NotFound => {}
            error => self.state.desk.lost(None, at, error),
        }
    }

    /// Once everything in the lists has been told, the engine is seen again.
    pub(super) fn settle(&mut self) {
        if self.errands.is_empty() && self.slow == 0 && self.pulse.settle() {
            let recovered = self
                .state
                .health
                .recovered("the engine answers and all its containers are known again");
            self.state.outbox.extend(recovered.map(EngineItem::Status));
        }
    }

    /// What the engine lists and we do not know, or know and it does not list, twice in a row: the stream of
    /// events is open and says nothing.
    pub(super) fn compared(&mut self, answer: Result<Vec<ContainerId>, RequestError>) -> Option<End> {
        let ids = match answer {
            Ok(ids) => ids,
            Err(error) => {
                self.pulse.compared(false);
                let what = format!("the engine does not list its containers: {}", in_full(&error));
                self.degraded(Ailment::from(&error), &what);
                self.pulse.list_failed();
                return None;
            }
        };
        let differences = self.differences(&ids);
        if self.suspects.iter().any(|id| differences.contains(id)) {
            let what = "the engine's stream of events is open and says nothing";
            return Some(self.lost(Ailment::Silent, what, self.pulse.good));
        }
        self.pulse.compared(differences.is_empty());
        self.suspects = differences;
        let known = &self.state.desk.known;
        let again = ids.into_iter().filter(|id| known.is_unread(id)).collect();
        self.queue_containers(again);
        None
    }

    fn differences(&self, ids: &[ContainerId]) -> HashSet<ContainerId> {
        let known = &self.state.desk.known;
        if known.is_full() {
            return HashSet::new();
        }
        let list: HashSet<_> = ids.iter().cloned().collect();
        let missing = known.missing_from(&list);
        let unknown = list
            .into_iter()
            .filter(|id| known.get(id).is_none() && !known.is_unread(id));
        missing
            .into_iter()
            .chain(unknown)
            .filter(|id| !self.state.lanes.holds(id))
            .collect()
    }

    pub(super) fn degraded(&mut self, ailment: Ailment, what: &str) {
        let status = self.state.health.degraded(ailment, what);
        self.state.outbox.extend(status.map(EngineItem::Status));
    }
}
