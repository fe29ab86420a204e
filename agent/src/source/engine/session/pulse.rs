//! Signs of life, and what is due when.

use std::sync::Arc;

use tokio::time::Instant;

use super::{End, Landing, Session};
use crate::model::Time;
use crate::source::engine::EngineItem;
use crate::source::engine::error::{RequestError, in_full};
use crate::source::engine::health::Ailment;
use crate::source::engine::timing::Timing;

/// Signs of life that may stay away before the engine counts as hanging.
const MISSES: u32 = 2;

/// What a connection does by the clock.
#[derive(Debug)]
pub(super) struct Pulse {
    timing: Timing,
    ping_at: Option<Instant>,
    compare_at: Option<Instant>,
    list_at: Option<Instant>,
    engine_at: Option<Instant>,
    outline_at: Option<Instant>,
    /// Before this, what comes and goes with containers is no reason to look at the engine.
    engine_rests: Instant,
    report_at: Instant,
    misses: u32,
    stage: Stage,
    /// Whether everything must be listed again.
    pub(super) relist: bool,
    /// Whether everything in the lists was told once.
    pub(super) settled: bool,
    /// The events were complete until then.
    pub(super) good: Time,
    pong: Time,
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    Asked,
    Listed,
    Settled,
}

impl Pulse {
    pub(super) fn new(timing: &Timing) -> Self {
        let now = Instant::now();
        Self {
            timing: timing.clone(),
            ping_at: Some(now + timing.ping_every),
            compare_at: None,
            list_at: None,
            engine_at: None,
            outline_at: Some(now + timing.engine_every),
            engine_rests: now,
            report_at: now + timing.report_every,
            misses: 0,
            stage: Stage::Asked,
            relist: false,
            settled: false,
            good: Time::now(),
            pong: Time::now(),
        }
    }

    /// When something is due next.
    pub(super) fn next(&self) -> Instant {
        let others = [
            self.ping_at,
            self.compare_at,
            self.list_at,
            self.engine_at,
            self.outline_at,
        ];
        others.into_iter().flatten().fold(self.report_at, Instant::min)
    }

    /// The engine may have changed; `often` where it does so with every container.
    pub(super) fn engine_changed(&mut self, often: bool) {
        let soon = Instant::now() + self.timing.engine_after;
        let at = if often { soon.max(self.engine_rests) } else { soon };
        self.engine_at = Some(self.engine_at.map_or(at, |before| before.min(at)));
    }

    /// The engine was looked at.
    pub(super) fn engine_looked(&mut self) {
        self.engine_rests = Instant::now() + self.timing.engine_rest;
    }

    /// It was looked whether the engine changed.
    pub(super) fn engine_outlined(&mut self) {
        self.outline_at = Some(Instant::now() + self.timing.engine_every);
    }

    /// The lists have been asked for.
    pub(super) fn listing(&mut self) {
        (self.stage, self.relist) = (Stage::Asked, false);
        (self.list_at, self.compare_at) = (None, None);
    }

    /// The list of containers is here.
    pub(super) fn listed(&mut self) {
        self.stage = Stage::Listed;
    }

    /// The list of containers did not come; it is asked for again with the next sign of life.
    pub(super) fn list_failed(&mut self) {
        self.list_at = Some(Instant::now() + self.timing.ping_every);
    }

    /// Everything that was listed has been told: whether that is news.
    pub(super) fn settle(&mut self) -> bool {
        let news = self.stage == Stage::Listed;
        if news {
            self.stage = Stage::Settled;
            self.settled = true;
            self.compare_at = Some(Instant::now() + self.timing.compare_every);
        }
        news
    }

    /// A comparison is done: soon again where there was a difference.
    pub(super) fn compared(&mut self, same: bool) {
        let wait = if same {
            self.timing.compare_every
        } else {
            self.timing.compare_again
        };
        self.compare_at = Some(Instant::now() + wait);
        if same {
            self.good = Time::now();
        }
    }
}

fn due(at: &mut Option<Instant>, now: Instant) -> bool {
    at.take_if(|at| *at <= now).is_some()
}

impl Session<'_> {
    pub(super) fn tick(&mut self) {
        let now = Instant::now();
        if due(&mut self.pulse.ping_at, now) {
            self.ask_ping();
        }
        if self.pulse.report_at <= now {
            self.pulse.report_at = now + self.pulse.timing.report_every;
            let gaps = self.state.desk.losses.report(Time::now());
            self.state.outbox.extend(gaps.into_iter().map(EngineItem::Gap));
        }
        if due(&mut self.pulse.engine_at, now) {
            self.ask_engine();
        }
        if due(&mut self.pulse.outline_at, now) {
            self.ask_outline();
        }
        let idle = self.state.lanes.len() == 0;
        if due(&mut self.pulse.list_at, now)
            || (self.pulse.relist && idle && self.pulse.stage == Stage::Settled)
        {
            self.state.desk.known.begin_round();
            self.ask_lists();
        } else if due(&mut self.pulse.compare_at, now) {
            self.ask_comparison();
        }
    }

    fn ask_ping(&mut self) {
        let client = Arc::clone(&self.client);
        self.flights
            .push(Box::pin(async move { Landing::Pong(client.ping().await) }));
    }

    pub(super) fn pong(&mut self, error: Option<&RequestError>) -> Option<End> {
        let Some(error) = error else {
            self.pulse.misses = 0;
            self.pulse.pong = Time::now();
            self.pulse.ping_at = Some(Instant::now() + self.pulse.timing.ping_every);
            return None;
        };
        self.pulse.misses += 1;
        if self.pulse.misses < MISSES {
            self.ask_ping();
            return None;
        }
        let from = self.pulse.good.max(self.pulse.pong);
        Some(self.lost(
            Ailment::from(error),
            format!("the engine is silent: {}", in_full(error)),
            from,
        ))
    }

    /// The stream of events broke. Everything that came before was read.
    pub(super) fn stream_failed(&mut self, error: &RequestError) -> End {
        let now = Time::now();
        if matches!(error, RequestError::Decode(_) | RequestError::TooLong) {
            // The engine would repeat it for ever.
            let nanos = i64::try_from(now.unix_nanos()).unwrap_or(i64::MAX);
            self.state.cursor.skip_to(nanos);
            self.state.desk.lost(None, now, error);
        }
        self.lost(
            Ailment::from(error),
            format!("the engine's stream of events ended: {}", in_full(error)),
            now,
        )
    }
}
