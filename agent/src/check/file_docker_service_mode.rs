//! docker.service unit is not writable by others.

use super::support::files;
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Host, Severity};

pub(super) static CHECK: Check = Check {
    key: "file-docker-service-mode",
    title: "docker.service unit is not writable by others",
    section: "daemon-files",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_8_0),
    basis: Basis::Facts,
    severity: Severity::High,
    numbers: &[
        (Benchmark::V1_13_0, "3.2"),
        (Benchmark::V1_1_0, "3.2"),
        (Benchmark::V1_2_0, "3.2"),
        (Benchmark::V1_3_1, "3.2"),
        (Benchmark::V1_4_0, "3.2"),
        (Benchmark::V1_5_0, "3.2"),
        (Benchmark::V1_6_0, "3.2"),
        (Benchmark::V1_7_0, "3.2"),
        (Benchmark::V1_8_0, "3.2"),
    ],
    about: "Whoever can write to a file of the unit chooses what systemd starts as root. Every file of it in \
            force is judged: its permissions bit by bit, its access list, and whether a directory lets \
            others put another file in its place.",
    remedy: "Take from the unit and its drop-ins what goes beyond mode 644 with chmod",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "file",
        when: "permissions or an access list of a unit file are widened, or another takes its place",
    }],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    files::SERVICE_UNIT.have_at_most(0o644, host)
}

#[cfg(test)]
mod tests {
    use super::super::testing::files::Cases;
    use super::*;
    use crate::model::Role;

    const CASES: Cases = Cases {
        check: &CHECK,
        role: Role::ServiceUnit,
        path: "/usr/lib/systemd/system/docker.service",
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
