//! Containers whose system calls are not filtered.

use serde_json::json;

use super::support::{Word, beyond_its_container, config, container_name, is_privileged, proc, weigh};
use super::{Assess, Basis, Benchmark, Check, Finding, Signal, View};
use crate::model::{Class, Container, Event, Host, Seccomp, Severity, Verdict};

pub(super) static CHECK: Check = Check {
    key: "runtime-seccomp-on",
    title: "Seccomp filtering is not disabled",
    section: "runtime",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::High,
    numbers: &[
        (Benchmark::V1_13_0, "5.21"),
        (Benchmark::V1_1_0, "5.21"),
        (Benchmark::V1_2_0, "5.21"),
        (Benchmark::V1_3_1, "5.21"),
        (Benchmark::V1_4_0, "5.21"),
        (Benchmark::V1_5_0, "5.21"),
        (Benchmark::V1_6_0, "5.22"),
        (Benchmark::V1_7_0, "5.22"),
        (Benchmark::V1_8_0, "5.22"),
    ],
    about: "The engine's seccomp profile keeps rarely used, risky system calls from containers. The \
            container's security options decide, and privilege, which turns the filter off, and whether the \
            engine has a profile at all; the kernel shows the mode of the first process. A profile of the \
            operator's own counts as a filter. Live, a program that runs unfiltered is reported where its \
            container should filter, and at its entry where it should not.",
    remedy: "Remove seccomp=unconfined; give the program a profile of its own if it needs one",
    assess: Assess::Container(assess),
    signals: &[Signal {
        kind: "exec",
        when: "a program runs without a seccomp filter in a container",
    }],
    observe,
};

fn assess(container: &Container, host: &Host) -> Verdict {
    let kernel = match container.truth.as_ref().map(|truth| truth.seccomp) {
        Some(Seccomp::Filter | Seccomp::Strict) => Word::Good("runs under a seccomp filter".into()),
        Some(Seccomp::Off) => Word::Bad(
            "runs without a seccomp filter".into(),
            proc(json!({ "seccomp": "off" })),
        ),
        Some(Seccomp::Unknown) | None => {
            Word::Silent("the seccomp mode of its first process could not be read")
        }
    };
    weigh(container, CHECK.severity, configured(container, host), kernel)
}

fn configured(container: &Container, host: &Host) -> Word {
    let Some(options) = &container.security_opt else {
        return Word::Silent("the engine does not list the container's security options");
    };
    let profile = options.iter().rev().find_map(|option| {
        let option = option.trim();
        option
            .strip_prefix("seccomp=")
            .or_else(|| option.strip_prefix("seccomp:"))
    });
    match (profile, container.privileged) {
        (Some(profile), _) if profile.eq_ignore_ascii_case("unconfined") => Word::Bad(
            "is started with seccomp unconfined".into(),
            config("HostConfig.SecurityOpt", options),
        ),
        (Some(_), _) => Word::Good("has a seccomp profile of its own".into()),
        (None, Some(true)) => Word::Bad(
            "has no seccomp filter, being privileged".into(),
            config("HostConfig.Privileged", true),
        ),
        (None, None) => Word::Silent("the engine does not say whether the container is privileged"),
        (None, Some(false)) => daemon_default(host),
    }
}

/// `name=seccomp,profile=…` of the engine; one without is built or started without seccomp.
fn daemon_default(host: &Host) -> Word {
    let Some(options) = &host.facts.security_options else {
        return Word::Silent("the engine does not tell its default");
    };
    let seccomp = options
        .iter()
        .find(|option| option.split(',').any(|part| part == "name=seccomp"));
    match seccomp {
        Some(option) if !option.ends_with("profile=unconfined") => {
            Word::Good("gets its engine's seccomp profile".into())
        }
        _ => Word::Bad(
            "gets no seccomp filter from its engine".into(),
            config("SecurityOptions", options),
        ),
    }
}

fn observe(view: &View<'_>) -> Option<Finding> {
    let Event::Exec(exec) = &view.observation.event else {
        return None;
    };
    let process = view.observation.process.as_ref()?;
    view.observation.container.as_ref()?;
    if process.seccomp != Seccomp::Off || is_privileged(view) {
        return None;
    }
    // A privileged session is unfiltered too; `exec-not-privileged` says so.
    if !beyond_its_container(view, process, exec.entry).is_empty() {
        return None;
    }
    let (class, why) = match configured(view.container?, view.host) {
        Word::Good(_) => (Class::Drift, ", which is configured to filter"),
        Word::Bad(..) if exec.entry => (Class::Exercised, ""),
        Word::Bad(..) | Word::Silent(_) => return None,
    };
    let summary = format!(
        "{} runs without a seccomp filter in {}{why}",
        exec.file.path,
        container_name(view.observation)
    );
    // What an unfiltered program starts is unfiltered as well, and one violation.
    let subject = if exec.entry {
        exec.file.path.as_str()
    } else {
        "descendants"
    };
    Some(Finding::new(class, subject, summary).evidence(proc(json!({ "seccomp": process.seccomp }))))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Scene, assert_fails, assert_passes, exec_in, judge};
    use super::*;
    use crate::model::CapSet;

    #[track_caller]
    fn check(options: Option<&[&str]>, mode: Seccomp) -> Verdict {
        judge(&CHECK, |container, _| {
            container.security_opt =
                options.map(|options| options.iter().map(|&option| option.into()).collect());
            container.truth.as_mut().unwrap().seccomp = mode;
        })
    }

    #[test]
    fn pass_the_default_and_a_profile() {
        for options in [
            &[][..],
            &["seccomp={\"defaultAction\":\"SCMP_ACT_ERRNO\"}"],
            &["no-new-privileges"],
        ] {
            assert_passes(&check(Some(options), Seccomp::Filter));
            assert_passes(&check(Some(options), Seccomp::Unknown));
        }
    }

    #[test]
    fn fail_unconfined_in_every_spelling() {
        for option in ["seccomp=unconfined", "seccomp:unconfined", "seccomp=Unconfined"] {
            assert_fails(
                &check(Some(&[option]), Seccomp::Off),
                Severity::High,
                "seccomp unconfined",
            );
        }
        let own_filter = check(Some(&["seccomp=unconfined"]), Seccomp::Filter);
        assert_fails(&own_filter, Severity::Low, "although the kernel does not show it");
    }

    #[test]
    fn fail_by_privilege_by_the_engine_and_by_the_kernel() {
        let verdict = judge(&CHECK, |container, _| {
            (container.privileged, container.truth) = (Some(true), None);
        });
        assert_fails(&verdict, Severity::High, "being privileged");
        for engines in [&["name=seccomp,profile=unconfined"][..], &["name=apparmor"]] {
            let verdict = judge(&CHECK, |container, host| {
                container.truth = None;
                host.facts.security_options = Some(engines.iter().map(|&option| option.into()).collect());
            });
            assert_fails(&verdict, Severity::High, "from its engine");
        }
        let verdict = check(Some(&[]), Seccomp::Off);
        assert_fails(
            &verdict,
            Severity::High,
            "although its configuration says otherwise",
        );
    }

    #[test]
    fn unknown_where_nobody_says() {
        assert_eq!(
            check(None, Seccomp::Unknown).kind(),
            crate::model::VerdictKind::Unknown
        );
    }

    /// An unfiltered program.
    fn unfiltered() -> Scene {
        let mut scene = Scene::new(&CHECK, exec_in("web", "/bin/sh"));
        scene.process().seccomp = Seccomp::Off;
        scene
    }

    #[test]
    fn an_unfiltered_program_is_drift_where_it_should_be_filtered() {
        let summary = "/bin/sh runs without a seccomp filter in container web, which is configured to filter";
        unfiltered().finds(Class::Drift, Severity::High, summary);
    }

    #[test]
    fn an_unconfined_container_is_exercised_at_entry_only() {
        let mut scene = unfiltered();
        scene.facts().security_opt = Some(vec!["seccomp=unconfined".into()]);
        scene.silent();
        scene.exec().entry = true;
        let summary = "/bin/sh runs without a seccomp filter in container web";
        scene.finds(Class::Exercised, Severity::High, summary);
    }

    #[test]
    fn silent_if_filtered_where_privilege_is_told_and_on_the_host() {
        Scene::new(&CHECK, exec_in("web", "/bin/sh")).silent();
        let mut session = unfiltered();
        session.process().caps_bounding = CapSet::ALL;
        session.silent();
        unfiltered().privileged().silent();
        unfiltered().on_host().silent();
    }
}
