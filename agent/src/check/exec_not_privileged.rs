//! Programs that run in a container with more capabilities than the container has: `docker exec
//! --privileged`, nsenter, a runtime driven without its engine.

use serde_json::json;

use super::support::{
    beyond_its_container, caps_in_words, container_name, engine_command, is_privileged, proc, session,
};
use super::{Assess, Basis, Benchmark, Check, Finding, Signal, View};
use crate::model::{CapSet, Class, Event, Exec, ExecSession, Process, Severity};

pub(super) static CHECK: Check = Check {
    key: "exec-not-privileged",
    title: "No privileged exec sessions",
    section: "runtime",
    level: 2,
    early_level: 2,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Live,
    severity: Severity::High,
    numbers: &[
        (Benchmark::V1_13_0, "5.22"),
        (Benchmark::V1_1_0, "5.22"),
        (Benchmark::V1_2_0, "5.22"),
        (Benchmark::V1_3_1, "5.22"),
        (Benchmark::V1_4_0, "5.22"),
        (Benchmark::V1_5_0, "5.22"),
        (Benchmark::V1_6_0, "5.23"),
        (Benchmark::V1_7_0, "5.23"),
        (Benchmark::V1_8_0, "5.23"),
    ],
    about: "A privileged exec session gives one program in an ordinary container every capability and takes \
            seccomp off it, and the container's configuration does not show it afterwards. The kernel \
            decides: a program whose capabilities go beyond those of its container. The engine's exec \
            sessions confirm it and name it; a program that came without one is seen all the same.",
    remedy: "Give the container the one capability it needs, and exec without --privileged",
    assess: Assess::Live,
    signals: &[
        Signal {
            kind: "exec",
            when: "a program holds capabilities beyond those of its container",
        },
        Signal {
            kind: "exec-session",
            when: "the engine starts a privileged session",
        },
    ],
    observe,
};

fn observe(view: &View<'_>) -> Option<Finding> {
    view.observation.container.as_ref()?;
    if is_privileged(view) {
        return None;
    }
    match &view.observation.event {
        Event::Exec(exec) => ran(view, exec),
        Event::ExecSession(session) => announced(view, session),
        _ => None,
    }
}

fn ran(view: &View<'_>, exec: &Exec) -> Option<Finding> {
    let process = view.observation.process.as_ref()?;
    let beyond = beyond_its_container(view, process, exec.entry);
    let asked = view.session.filter(|session| session.privileged == Some(true));
    if beyond.is_empty() && asked.is_none() {
        return None;
    }
    let summary = in_words(view, exec, process, beyond);
    // What a privileged shell starts is one violation, however many programs it is.
    let subject = if exec.entry {
        exec.file.path.as_str()
    } else {
        "descendants"
    };
    let held = proc(json!({
        "caps_effective": process.caps_effective,
        "caps_bounding": process.caps_bounding,
        "caps_beyond": beyond,
    }));
    let finding = Finding::new(Class::Drift, subject, summary).evidence(held);
    Some(match view.session {
        Some(matched) => finding.evidence(session(matched)),
        None => finding,
    })
}

fn in_words(view: &View<'_>, exec: &Exec, process: &Process, beyond: CapSet) -> String {
    let (program, container) = (&exec.file.path, container_name(view.observation));
    let held = format!("with capabilities beyond its own: {}", caps_in_words(beyond));
    match view.session.map(|session| session.privileged) {
        Some(Some(true)) => {
            let engine = engine_command(view.observation);
            format!(
                "{engine} exec --privileged ran {program} as uid {} in {container}",
                process.uid
            )
        }
        None if exec.entry => {
            format!("{program} entered {container} outside any known exec session, {held}")
        }
        _ => format!("{program} ran in {container} {held}"),
    }
}

/// The engine told of a session, and no program of it was seen in time.
fn announced(view: &View<'_>, asked: &ExecSession) -> Option<Finding> {
    if asked.privileged != Some(true) {
        return None;
    }
    let summary = format!(
        "{} exec --privileged was asked for in {}, its program ({}) was not seen",
        engine_command(view.observation),
        container_name(view.observation),
        asked.command.first().map_or("unknown", String::as_str),
    );
    Some(Finding::new(Class::Drift, "unseen session", summary).evidence(session(asked)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Scene, exec_in, seen_in, session as session_of};
    use super::*;

    /// A shell that entered the container from outside, with every capability.
    fn all_capable() -> Scene {
        let mut scene = Scene::new(&CHECK, exec_in("web", "/bin/sh"));
        scene.exec().entry = true;
        let process = scene.process();
        (process.uid, process.caps_effective, process.caps_bounding) = (0, CapSet::ALL, CapSet::ALL);
        scene
    }

    #[test]
    fn fail_a_privileged_session() {
        let mut scene = all_capable();
        scene.session = Some(session_of(true, "root"));
        let summary = "docker exec --privileged ran /bin/sh as uid 0 in container web";
        scene.finds(Class::Drift, Severity::High, summary);
    }

    #[test]
    fn pass_an_ordinary_session() {
        let mut scene = Scene::new(&CHECK, exec_in("web", "/bin/sh"));
        (scene.exec().entry, scene.session) = (true, Some(session_of(false, "")));
        scene.silent();
    }

    #[test]
    fn fail_entry_around_the_engine_and_its_children() {
        let mut scene = all_capable();
        let held = "with capabilities beyond its own: DAC_READ_SEARCH, NET_ADMIN, SYS_MODULE and 24 more";
        let entered = format!("/bin/sh entered container web outside any known exec session, {held}");
        scene.finds(Class::Drift, Severity::High, &entered);
        scene.exec().entry = false;
        scene.finds(
            Class::Drift,
            Severity::High,
            &format!("/bin/sh ran in container web {held}"),
        );
    }

    #[test]
    fn fail_an_ordinary_user_of_a_privileged_session_by_the_bounding_set() {
        let mut scene = all_capable();
        (scene.process().uid, scene.process().caps_effective) = (1000, CapSet::EMPTY);
        scene.session = Some(session_of(true, "1000"));
        let summary = "docker exec --privileged ran /bin/sh as uid 1000 in container web";
        scene.finds(Class::Drift, Severity::High, summary);
    }

    #[test]
    fn pass_in_a_privileged_container_and_within_what_was_granted() {
        let mut scene = all_capable().privileged();
        scene.silent();
        scene = all_capable();
        scene.facts().cap_add = Some(vec!["ALL".into()]);
        scene.silent();
    }

    #[test]
    fn pass_in_a_user_namespace_that_the_container_made() {
        let mut scene = all_capable();
        scene.process().namespaces.user = 99;
        scene.silent();
        scene.facts().truth = None;
        scene.exec().entry = false;
        scene.silent();
    }

    #[test]
    fn without_an_engine_the_first_program_is_the_measure() {
        let mut scene = all_capable();
        (
            scene.container,
            scene.observation.container.as_mut().unwrap().privileged,
        ) = (None, None);
        let entered = "/bin/sh entered container web outside any known exec session, with capabilities \
                       beyond its own: DAC_READ_SEARCH, NET_ADMIN, SYS_MODULE and 24 more";
        scene.finds(Class::Drift, Severity::High, entered);
        scene.first_bounding = None;
        scene.silent();
    }

    #[test]
    fn fail_a_privileged_session_whose_program_was_not_seen() {
        let told = |privileged| seen_in("web", Event::ExecSession(session_of(privileged, "")));
        let summary =
            "docker exec --privileged was asked for in container web, its program (sh) was not seen";
        Scene::new(&CHECK, told(true)).finds(Class::Drift, Severity::High, summary);
        Scene::new(&CHECK, told(false)).silent();
    }
}
