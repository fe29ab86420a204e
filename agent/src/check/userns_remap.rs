//! What root in a container is on the host.

use serde_json::json;

use super::support::{Setting, config, item, lives, proc, security_option};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Container, Evidence, Host, Severity, Source, Verdict, VerdictKind};

pub(super) static CHECK: Check = Check {
    key: "userns-remap",
    title: "Container root is remapped to an unprivileged host id",
    section: "daemon",
    level: 2,
    early_level: 2,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "2.8"),
        (Benchmark::V1_1_0, "2.8"),
        (Benchmark::V1_2_0, "2.8"),
        (Benchmark::V1_3_1, "2.9"),
        (Benchmark::V1_4_0, "2.9"),
        (Benchmark::V1_5_0, "2.9"),
        (Benchmark::V1_6_0, "2.9"),
        (Benchmark::V1_7_0, "2.9"),
        (Benchmark::V1_8_0, "2.10"),
    ],
    about: "Where the root of containers is nobody on the host, whoever breaks out is nobody, too. The \
            engine's word decides, and what the kernel maps for every running container must bear it \
            out; containers that were started with the host's users are another recommendation's affair. \
            The ranges of numbers that containers get may belong to no account.",
    remedy: "Set userns-remap (or go rootless) after checking volume ownership",
    assess: Assess::Host(assess),
    signals: &[
        Signal {
            kind: "host",
            when: "the daemon is started again without remapping",
        },
        Signal {
            kind: "container",
            when: "a container runs with the host's users although the engine remaps",
        },
        Signal {
            kind: "file",
            when: "the ranges of users, or the daemon's configuration, are changed",
        },
    ],
    observe: no_live_signal,
};

const OPTION: &str = "userns-remap";

fn assess(host: &Host) -> Vec<Item> {
    let daemon = item("the daemon", judge(host));
    if daemon.verdict.kind() != VerdictKind::Pass {
        return vec![daemon];
    }
    let mut items = vec![daemon];
    let containers = host.containers.iter().flatten();
    items.extend(containers.filter_map(|container| Some(item(&container.name, Ok(unmapped(container)?)))));
    items.push(item("/etc/subuid", ranges(host)));
    items
}

/// The engine decides where it answers; without it, what its daemon was told.
fn judge(host: &Host) -> Result<Verdict, Verdict> {
    match by_engine(host) {
        Ok(true) => Ok(Verdict::pass().because("the engine says that it remaps users, or runs without root")),
        Ok(false) => Ok(not_mapped(Setting::of(host, OPTION).ok())),
        Err(unseen) => {
            let setting = Setting::of(host, OPTION).or(Err(unseen))?;
            let user = setting.text()?.map(str::to_owned);
            Ok(match user {
                Some(user) => setting.tell(Verdict::pass().because(setting.is(user))),
                None => not_mapped(Some(setting)),
            })
        }
    }
}

fn by_engine(host: &Host) -> Result<bool, Verdict> {
    Ok(security_option(host, "userns")?.is_some() || security_option(host, "rootless")?.is_some())
}

fn not_mapped(setting: Option<Setting<'_>>) -> Verdict {
    let reason = "root in containers is root on the host";
    match setting {
        Some(setting) => {
            let remedy = setting.set_to(&json!("default"));
            setting.tell(Verdict::fail(reason, Vec::new())).remedy(remedy)
        }
        None => Verdict::fail(
            reason,
            vec![config("SecurityOptions", "no name=userns, no name=rootless")],
        ),
    }
}

/// What is wrong with a running container that should be mapped; none where nothing is.
fn unmapped(container: &Container) -> Option<Verdict> {
    if !lives(container) || container.userns_mode.as_deref() == Some("host") {
        return None;
    }
    let name = &container.name;
    let Some(truth) = &container.truth else {
        let reason = format!("the users of container {name} could not be read");
        return Some(Verdict::unknown(reason));
    };
    (truth.root_uid == Some(0)).then(|| {
        let shown = proc(json!({ "pid": truth.pid, "uid": truth.uid, "root_uid": truth.root_uid }));
        let reason = format!("container {name} runs with the host's users although the engine remaps them");
        Verdict::fail(reason, vec![shown]).remedy(format!("Make container {name} again"))
    })
}

/// Whether the account whose numbers containers get has some, and they are nobody else's.
fn ranges(host: &Host) -> Result<Verdict, Verdict> {
    let system = host.facts.system.look()?;
    let users = system.users.look()?;
    let account = account(host)?;
    let uid = users
        .0
        .iter()
        .find(|(_, name)| **name == account)
        .map(|(uid, _)| *uid);
    let is_its = |owner: &str| owner == account || uid.is_some_and(|uid| owner.parse() == Ok(uid));
    let ranges = system.subuid.look()?.iter().filter(|(owner, ..)| is_its(owner));
    let ranges: Vec<_> = ranges.map(|(_, first, count)| (*first, *count)).collect();
    if ranges.is_empty() {
        let shown = Evidence::new(Source::Assessment, "subuid", json!({ "account": account }));
        let reason = format!("{account} has no range in /etc/subuid: the next start of the engine fails");
        return Ok(Verdict::fail(reason, vec![shown]).severity(Severity::Low));
    }
    let within = |uid: u32| {
        let offset = |first: u64| u64::from(uid).checked_sub(first);
        ranges
            .iter()
            .any(|(first, count)| offset(*first).is_some_and(|offset| offset < *count))
    };
    match users.0.iter().find(|(uid, _)| within(**uid)) {
        Some((uid, name)) => {
            let facts = json!({ "account": account, "ranges": ranges, "uid": uid, "user": name });
            let reason = format!("users of containers can be {name} (uid {uid}) of the host");
            Ok(
                Verdict::fail(reason, vec![Evidence::new(Source::Assessment, "subuid", facts)]).remedy(
                    format!("Give {account} a range in /etc/subuid and /etc/subgid that holds no account"),
                ),
            )
        }
        None => Ok(Verdict::pass().because(format!("the range of {account} holds no account"))),
    }
}

/// Whose numbers containers get: as `userns-remap` says, else the user of a daemon without root.
fn account(host: &Host) -> Result<String, Verdict> {
    let setting = Setting::of(host, OPTION)?;
    let user = setting.text()?.map(|text| text.split(':').next().unwrap_or(text));
    match user {
        Some("default") => Ok("dockremap".to_owned()),
        Some(user) => Ok(user.to_owned()),
        None => {
            let uid = host.facts.daemon.look()?.uid;
            let users = host.facts.system.look()?.users.look()?;
            users
                .0
                .get(&uid)
                .filter(|_| uid != 0)
                .cloned()
                .ok_or_else(|| Verdict::unknown("whose range of /etc/subuid containers get is not known"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::container;
    use super::super::testing::daemon::{
        check_items, check_one, daemon, engine, judged, nobody, running, set, unset,
    };
    use super::*;
    use crate::model::Fact;
    use crate::model::VerdictKind::{Fail, Pass, Unknown};

    const FINE: [(&str, VerdictKind); 2] = [("the daemon", Pass), ("/etc/subuid", Pass)];

    fn engine_says(host: &mut Host, options: &[&str]) {
        let owned = options.iter().map(|&option| option.to_owned()).collect();
        engine(host).security_options = Some(owned);
    }

    #[test]
    fn pass_remapping_rootless_and_the_option_alone() {
        check_items(&CHECK, |_| {}, &FINE);
        let rootless = |host: &mut Host| {
            engine_says(host, &["name=rootless"]);
            unset(host, "userns-remap");
            daemon(host).uid = 1000;
            host.facts.system.get_mut().unwrap().subuid = Fact::Known(vec![("1000".into(), 100_000, 65_536)]);
        };
        check_items(&CHECK, rootless, &FINE);
        let option = |host: &mut Host| {
            host.facts.engine = Fact::unknown("no engine answers");
            host.facts.security_options = None;
        };
        check_items(&CHECK, option, &FINE);
    }

    #[test]
    fn fail_root_that_stays_root() {
        let vary = |host: &mut Host| {
            engine_says(host, &["name=seccomp,profile=builtin"]);
            unset(host, "userns-remap");
        };
        let verdict = check_one(&CHECK, vary, Fail, "root in containers is root on the host");
        let remedy = "Put \"userns-remap\": \"default\" in /etc/docker/daemon.json, then restart the engine";
        assert_eq!(verdict.remedy.as_deref(), Some(remedy));
        let empty = |host: &mut Host| {
            host.facts.engine = Fact::unknown("no engine answers");
            host.facts.security_options = None;
            set(host, "userns-remap", json!(""));
        };
        check_one(&CHECK, empty, Fail, "root in containers is root on the host");
    }

    #[test]
    fn unknown_where_nobody_tells() {
        check_one(&CHECK, nobody, Unknown, "no engine answers");
    }

    #[test]
    fn containers_must_bear_it_out() {
        let named = |name: &str, vary: fn(&mut Container)| {
            let mut container = container(name);
            container.truth.as_mut().unwrap().root_uid = Some(231_072);
            vary(&mut container);
            container
        };
        let vary = |host: &mut Host| {
            let root = |container: &mut Container| container.truth.as_mut().unwrap().root_uid = Some(0);
            let hosts = |container: &mut Container| {
                container.truth.as_mut().unwrap().root_uid = Some(0);
                container.userns_mode = Some("host".into());
            };
            let all = vec![
                named("mapped", |_| {}),
                named("stray", root),
                named("asked", hosts),
                named("hidden", |container| container.truth = None),
            ];
            running(host, all);
        };
        let expect = [
            ("the daemon", Pass),
            ("stray", Fail),
            ("hidden", Unknown),
            ("/etc/subuid", Pass),
        ];
        check_items(&CHECK, vary, &expect);
    }

    #[track_caller]
    fn check_ranges(ranges: &[(&str, u64, u64)], kind: VerdictKind, words: &str) {
        let owned = ranges
            .iter()
            .map(|&(owner, first, count)| (owner.to_owned(), first, count))
            .collect();
        let items = judged(&CHECK, |host| {
            host.facts.system.get_mut().unwrap().subuid = Fact::Known(owned);
        });
        let verdict = &items[1].verdict;
        assert_eq!(verdict.kind, kind, "{}", verdict.reason);
        assert!(verdict.reason.contains(words), "{}", verdict.reason);
    }

    #[test]
    fn ranges_hold_no_account() {
        check_ranges(&[("dockremap", 100_000, 65_536)], Pass, "holds no account");
        check_ranges(&[("dockremap", 1000, 1)], Fail, "alice (uid 1000)");
        check_ranges(&[("dockremap", 0, u64::MAX)], Fail, "root (uid 0)");
        check_ranges(&[("alice", 100_000, 65_536)], Fail, "no range in /etc/subuid");
    }
}
