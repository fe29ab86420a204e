//! docker.service unit is owned by root.

use super::support::files;
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Host, Severity};

pub(super) static CHECK: Check = Check {
    key: "file-docker-service-owner",
    title: "docker.service unit is owned by root",
    section: "daemon-files",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_8_0),
    basis: Basis::Facts,
    severity: Severity::High,
    numbers: &[
        (Benchmark::V1_13_0, "3.1"),
        (Benchmark::V1_1_0, "3.1"),
        (Benchmark::V1_2_0, "3.1"),
        (Benchmark::V1_3_1, "3.1"),
        (Benchmark::V1_4_0, "3.1"),
        (Benchmark::V1_5_0, "3.1"),
        (Benchmark::V1_6_0, "3.1"),
        (Benchmark::V1_7_0, "3.1"),
        (Benchmark::V1_8_0, "3.1"),
    ],
    about: "Whoever owns a file of the unit chooses what systemd starts as root. The file that defines the \
            unit and its drop-ins are found as systemd finds them, and each is judged by its inode with \
            symlinks followed; so are the directories that hold them, since their owner can put other files \
            in their place. The files of a daemon without root may be its user's.",
    remedy: "Give the unit and its drop-ins to root with chown root:root",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "file",
        when: "the owner or group of a unit file is changed, or another takes its place",
    }],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    files::SERVICE_UNIT.belong_to_root(host)
}

#[cfg(test)]
mod tests {
    use super::super::testing::files::{Cases, object, state};
    use super::*;
    use crate::model::{Role, VerdictKind};

    const CASES: Cases = Cases {
        check: &CHECK,
        role: Role::ServiceUnit,
        path: "/usr/lib/systemd/system/docker.service",
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
    fn fail_the_drop_in_of_somebody_else_by_itself() {
        let items = CASES.items(|_, host| {
            let mut drop_in = object(Role::ServiceUnit, "/etc/systemd/system/docker.service.d/x y.conf");
            state(&mut drop_in).uid = 7;
            host.facts.objects.get_mut().unwrap().push(drop_in);
        });
        let kinds: Vec<_> = items.iter().map(|item| item.verdict.kind()).collect();
        assert_eq!(kinds, [VerdictKind::Fail, VerdictKind::Pass]);
        let remedy = "chown root:root '/etc/systemd/system/docker.service.d/x y.conf'";
        assert_eq!(items[0].verdict.remedy.as_deref(), Some(remedy));
    }
}
