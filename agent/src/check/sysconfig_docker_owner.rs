//! /etc/sysconfig/docker is owned by root.

use super::support::files;
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Host, Severity};

pub(super) static CHECK: Check = Check {
    key: "sysconfig-docker-owner",
    title: "/etc/sysconfig/docker is owned by root",
    section: "daemon-files",
    level: 2,
    early_level: 2,
    scored: Benchmark::range(Benchmark::V1_2_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_2_0, "3.20"),
        (Benchmark::V1_3_1, "3.21"),
        (Benchmark::V1_4_0, "3.21"),
        (Benchmark::V1_5_0, "3.22"),
        (Benchmark::V1_6_0, "3.22"),
        (Benchmark::V1_7_0, "3.22"),
        (Benchmark::V1_8_0, "3.22"),
    ],
    about: "On some distributions options of the daemon are in /etc/sysconfig/docker. It is judged where it \
            is there, with what the unit reads beside it and the directories that hold them.",
    remedy: "Give the file to root with chown root:root",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "file",
        when: "the owner or group of the file is changed, or another takes its place",
    }],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    files::SYSCONFIG_FILE.belong_to_root(host)
}

#[cfg(test)]
mod tests {
    use super::super::testing::files::Cases;
    use super::*;
    use crate::model::Role;

    const CASES: Cases = Cases {
        check: &CHECK,
        role: Role::SysconfigFile,
        path: "/etc/sysconfig/docker",
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
