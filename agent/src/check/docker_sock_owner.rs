//! Engine socket belongs to root and the engine group.

use super::support::files;
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Host, Severity};

pub(super) static CHECK: Check = Check {
    key: "docker-sock-owner",
    title: "Engine socket belongs to root and the engine group",
    section: "daemon-files",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_8_0),
    basis: Basis::Facts,
    severity: Severity::Critical,
    numbers: &[
        (Benchmark::V1_13_0, "3.15"),
        (Benchmark::V1_1_0, "3.15"),
        (Benchmark::V1_2_0, "3.15"),
        (Benchmark::V1_3_1, "3.15"),
        (Benchmark::V1_4_0, "3.15"),
        (Benchmark::V1_5_0, "3.15"),
        (Benchmark::V1_6_0, "3.15"),
        (Benchmark::V1_7_0, "3.15"),
        (Benchmark::V1_8_0, "3.15"),
    ],
    about: "Write access to the engine's socket is root on the host. Every Unix socket that the daemon \
            listens on, or systemd for it, has to belong to root, and to root's group or the one that the \
            configuration names: the group option, else SocketGroup of docker.socket, else docker. A socket \
            of a daemon without root may be its user's.",
    remedy: "Give the socket to root and the group of the engine with chown root:docker, and set SocketUser=root in a drop-in of docker.socket",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "file",
        when: "the owner or group of the socket is changed, or another takes its place",
    }],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    files::ENGINE_SOCKET.belong_to_the_engines_group(host)
}

#[cfg(test)]
mod tests {
    use super::super::testing::files::{Cases, set, state};
    use super::*;
    use crate::model::{Fact, ObjectKind, Role, Verdict, VerdictKind};

    const CASES: Cases = Cases {
        check: &CHECK,
        role: Role::EngineSocket,
        path: "/run/docker.sock",
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

    #[track_caller]
    fn with_group(name: &str, vary: impl FnOnce(&mut Host)) -> Verdict {
        let item = CASES.item(|object, host| {
            let state = state(object);
            (state.gid, state.group) = (999, Some(name.into()));
            vary(host);
        });
        item.verdict
    }

    #[test]
    fn pass_the_group_that_is_configured() {
        let name = |host: &mut Host, group: &str| set(host.facts.daemon.get_mut().unwrap(), "group", group);
        assert_eq!(with_group("docker", |_| {}).kind(), VerdictKind::Pass);
        assert_eq!(
            with_group("ops", |host| name(host, "ops")).kind(),
            VerdictKind::Pass
        );
        assert_eq!(
            with_group("ops", |host| name(host, "999")).kind(),
            VerdictKind::Pass
        );
        let item = CASES.item(|object, _| {
            let state = state(object);
            (state.gid, state.group, state.asked_group) = (999, Some("ops".into()), Some("ops".into()));
        });
        assert_eq!(item.verdict.kind(), VerdictKind::Pass);
    }

    #[test]
    fn fail_another_group() {
        let verdict = with_group("users", |_| {});
        assert_eq!(
            verdict.reason,
            "/run/docker.sock belongs to root:users, not to root:docker"
        );
        assert_eq!(
            verdict.remedy.as_deref(),
            Some("chown root:docker /run/docker.sock")
        );
        let renamed = with_group("docker", |host| {
            set(host.facts.daemon.get_mut().unwrap(), "group", "ops");
        });
        assert_eq!(renamed.kind(), VerdictKind::Fail);
    }

    #[test]
    fn unknown_whether_the_group_is_the_daemons() {
        let blind = |host: &mut Host| host.facts.daemon = Fact::unknown("no permission");
        assert_eq!(with_group("ops", blind).kind(), VerdictKind::Unknown);
        assert_eq!(with_group("docker", blind).kind(), VerdictKind::Pass);
        let rootless = CASES.item(|object, host| {
            state(object).uid = 1000;
            blind(host);
            host.facts.security_options = Some(vec!["name=rootless".into()]);
        });
        assert_eq!(rootless.verdict.kind(), VerdictKind::Unknown);
    }

    #[test]
    fn unknown_what_is_no_socket() {
        let item = CASES.item(|object, _| state(object).kind = ObjectKind::Directory);
        assert_eq!(item.verdict.kind(), VerdictKind::Unknown);
        assert_eq!(item.verdict.reason, "what is at /run/docker.sock is no socket");
    }
}
