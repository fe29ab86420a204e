//! Package indexes that are refreshed in a layer of their own.

use serde_json::json;

use super::support::{Command, excerpt, image_failed, image_passed, ran, told};
use super::{Assess, Basis, Benchmark, Check, Signal, no_live_signal};
use crate::model::{Evidence, Host, Image, Severity, Source, Verdict};

/// A package manager.
struct Manager {
    programs: &'static [&'static str],
    /// Options that take the argument after them.
    valued: &'static [&'static str],
    refresh: &'static [&'static str],
    install: &'static [&'static str],
}

const MANAGERS: [Manager; 4] = [
    Manager {
        programs: &["apt", "apt-get", "aptitude"],
        valued: &["-o", "-c", "-t", "--option", "--config-file", "--target-release"],
        refresh: &["update"],
        install: &[
            "build-dep",
            "dist-upgrade",
            "dselect-upgrade",
            "full-upgrade",
            "install",
            "reinstall",
            "safe-upgrade",
            "satisfy",
            "upgrade",
        ],
    },
    Manager {
        programs: &["dnf", "dnf5", "microdnf", "tdnf", "yum"],
        valued: &["-c", "-x", "-d", "-e", "-R"],
        refresh: &["check-update", "makecache"],
        install: &[
            "builddep",
            "distro-sync",
            "downgrade",
            "group",
            "groupinstall",
            "install",
            "localinstall",
            "reinstall",
            "swap",
            "update",
            "upgrade",
        ],
    },
    Manager {
        programs: &["apk"],
        valued: &[
            "-X",
            "-p",
            "-t",
            "--repository",
            "--root",
            "--virtual",
            "--keys-dir",
            "--repositories-file",
        ],
        refresh: &["update"],
        install: &["add", "fix", "upgrade"],
    },
    Manager {
        programs: &["zypper"],
        valued: &["-R", "-D", "--root", "--reposd-dir"],
        refresh: &["ref", "refresh"],
        install: &["dist-upgrade", "dup", "in", "install", "patch", "up", "update"],
    },
];

pub(super) static CHECK: Check = Check {
    key: "image-update-not-alone",
    title: "Package index refresh is not a layer of its own",
    section: "images",
    level: 1,
    early_level: 1,
    scored: &[],
    basis: Basis::Facts,
    severity: Severity::Low,
    numbers: &[
        (Benchmark::V1_13_0, "4.7"),
        (Benchmark::V1_1_0, "4.7"),
        (Benchmark::V1_2_0, "4.7"),
        (Benchmark::V1_3_1, "4.7"),
        (Benchmark::V1_4_0, "4.7"),
        (Benchmark::V1_5_0, "4.7"),
        (Benchmark::V1_6_0, "4.7"),
        (Benchmark::V1_7_0, "4.7"),
        (Benchmark::V1_8_0, "4.7"),
    ],
    about: "A layer that only refreshes the package index is cached: later builds install from an index \
            that is old. Each step of the image's history is split into commands, and a refresh (apt-get \
            update, apk update, yum makecache and their like) without an installation by the same \
            package manager in the same step fails. Programs whose names merely contain such words do \
            not.",
    remedy: "Join the refresh and the installation in one RUN, with versions pinned",
    assess: Assess::Image(assess),
    signals: &[Signal {
        kind: "image",
        when: "an image is pulled, built or loaded",
    }],
    observe: no_live_signal,
};

fn assess(image: &Image, host: &Host) -> Verdict {
    let Some(history) = told(image) else {
        return Verdict::unknown("the history of the image tells nothing");
    };
    let alone: Vec<_> = history
        .into_iter()
        .filter(|(_, entry)| refreshes_alone(&ran(entry)))
        .map(|(place, entry)| (place, excerpt(&entry.created_by)))
        .collect();
    let Some((place, step)) = alone.first() else {
        return image_passed(image, "refreshes no package index by itself");
    };
    let clause = format!("refreshes the package index by itself in step {place}: {step}");
    let evidence = alone
        .iter()
        .take(8)
        .map(|(place, step)| {
            Evidence::new(
                Source::Engine,
                "history",
                json!({ "step": place, "created_by": step }),
            )
        })
        .collect();
    image_failed(image, host, CHECK.severity, &clause, evidence)
}

/// Whether some package manager is only asked to refresh.
fn refreshes_alone(commands: &[Command]) -> bool {
    let any = |test: &dyn Fn(&Command) -> bool| commands.iter().any(test);
    MANAGERS.iter().any(|manager| {
        any(&|command| manager.is_asked(command, manager.refresh))
            && !any(&|command| manager.is_asked(command, manager.install))
    }) || any(&|command| pacman(command) == Some(false)) && !any(&|command| pacman(command) == Some(true))
}

impl Manager {
    fn is_asked(&self, command: &Command, subcommands: &[&str]) -> bool {
        self.programs.contains(&command.program())
            && command
                .operands(self.valued)
                .first()
                .is_some_and(|subcommand| subcommands.contains(subcommand))
    }
}

/// Whether pacman installs or upgrades; none where it does not even refresh.
fn pacman(command: &Command) -> Option<bool> {
    if command.program() != "pacman" {
        return None;
    }
    let short = |argument: &&str| argument.starts_with("-S") && !argument.starts_with("--");
    let sync = command.arguments().find(short)?;
    let installs = sync.contains('u') || !command.operands(&[]).is_empty();
    (sync.contains('y') || installs).then_some(installs)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{
        assert_fails, assert_passes, assert_unknown, container, history, judge_image,
    };
    use super::*;

    #[track_caller]
    fn check(steps: &[&str]) -> Verdict {
        judge_image(&CHECK, |image, host| {
            image.history = Some(history(steps));
            host.containers = Some(vec![container("web")]);
        })
    }

    #[test]
    fn pass_a_refresh_with_its_installation() {
        for step in [
            "/bin/sh -c apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*",
            "RUN /bin/sh -c apt-get -o A=b update; apt-get -y --no-install-recommends install curl # buildkit",
            "RUN |1 V=1 /bin/sh -c apk update && apk add curl=$V # buildkit",
            "RUN /bin/sh -c set -eux\napt-get update\napt-get install -y curl\n # buildkit",
            "/bin/sh -c yum makecache && yum -y install curl",
            "/bin/sh -c pacman -Sy curl",
            "/bin/sh -c pacman -Syu",
            "/bin/bash -o pipefail -c sudo apt-get update && sudo -E apt-get install curl",
        ] {
            assert_passes(&check(&[step]));
        }
    }

    #[test]
    fn pass_what_only_looks_like_a_refresh() {
        for step in [
            "/bin/sh -c update-ca-certificates",
            "/bin/sh -c useradd update && update-alternatives --install a b c 1",
            "/bin/sh -c apk add --no-cache curl",
            "/bin/sh -c yum -y update",
            "/bin/sh -c echo apt-get update",
            "/bin/sh -c #(nop) CMD [\"apt-get\" \"update\"]",
            "COPY apt-get update /x # buildkit",
        ] {
            assert_passes(&check(&[step]));
        }
    }

    #[test]
    fn fail_a_refresh_by_itself() {
        for step in [
            "/bin/sh -c apt-get update",
            "RUN /bin/sh -c apt update -y # buildkit",
            "|1 A=b c /bin/sh -c apk --no-cache update",
            "/bin/sh -c dnf makecache",
            "/bin/sh -c zypper --non-interactive ref",
            "/bin/sh -c pacman -Sy",
            "/bin/sh -c bash -c 'apt-get update'",
            "RUN /bin/sh -c apt-get update\nuseradd app\n # buildkit",
            "/bin/sh -c apt-get update && apk add curl",
        ] {
            let verdict = check(&[
                "/bin/sh -c #(nop) ADD file:1 in /",
                step,
                "/bin/sh -c apt-get install curl",
            ]);
            assert_fails(
                &verdict,
                Severity::Low,
                "refreshes the package index by itself in step 1: ",
            );
        }
        let unused = judge_image(&CHECK, |image, _| {
            image.history = Some(history(&["/bin/sh -c apt update"]));
        });
        assert_fails(&unused, Severity::Info, "in step 0");
    }

    #[test]
    fn unknown_where_the_history_tells_nothing() {
        assert_unknown(&check(&["", " "]), "history");
        assert_unknown(&judge_image(&CHECK, |image, _| image.history = None), "history");
    }
}
