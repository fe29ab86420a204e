//! Containers whose processes can gain privilege by exec.

use serde_json::json;

use super::support::{Word, caps_in_words, config, container_name, is_privileged, proc, weigh};
use super::{Assess, Basis, Benchmark, Check, Finding, Signal, View};
use crate::model::{Class, Container, Event, Gained, Host, Process, Severity, Verdict};

pub(super) static CHECK: Check = Check {
    key: "runtime-no-new-privileges",
    title: "Containers cannot gain new privileges",
    section: "runtime",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::High,
    numbers: &[
        (Benchmark::V1_13_0, "5.25"),
        (Benchmark::V1_1_0, "5.25"),
        (Benchmark::V1_2_0, "5.25"),
        (Benchmark::V1_3_1, "5.25"),
        (Benchmark::V1_4_0, "5.25"),
        (Benchmark::V1_5_0, "5.25"),
        (Benchmark::V1_6_0, "5.26"),
        (Benchmark::V1_7_0, "5.26"),
        (Benchmark::V1_8_0, "5.26"),
    ],
    about: "With no_new_privs set, setuid bits and file capabilities give nothing, whatever the image ships. \
            The container's security options decide, else the engine's default; an explicit `false` undoes \
            that. The kernel shows the flag of the first process. Live, every exec that did gain something \
            by its file is the proof.",
    remedy: "Start the container with --security-opt no-new-privileges, or set it for all in daemon.json",
    assess: Assess::Container(assess),
    signals: &[Signal {
        kind: "exec",
        when: "a program gains privilege by its file in a container",
    }],
    observe,
};

fn assess(container: &Container, host: &Host) -> Verdict {
    let kernel = match container.truth.as_ref().and_then(|truth| truth.no_new_privs) {
        Some(true) => Word::Good("runs under no_new_privs".into()),
        Some(false) => Word::Bad(
            "can gain privileges by exec".into(),
            proc(json!({ "no_new_privs": false })),
        ),
        None => Word::Silent("the flag of its first process could not be read"),
    };
    weigh(container, CHECK.severity, configured(container, host), kernel)
}

fn configured(container: &Container, host: &Host) -> Word {
    match (asked(container), daemon_default(host)) {
        (None, _) => Word::Silent("the engine does not list the container's security options"),
        (Some(Some(true)), _) | (Some(None), Some(true)) => {
            Word::Good("is started with no-new-privileges".into())
        }
        (Some(None), None) => Word::Silent("the engine does not tell its default"),
        (Some(Some(false) | None), _) => {
            let shown = config("HostConfig.SecurityOpt", container.security_opt.as_deref());
            Word::Bad("is started without no-new-privileges".into(), shown)
        }
    }
}

/// The container's own option, the last where it has several; none where the options are not known.
fn asked(container: &Container) -> Option<Option<bool>> {
    let options = container.security_opt.as_ref()?;
    Some(
        options
            .iter()
            .rev()
            .find_map(|option| match option.trim().strip_prefix("no-new-privileges")? {
                "" | ":true" | "=true" => Some(true),
                ":false" | "=false" => Some(false),
                _ => None,
            }),
    )
}

fn daemon_default(host: &Host) -> Option<bool> {
    let options = host.facts.security_options.as_ref()?;
    Some(options.iter().any(|option| option == "name=no-new-privileges"))
}

fn observe(view: &View<'_>) -> Option<Finding> {
    let Event::Exec(exec) = &view.observation.event else {
        return None;
    };
    let process = view.observation.process.as_ref()?;
    view.observation.container.as_ref()?;
    if !exec.gained.any() || !exec.file.carries_privilege() || is_privileged(view) {
        return None;
    }
    let kept = view
        .container
        .is_some_and(|container| matches!(configured(container, view.host), Word::Good(_)));
    let (class, how) = if kept {
        (Class::Drift, ", although it is configured with no-new-privileges")
    } else {
        (Class::Exercised, "")
    };
    let summary = format!(
        "{} gave {} to a process of {}{how}",
        exec.file.path,
        in_words(exec.gained, process),
        container_name(view.observation)
    );
    let shown = proc(json!({ "no_new_privs": process.no_new_privs, "gained": exec.gained }));
    Some(Finding::new(class, &exec.file.path, summary).evidence(shown))
}

fn in_words(gained: Gained, process: &Process) -> String {
    match gained {
        Gained { uid: true, .. } => format!("uid {}", process.euid),
        Gained { gid: true, .. } => format!("gid {}", process.egid),
        Gained { caps, .. } => caps_in_words(caps),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Scene, assert_fails, assert_passes, exec_in, judge};
    use super::*;
    use crate::model::RunningTruth;

    /// The verdict with these options, this engine default, and this flag in the kernel.
    #[track_caller]
    fn check(options: Option<&[&str]>, default: bool, flag: Option<bool>) -> Verdict {
        judge(&CHECK, |container, host| {
            container.security_opt =
                options.map(|options| options.iter().map(|&option| option.into()).collect());
            container.truth = container.truth.take().map(|truth| RunningTruth {
                no_new_privs: flag,
                ..truth
            });
            if default {
                host.facts.security_options = Some(vec!["name=no-new-privileges".into()]);
            }
        })
    }

    #[test]
    fn pass_the_option_in_every_spelling_and_the_default() {
        for option in [
            "no-new-privileges",
            "no-new-privileges:true",
            "no-new-privileges=true",
        ] {
            assert_passes(&check(Some(&[option]), false, Some(true)));
            assert_passes(&check(Some(&[option]), false, None));
        }
        assert_passes(&check(Some(&[]), true, None));
    }

    #[test]
    fn fail_without_it_and_where_it_is_undone() {
        let without = "container web is started without no-new-privileges";
        assert_fails(
            &check(Some(&["seccomp=x.json"]), false, Some(false)),
            Severity::High,
            without,
        );
        assert_fails(
            &check(Some(&["no-new-privileges=false"]), true, None),
            Severity::High,
            without,
        );
    }

    #[test]
    fn fail_where_engine_and_kernel_disagree() {
        let verdict = check(Some(&["no-new-privileges"]), false, Some(false));
        assert_fails(
            &verdict,
            Severity::High,
            "although its configuration says otherwise",
        );
        let verdict = check(Some(&[]), false, Some(true));
        assert_fails(&verdict, Severity::Low, "although the kernel does not show it");
    }

    #[test]
    fn unknown_where_nobody_says() {
        assert_eq!(
            check(None, false, None).kind(),
            crate::model::VerdictKind::Unknown
        );
    }

    /// A setuid program whose process came out as root, in a container without the option.
    fn gain() -> Scene {
        let mut scene = Scene::new(&CHECK, exec_in("web", "/bin/su"));
        (scene.exec().file.setuid, scene.exec().gained.uid) = (true, true);
        scene.process().euid = 0;
        scene.facts().security_opt = Some(Vec::new());
        scene
    }

    #[test]
    fn a_gain_is_the_proof() {
        let summary = "/bin/su gave uid 0 to a process of container web";
        gain().finds(Class::Exercised, Severity::High, summary);
        let mut drift = gain();
        drift.facts().security_opt = Some(vec!["no-new-privileges".into()]);
        let summary = format!("{summary}, although it is configured with no-new-privileges");
        drift.finds(Class::Drift, Severity::High, &summary);
    }

    #[test]
    fn silent_without_gain_in_privileged_containers_and_on_the_host() {
        let mut idle = gain();
        idle.exec().gained = Gained::default();
        idle.silent();
        gain().privileged().silent();
        gain().on_host().silent();
    }
}
