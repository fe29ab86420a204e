//! A follower of an engine, and what it tells in few words.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::mpsc;

use super::Fake;
use crate::model::{Event, Observation};
use crate::source::engine::endpoint::Endpoint;
use crate::source::engine::run::run_timed;
use crate::source::engine::timing::Timing;
use crate::source::engine::{EngineItem, Wanted};

/// Nothing that happens by the clock happens in a test that does not ask for it.
pub(super) fn patient() -> Timing {
    let never = Duration::from_secs(600);
    Timing {
        inspect: never,
        patience: never,
        list: never,
        ping: never,
        ping_every: never,
        compare_every: never,
        compare_again: never,
        engine_after: Duration::from_millis(1),
        engine_rest: Duration::from_millis(1),
        engine_every: never,
        report_every: Duration::from_millis(5),
        session_start: Duration::from_millis(1),
        back_off_min: Duration::from_millis(1),
        back_off_max: Duration::from_millis(10),
        look_every: Duration::from_millis(2),
    }
}

/// A follower of an engine, and where it listens.
pub(super) struct World {
    _dir: TempDir,
    pub(super) path: PathBuf,
    items: mpsc::Receiver<EngineItem>,
    pub(super) wanted: mpsc::Sender<Wanted>,
}

impl World {
    pub(super) fn new(timing: Timing, prepare: impl FnOnce(&Path) -> Option<Fake>) -> (Self, Option<Fake>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("engine.sock");
        let fake = prepare(&path);
        let (out, items) = mpsc::channel(64);
        let (wanted, wanted_rx) = mpsc::channel(16);
        let endpoint = Endpoint::first_of(vec![path.clone()]);
        tokio::spawn(run_timed(endpoint, timing, out, wanted_rx));
        let world = Self {
            _dir: dir,
            path,
            items,
            wanted,
        };
        (world, fake)
    }

    pub(super) fn with_engine(timing: Timing, prepare: impl FnOnce(&Fake)) -> (Self, Fake) {
        let (world, fake) = Self::new(timing, |path| {
            let fake = Fake::start(path);
            prepare(&fake);
            Some(fake)
        });
        (world, fake.unwrap())
    }

    pub(super) async fn next(&mut self) -> EngineItem {
        let item = tokio::time::timeout(Duration::from_secs(20), self.items.recv()).await;
        item.expect("nothing more is told").expect("the source has ended")
    }

    /// Everything up to the first line that starts so.
    #[track_caller]
    pub(super) fn until(&mut self, end: &str) -> impl Future<Output = Vec<String>> {
        let end = end.to_owned();
        async move {
            let mut lines = Vec::new();
            loop {
                let line = line(&self.next().await);
                let found = line.starts_with(&end);
                lines.push(line);
                if found {
                    return lines;
                }
            }
        }
    }
}

fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}

/// An item in few words.
pub(super) fn line(item: &EngineItem) -> String {
    match item {
        EngineItem::Engine(facts) => {
            let engine = &facts.engine;
            let networks = engine.networks.get().map(Vec::len);
            format!(
                "engine {} {} {:?} {networks:?}",
                word(&facts.kind),
                engine.version,
                engine.security_options
            )
        }
        EngineItem::Status(status) => format!("{}: {}", word(&status.state), status.reason),
        EngineItem::Gap(gap) => {
            assert!(gap.from <= gap.to);
            let container = gap.container.as_ref().and_then(|container| container.id.as_ref());
            format!("gap {} {:?} {container:?}", gap.reason, gap.lost)
        }
        EngineItem::Observation(observation) => observation_line(observation),
        EngineItem::Layers(layers) => format!(
            "layers {} {:?} {}",
            layers.image,
            layers.name,
            layers.directories.join(":")
        ),
    }
}

fn observation_line(observation: &Observation) -> String {
    let container = observation.container.as_ref();
    let name = container
        .and_then(|container| container.name.as_deref())
        .unwrap_or("-");
    match &observation.event {
        Event::Container { action, facts } => {
            assert_eq!(
                Some(&facts.id),
                container.and_then(|container| container.id.as_ref())
            );
            format!(
                "{} {name} {} {:?}",
                word(action),
                word(&facts.state),
                facts.privileged
            )
        }
        Event::ExecSession(session) => {
            let (privileged, user) = (session.privileged, session.user.as_deref());
            format!(
                "session {name} {} {privileged:?} {user:?} {:?} {:?}",
                session.id, session.command, session.pid
            )
        }
        Event::Image(image) => {
            let how = if image.announced { "new image" } else { "image" };
            format!("{how} {} {:?}", image.id, image.user)
        }
        Event::ImageRemoved { id } => format!("image {id} removed"),
        other => panic!("{other:?}"),
    }
}
