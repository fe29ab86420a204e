//! What the engine source could not tell, counted until it is reported.

use std::collections::BTreeMap;

use crate::model::{ContainerRef, Gap, Time};

/// Losses by reason, since the last report.
#[derive(Debug, Default)]
pub(super) struct Losses(BTreeMap<&'static str, Tally>);

#[derive(Debug)]
struct Tally {
    lost: u64,
    from: Time,
    to: Time,
    container: Option<ContainerRef>,
    detail: String,
}

impl Losses {
    /// Counts lost facts: how many, why (as in [`Gap::reason`]), when, whose, and what it means.
    pub(super) fn count(
        &mut self,
        lost: u64,
        reason: &'static str,
        at: Time,
        container: Option<ContainerRef>,
        detail: impl FnOnce() -> String,
    ) {
        match self.0.get_mut(reason) {
            Some(tally) => {
                tally.lost = tally.lost.saturating_add(lost);
                tally.from = tally.from.min(at);
                tally.to = tally.to.max(at);
                if tally.container != container {
                    tally.container = None;
                }
            }
            None => {
                let tally = Tally {
                    lost,
                    from: at,
                    to: at,
                    container,
                    detail: detail(),
                };
                self.0.insert(reason, tally);
            }
        }
    }

    /// One gap record for each reason; none is counted twice.
    pub(super) fn report(&mut self, now: Time) -> Vec<Gap> {
        std::mem::take(&mut self.0)
            .into_iter()
            .map(|(reason, tally)| Gap {
                time: now,
                source: "engine".to_owned(),
                reason: reason.to_owned(),
                lost: Some(tally.lost),
                from: tally.from,
                to: tally.to,
                container: tally.container,
                detail: tally.detail,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EngineKind, Identity};

    fn at(second: i128) -> Time {
        Time::from_unix_nanos(second * 1_000_000_000)
    }

    fn of(name: &str) -> Option<ContainerRef> {
        Some(ContainerRef {
            id: None,
            name: Some(name.into()),
            image: None,
            privileged: None,
            engine: EngineKind::Docker,
            identity: Identity::Confirmed,
        })
    }

    #[test]
    fn losses_of_one_reason_are_one_record_and_are_reported_once() {
        let mut losses = Losses::default();
        losses.count(1, "fault", at(5), of("a"), || "first".into());
        losses.count(1, "fault", at(3), of("a"), || "second".into());
        losses.count(1, "decode", at(9), of("a"), || "third".into());
        losses.count(1, "decode", at(9), of("b"), || "fourth".into());
        let gaps = losses.report(at(10));
        let [decode, fault] = gaps.as_slice() else {
            panic!("{gaps:?}")
        };
        assert_eq!((fault.lost, fault.from, fault.to), (Some(2), at(3), at(5)));
        assert_eq!((&fault.container, fault.detail.as_str()), (&of("a"), "first"));
        assert_eq!((decode.lost, &decode.container), (Some(2), &None));
        assert!(losses.report(at(11)).is_empty());
    }
}
