//! Losses, counted in the kernel per source and reason.

/// A family of events: what a loss is charged to.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Program executions.
    Exec = 0,
    /// Runtime sockets.
    Connect = 1,
    /// The mount family.
    Mount = 2,
    /// Namespace entry.
    Namespace = 3,
    /// Container birth and death.
    Cgroup = 4,
}

impl Source {
    /// Number of sources.
    pub const COUNT: u32 = 5;
    /// Every source, in index order.
    pub const ALL: [Self; Self::COUNT as usize] = [
        Self::Exec,
        Self::Connect,
        Self::Mount,
        Self::Namespace,
        Self::Cgroup,
    ];

    /// Name in gap records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exec => "exec",
            Self::Connect => "connect",
            Self::Mount => "mount",
            Self::Namespace => "namespace",
            Self::Cgroup => "cgroup",
        }
    }
}

/// Why an event was lost.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The ring had no room.
    RingFull = 0,
    /// A map had no room for state the event needs.
    MapFull = 1,
    /// The container had spent its quota; also counted per container.
    Quota = 2,
    /// Kernel memory could not be read.
    Fault = 3,
}

impl Loss {
    /// Number of reasons.
    pub const COUNT: u32 = 4;
    /// Every reason, in index order.
    pub const ALL: [Self; Self::COUNT as usize] = [Self::RingFull, Self::MapFull, Self::Quota, Self::Fault];

    /// Name in gap records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RingFull => "ring-full",
            Self::MapFull => "map-full",
            Self::Quota => "quota",
            Self::Fault => "fault",
        }
    }
}

/// Entries of the per-CPU loss array.
pub const LOSS_COUNTERS: u32 = Source::COUNT * Loss::COUNT;

/// Index of a counter in the per-CPU loss array.
#[must_use]
pub const fn loss_index(source: Source, loss: Loss) -> u32 {
    source as u32 * Loss::COUNT + loss as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_has_its_own_counter() {
        let mut seen = vec![false; LOSS_COUNTERS as usize];
        for source in Source::ALL {
            for loss in Loss::ALL {
                let slot = &mut seen[loss_index(source, loss) as usize];
                assert!(!*slot, "{source:?}/{loss:?} shares a counter");
                *slot = true;
            }
        }
        assert!(seen.into_iter().all(|used| used));
    }
}
