//! Kernel audit rule covers the Docker configuration directory.

use super::audit_trail::{SIGNALS, assess};
use super::{Assess, Basis, Benchmark, Check, no_live_signal};
use crate::model::Severity;

pub(super) static CHECK: Check = Check {
    key: "audit-etc-docker",
    title: "Kernel audit rule covers the Docker configuration directory",
    section: "host",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_8_0),
    basis: Basis::Facts,
    severity: Severity::High,
    numbers: &[
        (Benchmark::V1_13_0, "1.7"),
        (Benchmark::V1_1_0, "1.7"),
        (Benchmark::V1_2_0, "1.2.5"),
        (Benchmark::V1_3_1, "1.1.6"),
        (Benchmark::V1_4_0, "1.1.6"),
        (Benchmark::V1_5_0, "1.1.6"),
        (Benchmark::V1_6_0, "1.1.6"),
        (Benchmark::V1_7_0, "1.1.6"),
        (Benchmark::V1_8_0, "1.1.6"),
    ],
    about: "The engine's settings, keys and registry certificates lie here. Judged is what the kernel's own \
            rules would record of every way to change it, in their order and with all that limits them; what \
            rule files say decides only whether that outlasts a restart.",
    remedy: "Load a permanent rule for the path in /etc/audit/rules.d and run augenrules --load",
    assess: Assess::Host(|host| assess(host, CHECK.key)),
    signals: SIGNALS,
    observe: no_live_signal,
};

#[cfg(test)]
mod tests {
    use super::super::audit_trail::testing::Scene;
    use super::*;
    use crate::model::Role;

    fn scene() -> Scene {
        Scene::new(&CHECK, Role::ConfigDir)
    }

    #[test]
    fn pass_where_a_rule_records_every_change() {
        scene().passes_when_watched();
    }

    #[test]
    fn fail_without_a_rule_and_with_one_of_a_name_that_begins_alike() {
        scene().fails_unwatched();
        scene().fails_with_a_look_alike();
    }

    #[test]
    fn fail_where_nobody_writes_the_records_down() {
        scene().fails_unkept();
    }

    #[test]
    fn unknown_where_rules_or_the_object_cannot_be_seen() {
        scene().stays_unknown_unseen();
    }

    #[test]
    fn not_applicable_where_there_is_none() {
        scene().does_not_apply_when_absent();
    }
}
