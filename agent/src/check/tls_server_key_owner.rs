//! TLS server key is owned by root.

use super::support::files;
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Host, Severity};

pub(super) static CHECK: Check = Check {
    key: "tls-server-key-owner",
    title: "TLS server key is owned by root",
    section: "daemon-files",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::High,
    numbers: &[
        (Benchmark::V1_13_0, "3.13"),
        (Benchmark::V1_1_0, "3.13"),
        (Benchmark::V1_2_0, "3.13"),
        (Benchmark::V1_3_1, "3.13"),
        (Benchmark::V1_4_0, "3.13"),
        (Benchmark::V1_5_0, "3.13"),
        (Benchmark::V1_6_0, "3.13"),
        (Benchmark::V1_7_0, "3.13"),
        (Benchmark::V1_8_0, "3.13"),
    ],
    about: "Who has the server's key can pose as the engine. The file that the daemon was told to use is \
            judged, or with TLS on the default one; so is the directory that holds it.",
    remedy: "Give the key to root with chown root:root",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "file",
        when: "the owner or group of the key is changed, or another takes its place",
    }],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    files::TLS_KEY.belong_to_root(host)
}

#[cfg(test)]
mod tests {
    use super::super::testing::files::Cases;
    use super::super::testing::host;
    use super::*;
    use crate::model::{Role, Verdict};

    const CASES: Cases = Cases {
        check: &CHECK,
        role: Role::TlsKey,
        path: "/etc/docker/pki/key.pem",
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
    fn not_applicable_without_tls() {
        let Assess::Host(assess) = CHECK.assess else {
            panic!()
        };
        let items = assess(&host());
        assert_eq!(
            items[0].verdict,
            Verdict::not_applicable("there is no server key of a TLS listener")
        );
    }
}
