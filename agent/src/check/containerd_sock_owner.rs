//! containerd socket belongs to root.

use super::support::files;
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Host, Severity};

pub(super) static CHECK: Check = Check {
    key: "containerd-sock-owner",
    title: "containerd socket belongs to root",
    section: "daemon-files",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_3_1, Benchmark::V1_8_0),
    basis: Basis::Facts,
    severity: Severity::Critical,
    numbers: &[
        (Benchmark::V1_3_1, "3.23"),
        (Benchmark::V1_4_0, "3.23"),
        (Benchmark::V1_5_0, "3.23"),
        (Benchmark::V1_6_0, "3.23"),
        (Benchmark::V1_7_0, "3.23"),
        (Benchmark::V1_8_0, "3.23"),
    ],
    about: "containerd starts what its socket asks it to, as root and past every rule of the engine. Every \
            socket of a containerd of this host is judged, wherever its configuration and the daemon's put \
            it, and the one for its shims.",
    remedy: "Give the socket to root with chown root:root, and set uid and gid of [grpc] to 0 in the configuration of containerd",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "file",
        when: "the owner or group of the socket is changed, or another takes its place",
    }],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    files::CONTAINERD_SOCKET.belong_to_root(host)
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
