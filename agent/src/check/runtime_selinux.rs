//! Containers that SELinux does not confine.

use serde_json::json;

use super::support::{Word, config, proc, weigh};
use super::{Assess, Basis, Benchmark, Check, no_live_signal};
use crate::model::{Container, Host, Severity, Verdict};

pub(super) static CHECK: Check = Check {
    key: "runtime-selinux",
    title: "Containers are confined by SELinux where available",
    section: "runtime",
    level: 2,
    early_level: 2,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::High,
    numbers: &[
        (Benchmark::V1_13_0, "5.2"),
        (Benchmark::V1_1_0, "5.2"),
        (Benchmark::V1_2_0, "5.2"),
        (Benchmark::V1_3_1, "5.2"),
        (Benchmark::V1_4_0, "5.2"),
        (Benchmark::V1_5_0, "5.2"),
        (Benchmark::V1_6_0, "5.3"),
        (Benchmark::V1_7_0, "5.3"),
        (Benchmark::V1_8_0, "5.3"),
    ],
    about: "Where SELinux is enforced, a container's type keeps it from the host's files and its categories \
            from other containers. The label that the engine gave decides, and the label that the kernel \
            shows of the first process: its type must be one of containers. Other security options are no \
            evidence. Hosts where SELinux is absent or permissive are not judged.",
    remedy: "Start the engine with selinux-enabled, and the container without label=disable",
    assess: Assess::Container(assess),
    signals: &[],
    observe: no_live_signal,
};

fn assess(container: &Container, host: &Host) -> Verdict {
    match host.facts.selinux_enforcing {
        None => Verdict::unknown("whether SELinux is enforced could not be read"),
        Some(false) => Verdict::not_applicable("SELinux is not enforced on this host"),
        Some(true) => weigh(container, CHECK.severity, configured(container), shown(container)),
    }
}

fn configured(container: &Container) -> Word {
    let mut options = container.security_opt.iter().flatten();
    if let Some(option) = options.find(|option| disables_labels(option)) {
        return Word::Bad(
            format!("is started with {option}"),
            config("HostConfig.SecurityOpt", option),
        );
    }
    match container.process_label.as_deref() {
        None => Word::Silent("the engine does not say which SELinux label it gave"),
        Some("") => Word::Bad("has no SELinux label".into(), config("ProcessLabel", "")),
        Some(label) => judged(label, || config("ProcessLabel", label)),
    }
}

fn disables_labels(option: &str) -> bool {
    let value = option
        .trim()
        .strip_prefix("label")
        .and_then(|rest| rest.strip_prefix([':', '=']));
    matches!(value, Some("disable" | "type:spc_t"))
}

fn shown(container: &Container) -> Word {
    match container
        .truth
        .as_ref()
        .and_then(|truth| truth.selinux.as_deref())
    {
        None => Word::Silent("the SELinux label of its first process could not be read"),
        Some(label) => judged(label, || proc(json!({ "selinux": label }))),
    }
}

fn judged(label: &str, shown: impl FnOnce() -> crate::model::Evidence) -> Word {
    let kind = label.trim_end_matches('\0').split(':').nth(2).unwrap_or_default();
    if confines(kind) {
        Word::Good(format!("has the SELinux type {kind}"))
    } else {
        Word::Bad(
            format!("has the SELinux type {kind}, which is none of a container's"),
            shown(),
        )
    }
}

/// Types of container-selinux and of the policies before it, and those that udica generates.
fn confines(kind: &str) -> bool {
    (kind.starts_with("container_") && kind != "container_runtime_t")
        || kind.starts_with("svirt_")
        || kind.ends_with(".process")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_fails, assert_passes, judge};
    use super::*;

    /// The verdict where SELinux is enforced.
    #[track_caller]
    fn check(options: &[&str], given: Option<&str>, shown: Option<&str>) -> Verdict {
        judge(&CHECK, |container, host| {
            host.facts.selinux_enforcing = Some(true);
            container.security_opt = Some(options.iter().map(|&option| option.into()).collect());
            container.process_label = given.map(Into::into);
            container.truth.as_mut().unwrap().selinux = shown.map(Into::into);
        })
    }

    const LABEL: &str = "system_u:system_r:container_t:s0:c1,c2";

    #[test]
    fn pass_a_type_of_containers() {
        assert_passes(&check(&[], Some(LABEL), Some(LABEL)));
        for kind in ["svirt_lxc_net_t", "container_init_t", "web.process"] {
            let label = format!("system_u:system_r:{kind}:s0");
            assert_passes(&check(&["label=level:s0:c1"], Some(&label), None));
        }
    }

    #[test]
    fn fail_without_label_with_another_type_and_with_labels_disabled() {
        assert_fails(
            &check(&["no-new-privileges"], Some(""), None),
            Severity::High,
            "has no SELinux label",
        );
        for option in ["label=disable", "label:disable", "label=type:spc_t"] {
            assert_fails(&check(&[option], Some(LABEL), None), Severity::High, option);
        }
        let host_type = "system_u:system_r:container_runtime_t:s0";
        assert_fails(
            &check(&[], Some(host_type), None),
            Severity::High,
            "container_runtime_t",
        );
        let drifted = check(&[], Some(LABEL), Some("system_u:system_r:spc_t:s0"));
        assert_fails(
            &drifted,
            Severity::High,
            "although its configuration says otherwise",
        );
    }

    #[test]
    fn not_applicable_where_selinux_is_not_enforced() {
        assert_eq!(
            judge(&CHECK, |_, _| ()).kind(),
            crate::model::VerdictKind::NotApplicable
        );
    }

    #[test]
    fn unknown_where_nobody_says() {
        assert_eq!(check(&[], None, None).kind(), crate::model::VerdictKind::Unknown);
        let unread = judge(&CHECK, |_, host| host.facts.selinux_enforcing = None);
        assert_eq!(unread.kind(), crate::model::VerdictKind::Unknown);
    }
}
