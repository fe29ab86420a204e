//! Programs that bear privilege in their files: setuid, setgid, file capabilities.

use serde_json::json;

use super::support::{caps_in_words, container_name, few, files_unread, head};
use super::{Assess, Basis, Benchmark, Check, Finding, Signal, View};
use crate::model::{Class, Event, Evidence, Exec, Host, Image, Process, Severity, Source, Verdict};

pub(super) static CHECK: Check = Check {
    key: "image-no-setuid-files",
    title: "Images ship no unreviewed setuid or setgid programs",
    section: "images",
    level: 2,
    early_level: 2,
    scored: &[],
    basis: Basis::Facts,
    severity: Severity::High,
    numbers: &[
        (Benchmark::V1_13_0, "4.8"),
        (Benchmark::V1_1_0, "4.8"),
        (Benchmark::V1_2_0, "4.8"),
        (Benchmark::V1_3_1, "4.8"),
        (Benchmark::V1_4_0, "4.8"),
        (Benchmark::V1_5_0, "4.8"),
        (Benchmark::V1_6_0, "4.8"),
        (Benchmark::V1_7_0, "4.8"),
        (Benchmark::V1_8_0, "4.8"),
    ],
    about: "A setuid, setgid or file-capability program lets any process in the container become more than \
            it is. Every such file of an image that the policy does not list fails. Live, its use is \
            reported with two facts kept apart: what the file carries, and what the process gained by it, \
            which is nothing on a nosuid mount, under no_new_privs, or for one that had as much before.",
    remedy: "Strip the bits and file capabilities at the end of the build, or list the file in the policy",
    assess: Assess::Image(assess),
    signals: &[Signal {
        kind: "exec",
        when: "a setuid, setgid or file-capability program runs in a container",
    }],
    observe,
};

fn assess(image: &Image, host: &Host) -> Verdict {
    let Some(files) = &image.setuid_files else {
        return Verdict::unknown(files_unread(image));
    };
    let extra: Vec<_> = files
        .iter()
        .filter(|file| !host.policy.allowed_setuid.contains(file))
        .collect();
    if extra.is_empty() {
        return Verdict::pass().because("every setuid, setgid and file-capability program is reviewed");
    }
    let name = image.tags.first().unwrap_or(&image.id);
    let evidence = Evidence::new(
        Source::Assessment,
        "files",
        json!({ "image": image.id, "paths": head(&extra), "count": extra.len() }),
    );
    Verdict::fail(format!("image {name} ships {}", few(&extra)), vec![evidence]).severity(Severity::Medium)
}

fn observe(view: &View<'_>) -> Option<Finding> {
    let Event::Exec(exec) = &view.observation.event else {
        return None;
    };
    let process = view.observation.process.as_ref()?;
    view.observation.container.as_ref()?;
    let path = &exec.file.path;
    if !exec.file.carries_privilege() || view.host.policy.allowed_setuid.contains(path) {
        return None;
    }
    let summary = format!(
        "{path}, {}, ran in {} and {}",
        carried(exec),
        container_name(view.observation),
        outcome(exec, process)
    );
    let gained = exec.gained.any();
    // The first use that gains something is not a repetition of one that did not.
    let subject = if gained {
        format!("{path} gained")
    } else {
        path.clone()
    };
    let severity = if gained { Severity::High } else { Severity::Medium };
    Some(Finding::new(Class::Exercised, subject, summary).severity(severity))
}

/// What the file carries.
fn carried(exec: &Exec) -> String {
    let file = &exec.file;
    let setuid = file.setuid.then(|| format!("setuid (owner {})", file.uid));
    let setgid = file.setgid.then(|| format!("setgid (group {})", file.gid));
    let caps = (file.file_caps == Some(true)).then(|| "with file capabilities".to_owned());
    [setuid, setgid, caps]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" and ")
}

/// What the process came out with.
fn outcome(exec: &Exec, process: &Process) -> String {
    let gained = exec.gained;
    if gained.any() {
        let uid = gained.uid.then(|| format!("uid {}", process.euid));
        let gid = gained.gid.then(|| format!("gid {}", process.egid));
        let caps = (!gained.caps.is_empty()).then(|| caps_in_words(gained.caps));
        let all: Vec<_> = [uid, gid, caps].into_iter().flatten().collect();
        return format!("gained {}", all.join(", "));
    }
    let why = if exec.file.nosuid {
        "its mount is nosuid"
    } else if process.no_new_privs {
        "no_new_privs holds"
    } else if exec.before.is_none() {
        return "what it gained is not known".to_owned();
    } else {
        "the process had as much before"
    };
    format!("gained nothing: {why}")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Scene, assert_passes, exec_in, host};
    use super::*;
    use crate::model::{CapSet, Gained};

    #[track_caller]
    fn check(files: Option<&[&str]>) -> Verdict {
        let image = Image {
            id: "sha256:1".into(),
            tags: vec!["app:1".into()],
            setuid_files: files.map(|files| files.iter().map(|&file| file.into()).collect()),
            ..Image::default()
        };
        let mut host = host();
        host.policy.allowed_setuid = vec!["/usr/bin/sudo".into()];
        assess(&image, &host)
    }

    #[test]
    fn pass_an_image_with_none_but_those_allowed() {
        assert_passes(&check(Some(&[])));
        assert_passes(&check(Some(&["/usr/bin/sudo"])));
    }

    #[test]
    fn fail_an_image_with_others() {
        let verdict = check(Some(&["/usr/bin/sudo", "/bin/su", "/bin/mount"]));
        let (reason, severity) = (verdict.reason, verdict.severity);
        assert_eq!(reason, "image app:1 ships /bin/su, /bin/mount");
        assert_eq!(severity, Some(Severity::Medium));
    }

    #[test]
    fn unknown_where_the_layers_could_not_be_read() {
        assert_eq!(check(None).kind(), crate::model::VerdictKind::Unknown);
    }

    /// A setuid program, run by a user without no_new_privs.
    fn setuid() -> Scene {
        let mut scene = Scene::new(&CHECK, exec_in("web", "/bin/su"));
        scene.exec().file.setuid = true;
        scene.process().no_new_privs = false;
        scene
    }

    #[test]
    fn a_gain_is_told_and_graver() {
        let mut scene = setuid();
        let caps = CapSet::named("SETUID").unwrap();
        scene.exec().gained = Gained {
            uid: true,
            gid: false,
            caps,
        };
        scene.process().euid = 0;
        let summary = "/bin/su, setuid (owner 0), ran in container web and gained uid 0, SETUID";
        scene.finds(Class::Exercised, Severity::High, summary);
    }

    #[test]
    fn why_nothing_was_gained_is_told() {
        let said = |why: &str| format!("/bin/su, setuid (owner 0), ran in container web and {why}");
        let mut scene = setuid();
        let expect = said("gained nothing: the process had as much before");
        scene.finds(Class::Exercised, Severity::Medium, &expect);
        scene.exec().before = None;
        scene.finds(
            Class::Exercised,
            Severity::Medium,
            &said("what it gained is not known"),
        );
        scene.process().no_new_privs = true;
        scene.finds(
            Class::Exercised,
            Severity::Medium,
            &said("gained nothing: no_new_privs holds"),
        );
        scene.exec().file.nosuid = true;
        scene.finds(
            Class::Exercised,
            Severity::Medium,
            &said("gained nothing: its mount is nosuid"),
        );
    }

    #[test]
    fn file_capabilities_and_setgid_count_too() {
        let mut scene = setuid();
        let file = &mut scene.exec().file;
        (file.setuid, file.setgid, file.gid, file.file_caps) = (false, true, 5, Some(true));
        let summary = "/bin/su, setgid (group 5) and with file capabilities, ran in container web and gained \
                       nothing: the process had as much before";
        scene.finds(Class::Exercised, Severity::Medium, summary);
    }

    #[test]
    fn silent_for_ordinary_files_allowed_ones_and_on_the_host() {
        Scene::new(&CHECK, exec_in("web", "/bin/id")).silent();
        let mut allowed = setuid();
        allowed.host.policy.allowed_setuid = vec!["/bin/su".into()];
        allowed.silent();
        setuid().on_host().silent();
    }
}
