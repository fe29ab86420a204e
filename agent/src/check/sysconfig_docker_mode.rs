//! /etc/sysconfig/docker is not writable by others.

use super::support::files;
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Host, Severity};

pub(super) static CHECK: Check = Check {
    key: "sysconfig-docker-mode",
    title: "/etc/sysconfig/docker is not writable by others",
    section: "daemon-files",
    level: 2,
    early_level: 2,
    scored: Benchmark::range(Benchmark::V1_2_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_2_0, "3.21"),
        (Benchmark::V1_3_1, "3.20"),
        (Benchmark::V1_4_0, "3.20"),
        (Benchmark::V1_5_0, "3.21"),
        (Benchmark::V1_6_0, "3.21"),
        (Benchmark::V1_7_0, "3.21"),
        (Benchmark::V1_8_0, "3.21"),
    ],
    about: "On some distributions options of the daemon are in /etc/sysconfig/docker: who can write to it \
            changes how the daemon runs. It is judged where it is there, with what the unit reads beside it: \
            permissions bit by bit, access lists, and whether others can replace them.",
    remedy: "Take from the file what goes beyond mode 644 with chmod",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "file",
        when: "permissions or an access list of the file are widened, or another takes its place",
    }],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    files::SYSCONFIG_FILE.have_at_most(0o644, host)
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
    fn pass_what_keeps_others_out() {
        CASES.pass_modes(&[0o644, 0o640, 0o600, 0o604, 0]);
    }

    #[test]
    fn fail_whatever_goes_beyond() {
        CASES.fail_modes(&[
            0o622, 0o646, 0o606, 0o664, 0o666, 0o777, 0o4644, 0o2644, 0o1644, 0o070,
        ]);
        CASES.fail_lightly(0o744);
    }

    #[test]
    fn unknown_where_nobody_could_look() {
        CASES.unknown_where_nobody_could_look();
    }
}
