//! Privileged containers: every capability, every device, no seccomp, no AppArmor.

use super::support::{config, container_name, is_privileged_set};
use super::{Assess, Benchmark, Check, Finding, Signal, View};
use crate::model::{Class, Container, ContainerState, Event, Evidence, Host, Severity, Source, Verdict};
use serde_json::json;

pub(super) static CHECK: Check = Check {
    key: "runtime-not-privileged",
    title: "No privileged containers",
    section: "runtime",
    level: 1,
    severity: Severity::Critical,
    numbers: &[
        (Benchmark::V1_13_0, "5.4"),
        (Benchmark::V1_1_0, "5.4"),
        (Benchmark::V1_2_0, "5.4"),
        (Benchmark::V1_3_1, "5.4"),
        (Benchmark::V1_4_0, "5.4"),
        (Benchmark::V1_5_0, "5.4"),
        (Benchmark::V1_6_0, "5.5"),
        (Benchmark::V1_7_0, "5.5"),
        (Benchmark::V1_8_0, "5.5"),
    ],
    about: "A privileged container holds every capability and every device of the host and runs without seccomp and \
            AppArmor: whoever runs a program in it owns the host. The container's configuration decides; where no \
            engine answers, the capabilities of its processes do.",
    remedy: "Start the container without --privileged; add only the capabilities and devices it needs",
    assess: Assess::Container(assess),
    signals: &[Signal { kind: "exec", when: "a program runs in a privileged container" }],
    observe,
};

fn assess(container: &Container, _: &Host) -> Verdict {
    match container.privileged {
        Some(false) => Verdict::Pass,
        Some(true) => Verdict::Fail {
            reason: format!("container {} is privileged", container.name),
            severity: (container.state != ContainerState::Running).then_some(Severity::Medium),
            evidence: vec![config("HostConfig.Privileged", true)],
        },
        None => Verdict::Unknown("the engine does not say whether the container is privileged".to_owned()),
    }
}

fn observe(view: &View<'_>) -> Option<Finding> {
    let Event::Exec(exec) = &view.observation.event else { return None };
    let process = view.observation.process.as_ref()?;
    view.observation.container.as_ref()?;
    let (declared, evidence) = match view.container.and_then(|container| container.privileged) {
        Some(false) => return None,
        Some(true) => ("privileged", config("HostConfig.Privileged", true)),
        None if is_privileged_set(process.caps_effective) => (
            "all-capable",
            Evidence::new(Source::Kernel, "process", json!({ "caps_effective": process.caps_effective })),
        ),
        None => return None,
    };
    let summary = format!("{} ran in {declared} {}", exec.file.path, container_name(view.observation));
    Some(Finding::new(Class::Exercised, exec.file.path.clone(), summary).evidence(evidence))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{container, exec_in, host, view};
    use super::*;

    #[test]
    fn pass_a_container_that_is_not_privileged() {
        assert_eq!(assess(&container("web"), &host()), Verdict::Pass);
    }

    #[test]
    fn fail_a_privileged_container() {
        let privileged = Container { privileged: Some(true), ..container("web") };
        assert!(matches!(assess(&privileged, &host()), Verdict::Fail { severity: None, .. }));
        let stopped = Container { state: ContainerState::Exited, ..privileged };
        assert!(matches!(assess(&stopped, &host()), Verdict::Fail { severity: Some(Severity::Medium), .. }));
    }

    #[test]
    fn unknown_where_the_engine_does_not_say() {
        let silent = Container { privileged: None, ..container("web") };
        assert!(matches!(assess(&silent, &host()), Verdict::Unknown(_)));
    }

    #[test]
    fn an_exec_breaks_it_only_in_a_privileged_container() {
        let exec = exec_in("web", "/bin/id");
        assert_eq!(observe(&view(&exec, &host(), Some(&container("web")))), None);
        let privileged = Container { privileged: Some(true), ..container("web") };
        let finding = observe(&view(&exec, &host(), Some(&privileged))).unwrap();
        assert_eq!(finding.class, Class::Exercised);
        assert_eq!(finding.summary, "/bin/id ran in privileged container web");
    }

    #[test]
    fn without_an_engine_the_capabilities_decide() {
        let mut exec = exec_in("web", "/bin/id");
        assert_eq!(observe(&view(&exec, &host(), None)), None);
        exec.process.as_mut().unwrap().caps_effective = crate::model::CapSet::ALL;
        assert!(observe(&view(&exec, &host(), None)).is_some());
    }
}
