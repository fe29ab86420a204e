//! Registry certificates are read-only.

use super::support::files;
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Host, Severity};

pub(super) static CHECK: Check = Check {
    key: "registry-certs-mode",
    title: "Registry certificates are read-only",
    section: "daemon-files",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "3.8"),
        (Benchmark::V1_1_0, "3.8"),
        (Benchmark::V1_2_0, "3.8"),
        (Benchmark::V1_3_1, "3.8"),
        (Benchmark::V1_4_0, "3.8"),
        (Benchmark::V1_5_0, "3.8"),
        (Benchmark::V1_6_0, "3.8"),
        (Benchmark::V1_7_0, "3.8"),
        (Benchmark::V1_8_0, "3.8"),
    ],
    about: "Who can write to a registry's certificates decides which registry is believed, and who can read \
            a client's key can act for this host. Every file below certs.d is judged, bit by bit and with \
            its access list; directories only for whether others can replace what they hold. A key that \
            others can read is told apart: the letter of the benchmark allows it.",
    remedy: "Take from the files below certs.d what goes beyond mode 444, and from keys what goes beyond 400, \
        with chmod",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "file",
        when: "permissions or an access list of a certificate are widened, or another takes its place",
    }],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    files::REGISTRY_CERTS.have_at_most_and_keep_keys(0o444, host)
}

#[cfg(test)]
mod tests {
    use super::super::testing::files::{Cases, state};
    use super::*;
    use crate::model::{Role, VerdictKind};

    const CASES: Cases = Cases {
        check: &CHECK,
        role: Role::RegistryCert,
        path: "/etc/docker/certs.d/reg/ca.crt",
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

    #[test]
    fn fail_a_key_that_others_can_read_beyond_the_letter() {
        let keys = Cases {
            path: "/etc/docker/certs.d/reg/client.key",
            ..CASES
        };
        for (mode, letter_only) in [(0o440, true), (0o444, true), (0o644, false)] {
            let verdict = keys.item(|object, _| state(object).mode = mode).verdict;
            assert_eq!(
                (verdict.kind(), verdict.letter_only),
                (VerdictKind::Fail, letter_only),
                "{mode:o}"
            );
            let remedy = verdict.remedy.unwrap_or_default();
            assert!(remedy.starts_with("chmod 400 "), "{remedy}");
        }
        keys.pass_modes(&[0o400, 0]);
    }
}
