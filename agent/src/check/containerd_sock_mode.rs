//! containerd socket is closed to other users.

use super::support::files;
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Host, Severity};

pub(super) static CHECK: Check = Check {
    key: "containerd-sock-mode",
    title: "containerd socket is closed to other users",
    section: "daemon-files",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_3_1, Benchmark::V1_8_0),
    basis: Basis::Facts,
    severity: Severity::Critical,
    numbers: &[
        (Benchmark::V1_3_1, "3.24"),
        (Benchmark::V1_4_0, "3.24"),
        (Benchmark::V1_5_0, "3.24"),
        (Benchmark::V1_6_0, "3.24"),
        (Benchmark::V1_7_0, "3.24"),
        (Benchmark::V1_8_0, "3.24"),
    ],
    about: "containerd starts what its socket asks it to, as root and past every rule of the engine: to \
            write to it is to be root. Every socket of a containerd of this host is judged: permissions bit \
            by bit, access lists, and whether others can put another socket in its place.",
    remedy: "Take from the socket what goes beyond mode 660 with chmod",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "file",
        when: "permissions or an access list of the socket are widened, or another takes its place",
    }],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    files::CONTAINERD_SOCKET.have_at_most(0o660, host)
}

#[cfg(test)]
mod tests {
    use super::super::testing::files::Cases;
    use super::*;
    use crate::model::Role;

    const CASES: Cases = Cases {
        check: &CHECK,
        role: Role::ContainerdSocket,
        path: "/run/containerd/containerd.sock",
    };

    #[test]
    fn pass_what_keeps_others_out() {
        CASES.pass_modes(&[0o660, 0o600, 0o640, 0]);
    }

    #[test]
    fn fail_whatever_goes_beyond() {
        CASES.fail_modes(&[
            0o622, 0o606, 0o646, 0o662, 0o664, 0o666, 0o670, 0o777, 0o4660, 0o2660,
        ]);
        CASES.fail_lightly(0o760);
    }

    #[test]
    fn unknown_where_nobody_could_look() {
        CASES.unknown_where_nobody_could_look();
    }
}
