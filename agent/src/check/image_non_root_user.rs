//! Containers that run as root.

use serde_json::json;

use super::support::{Word, config, declares_root, host_root_of, lives, proc, weigh};
use super::{Assess, Basis, Benchmark, Check, no_live_signal};
use crate::model::{Container, Host, Severity, Verdict};

pub(super) static CHECK: Check = Check {
    key: "image-non-root-user",
    title: "Containers start as a non-root user",
    section: "images",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "4.1"),
        (Benchmark::V1_1_0, "4.1"),
        (Benchmark::V1_2_0, "4.1"),
        (Benchmark::V1_3_1, "4.1"),
        (Benchmark::V1_4_0, "4.1"),
        (Benchmark::V1_5_0, "4.1"),
        (Benchmark::V1_6_0, "4.1"),
        (Benchmark::V1_7_0, "4.1"),
        (Benchmark::V1_8_0, "4.1"),
    ],
    about: "A program that runs as root in a container is root on the host once it breaks out, unless user \
            namespaces are in use. The declared user decides, of the container or else of its image: none, \
            `root`, or any spelling of zero is root. So does the kernel, which shows the user of the first \
            process: a name may be root's under another, and a program that starts as root may give it up.",
    remedy: "Declare a USER in the image, or start the container with --user",
    assess: Assess::Container(assess),
    signals: &[],
    observe: no_live_signal,
};

fn assess(container: &Container, _: &Host) -> Verdict {
    let remapped = host_root_of(container).is_some_and(|root| root != 0);
    let severity = if remapped { Severity::Low } else { CHECK.severity };
    weigh(container, severity, configured(container), shown(container))
}

fn configured(container: &Container) -> Word {
    match container.user.as_deref() {
        None => Word::Silent("the engine does not say which user the container runs as"),
        Some(user) if declares_root(user) => {
            let verb = if lives(container) { "runs" } else { "starts" };
            Word::Bad(
                format!("{verb} as root by its declared user"),
                config("Config.User", user),
            )
        }
        Some(user) => Word::Good(format!("is declared to run as {user}")),
    }
}

fn shown(container: &Container) -> Word {
    let Some(truth) = &container.truth else {
        return Word::Silent("the user of its first process could not be read");
    };
    let seen = || proc(json!({ "uid": truth.uid, "root_uid": truth.root_uid }));
    match truth.uid {
        0 => Word::Bad("runs as the host's root".into(), seen()),
        uid if truth.root_uid == Some(uid) => {
            Word::Bad(format!("runs as root, which is uid {uid} on the host"), seen())
        }
        uid => Word::Good(format!("runs as uid {uid} of the host")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_fails, assert_passes, judge};
    use super::*;

    /// The verdict with this declared user, this uid of the first process, and this root.
    #[track_caller]
    fn check(declared: Option<&str>, shown: Option<(u32, Option<u32>)>) -> Verdict {
        judge(&CHECK, |container, _| {
            container.user = declared.map(Into::into);
            match (shown, &mut container.truth) {
                (Some((uid, root)), Some(truth)) => (truth.uid, truth.root_uid) = (uid, root),
                _ => container.truth = None,
            }
        })
    }

    #[test]
    fn pass_another_user_by_name_or_number() {
        for user in ["1000", "app", "1:0", "rootless-app", "10", "app:root"] {
            assert_passes(&check(Some(user), Some((1000, Some(0)))));
            assert_passes(&check(Some(user), None));
        }
        assert_passes(&check(None, Some((1000, Some(0)))));
    }

    #[test]
    fn fail_root_in_every_spelling() {
        for user in ["", "0", "00", "-0", "root", "0:1000", "root:app", ":app"] {
            let reason = "container web runs as root by its declared user";
            assert_fails(&check(Some(user), Some((0, Some(0)))), Severity::Medium, reason);
            assert_fails(&check(Some(user), None), Severity::Medium, reason);
        }
    }

    #[test]
    fn fail_graded_by_what_the_kernel_shows() {
        assert_fails(
            &check(Some("toor"), Some((0, Some(0)))),
            Severity::Medium,
            "runs as the host's root, although",
        );
        let remapped = check(Some("0"), Some((100_000, Some(100_000))));
        assert_fails(&remapped, Severity::Low, "as root by its declared user");
        let gave_up = check(Some(""), Some((999, Some(0))));
        assert_fails(&gave_up, Severity::Low, "although the kernel does not show it");
    }

    #[test]
    fn unknown_where_nobody_says() {
        assert_eq!(check(None, None).kind(), crate::model::VerdictKind::Unknown);
    }
}
