//! Engine configuration file is owned by root.

use super::support::files;
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Host, Severity};

pub(super) static CHECK: Check = Check {
    key: "daemon-json-owner",
    title: "Engine configuration file is owned by root",
    section: "daemon-files",
    level: 2,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::High,
    numbers: &[
        (Benchmark::V1_13_0, "3.17"),
        (Benchmark::V1_1_0, "3.17"),
        (Benchmark::V1_2_0, "3.17"),
        (Benchmark::V1_3_1, "3.17"),
        (Benchmark::V1_4_0, "3.17"),
        (Benchmark::V1_5_0, "3.17"),
        (Benchmark::V1_6_0, "3.17"),
        (Benchmark::V1_7_0, "3.17"),
        (Benchmark::V1_8_0, "3.17"),
    ],
    about: "Whoever owns the daemon's configuration decides what it allows, and with that owns the host. The \
            file in force is judged, wherever --config-file says that it is; so is the directory that holds \
            it.",
    remedy: "Give the configuration file to root with chown root:root",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "file",
        when: "the owner or group of the file is changed, or another takes its place",
    }],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    files::CONFIG_FILE.belong_to_root(host)
}

#[cfg(test)]
mod tests {
    use super::super::testing::files::Cases;
    use super::*;
    use crate::model::Role;

    const CASES: Cases = Cases {
        check: &CHECK,
        role: Role::ConfigFile,
        path: "/etc/docker/daemon.json",
    };

    #[test]
    fn pass_what_root_owns() {
        CASES.pass_what_root_owns();
    }

    #[test]
    fn fail_what_others_own() {
        CASES.fail_what_others_own();
    }

    #[test]
    fn unknown_where_nobody_could_look() {
        CASES.unknown_where_nobody_could_look();
    }
}
