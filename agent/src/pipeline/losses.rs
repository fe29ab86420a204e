//! Losses as lines of the stream.

use crate::enrich::ContainerTable;
use crate::model::{Gap, Time};
use crate::source::kernel::{Kernel, Loss, LossCount, LossMeter};

/// Ticks between two looks at how often programs were skipped.
const MISSED_EVERY: u32 = 5;

/// The counters, and what they said last time.
#[derive(Debug)]
pub(super) struct Losses {
    /// None where no probe is attached, which loses nothing.
    probes: Option<ProbeLosses>,
    undecodable: u64,
    unplaced: u64,
    last: Time,
}

/// The counters of the probes.
#[derive(Debug)]
pub(super) struct ProbeLosses {
    /// Kept here for its programs: they detach when it is dropped.
    kernel: Kernel,
    meter: LossMeter,
    missed: Vec<u64>,
    looks: u32,
}

impl Losses {
    pub(super) const fn new(probes: Option<ProbeLosses>, now: Time) -> Self {
        Self {
            probes,
            undecodable: 0,
            unplaced: 0,
            last: now,
        }
    }

    /// Notes records that could not be understood.
    pub(super) fn undecodable(&mut self, count: u64) {
        self.undecodable += count;
    }

    /// Notes a record of the audit trail whose process was gone before it was known where it belonged.
    pub(super) const fn unplaced(&mut self) {
        self.unplaced += 1;
    }

    /// What was lost since the last call.
    pub(super) fn gaps(&mut self, containers: &ContainerTable, now: Time) -> Vec<Gap> {
        let from = std::mem::replace(&mut self.last, now);
        let mut gaps = match &mut self.probes {
            Some(probes) => probes.gaps(containers, from, now),
            None => Vec::new(),
        };
        if self.undecodable > 0 {
            let lost = std::mem::take(&mut self.undecodable);
            let detail = "records of the probes that this version does not understand".to_owned();
            gaps.push(Gap {
                detail,
                ..bare("probes", "decode", lost, from, now)
            });
        }
        if self.unplaced > 0 {
            let lost = std::mem::take(&mut self.unplaced);
            let detail =
                "processes that audit records tell of were gone before it was seen where they belong"
                    .to_owned();
            gaps.push(Gap {
                detail,
                ..bare("audit", "unplaced", lost, from, now)
            });
        }
        gaps
    }
}

impl ProbeLosses {
    pub(super) const fn new(kernel: Kernel, meter: LossMeter) -> Self {
        Self {
            kernel,
            meter,
            missed: Vec::new(),
            looks: 0,
        }
    }

    fn gaps(&mut self, containers: &ContainerTable, from: Time, now: Time) -> Vec<Gap> {
        let counts = self.meter.read(|cgroup| containers.is_alive(cgroup));
        let mut gaps: Vec<_> = counts
            .into_iter()
            .map(|count| gap(&count, containers, from, now))
            .collect();
        self.looks += 1;
        if self.looks.is_multiple_of(MISSED_EVERY) {
            self.missed(from, now, &mut gaps);
        }
        gaps
    }

    fn missed(&mut self, from: Time, now: Time, gaps: &mut Vec<Gap>) {
        let missed = self.kernel.missed();
        self.missed.resize(missed.len(), 0);
        for ((probe, total), seen) in missed.into_iter().zip(&mut self.missed) {
            let grown = total.saturating_sub(std::mem::replace(seen, total));
            if grown > 0 {
                let detail =
                    "the kernel skipped the probe because it was already running on that CPU".to_owned();
                gaps.push(Gap {
                    detail,
                    ..bare(probe.source.name(), "missed-link", grown, from, now)
                });
            }
        }
    }
}

fn gap(count: &LossCount, containers: &ContainerTable, from: Time, now: Time) -> Gap {
    let detail = match count.loss {
        Loss::RingFull => "events came faster than they could be read",
        Loss::MapFull => "the kernel had no room for what the events need",
        Loss::Quota => "more events than one container may send; those beyond were counted and not kept",
        Loss::Fault => "kernel memory could not be read",
    };
    Gap {
        container: count.cgroup.map(|root| containers.reference(root, false)),
        detail: detail.to_owned(),
        ..bare(count.source.name(), count.loss.name(), count.lost, from, now)
    }
}

fn bare(source: &str, reason: &str, lost: u64, from: Time, now: Time) -> Gap {
    Gap {
        time: now,
        source: source.to_owned(),
        reason: reason.to_owned(),
        lost: Some(lost),
        from,
        to: now,
        container: None,
        detail: String::new(),
    }
}
/// Changes of watched files that were not told.
pub(super) fn files(time: Time, count: Option<u64>) -> Gap {
    Gap {
        time,
        source: "files".to_owned(),
        reason: "queue-full".to_owned(),
        lost: count,
        from: time,
        to: time,
        container: None,
        detail: "changes of watched files came faster than they were taken; the files are looked at anew, but who \
                 changed them is not known"
            .to_owned(),
    }
}
