//! Registry certificates are owned by root.

use super::support::files;
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Host, Severity};

pub(super) static CHECK: Check = Check {
    key: "registry-certs-owner",
    title: "Registry certificates are owned by root",
    section: "daemon-files",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "3.7"),
        (Benchmark::V1_1_0, "3.7"),
        (Benchmark::V1_2_0, "3.7"),
        (Benchmark::V1_3_1, "3.7"),
        (Benchmark::V1_4_0, "3.7"),
        (Benchmark::V1_5_0, "3.7"),
        (Benchmark::V1_6_0, "3.7"),
        (Benchmark::V1_7_0, "3.7"),
        (Benchmark::V1_8_0, "3.7"),
    ],
    about: "Who owns a registry's certificates decides which registry is believed. Every file and directory \
            below certs.d is judged, links followed.",
    remedy: "Give the files and directories below certs.d to root with chown root:root",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "file",
        when: "the owner or group of a certificate is changed, or another takes its place",
    }],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    files::REGISTRY_CERT_TREE.belong_to_root(host)
}

#[cfg(test)]
mod tests {
    use super::super::testing::files::Cases;
    use super::*;
    use crate::model::Role;

    const CASES: Cases = Cases {
        check: &CHECK,
        role: Role::RegistryCert,
        path: "/etc/docker/certs.d/reg/ca.crt",
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

    #[test]
    fn fail_a_directory_that_others_own() {
        let directory = Cases {
            role: Role::RegistryCertDir,
            path: "/etc/docker/certs.d/reg",
            ..CASES
        };
        directory.fail_what_others_own();
    }
}
