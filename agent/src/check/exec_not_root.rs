//! Programs started as root from outside in a container that runs as somebody else.

use serde_json::json;

use super::support::{container_name, declares_root, engine_command, host_root_of, lives, proc, session};
use super::{Assess, Basis, Benchmark, Check, Finding, Signal, View};
use crate::model::{Class, Container, Event, Process, Severity};

pub(super) static CHECK: Check = Check {
    key: "exec-not-root",
    title: "No exec sessions as root",
    section: "runtime",
    level: 2,
    early_level: 2,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_1_0),
    basis: Basis::Live,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "5.23"),
        (Benchmark::V1_1_0, "5.23"),
        (Benchmark::V1_2_0, "5.23"),
        (Benchmark::V1_3_1, "5.23"),
        (Benchmark::V1_4_0, "5.23"),
        (Benchmark::V1_5_0, "5.23"),
        (Benchmark::V1_6_0, "5.24"),
        (Benchmark::V1_7_0, "5.24"),
        (Benchmark::V1_8_0, "5.24"),
    ],
    about: "A container that was made to run as an ordinary user is no protection while sessions enter it as \
            root. The kernel decides: a program whose parent is outside the container and whose user is the \
            container's root, where the declared user is not. Entry around the engine, by nsenter say, is \
            graver: none of its exec sessions is known for it. A container whose declared user is root is \
            `image-non-root-user`'s affair.",
    remedy: "Exec as the container's own user",
    assess: Assess::Live,
    signals: &[Signal {
        kind: "exec",
        when: "a program enters as root a container that runs as another user",
    }],
    observe,
};

fn observe(view: &View<'_>) -> Option<Finding> {
    let Event::Exec(exec) = &view.observation.event else {
        return None;
    };
    let (process, container) = (view.observation.process.as_ref()?, view.container?);
    let declared = container.user.as_deref()?;
    if !exec.entry
        || runs_as_root(declared, container)
        || is_first_program(view, container, process)
        || !is_root(view, container, process)
    {
        return None;
    }
    let (path, name) = (&exec.file.path, container_name(view.observation));
    let user = json!({ "uid": process.uid, "declared_user": declared });
    let finding = |summary: String| Finding::new(Class::Drift, path, summary).evidence(proc(user));
    Some(match view.session {
        Some(matched) => {
            let engine = engine_command(view.observation);
            finding(format!(
                "{engine} exec ran {path} as root in {name}, whose user is {declared}"
            ))
            .evidence(session(matched))
        }
        None => finding(format!(
            "{path} entered {name} as root outside any known exec session, its user is {declared}"
        ))
        .severity(Severity::High),
    })
}

/// Whether the container itself runs as root: by its declared user, or by a name that turned out to be root's.
fn runs_as_root(declared: &str, container: &Container) -> bool {
    let user = declared.split(':').next().unwrap_or_default();
    let named = user.parse::<i64>().is_err();
    let truth = container.truth.as_ref();
    declares_root(declared) || named && truth.is_some_and(|truth| Some(truth.uid) == truth.root_uid)
}

/// While the engine has not told of a start, what comes from outside is the start.
fn is_first_program(view: &View<'_>, container: &Container, process: &Process) -> bool {
    let known = container.pid.or_else(|| Some(container.truth.as_ref()?.pid));
    !lives(container) || known.map_or(view.first_bounding.is_none(), |first| first == process.pid)
}

/// The kernel's word; a remapped root whose number is not known yet is taken from the session.
fn is_root(view: &View<'_>, container: &Container, process: &Process) -> bool {
    let asked = view.session.and_then(|session| session.user.as_deref());
    let asked = asked.is_some_and(|user| !user.is_empty() && declares_root(user));
    host_root_of(container) == Some(process.uid) || asked && container.truth.is_none()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Scene, exec_in, session as session_of};
    use super::*;
    use crate::model::ContainerState;

    /// A root shell that entered the container, which runs as 1000.
    fn root_shell() -> Scene {
        let mut scene = Scene::new(&CHECK, exec_in("web", "/bin/sh"));
        (scene.exec().entry, scene.process().uid) = (true, 0);
        scene
    }

    const ASKED: &str = "docker exec ran /bin/sh as root in container web, whose user is 1000:1000";

    #[test]
    fn fail_a_root_session() {
        for user in ["0", "root", "00:00", "root:adm"] {
            let mut scene = root_shell();
            scene.session = Some(session_of(false, user));
            scene.finds(Class::Drift, Severity::Medium, ASKED);
        }
    }

    #[test]
    fn pass_a_session_of_the_containers_own_user() {
        let mut scene = root_shell();
        (scene.session, scene.process().uid) = (Some(session_of(false, "")), 1000);
        scene.silent();
    }

    #[test]
    fn fail_entry_around_the_engine_and_more_gravely() {
        let summary =
            "/bin/sh entered container web as root outside any known exec session, its user is 1000:1000";
        root_shell().finds(Class::Drift, Severity::High, summary);
    }

    #[test]
    fn pass_inside_and_at_the_containers_own_start() {
        let mut inside = root_shell();
        inside.exec().entry = false;
        inside.silent();
        let mut start = root_shell();
        start.process().pid = 4242;
        start.silent();
        let mut untold = root_shell();
        untold.facts().state = ContainerState::Created;
        untold.silent();
    }

    #[test]
    fn pass_where_the_container_runs_as_root_anyway() {
        for user in ["", "0", "root", "000:1000", "+0"] {
            let mut scene = root_shell();
            scene.facts().user = Some(user.into());
            scene.silent();
        }
        let mut scene = root_shell();
        scene.facts().user = Some("toor".into());
        scene.facts().truth.as_mut().unwrap().uid = 0;
        scene.silent();
        scene.facts().user = None;
        scene.silent();
    }

    #[test]
    fn fail_a_remapped_root() {
        let mut scene = root_shell();
        scene.session = Some(session_of(false, "root"));
        scene.facts().truth.as_mut().unwrap().root_uid = Some(100_000);
        scene.silent();
        scene.process().uid = 100_000;
        scene.finds(Class::Drift, Severity::Medium, ASKED);
        scene.facts().truth = None;
        scene.finds(Class::Drift, Severity::Medium, ASKED);
    }
}
