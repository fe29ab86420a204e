//! The aufs storage driver.

use super::support::item;
use super::support::storage::{Driver, judge};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Host, Severity};

pub(super) static CHECK: Check = Check {
    key: "no-aufs-driver",
    title: "Storage driver is not aufs",
    section: "daemon",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Low,
    numbers: &[
        (Benchmark::V1_13_0, "2.5"),
        (Benchmark::V1_1_0, "2.5"),
        (Benchmark::V1_2_0, "2.5"),
        (Benchmark::V1_3_1, "2.6"),
        (Benchmark::V1_4_0, "2.6"),
        (Benchmark::V1_5_0, "2.6"),
        (Benchmark::V1_6_0, "2.6"),
        (Benchmark::V1_7_0, "2.6"),
        (Benchmark::V1_8_0, "2.6"),
    ],
    about: "The aufs driver is slow, was maintained by nobody for years, and is gone from the engine \
            since 24.0. The driver in use counts, as the engine shows it.",
    remedy: "Move to overlay2 or the containerd snapshotter",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "host",
        when: "the engine uses the aufs driver",
    }],
    observe: no_live_signal,
};

const DRIVER: Driver = Driver {
    name: "aufs",
    gone_since: 24,
};

fn assess(host: &Host) -> Vec<Item> {
    vec![item("the storage driver", judge(host, &DRIVER))]
}

#[cfg(test)]
mod tests {
    use super::super::testing::storage;
    use super::*;

    #[test]
    fn pass_another_driver() {
        storage::pass_another_driver(&CHECK, &DRIVER);
    }

    #[test]
    fn fail_the_driver() {
        storage::fail_the_driver(&CHECK, &DRIVER);
    }

    #[test]
    fn unknown_where_nobody_tells() {
        storage::unknown_where_nobody_tells(&CHECK);
    }
}
