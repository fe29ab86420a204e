//! Containers in the host's UTS namespace.

use super::support::HostNamespace;
use super::{Assess, Basis, Benchmark, Check, Finding, Signal, View};
use crate::model::{Container, Host, Severity, Verdict};

pub(super) static CHECK: Check = Check {
    key: "runtime-no-host-uts",
    title: "Containers do not share the host UTS namespace",
    section: "runtime",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "5.20"),
        (Benchmark::V1_1_0, "5.20"),
        (Benchmark::V1_2_0, "5.20"),
        (Benchmark::V1_3_1, "5.20"),
        (Benchmark::V1_4_0, "5.20"),
        (Benchmark::V1_5_0, "5.20"),
        (Benchmark::V1_6_0, "5.21"),
        (Benchmark::V1_7_0, "5.21"),
        (Benchmark::V1_8_0, "5.21"),
    ],
    about: "A container in the host's UTS namespace can, with the capability for it, rename the host, and \
            follows every renaming. The configured mode decides, and so does the namespace that the first \
            process is really in.",
    remedy: "Start the container without --uts=host",
    assess: Assess::Container(assess),
    signals: &[
        Signal {
            kind: "namespace",
            when: "a process in a container enters the host's UTS namespace",
        },
        Signal {
            kind: "exec",
            when: "a program runs in the host's UTS namespace and its container is not meant to",
        },
    ],
    observe,
};

static NAMESPACE: HostNamespace = HostNamespace {
    name: "uts",
    words: "UTS",
    field: "HostConfig.UTSMode",
    mode: |container| container.uts_mode.as_deref(),
    inode: |namespaces| namespaces.uts,
    severity: Severity::Medium,
};

fn assess(container: &Container, host: &Host) -> Verdict {
    NAMESPACE.assess(container, host)
}

fn observe(view: &View<'_>) -> Option<Finding> {
    NAMESPACE.observe(view)
}

#[cfg(test)]
mod tests {
    use super::super::testing::namespace;
    use super::*;

    const CASES: namespace::Cases = namespace::Cases {
        check: &CHECK,
        namespace: &NAMESPACE,
        set_mode: |container, mode| container.uts_mode = mode,
        set_inode: |namespaces, inode| namespaces.uts = inode,
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
