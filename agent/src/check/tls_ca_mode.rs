//! TLS CA certificate is read-only.

use super::support::files;
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Host, Severity};

pub(super) static CHECK: Check = Check {
    key: "tls-ca-mode",
    title: "TLS CA certificate is read-only",
    section: "daemon-files",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "3.10"),
        (Benchmark::V1_1_0, "3.10"),
        (Benchmark::V1_2_0, "3.10"),
        (Benchmark::V1_3_1, "3.10"),
        (Benchmark::V1_4_0, "3.10"),
        (Benchmark::V1_5_0, "3.10"),
        (Benchmark::V1_6_0, "3.10"),
        (Benchmark::V1_7_0, "3.10"),
        (Benchmark::V1_8_0, "3.10"),
    ],
    about: "Who can write to the CA certificate lets clients of his choice drive the engine. The file that \
            the daemon was told to use is judged, or with TLS on the default one: its permissions bit by \
            bit, its access list, and whether others can replace it.",
    remedy: "Take from the CA certificate what goes beyond mode 444 with chmod",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "file",
        when: "permissions or an access list of the certificate are widened, or another takes its place",
    }],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    files::TLS_CA.have_at_most(0o444, host)
}

#[cfg(test)]
mod tests {
    use super::super::testing::files::Cases;
    use super::*;
    use crate::model::Role;

    const CASES: Cases = Cases {
        check: &CHECK,
        role: Role::TlsCa,
        path: "/etc/docker/pki/ca.pem",
    };

    #[test]
    fn pass_what_keeps_others_out() {
        CASES.pass_modes(&[0o444, 0o440, 0o400, 0]);
    }

    #[test]
    fn fail_whatever_goes_beyond() {
        CASES.fail_modes(&[0o464, 0o446, 0o466, 0o554, 0o445, 0o4444]);
        CASES.fail_lightly(0o644);
    }

    #[test]
    fn unknown_where_nobody_could_look() {
        CASES.unknown_where_nobody_could_look();
    }
}
