//! Clients that take images without a signature.

use serde_json::json;

use super::support::{is_on, program};
use super::{Assess, Basis, Benchmark, Check, Finding, Signal, View};
use crate::check::Item;
use crate::model::{Class, Event, Evidence, Host, Process, Severity, Source, Verdict};

/// Subcommands that take or give images.
const TRUSTING: [&str; 5] = ["build", "create", "pull", "push", "run"];
/// Groups of subcommands that some of them belong to as well.
const GROUPS: [&str; 3] = ["builder", "container", "image"];
/// Options of the client itself that take the argument after them.
const VALUED: [&str; 10] = [
    "--config",
    "--context",
    "--host",
    "--log-level",
    "--tlscacert",
    "--tlscert",
    "--tlskey",
    "-H",
    "-c",
    "-l",
];

pub(super) static CHECK: Check = Check {
    key: "content-trust-enabled",
    title: "Client content trust is enforced",
    section: "images",
    level: 2,
    early_level: 2,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "4.5"),
        (Benchmark::V1_1_0, "4.5"),
        (Benchmark::V1_2_0, "4.5"),
        (Benchmark::V1_3_1, "4.5"),
        (Benchmark::V1_4_0, "4.5"),
        (Benchmark::V1_5_0, "4.5"),
        (Benchmark::V1_6_0, "4.5"),
        (Benchmark::V1_7_0, "4.5"),
        (Benchmark::V1_8_0, "4.5"),
    ],
    about: "With DOCKER_CONTENT_TRUST set, clients take only signed images. The environment of whoever \
            asks proves nothing: the files are read from which logins and services get theirs, by the \
            client's own rules (0 and false switch it off, anything else on). Signatures that are \
            enforced by other means serve the aim as well. Live, a client that is told to do without is \
            reported.",
    remedy: "Set DOCKER_CONTENT_TRUST=1 in /etc/environment, or enforce signatures where images are pulled",
    assess: Assess::Host(assess),
    signals: &[
        Signal {
            kind: "exec",
            when: "a client is run with --disable-content-trust",
        },
        Signal {
            kind: "host",
            when: "a file that sets the environment of logins is changed",
        },
    ],
    observe,
};

fn assess(host: &Host) -> Vec<Item> {
    judge(host).unwrap_or_else(|verdict| vec![item("the environment of logins", verdict)])
}

fn item(subject: &str, verdict: Verdict) -> Item {
    Item {
        subject: subject.to_owned(),
        verdict,
    }
}

fn judge(host: &Host) -> Result<Vec<Item>, Verdict> {
    let system = host.facts.system.look()?;
    let verifiers = system.image_verifiers.get();
    if let Some(verifier) = verifiers.and_then(|verifiers| verifiers.first()) {
        return Err(Verdict::not_applicable(format!(
            "signatures are enforced otherwise: {verifier}"
        )));
    }
    let files = system.content_trust.look()?;
    let set: Vec<_> = files
        .iter()
        .filter_map(|(file, value)| Some((file, value.as_deref()?)))
        .map(|(file, value)| item(file, verdict(file, value)))
        .collect();
    if !set.is_empty() {
        return Ok(set);
    }
    let shown = json!({ "files": files.keys().collect::<Vec<_>>() });
    let shown = Evidence::new(Source::Assessment, "files", shown);
    let reason = "no file that sets the environment of logins sets DOCKER_CONTENT_TRUST";
    Err(Verdict::fail(reason, vec![shown]))
}

fn verdict(file: &str, value: &str) -> Verdict {
    if is_on(value) {
        return Verdict::pass().because(format!("{file} sets DOCKER_CONTENT_TRUST={value}"));
    }
    let shown = Evidence::new(
        Source::Assessment,
        "file",
        json!({ "path": file, "DOCKER_CONTENT_TRUST": value }),
    );
    Verdict::fail(
        format!("{file} switches content trust off: DOCKER_CONTENT_TRUST={value}"),
        vec![shown],
    )
    .remedy(format!("Set DOCKER_CONTENT_TRUST=1 in {file}"))
}

fn observe(view: &View<'_>) -> Option<Finding> {
    let Event::Exec(exec) = &view.observation.event else {
        return None;
    };
    let process = view.observation.process.as_ref()?;
    if exec.file.path.rsplit('/').next() != Some("docker") {
        return None;
    }
    let subcommand = distrusts(process)?;
    let summary = format!(
        "docker {subcommand} was run with --disable-content-trust by uid {}: {}",
        process.uid,
        program(view.observation)
    );
    Some(Finding::new(
        Class::Drift,
        format!("{} {subcommand}", process.uid),
        summary,
    ))
}

/// The subcommand, where it takes or gives images and is told not to ask for signatures.
fn distrusts(process: &Process) -> Option<&str> {
    let mut arguments = process.args.iter().skip(1).map(String::as_str);
    let subcommand = loop {
        match arguments.next()? {
            option if VALUED.contains(&option) => {
                arguments.next();
            }
            option if option.starts_with('-') => {}
            group if GROUPS.contains(&group) => {}
            word => break word,
        }
    };
    let off = arguments
        .take_while(|argument| *argument != "--")
        .filter_map(|argument| argument.strip_prefix("--disable-content-trust"))
        .filter_map(|rest| match rest {
            "" => Some(true),
            value => value.strip_prefix('=').map(is_on),
        })
        .last();
    (TRUSTING.contains(&subcommand) && off == Some(true)).then_some(subcommand)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Scene, assert_passes, assert_unknown, exec_in, host};
    use super::*;
    use crate::model::{Fact, VerdictKind};

    /// The verdict where this file sets this.
    #[track_caller]
    fn check(value: Option<&str>, verifiers: &[&str]) -> Verdict {
        let mut host = host();
        let system = host.facts.system.get_mut().unwrap();
        let file = ("/etc/environment".to_owned(), value.map(Into::into));
        system.content_trust = Fact::Known([file].into());
        system.image_verifiers = Fact::Known(verifiers.iter().map(|&name| name.into()).collect());
        let mut items = assess(&host);
        assert_eq!(items.len(), 1);
        items.remove(0).verdict
    }

    #[test]
    fn pass_where_it_is_set() {
        for value in ["1", "true", "yes"] {
            assert_passes(&check(Some(value), &[]));
        }
    }

    #[test]
    fn fail_where_it_is_not_or_is_switched_off() {
        assert!(check(None, &[]).reason.starts_with("no file that sets"));
        for value in ["0", "false", ""] {
            let verdict = check(Some(value), &[]);
            assert_eq!(verdict.kind(), VerdictKind::Fail);
            assert_eq!(
                verdict.remedy.as_deref(),
                Some("Set DOCKER_CONTENT_TRUST=1 in /etc/environment")
            );
        }
    }

    #[test]
    fn unknown_where_the_files_could_not_be_read_and_superseded_by_another_verifier() {
        assert_unknown(&assess(&host()).remove(0).verdict, "not looked at");
        assert_unknown(&assess(&Host::default()).remove(0).verdict, "not looked at");
        let superseded = check(Some("0"), &["containerd's image verifier"]);
        assert_eq!(superseded.kind(), VerdictKind::NotApplicable);
    }

    fn client(args: &[&str]) -> Scene {
        let mut scene = Scene::new(&CHECK, exec_in("web", "/usr/bin/docker")).on_host();
        scene.process().args = args.iter().map(|&arg| arg.into()).collect();
        scene
    }

    #[test]
    fn a_client_told_to_do_without_is_drift() {
        let told = |subcommand: &str| {
            format!("docker {subcommand} was run with --disable-content-trust by uid 1000: /usr/bin/docker")
        };
        for args in [
            &["docker", "pull", "--disable-content-trust", "nginx"][..],
            &[
                "docker",
                "-H",
                "tcp://x",
                "--debug",
                "image",
                "pull",
                "--disable-content-trust=true",
                "nginx",
            ],
        ] {
            client(args).finds(Class::Drift, Severity::Medium, &told("pull"));
        }
        let run = client(&[
            "docker",
            "container",
            "run",
            "-d",
            "--disable-content-trust",
            "nginx",
        ]);
        run.finds(Class::Drift, Severity::Medium, &told("run"));
    }

    #[test]
    fn silent_for_others() {
        for args in [
            &["docker", "pull", "nginx"][..],
            &["docker", "pull", "--disable-content-trust=false", "nginx"],
            &["docker", "pull", "--disable-content-trusty", "nginx"],
            &["docker", "ps", "--disable-content-trust"],
            &["docker", "run", "nginx", "--", "--disable-content-trust"],
            &["docker"],
        ] {
            client(args).silent();
        }
        let mut other = client(&["docker", "pull", "--disable-content-trust", "nginx"]);
        other.exec().file.path = "/usr/bin/dockerd".into();
        other.silent();
    }
}
