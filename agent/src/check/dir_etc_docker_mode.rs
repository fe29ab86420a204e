//! Docker configuration directory is not writable by others.

use super::support::files;
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Host, Severity};

pub(super) static CHECK: Check = Check {
    key: "dir-etc-docker-mode",
    title: "Docker configuration directory is not writable by others",
    section: "daemon-files",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_8_0),
    basis: Basis::Facts,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "3.6"),
        (Benchmark::V1_1_0, "3.6"),
        (Benchmark::V1_2_0, "3.6"),
        (Benchmark::V1_3_1, "3.6"),
        (Benchmark::V1_4_0, "3.6"),
        (Benchmark::V1_5_0, "3.6"),
        (Benchmark::V1_6_0, "3.6"),
        (Benchmark::V1_7_0, "3.6"),
        (Benchmark::V1_8_0, "3.6"),
    ],
    about: "Who can write to the directory can replace the daemon's configuration and the certificates by \
            which registries are trusted. The directory of the configuration file in force is judged: its \
            permissions bit by bit, its access list, and whether others can replace it as a whole.",
    remedy: "Take from the directory what goes beyond mode 755 with chmod",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "file",
        when: "permissions or an access list of the directory are widened, or another takes its place",
    }],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    files::CONFIG_DIR.have_at_most(0o755, host)
}

#[cfg(test)]
mod tests {
    use super::super::testing::files::Cases;
    use super::*;
    use crate::model::Role;

    const CASES: Cases = Cases {
        check: &CHECK,
        role: Role::ConfigDir,
        path: "/etc/docker",
    };

    #[test]
    fn pass_what_keeps_others_out() {
        CASES.pass_modes(&[0o755, 0o750, 0o711, 0o700, 0]);
    }

    #[test]
    fn fail_whatever_goes_beyond() {
        CASES.fail_modes(&[0o747, 0o757, 0o775, 0o777, 0o773, 0o2755, 0o1777]);
    }

    #[test]
    fn unknown_where_nobody_could_look() {
        CASES.unknown_where_nobody_could_look();
    }
}
