//! What the probes lost, as differences between two looks.

use std::collections::BTreeMap;

use aya::Ebpf;
use aya::maps::{MapData, PerCpuArray, PerCpuHashMap};
use hullwatch_common::{Quota, QuotaKey, loss_index};

pub use hullwatch_common::Loss;
use hullwatch_common::Source;

use super::KernelError;
use super::maps::take;
use crate::model::CgroupId;

/// Events lost since the last look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LossCount {
    /// Which family.
    pub source: Source,
    /// Why.
    pub loss: Loss,
    /// Outermost cgroup of the container whose quota was spent; none for a loss that is not one container's.
    pub cgroup: Option<CgroupId>,
    /// How many.
    pub lost: u64,
}

/// Reads the counters and remembers what was already reported.
pub struct LossMeter {
    counters: PerCpuArray<MapData, u64>,
    quotas: PerCpuHashMap<MapData, [u64; 2], [u64; 3]>,
    seen: BTreeMap<u32, u64>,
    seen_quotas: BTreeMap<(u64, u32, u32), u64>,
}

impl std::fmt::Debug for LossMeter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            counters: _,
            quotas: _,
            seen,
            seen_quotas,
        } = self;
        f.debug_struct("LossMeter")
            .field("seen", seen)
            .field("seen_quotas", seen_quotas)
            .finish_non_exhaustive()
    }
}

impl LossMeter {
    pub(super) fn take(ebpf: &mut Ebpf) -> Result<Self, KernelError> {
        Ok(Self {
            counters: take(ebpf, "LOSSES")?,
            quotas: take(ebpf, "QUOTAS")?,
            seen: BTreeMap::new(),
            seen_quotas: BTreeMap::new(),
        })
    }

    /// Losses since the last call. Quota losses come per container; entries of containers that are gone
    /// (`alive` says no) are dropped from the map once reported.
    pub fn read(&mut self, alive: impl Fn(CgroupId) -> bool) -> Vec<LossCount> {
        let mut out = Vec::new();
        for source in Source::ALL {
            for loss in Loss::ALL {
                // Counted per container below.
                if loss != Loss::Quota {
                    out.extend(self.counter(source, loss));
                }
            }
        }
        self.read_quotas(alive, &mut out);
        out
    }

    fn counter(&mut self, source: Source, loss: Loss) -> Option<LossCount> {
        let index = loss_index(source, loss);
        let total: u64 = self.counters.get(&index, 0).ok()?.iter().sum();
        let lost = difference(self.seen.insert(index, total), total)?;
        Some(LossCount {
            source,
            loss,
            cgroup: None,
            lost,
        })
    }

    fn read_quotas(&mut self, alive: impl Fn(CgroupId) -> bool, out: &mut Vec<LossCount>) {
        let entries: Vec<_> = self.quotas.iter().flatten().collect();
        for (words, values) in entries {
            let key: QuotaKey = bytemuck::cast(words);
            let total: u64 = values
                .iter()
                .map(|quota| bytemuck::cast::<_, Quota>(*quota).lost)
                .sum();
            let slot = (key.cgroup, key.source, key.rare);
            let source = Source::ALL
                .into_iter()
                .find(|source| *source as u32 == key.source);
            let before = self.seen_quotas.insert(slot, total);
            if let (Some(lost), Some(source)) = (difference(before, total), source) {
                out.push(LossCount {
                    source,
                    loss: Loss::Quota,
                    cgroup: Some(CgroupId(key.cgroup)),
                    lost,
                });
            } else if !alive(CgroupId(key.cgroup)) && self.quotas.remove(&words).is_ok() {
                self.seen_quotas.remove(&slot);
            }
        }
    }
}

/// How much a counter grew; none where it did not.
fn difference(before: Option<u64>, now: u64) -> Option<u64> {
    now.checked_sub(before.unwrap_or(0)).filter(|grown| *grown > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_growth_is_a_loss() {
        assert_eq!(difference(None, 0), None);
        assert_eq!(difference(None, 3), Some(3));
        assert_eq!(difference(Some(3), 3), None);
        assert_eq!(difference(Some(3), 5), Some(2));
        assert_eq!(difference(Some(5), 3), None);
    }
}
