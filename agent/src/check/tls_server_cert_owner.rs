//! TLS server certificate is owned by root.

use super::support::files;
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Host, Severity};

pub(super) static CHECK: Check = Check {
    key: "tls-server-cert-owner",
    title: "TLS server certificate is owned by root",
    section: "daemon-files",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "3.11"),
        (Benchmark::V1_1_0, "3.11"),
        (Benchmark::V1_2_0, "3.11"),
        (Benchmark::V1_3_1, "3.11"),
        (Benchmark::V1_4_0, "3.11"),
        (Benchmark::V1_5_0, "3.11"),
        (Benchmark::V1_6_0, "3.11"),
        (Benchmark::V1_7_0, "3.11"),
        (Benchmark::V1_8_0, "3.11"),
    ],
    about: "The server certificate is what clients know the engine by. The file that the daemon was told to \
            use is judged, or with TLS on the default one; so is the directory that holds it.",
    remedy: "Give the server certificate to root with chown root:root",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "file",
        when: "the owner or group of the certificate is changed, or another takes its place",
    }],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    files::TLS_CERT.belong_to_root(host)
}

#[cfg(test)]
mod tests {
    use super::super::testing::files::Cases;
    use super::*;
    use crate::model::Role;

    const CASES: Cases = Cases {
        check: &CHECK,
        role: Role::TlsCert,
        path: "/etc/docker/pki/cert.pem",
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
