//! SSH daemons in containers.

use serde_json::json;

use super::support::{container_name, failed, few, head, lives, passed, proc};
use super::{Assess, Basis, Benchmark, Check, Finding, Signal, View};
use crate::model::{Class, Container, Event, Host, RunningTruth, Severity, Verdict};

/// Executables, by exact name: OpenSSH's daemon and what it splits into, and Dropbear.
const DAEMONS: [&str; 4] = ["dropbear", "sshd", "sshd-auth", "sshd-session"];

pub(super) static CHECK: Check = Check {
    key: "runtime-no-sshd",
    title: "No SSH daemon inside containers",
    section: "runtime",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::High,
    numbers: &[
        (Benchmark::V1_13_0, "5.6"),
        (Benchmark::V1_1_0, "5.6"),
        (Benchmark::V1_2_0, "5.6"),
        (Benchmark::V1_3_1, "5.6"),
        (Benchmark::V1_4_0, "5.6"),
        (Benchmark::V1_5_0, "5.6"),
        (Benchmark::V1_6_0, "5.7"),
        (Benchmark::V1_7_0, "5.7"),
        (Benchmark::V1_8_0, "5.7"),
    ],
    about: "An SSH daemon is a second way into the container, with keys and users that nobody on the host \
            manages. The executables of all processes in the container's cgroup are read from the kernel, by \
            exact name; nothing is run inside the container. Live, so is every program that starts.",
    remedy: "Remove the daemon from the image; enter the container from the host with an exec session",
    assess: Assess::Container(assess),
    signals: &[Signal {
        kind: "exec",
        when: "an SSH daemon starts in a container",
    }],
    observe,
};

fn is_daemon(path: &str) -> bool {
    // The kernel marks the path of a running file that was removed.
    let path = path.strip_suffix(" (deleted)").unwrap_or(path);
    path.rsplit('/')
        .next()
        .is_some_and(|name| DAEMONS.contains(&name))
}

fn daemons(truth: &RunningTruth) -> Vec<&str> {
    truth
        .executables
        .iter()
        .map(String::as_str)
        .filter(|path| is_daemon(path))
        .collect()
}

fn assess(container: &Container, _: &Host) -> Verdict {
    let Some(truth) = &container.truth else {
        return if lives(container) {
            Verdict::unknown("the processes of the container could not be read")
        } else {
            Verdict::not_applicable("the container does not run")
        };
    };
    let found = daemons(truth);
    if found.is_empty() {
        return if truth.executables_truncated {
            Verdict::unknown("the container has more processes than were looked at")
        } else {
            passed(container, "runs no SSH daemon")
        };
    }
    let clause = format!("runs {}", few(&found));
    failed(
        container,
        CHECK.severity,
        &clause,
        vec![proc(json!({ "executables": head(&found), "count": found.len() }))],
    )
}

fn observe(view: &View<'_>) -> Option<Finding> {
    let Event::Exec(exec) = &view.observation.event else {
        return None;
    };
    view.observation.container.as_ref()?;
    if !is_daemon(&exec.file.path) {
        return None;
    }
    let truth = view.container.and_then(|container| container.truth.as_ref());
    let class = match truth {
        Some(truth) if !daemons(truth).is_empty() => Class::Exercised,
        _ => Class::Drift,
    };
    let summary = format!(
        "SSH daemon {} started in {}",
        exec.file.path,
        container_name(view.observation)
    );
    Some(Finding::new(class, &exec.file.path, summary))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Scene, assert_fails, assert_passes, exec_in, judge};
    use super::*;
    use crate::model::ContainerState;

    #[track_caller]
    fn check(executables: &[&str]) -> Verdict {
        judge(&CHECK, |container, _| {
            container.truth.as_mut().unwrap().executables =
                executables.iter().map(|&path| path.into()).collect();
        })
    }

    #[test]
    fn pass_other_programs_with_such_names_in_them() {
        assert_passes(&check(&[
            "/usr/bin/ssh",
            "/usr/bin/sshd-keygen",
            "/opt/sshd/bin/app",
        ]));
    }

    #[test]
    fn fail_a_daemon_that_runs() {
        let runs = "container web runs /usr/sbin/sshd";
        assert_fails(&check(&["/bin/sh", "/usr/sbin/sshd"]), Severity::High, runs);
        assert_fails(
            &check(&["/usr/sbin/dropbear (deleted)"]),
            Severity::High,
            "dropbear",
        );
    }

    #[test]
    fn unknown_where_a_running_container_could_not_be_read() {
        assert_eq!(
            judge(&CHECK, |container, _| container.truth = None).kind(),
            crate::model::VerdictKind::Unknown
        );
        let verdict = judge(&CHECK, |container, _| {
            (container.truth, container.state) = (None, ContainerState::Exited);
        });
        assert_eq!(verdict.kind(), crate::model::VerdictKind::NotApplicable);
        let crowded = judge(&CHECK, |container, _| {
            container.truth.as_mut().unwrap().executables_truncated = true;
        });
        assert_eq!(crowded.kind(), crate::model::VerdictKind::Unknown);
    }

    #[test]
    fn a_daemon_that_starts_is_drift_unless_one_runs_already() {
        let mut scene = Scene::new(&CHECK, exec_in("web", "/usr/sbin/sshd"));
        let summary = "SSH daemon /usr/sbin/sshd started in container web";
        scene.finds(Class::Drift, Severity::High, summary);
        scene
            .facts()
            .truth
            .as_mut()
            .unwrap()
            .executables
            .push("/usr/sbin/sshd".into());
        scene.finds(Class::Exercised, Severity::High, summary);
    }

    #[test]
    fn silent_for_other_programs_and_on_the_host() {
        Scene::new(&CHECK, exec_in("web", "/usr/bin/sshd-keygen")).silent();
        Scene::new(&CHECK, exec_in("web", "/usr/sbin/sshd"))
            .on_host()
            .silent();
    }
}
