//! The default for no_new_privs.

use serde_json::json;

use super::support::{Setting, item, lives, proc, security_option};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Container, Host, Severity, Verdict, VerdictKind};

pub(super) static CHECK: Check = Check {
    key: "daemon-no-new-privileges",
    title: "Engine sets no_new_privs on containers by default",
    section: "daemon",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_1_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_1_0, "2.18"),
        (Benchmark::V1_2_0, "2.17"),
        (Benchmark::V1_3_1, "2.14"),
        (Benchmark::V1_4_0, "2.14"),
        (Benchmark::V1_5_0, "2.14"),
        (Benchmark::V1_6_0, "2.14"),
        (Benchmark::V1_7_0, "2.14"),
        (Benchmark::V1_8_0, "2.15"),
    ],
    about: "With this default no program in a container gains privileges by exec, setuid or not, unless \
            the container is told otherwise. The engine's word decides, or the daemon's option, whose \
            value counts and not its mere presence. Running containers that are told nothing and yet can \
            gain privileges were started before it.",
    remedy: "Set no-new-privileges to true",
    assess: Assess::Host(assess),
    signals: &[
        Signal {
            kind: "host",
            when: "the engine no longer sets the flag by default",
        },
        Signal {
            kind: "container",
            when: "a container runs without the flag although the engine sets it by default",
        },
        Signal {
            kind: "file",
            when: "the daemon's configuration file is changed",
        },
    ],
    observe: no_live_signal,
};

const OPTION: &str = "no-new-privileges";

fn assess(host: &Host) -> Vec<Item> {
    let daemon = item("the daemon", judge(host));
    let holds = daemon.verdict.kind() == VerdictKind::Pass;
    let containers = host.containers.iter().flatten().filter(|_| holds);
    let strays = containers.filter_map(|container| Some(item(&container.name, Ok(stray(container)?))));
    std::iter::once(daemon).chain(strays).collect()
}

fn judge(host: &Host) -> Result<Verdict, Verdict> {
    if let Ok(Some(_)) = security_option(host, OPTION) {
        return Ok(Verdict::pass().because("the engine says that it sets no_new_privs by default"));
    }
    // Older engines do not tell, so that their silence says nothing.
    let setting = Setting::of(host, OPTION)?;
    let on = setting.flag(false)?;
    Ok(if on {
        setting.tell(Verdict::pass().because(setting.is(on)))
    } else {
        setting
            .tell(Verdict::fail(setting.is(on), Vec::new()))
            .remedy(setting.set_to(&json!(true)))
    })
}

/// A running container that has the default and not the flag.
fn stray(container: &Container) -> Option<Verdict> {
    let own = |option: &String| option.trim().starts_with(OPTION);
    let truth = container.truth.as_ref().filter(|_| lives(container))?;
    if container.security_opt.as_ref()?.iter().any(own) || truth.no_new_privs != Some(false) {
        return None;
    }
    let name = &container.name;
    let reason =
        format!("container {name} can gain privileges by exec, although the engine's default forbids it");
    let shown = proc(json!({ "pid": truth.pid, "no_new_privs": false }));
    let verdict = Verdict::fail(reason, vec![shown]).severity(Severity::Low);
    Some(verdict.remedy(format!(
        "Make container {name} again: it is older than the default"
    )))
}

#[cfg(test)]
mod tests {
    use super::super::testing::container;
    use super::super::testing::daemon::{
        check_items, check_one, engine, nobody, running, set, set_by_flag, unset,
    };
    use super::*;
    use crate::model::VerdictKind::{Fail, Pass, Unknown};

    /// An engine that does not tell.
    fn silent(host: &mut Host) {
        engine(host).security_options = Some(vec!["name=seccomp,profile=default".into()]);
    }

    #[test]
    fn pass_the_engines_word_and_the_option() {
        check_one(&CHECK, |_| {}, Pass, "the engine says");
        check_one(
            &CHECK,
            silent,
            Pass,
            "`no-new-privileges` is true in /etc/docker/daemon.json",
        );
    }

    #[test]
    fn fail_the_default_and_a_flag_that_says_false() {
        let unset = |host: &mut Host| {
            silent(host);
            unset(host, OPTION);
        };
        let verdict = check_one(&CHECK, unset, Fail, "is false by default");
        let remedy = "Put \"no-new-privileges\": true in /etc/docker/daemon.json, then restart the engine";
        assert_eq!(verdict.remedy.as_deref(), Some(remedy));
        let told = |host: &mut Host| {
            silent(host);
            set_by_flag(host, OPTION, json!(false));
        };
        let verdict = check_one(&CHECK, told, Fail, "is false by the flag --no-new-privileges");
        assert!(
            verdict
                .remedy
                .unwrap()
                .starts_with("Remove the flag --no-new-privileges")
        );
        let file = |host: &mut Host| {
            silent(host);
            set(host, OPTION, json!(false));
        };
        check_one(&CHECK, file, Fail, "in /etc/docker/daemon.json");
    }

    #[test]
    fn unknown_where_the_engine_does_not_tell_and_the_daemon_is_not_seen() {
        check_one(&CHECK, nobody, Unknown, "no dockerd was found");
    }

    #[test]
    fn containers_older_than_the_default_are_told() {
        let named = |name: &str, options: &[&str], flag: bool| {
            let mut container = container(name);
            container.security_opt = Some(options.iter().map(|&option| option.into()).collect());
            container.truth.as_mut().unwrap().no_new_privs = Some(flag);
            container
        };
        let vary = |host: &mut Host| {
            let told = named("told", &["no-new-privileges=false"], false);
            running(
                host,
                vec![named("new", &[], true), named("old", &[], false), told],
            );
        };
        check_items(&CHECK, vary, &[("the daemon", Pass), ("old", Fail)]);
    }
}
