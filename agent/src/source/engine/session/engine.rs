//! The engine itself: looked at after every connection, and again when it may have changed.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Landing, Session};
use crate::model::Engine;
use crate::source::engine::error::{RequestError, in_full};
use crate::source::engine::look::Outline;
use crate::source::engine::{EngineFacts, EngineItem};

/// What was last seen of the engine.
#[derive(Debug)]
pub(super) struct Watched {
    socket: Option<PathBuf>,
    outline: Option<Outline>,
    told: Option<Engine>,
    /// Whether a look is under way.
    looking: bool,
    /// Whether something changed since it began.
    again: bool,
}

impl Watched {
    pub(super) const fn new(socket: Option<PathBuf>) -> Self {
        Self {
            socket,
            outline: None,
            told: None,
            looking: false,
            again: false,
        }
    }
}

impl Session<'_> {
    /// Looks at the engine; where a look is under way, once more after it.
    pub(super) fn ask_engine(&mut self) {
        if std::mem::replace(&mut self.watched.looking, true) {
            self.watched.again = true;
            return;
        }
        let client = Arc::clone(&self.client);
        self.flights.push(Box::pin(async move {
            let (outline, engine) = client.engine().await;
            Landing::Engine(outline, Box::new(engine))
        }));
    }

    /// Looks whether the engine changed.
    pub(super) fn ask_outline(&mut self) {
        let client = Arc::clone(&self.client);
        self.flights
            .push(Box::pin(async move { Landing::Outline(client.outline().await) }));
    }

    pub(super) fn outlined(&mut self, answer: Result<Outline, RequestError>) {
        self.pulse.engine_outlined();
        match answer {
            Ok(outline) if self.watched.outline.as_ref() == Some(&outline) => {}
            Ok(_) => self.ask_engine(),
            Err(error) => {
                // Whether it hangs is for the signs of life to say.
                let error = in_full(&error);
                tracing::debug!(error, "The engine does not say whether it changed.");
            }
        }
    }

    pub(super) fn engine(&mut self, outline: Option<Outline>, engine: Engine) {
        self.watched.looking = false;
        self.watched.outline = outline;
        self.pulse.engine_looked();
        if self.watched.told.as_ref() != Some(&engine) {
            let facts = EngineFacts {
                kind: self.client.kind(),
                socket: self.watched.socket.clone(),
                engine: engine.clone(),
            };
            self.state.outbox.push_back(EngineItem::Engine(Box::new(facts)));
            self.watched.told = Some(engine);
        }
        if std::mem::take(&mut self.watched.again) {
            self.pulse.engine_changed(false);
        }
    }
}
