//! Privileged containers: every capability, every device, no seccomp, no AppArmor.

use serde_json::json;

use super::support::{config, container_name, failed, is_privileged_set, passed, proc};
use super::{Assess, Basis, Benchmark, Check, Finding, Signal, View};
use crate::model::{Class, Container, Event, Host, RunningTruth, Seccomp, Severity, Verdict};

pub(super) static CHECK: Check = Check {
    key: "runtime-not-privileged",
    title: "No privileged containers",
    section: "runtime",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
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
    about: "A privileged container holds every capability and every device of the host and runs without \
            seccomp and AppArmor: whoever runs a program in it owns the host. The container's configuration \
            decides; so does the kernel, where it shows every capability and no seccomp filter without that \
            configuration.",
    remedy: "Start the container without --privileged; add only the capabilities and devices it needs",
    assess: Assess::Container(assess),
    signals: &[Signal {
        kind: "exec",
        when: "a program runs in a privileged container",
    }],
    observe,
};

fn assess(container: &Container, _: &Host) -> Verdict {
    if container.privileged == Some(true) {
        let asked = config("HostConfig.Privileged", true);
        return failed(container, CHECK.severity, "is privileged", vec![asked]);
    }
    match (&container.truth, container.privileged) {
        (Some(truth), _) if is_as_good_as_privileged(truth) => {
            let seen = proc(json!({ "caps_bounding": truth.caps_bounding, "seccomp": truth.seccomp }));
            let clause = "holds all that a privileged one does, although its configuration says otherwise";
            failed(container, CHECK.severity, clause, vec![seen])
        }
        (Some(_), _) | (None, Some(_)) => passed(container, "is not privileged"),
        (None, None) => Verdict::unknown("the engine does not say whether the container is privileged"),
    }
}

fn is_as_good_as_privileged(truth: &RunningTruth) -> bool {
    is_privileged_set(truth.caps_bounding) && truth.seccomp == Seccomp::Off
}

fn observe(view: &View<'_>) -> Option<Finding> {
    let Event::Exec(exec) = &view.observation.event else {
        return None;
    };
    let process = view.observation.process.as_ref()?;
    view.observation.container.as_ref()?;
    let (declared, evidence) = match view.container.and_then(|container| container.privileged) {
        Some(false) => return None,
        Some(true) => ("privileged", config("HostConfig.Privileged", true)),
        None if is_privileged_set(process.caps_effective) => (
            "all-capable",
            proc(json!({ "caps_effective": process.caps_effective })),
        ),
        None => return None,
    };
    let summary = format!(
        "{} ran in {declared} {}",
        exec.file.path,
        container_name(view.observation)
    );
    Some(Finding::new(Class::Exercised, &exec.file.path, summary).evidence(evidence))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Scene, assert_fails, assert_passes, exec_in, judge};
    use super::*;
    use crate::model::{CapSet, ContainerState};

    #[test]
    fn pass_a_container_that_is_not_privileged() {
        assert_passes(&judge(&CHECK, |_, _| ()));
    }

    #[test]
    fn fail_a_privileged_container_less_so_at_rest() {
        let verdict = judge(&CHECK, |container, _| container.privileged = Some(true));
        assert_fails(&verdict, Severity::Critical, "container web is privileged");
        let verdict = judge(&CHECK, |container, _| {
            container.privileged = Some(true);
            container.state = ContainerState::Exited;
        });
        assert_fails(&verdict, Severity::Medium, "privileged");
    }

    #[test]
    fn fail_one_that_the_kernel_shows_to_be_as_good_as_privileged() {
        let verdict = judge(&CHECK, |container, _| {
            let truth = container.truth.as_mut().unwrap();
            (truth.caps_bounding, truth.seccomp) = (CapSet::ALL, Seccomp::Off);
        });
        assert_fails(
            &verdict,
            Severity::Critical,
            "although its configuration says otherwise",
        );
    }

    #[test]
    fn unknown_where_neither_engine_nor_kernel_says() {
        let verdict = judge(&CHECK, |container, _| {
            (container.privileged, container.truth) = (None, None);
        });
        assert_eq!(verdict.kind(), crate::model::VerdictKind::Unknown);
    }

    #[test]
    fn an_exec_breaks_it_only_in_a_privileged_container() {
        let scene = Scene::new(&CHECK, exec_in("web", "/bin/id"));
        scene.silent();
        let summary = "/bin/id ran in privileged container web";
        scene
            .privileged()
            .finds(Class::Exercised, Severity::Critical, summary);
    }

    #[test]
    fn without_an_engine_the_capabilities_decide() {
        let mut scene = Scene::new(&CHECK, exec_in("web", "/bin/id"));
        scene.container = None;
        scene.silent();
        scene.process().caps_effective = CapSet::ALL;
        scene.finds(
            Class::Exercised,
            Severity::Critical,
            "/bin/id ran in all-capable container web",
        );
    }
}
