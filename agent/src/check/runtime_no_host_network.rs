//! Containers in the host's network namespace.

use super::support::NETWORK;
use super::{Assess, Basis, Benchmark, Check, Finding, Signal, View};
use crate::model::{Container, Host, Severity, Verdict};

pub(super) static CHECK: Check = Check {
    key: "runtime-no-host-network",
    title: "Containers do not share the host network namespace",
    section: "runtime",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::High,
    numbers: &[
        (Benchmark::V1_13_0, "5.9"),
        (Benchmark::V1_1_0, "5.9"),
        (Benchmark::V1_2_0, "5.9"),
        (Benchmark::V1_3_1, "5.9"),
        (Benchmark::V1_4_0, "5.9"),
        (Benchmark::V1_5_0, "5.9"),
        (Benchmark::V1_6_0, "5.10"),
        (Benchmark::V1_7_0, "5.10"),
        (Benchmark::V1_8_0, "5.10"),
    ],
    about: "A container in the host's network namespace reaches every service that listens on the host's \
            loopback, sees all its traffic and can bind its ports. The configured mode decides, through \
            `container:` to its end, and so does the namespace that the first process is really in.",
    remedy: "Start the container on a network of its own; publish the ports it needs",
    assess: Assess::Container(assess),
    signals: &[
        Signal {
            kind: "namespace",
            when: "a process in a container enters the host's network namespace",
        },
        Signal {
            kind: "exec",
            when: "a program runs in the host's network namespace and its container is not meant to",
        },
    ],
    observe,
};

fn assess(container: &Container, host: &Host) -> Verdict {
    NETWORK.assess(container, host)
}

fn observe(view: &View<'_>) -> Option<Finding> {
    NETWORK.observe(view)
}

#[cfg(test)]
mod tests {
    use super::super::testing::namespace;
    use super::*;

    const CASES: namespace::Cases = namespace::Cases {
        check: &CHECK,
        namespace: &NETWORK,
        set_mode: |container, mode| container.network_mode = mode,
        set_inode: |namespaces, inode| namespaces.net = inode,
    };

    #[test]
    fn pass_a_namespace_of_its_own() {
        CASES.pass_a_namespace_of_its_own();
    }

    #[test]
    fn fail_the_hosts_namespace() {
        CASES.fail_the_hosts_namespace();
    }

    #[test]
    fn unknown_where_nobody_says() {
        CASES.unknown_where_nobody_says();
    }

    #[test]
    fn live_entry_and_strays_are_drift_and_the_rest_is_silent() {
        CASES.live();
    }
}
