//! TLS server key is readable by root only.

use super::support::files;
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Host, Severity};

pub(super) static CHECK: Check = Check {
    key: "tls-server-key-mode",
    title: "TLS server key is readable by root only",
    section: "daemon-files",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::High,
    numbers: &[
        (Benchmark::V1_13_0, "3.14"),
        (Benchmark::V1_1_0, "3.14"),
        (Benchmark::V1_2_0, "3.14"),
        (Benchmark::V1_3_1, "3.14"),
        (Benchmark::V1_4_0, "3.14"),
        (Benchmark::V1_5_0, "3.14"),
        (Benchmark::V1_6_0, "3.14"),
        (Benchmark::V1_7_0, "3.14"),
        (Benchmark::V1_8_0, "3.14"),
    ],
    about: "Who can read the server's key can pose as the engine. The file that the daemon was told to use \
            is judged, or with TLS on the default one: its permissions bit by bit, its access list, and \
            whether others can replace it. That its owner may write it goes beyond the letter only, and is \
            told at low severity.",
    remedy: "Take from the key what goes beyond mode 400 with chmod",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "file",
        when: "permissions or an access list of the key are widened, or another takes its place",
    }],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    files::TLS_KEY.have_at_most(0o400, host)
}

#[cfg(test)]
mod tests {
    use super::super::testing::files::Cases;
    use super::*;
    use crate::model::Role;

    const CASES: Cases = Cases {
        check: &CHECK,
        role: Role::TlsKey,
        path: "/etc/docker/pki/key.pem",
    };

    #[test]
    fn pass_what_keeps_others_out() {
        CASES.pass_modes(&[0o400, 0]);
    }

    #[test]
    fn fail_whatever_goes_beyond() {
        CASES.fail_modes(&[0o440, 0o404, 0o444, 0o640, 0o644, 0o460, 0o4400]);
        CASES.fail_lightly(0o600);
    }

    #[test]
    fn unknown_where_nobody_could_look() {
        CASES.unknown_where_nobody_could_look();
    }
}
