//! The filter of system calls that containers get.

use serde_json::json;

use super::support::{Setting, item, security_option};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Evidence, Host, ObjectState, Role, Severity, Source, Verdict};

pub(super) static CHECK: Check = Check {
    key: "daemon-seccomp-profile",
    title: "Engine-wide syscall filter is in force",
    section: "daemon",
    level: 2,
    early_level: 2,
    scored: &[],
    basis: Basis::Facts,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "2.20"),
        (Benchmark::V1_1_0, "2.16"),
        (Benchmark::V1_2_0, "2.15"),
        (Benchmark::V1_3_1, "2.17"),
        (Benchmark::V1_4_0, "2.17"),
        (Benchmark::V1_5_0, "2.17"),
        (Benchmark::V1_6_0, "2.17"),
        (Benchmark::V1_7_0, "2.17"),
        (Benchmark::V1_8_0, "2.18"),
    ],
    about: "The engine's filter keeps containers from system calls that none of them needs and that \
            break-outs are made of. The engine shows which profile is its default: its own one passes, \
            whatever the engine's version calls it; another one where the policy lists its digest and \
            nobody but root can change its file.",
    remedy: "Keep the built-in profile or approve a reviewed custom one",
    assess: Assess::Host(assess),
    signals: &[
        Signal {
            kind: "host",
            when: "the engine's default profile is another one, or none",
        },
        Signal {
            kind: "file",
            when: "the file of the profile is changed",
        },
    ],
    observe: no_live_signal,
};

/// Permissions that nobody but root needs on the file.
const LOOSE: u32 = 0o7133;

fn assess(host: &Host) -> Vec<Item> {
    vec![item("the daemon", judge(host))]
}

fn judge(host: &Host) -> Result<Verdict, Verdict> {
    let option = security_option(host, "seccomp")?;
    let shown = Evidence::new(
        Source::Engine,
        "config",
        json!({ "field": "SecurityOptions", "value": option }),
    );
    let Some(option) = option else {
        let reason = "the engine filters no system calls: it has no seccomp";
        return Ok(Verdict::fail(reason, vec![shown]).severity(Severity::High));
    };
    let profile = option.split_once("profile=").map(|(_, profile)| profile);
    match profile {
        Some(name @ ("default" | "builtin")) => {
            Ok(Verdict::pass().because(format!("the engine's own profile ({name}) is in force")))
        }
        Some("unconfined") => {
            let verdict = Verdict::fail(
                "the engine filters no system calls: its profile is unconfined",
                vec![shown],
            );
            let remedy = Setting::of(host, "seccomp-profile").map(|setting| setting.unset());
            Ok(remedy
                .map_or_else(|_| verdict.clone(), |remedy| verdict.clone().remedy(remedy))
                .severity(Severity::High))
        }
        Some(path) if !path.is_empty() => Ok(own_profile(host, path)?.evidence(shown)),
        _ => Err(Verdict::unknown("the engine does not tell its seccomp profile")),
    }
}

fn own_profile(host: &Host, path: &str) -> Result<Verdict, Verdict> {
    let file = profile_state(host)?;
    if let Some(state) = file
        && (state.uid != 0 || state.mode & LOOSE != 0 || state.acl & 0o2 != 0)
    {
        let facts =
            json!({ "path": path, "mode": format!("{:o}", state.mode), "uid": state.uid, "acl": state.acl });
        let reason = format!("others than root can change the profile {path}");
        return Ok(
            Verdict::fail(reason, vec![Evidence::new(Source::Assessment, "file", facts)])
                .remedy(format!("Run `chown root:root {path}` and `chmod 0644 {path}`")),
        );
    }
    let digest = host.facts.daemon.look()?.seccomp_sha256.look()?;
    let shown = Evidence::new(
        Source::Assessment,
        "file",
        json!({ "path": path, "sha256": digest }),
    );
    let is_listed = host
        .policy
        .approved_seccomp
        .iter()
        .any(|listed| listed.eq_ignore_ascii_case(digest));
    Ok(match (is_listed, file) {
        (true, Some(_)) => Verdict::pass().because(format!("profile {path} is approved")),
        (true, None) => Verdict::unknown(format!(
            "profile {path} is approved, and who can change it could not be seen"
        )),
        (false, _) => Verdict::unknown(format!(
            "profile {path} is not approved; `approved_seccomp` in the policy decides"
        )),
    }
    .evidence(shown))
}

/// The file of the profile; none where it was not looked for.
fn profile_state(host: &Host) -> Result<Option<&ObjectState>, Verdict> {
    let objects = host.facts.objects(Role::SeccompProfile)?;
    let Some(object) = objects.first() else {
        return Ok(None);
    };
    match object.state.look()? {
        Some(state) => Ok(Some(state)),
        None => Err(Verdict::unknown(format!(
            "the profile {} is not there any more",
            object.path
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::daemon::{check_one, daemon, engine, nobody};
    use super::*;
    use crate::model::VerdictKind::{self, Fail, Pass, Unknown};
    use crate::model::{Fact, Object};

    fn says(host: &mut Host, option: &str) {
        engine(host).security_options = Some(vec![option.into()]);
    }

    /// A profile with digest `ab` in a file like this; none where the digest could not be had.
    fn file(host: &mut Host, mode: u32, uid: u32, digest: Option<&str>) {
        says(host, "name=seccomp,profile=/etc/docker/p.json");
        let state = ObjectState {
            mode,
            uid,
            ..ObjectState::default()
        };
        let path = "/etc/docker/p.json".to_owned();
        let object = Object {
            role: Role::SeccompProfile,
            path,
            state: Fact::Known(Some(state)),
        };
        host.facts.objects = Fact::Known(vec![object]);
        daemon(host).seccomp_sha256 = digest.map_or_else(
            || Fact::unknown("no permission"),
            |digest| Fact::Known(digest.into()),
        );
        host.policy.approved_seccomp = vec!["AB".into()];
    }

    #[track_caller]
    fn check_file(mode: u32, uid: u32, digest: Option<&str>, kind: VerdictKind, words: &str) {
        check_one(&CHECK, |host| file(host, mode, uid, digest), kind, words);
    }

    #[test]
    fn pass_the_engines_own_profile_and_an_approved_one() {
        check_one(&CHECK, |_| {}, Pass, "builtin");
        check_one(
            &CHECK,
            |host| says(host, "name=seccomp,profile=default"),
            Pass,
            "default",
        );
        check_file(0o644, 0, Some("ab"), Pass, "is approved");
        check_file(0o400, 0, Some("ab"), Pass, "is approved");
    }

    #[test]
    fn fail_none_unconfined_and_files_that_others_change() {
        check_one(
            &CHECK,
            |host| says(host, "name=apparmor"),
            Fail,
            "it has no seccomp",
        );
        let verdict = check_one(
            &CHECK,
            |host| says(host, "name=seccomp,profile=unconfined"),
            Fail,
            "unconfined",
        );
        assert_eq!(verdict.severity, Some(Severity::High));
        check_file(0o664, 0, Some("ab"), Fail, "others than root can change");
        check_file(0o644, 1000, Some("ab"), Fail, "others than root can change");
    }

    #[test]
    fn unknown_a_profile_that_nobody_approved_and_what_nobody_tells() {
        check_file(
            0o644,
            0,
            Some("cd"),
            Unknown,
            "`approved_seccomp` in the policy decides",
        );
        check_file(0o644, 0, None, Unknown, "no permission");
        check_one(
            &CHECK,
            |host| says(host, "name=seccomp"),
            Unknown,
            "does not tell its seccomp profile",
        );
        check_one(&CHECK, nobody, Unknown, "no engine answers");
        let unlooked = |host: &mut Host| {
            file(host, 0o644, 0, Some("ab"));
            host.facts.objects = Fact::Known(Vec::new());
        };
        check_one(&CHECK, unlooked, Unknown, "who can change it could not be seen");
    }
}
