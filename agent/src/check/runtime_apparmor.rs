//! Containers that AppArmor does not confine.

use serde_json::json;

use super::support::{Word, config, proc, weigh};
use super::{Assess, Basis, Benchmark, Check, no_live_signal};
use crate::model::{Container, ContainerState, Host, Severity, Verdict};

pub(super) static CHECK: Check = Check {
    key: "runtime-apparmor",
    title: "Containers are confined by AppArmor where available",
    section: "runtime",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::High,
    numbers: &[
        (Benchmark::V1_13_0, "5.1"),
        (Benchmark::V1_1_0, "5.1"),
        (Benchmark::V1_2_0, "5.1"),
        (Benchmark::V1_3_1, "5.1"),
        (Benchmark::V1_4_0, "5.1"),
        (Benchmark::V1_5_0, "5.1"),
        (Benchmark::V1_6_0, "5.2"),
        (Benchmark::V1_7_0, "5.2"),
        (Benchmark::V1_8_0, "5.2"),
    ],
    about: "Where the host has AppArmor, engines load a profile that keeps containers from the host's own \
            files and from mounting. The profile that the engine applied decides, and the profile and its \
            mode that the kernel shows of the first process: one that only complains confines nothing. A \
            privileged container is unconfined by design, and fails here too. Hosts without AppArmor are not \
            judged.",
    remedy: "Remove apparmor=unconfined; load a profile of its own where the program needs one",
    assess: Assess::Container(assess),
    signals: &[],
    observe: no_live_signal,
};

fn assess(container: &Container, host: &Host) -> Verdict {
    let told = host
        .facts
        .security_options
        .iter()
        .flatten()
        .any(|option| option == "name=apparmor");
    match host.facts.apparmor {
        None if !told => Verdict::unknown("whether the kernel has AppArmor could not be read"),
        Some(false) if host.facts.selinux_enforcing == Some(true) => {
            Verdict::not_applicable("the host uses SELinux, not AppArmor")
        }
        Some(false) => Verdict::not_applicable("AppArmor is not enabled on this host"),
        Some(true) | None => weigh(container, CHECK.severity, configured(container), shown(container)),
    }
}

fn configured(container: &Container) -> Word {
    let unconfined = |profile: &str| {
        Word::Bad(
            "is not confined by AppArmor".into(),
            config("AppArmorProfile", profile),
        )
    };
    match container.apparmor_profile.as_deref() {
        Some("") if asks_for_unconfined(container) => unconfined("unconfined"),
        Some("") if container.state == ContainerState::Created => {
            Word::Silent("the engine chooses the profile when the container starts")
        }
        Some(profile @ ("" | "unconfined")) => unconfined(profile),
        Some(profile) => Word::Good(format!("is given the AppArmor profile {profile}")),
        None => Word::Silent("the engine does not say which AppArmor profile it applied"),
    }
}

fn asks_for_unconfined(container: &Container) -> bool {
    let mut options = container
        .security_opt
        .iter()
        .flatten()
        .map(|option| option.trim());
    container.privileged == Some(true)
        || options.any(|option| matches!(option, "apparmor=unconfined" | "apparmor:unconfined"))
}

fn shown(container: &Container) -> Word {
    let Some(apparmor) = container.truth.as_ref().and_then(|truth| truth.apparmor.as_ref()) else {
        return Word::Silent("the AppArmor profile of its first process could not be read");
    };
    let clause = match (apparmor.profile.as_str(), apparmor.mode.as_str()) {
        ("unconfined", _) => "is not confined by AppArmor".to_owned(),
        (profile, "enforce" | "kill") => {
            return Word::Good(format!("is confined by the AppArmor profile {profile}"));
        }
        (profile, "") => format!("has the AppArmor profile {profile}, which is not enforced"),
        (profile, mode) => {
            format!("has the AppArmor profile {profile} in {mode} mode, which is not enforced")
        }
    };
    Word::Bad(clause, proc(json!({ "apparmor": apparmor })))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_fails, assert_passes, judge};
    use super::*;
    use crate::model::AppArmor;

    #[track_caller]
    fn check(configured: Option<&str>, shown: Option<(&str, &str)>) -> Verdict {
        judge(&CHECK, |container, _| {
            container.apparmor_profile = configured.map(Into::into);
            container.truth.as_mut().unwrap().apparmor = shown.map(|(profile, mode)| AppArmor {
                profile: profile.into(),
                mode: mode.into(),
            });
        })
    }

    #[test]
    fn pass_a_profile_that_is_enforced() {
        assert_passes(&check(
            Some("docker-default"),
            Some(("docker-default", "enforce")),
        ));
        assert_passes(&check(Some("docker-default"), None));
        assert_passes(&check(None, Some(("own", "enforce"))));
    }

    #[test]
    fn fail_unconfined_and_unenforced() {
        let unconfined = "container web is not confined by AppArmor";
        for profile in ["", "unconfined"] {
            assert_fails(
                &check(Some(profile), Some(("unconfined", ""))),
                Severity::High,
                unconfined,
            );
            assert_fails(&check(Some(profile), None), Severity::High, unconfined);
        }
        let complains = check(Some("own"), Some(("own", "complain")));
        assert_fails(
            &complains,
            Severity::High,
            "own in complain mode, which is not enforced, although",
        );
    }

    #[test]
    fn not_applicable_without_apparmor() {
        let verdict = judge(&CHECK, |_, host| host.facts.apparmor = Some(false));
        assert_eq!(verdict.kind(), crate::model::VerdictKind::NotApplicable);
    }

    #[test]
    fn unknown_where_nobody_says_or_the_profile_is_yet_to_be_chosen() {
        assert_eq!(check(None, None).kind(), crate::model::VerdictKind::Unknown);
        let unread = judge(&CHECK, |_, host| {
            (host.facts.apparmor, host.facts.security_options) = (None, None);
        });
        assert_eq!(unread.kind(), crate::model::VerdictKind::Unknown);
        let created = |options: Vec<String>| {
            judge(&CHECK, |container, _| {
                (container.state, container.truth) = (ContainerState::Created, None);
                (container.apparmor_profile, container.security_opt) = (Some(String::new()), Some(options));
            })
        };
        assert_eq!(created(Vec::new()).kind(), crate::model::VerdictKind::Unknown);
        assert_fails(
            &created(vec!["apparmor=unconfined".into()]),
            Severity::Medium,
            "not confined",
        );
    }
}
