//! The devicemapper storage driver.

use super::support::item;
use super::support::storage::{Driver, judge};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Host, Severity};

pub(super) static CHECK: Check = Check {
    key: "no-devicemapper-driver",
    title: "Storage driver is not devicemapper",
    section: "daemon",
    level: 1,
    early_level: 1,
    scored: &[],
    basis: Basis::Facts,
    severity: Severity::Low,
    numbers: &[(Benchmark::V1_8_0, "2.7")],
    about: "The devicemapper driver is slow, was maintained by nobody for years, and is gone from the \
            engine since 25.0. The driver in use counts, as the engine shows it.",
    remedy: "Move to overlay2 or the containerd snapshotter",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "host",
        when: "the engine uses the devicemapper driver",
    }],
    observe: no_live_signal,
};

const DRIVER: Driver = Driver {
    name: "devicemapper",
    gone_since: 25,
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
