//! Engine socket is closed to other users.

use super::support::files;
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Host, Severity};

pub(super) static CHECK: Check = Check {
    key: "docker-sock-mode",
    title: "Engine socket is closed to other users",
    section: "daemon-files",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_8_0),
    basis: Basis::Facts,
    severity: Severity::Critical,
    numbers: &[
        (Benchmark::V1_13_0, "3.16"),
        (Benchmark::V1_1_0, "3.16"),
        (Benchmark::V1_2_0, "3.16"),
        (Benchmark::V1_3_1, "3.16"),
        (Benchmark::V1_4_0, "3.16"),
        (Benchmark::V1_5_0, "3.16"),
        (Benchmark::V1_6_0, "3.16"),
        (Benchmark::V1_7_0, "3.16"),
        (Benchmark::V1_8_0, "3.16"),
    ],
    about: "Write access to the engine's socket is root on the host. Every Unix socket that the daemon \
            listens on, or systemd for it, is judged: permissions bit by bit, access lists, and whether \
            others can put another socket in its place.",
    remedy: "Take from the socket what goes beyond mode 660 with chmod, and set SocketMode=0660 in a drop-in of docker.socket",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "file",
        when: "permissions or an access list of the socket are widened, or another takes its place",
    }],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    files::ENGINE_SOCKET.have_at_most(0o660, host)
}

#[cfg(test)]
mod tests {
    use super::super::testing::files::{Cases, state};
    use super::*;
    use crate::model::{Role, VerdictKind};

    const CASES: Cases = Cases {
        check: &CHECK,
        role: Role::EngineSocket,
        path: "/run/docker.sock",
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

    #[test]
    fn fail_an_access_list_that_names_somebody() {
        let item = CASES.item(|object, _| (state(object).mode, state(object).acl) = (0o660, 0o6));
        let verdict = item.verdict;
        let reason = "/run/docker.sock has mode 0660, and its access list lets others read, write";
        assert_eq!(
            (verdict.kind(), verdict.reason.as_str()),
            (VerdictKind::Fail, reason)
        );
        let remedy = "setfacl -b /run/docker.sock && chmod 660 /run/docker.sock";
        assert_eq!(verdict.remedy.as_deref(), Some(remedy));
    }
}
