//! The trail as it grows.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::Sender;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::assemble::AuditEvent;
use super::fact::sighting;
use super::observe::observations;
use super::trail::{Heard, Trail};
use super::watch::Watch;
use super::{AuditError, AuditItem, Interest};
use crate::model::{AuditStatus, Event, Gap, Observation, Status, StatusState, Time};

/// How often the state is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// When it is looked at again where it differs from what records have told: they may be under way.
const LOOK_AGAIN: Duration = Duration::from_millis(400);

/// Tells what the kernel's audit records and what becomes of the audit itself, until the receiver is dropped: what there
/// is an interest in. Records that carry one of its facts are told as sightings too.
///
/// Where the receiver is slow, nothing but our own copy waits: what does not fit is dropped, and told as a gap.
///
/// # Errors
/// [`AuditError`]: at the start where the trail cannot be read, later where its socket fails.
pub async fn follow(out: Sender<AuditItem>, interest: Arc<Interest>) -> Result<(), AuditError> {
    let mut follower = Follower::start(out, interest).await?;
    while follower.step().await?.is_some() {}
    Ok(())
}

/// The receiver is gone where this is `None`.
type Open = Option<()>;

struct Follower {
    out: Sender<AuditItem>,
    interest: Arc<Interest>,
    trail: Trail,
    /// Away while a look is taken; for good where the state may not be asked for.
    watch: Option<Watch>,
    looks: Interval,
    /// Where the kernel may be dropping: nothing was dropped before this.
    dropping: Option<Time>,
    enabled: Option<bool>,
}

impl Follower {
    async fn start(out: Sender<AuditItem>, interest: Arc<Interest>) -> Result<Self, AuditError> {
        let trail = Trail::open(Arc::clone(&interest))?;
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut follower = Self {
            out,
            interest,
            trail,
            watch: None,
            looks,
            dropping: None,
            enabled: None,
        };
        match blocking(Watch::open).await {
            Ok(watch) => {
                let status = watch.known.status().clone();
                follower.watch = Some(watch);
                follower.tell_state(&status).await;
            }
            Err(error) => {
                let reason = format!("losses of the kernel and a stopped audit daemon go unseen: {error}");
                follower.tell_status(StatusState::Degraded, reason).await;
            }
        }
        Ok(follower)
    }

    async fn step(&mut self) -> Result<Open, AuditError> {
        tokio::select! {
            heard = self.trail.next() => self.take(heard).await,
            _ = self.looks.tick() => self.tick().await,
            () = self.out.closed() => Ok(None),
        }
    }

    async fn take(&mut self, heard: Option<Heard>) -> Result<Open, AuditError> {
        Ok(match heard {
            Some(Heard::Event(event)) => self.tell_event(event).await,
            Some(Heard::Malformed { after }) => self.tell_gap("decode", Some(1), after, MALFORMED).await,
            Some(Heard::Dropping { from }) => {
                self.dropping.get_or_insert(from);
                Some(())
            }
            Some(Heard::Failed(error)) => return Err(error),
            None => return Err(AuditError::Ended),
        })
    }

    async fn tick(&mut self) -> Result<Open, AuditError> {
        match self.tell_dropped().await {
            Some(()) => self.look().await,
            None => Ok(None),
        }
    }

    /// Tells what was dropped since the last tick, until nothing is any more.
    async fn tell_dropped(&mut self) -> Open {
        let Some(from) = self.dropping else {
            return Some(());
        };
        let lost = self.trail.newly_dropped();
        self.dropping = lost.filter(|lost| *lost > 0).map(|_| Time::now());
        match lost {
            Some(0) => Some(()),
            lost => self.tell_gap("queue-full", lost, from, DROPPED).await,
        }
    }

    async fn look(&mut self) -> Result<Open, AuditError> {
        let Some(watch) = self.watch.take() else {
            return Ok(Some(()));
        };
        let (watch, changes) = blocking(move || watch.look()).await?;
        if watch.known.is_doubtful() {
            self.looks.reset_after(LOOK_AGAIN);
        }
        let status = watch.known.status().clone();
        self.watch = Some(watch);
        for observation in changes.observations {
            if self
                .send(AuditItem::Observation(Box::new(observation)))
                .await
                .is_none()
            {
                return Ok(None);
            }
        }
        if let Some(gap) = changes.gap
            && self.send(AuditItem::Gap(gap)).await.is_none()
        {
            return Ok(None);
        }
        Ok(self.tell_state(&status).await)
    }

    async fn tell_event(&mut self, event: AuditEvent) -> Open {
        // First, for its process may be gone in a moment.
        if let Some(sighting) = sighting(&event, self.interest.facts()) {
            self.send(AuditItem::Sighting(Box::new(sighting))).await?;
        }
        let objects = self.interest.is_in_objects_of(&event);
        for mut observation in observations(&event) {
            if matches!(observation.event, Event::AuditRecord(_)) && !objects {
                continue;
            }
            if let Some(watch) = &self.watch {
                watch.known.name_daemon(&mut observation);
            }
            self.hear(&observation);
            self.send(AuditItem::Observation(Box::new(observation))).await?;
        }
        Some(())
    }

    fn hear(&mut self, observation: &Observation) {
        if let (Event::AuditChange(change), Some(watch)) = (&observation.event, &mut self.watch) {
            watch.known.hear(change);
        }
    }

    /// Says at the start, and when it changes, whether records can be expected.
    async fn tell_state(&mut self, status: &AuditStatus) -> Open {
        let enabled = status.enabled != 0;
        let before = self.enabled.replace(enabled);
        let state = match (before, enabled) {
            (Some(before), now) if before == now => return Some(()),
            (None, true) => StatusState::Started,
            (Some(_), true) => StatusState::Recovered,
            (_, false) => StatusState::Degraded,
        };
        let reason = match (enabled, &status.daemon) {
            (false, _) => {
                "auditing is disabled in the kernel: nothing is recorded until auditctl -e 1".to_owned()
            }
            (true, Some(daemon)) => format!(
                "auditing is enabled; {daemon} ({}) writes the records",
                status.pid
            ),
            (true, None) => "auditing is enabled; no audit daemon writes the records".to_owned(),
        };
        self.tell_status(state, reason).await
    }

    async fn tell_status(&self, state: StatusState, reason: String) -> Open {
        let component = "audit".to_owned();
        let time = Time::now();
        self.send(AuditItem::Status(Status {
            time,
            state,
            component,
            reason,
        }))
        .await
    }

    async fn tell_gap(&self, reason: &str, lost: Option<u64>, from: Time, detail: &str) -> Open {
        let now = Time::now();
        let gap = Gap {
            time: now,
            source: "audit".to_owned(),
            reason: reason.to_owned(),
            lost,
            from: from.min(now),
            to: now,
            container: None,
            detail: detail.to_owned(),
        };
        self.send(AuditItem::Gap(gap)).await
    }

    async fn send(&self, item: AuditItem) -> Open {
        self.out.send(item).await.ok()
    }
}

const MALFORMED: &str = "an audit record could not be understood";
const DROPPED: &str =
    "audit records came faster than they were read here; the audit daemon's own copy is not affected by this";

/// Runs what blocks for a moment aside.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AuditError> + Send + 'static,
) -> Result<T, AuditError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| {
        Err(AuditError::Socket {
            doing: "wait for a look at",
            source: error.into(),
        })
    })
}
