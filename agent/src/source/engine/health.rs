//! Whether the engine can be seen, said once for each change.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use super::error::RequestError;
use crate::model::{Status, StatusState, Time};

/// Why the engine is not seen, coarse enough that a retry does not look like a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ailment {
    Absent,
    Refused,
    Denied,
    Silent,
    Broken,
}

impl From<&RequestError> for Ailment {
    fn from(error: &RequestError) -> Self {
        match error {
            RequestError::Absent => Self::Absent,
            RequestError::Refused => Self::Refused,
            RequestError::Denied => Self::Denied,
            RequestError::Timeout { .. } => Self::Silent,
            _ => Self::Broken,
        }
    }
}

impl Ailment {
    /// Whether one after the other is no news: an engine on its way down or up goes through several.
    fn looks_like(self, later: Self) -> bool {
        let is_gone = |ailment| matches!(ailment, Self::Absent | Self::Refused | Self::Broken);
        self == later || (is_gone(self) && is_gone(later))
    }

    const fn remedy(self) -> &'static str {
        match self {
            Self::Absent => "start the engine, or name its address with --engine",
            Self::Refused => "start the engine",
            Self::Denied => "run as root, or as a member of the group that owns the socket",
            Self::Silent | Self::Broken => "look at the engine's log",
        }
    }
}

/// What was last said of the engine.
#[derive(Debug, Default)]
pub(super) struct Health {
    ailment: Option<Ailment>,
}

impl Health {
    /// The engine is not seen; what to say of it, where that is news.
    pub(super) fn degraded(&mut self, ailment: Ailment, what: &str) -> Option<Status> {
        if self.ailment.is_some_and(|before| before.looks_like(ailment)) {
            return None;
        }
        self.ailment = Some(ailment);
        let reason = format!(
            "{what}; names and settings of containers are not known until it answers, their activity is still \
             seen; {}",
            ailment.remedy()
        );
        Some(status(StatusState::Degraded, reason))
    }

    /// The engine is seen; what to say of it, where that is news.
    pub(super) fn recovered(&mut self, what: &str) -> Option<Status> {
        self.ailment
            .take()
            .map(|_| status(StatusState::Recovered, what.to_owned()))
    }
}

fn status(state: StatusState, reason: String) -> Status {
    Status {
        time: Time::now(),
        state,
        component: "engine".to_owned(),
        reason,
    }
}

/// Waits between attempts: each twice as long as the one before, and none of exactly that length, so that many agents
/// do not knock in step.
#[derive(Debug)]
pub(super) struct BackOff {
    shortest: Duration,
    longest: Duration,
    next: Duration,
}

impl BackOff {
    pub(super) const fn new(shortest: Duration, longest: Duration) -> Self {
        Self {
            shortest,
            longest,
            next: shortest,
        }
    }

    /// The next wait: between half of its nominal length and all of it.
    pub(super) fn wait(&mut self) -> Duration {
        let nominal = self.next;
        self.next = (nominal * 2).min(self.longest);
        let parts = u32::try_from(RandomState::new().hash_one(0) % 1_000).unwrap_or_default();
        nominal / 2 + nominal / 2_000 * parts
    }

    /// An attempt succeeded.
    pub(super) fn reset(&mut self) {
        self.next = self.shortest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_said_once() {
        let mut health = Health::default();
        assert_eq!(health.recovered("here"), None);
        let first = health.degraded(Ailment::Absent, "no engine").unwrap();
        assert_eq!(first.state, StatusState::Degraded);
        assert!(first.reason.starts_with("no engine; ") && first.reason.contains("--engine"));
        for same in [Ailment::Absent, Ailment::Refused, Ailment::Broken] {
            assert_eq!(health.degraded(same, "still none"), None);
        }
        assert!(health.degraded(Ailment::Denied, "not permitted").is_some());
        let back = health.recovered("here").unwrap();
        assert_eq!(
            (back.state, back.reason.as_str()),
            (StatusState::Recovered, "here")
        );
        assert_eq!(health.recovered("here"), None);
    }

    #[test]
    fn waits_grow_to_the_longest_and_start_over() {
        let (shortest, longest) = (Duration::from_millis(100), Duration::from_secs(5));
        let mut back_off = BackOff::new(shortest, longest);
        for nominal in [100, 200, 400, 800, 1600, 3200, 5000, 5000].map(Duration::from_millis) {
            let wait = back_off.wait();
            assert!(wait >= nominal / 2 && wait <= nominal, "{wait:?} of {nominal:?}");
        }
        back_off.reset();
        assert!(back_off.wait() <= shortest);
    }
}
