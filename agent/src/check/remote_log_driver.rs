//! Where the logs of containers go.

use serde_json::json;

use super::support::{Setting, config, item, lives};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Container, Fact, Host, Severity, Verdict};

pub(super) static CHECK: Check = Check {
    key: "remote-log-driver",
    title: "Container logs leave the host",
    section: "daemon",
    level: 2,
    early_level: 2,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "2.12"),
        (Benchmark::V1_1_0, "2.12"),
        (Benchmark::V1_2_0, "2.12"),
        (Benchmark::V1_3_1, "2.13"),
        (Benchmark::V1_4_0, "2.13"),
        (Benchmark::V1_5_0, "2.13"),
        (Benchmark::V1_6_0, "2.13"),
        (Benchmark::V1_7_0, "2.13"),
        (Benchmark::V1_8_0, "2.14"),
    ],
    about: "Logs that stay on the host are gone with it, and whoever takes the host can change them. The \
            driver in force decides, and that of every running container that has another one. Logs that \
            go to the host's journal leave it only with a forwarder; those in files of the engine only \
            with one that the policy names.",
    remedy: "Set log-driver and log-opts to a central collector",
    assess: Assess::Host(assess),
    signals: &[
        Signal {
            kind: "host",
            when: "the engine writes logs where they stay on the host",
        },
        Signal {
            kind: "container",
            when: "a container runs with a log driver that keeps its logs on the host",
        },
        Signal {
            kind: "file",
            when: "the daemon's configuration file is changed",
        },
    ],
    observe: no_live_signal,
};

/// Where a driver brings logs.
enum Goal {
    Away,
    /// To the host's own log, which may be forwarded.
    Journal,
    /// Into files of the engine.
    Files,
    Nowhere,
}

fn goal(driver: &str, syslog_address: Option<&str>) -> Goal {
    match driver {
        "none" => Goal::Nowhere,
        "json-file" | "local" => Goal::Files,
        "journald" => Goal::Journal,
        "syslog" => match syslog_address {
            Some(address) if !address.starts_with("unix") => Goal::Away,
            _ => Goal::Journal,
        },
        // The drivers of services, and plugins.
        _ => Goal::Away,
    }
}

fn assess(host: &Host) -> Vec<Item> {
    let default = Setting::shown(host, "log-driver", |engine| engine.logging_driver.clone());
    let driver = default
        .as_ref()
        .ok()
        .and_then(|setting| Some(driver(setting).ok()?.to_owned()));
    let mut items = vec![item(
        "the daemon",
        default.and_then(|setting| judge_default(host, &setting)),
    )];
    let running = host
        .containers
        .iter()
        .flatten()
        .filter(|container| lives(container));
    let other = running
        .filter(|container| container.life.log_driver.is_none() || container.life.log_driver != driver);
    items.extend(other.map(|container| item(&container.name, judge_container(host, container))));
    items
}

fn driver<'a>(setting: &'a Setting<'_>) -> Result<&'a str, Verdict> {
    Ok(setting.text()?.unwrap_or("json-file"))
}

fn judge_default(host: &Host, setting: &Setting<'_>) -> Result<Verdict, Verdict> {
    let driver = driver(setting)?;
    let verdict = judge(host, driver, address(host).as_deref(), &setting.is(driver))?;
    let verdict = setting.tell(verdict);
    Ok(match verdict.kind() {
        crate::model::VerdictKind::Fail => {
            let central = setting.set_to(&json!("syslog"));
            verdict.remedy(format!(
                "{central}, with \"syslog-address\" of a central collector in \"log-opts\""
            ))
        }
        _ => verdict,
    })
}

/// Where the daemon's own syslog driver sends to, where that is given.
fn address(host: &Host) -> Option<String> {
    let options = Setting::of(host, "log-opts").ok()?;
    let address = options.map().ok()??.get("syslog-address")?.as_str()?;
    Some(address.to_owned())
}

fn judge_container(host: &Host, container: &Container) -> Result<Verdict, Verdict> {
    let name = &container.name;
    let unseen = || {
        Verdict::unknown(format!(
            "the engine does not tell the log driver of container {name}"
        ))
    };
    let driver = container.life.log_driver.as_deref().ok_or_else(unseen)?;
    let what = format!("the log driver of container {name} is {driver}");
    let verdict = judge(host, driver, None, &what)?;
    Ok(verdict.evidence(config("HostConfig.LogConfig.Type", driver)))
}

fn judge(host: &Host, driver: &str, address: Option<&str>, what: &str) -> Result<Verdict, Verdict> {
    let kept = format!("{what}: logs stay on the host");
    match goal(driver, address) {
        Goal::Away => Ok(Verdict::pass().because(format!("{what}: logs leave the host"))),
        Goal::Nowhere => Ok(Verdict::fail(format!("{what}: nothing is logged"), Vec::new())),
        Goal::Journal => match forwarder(host, |_| true) {
            Some(name) => Ok(forwarded(what, &name)),
            None => Err(Verdict::unknown(format!(
                "{what}: no known forwarder brings its logs away from the host"
            ))),
        },
        Goal::Files => {
            let trusted = |name: &str| host.policy.log_forwarders.iter().any(|listed| listed == name);
            match forwarder(host, trusted) {
                Some(name) => Ok(forwarded(what, &name)),
                None if host.policy.log_forwarders.is_empty() => Ok(Verdict::fail(kept, Vec::new())),
                None => {
                    if let Fact::Unknown(why) = &host.facts.system {
                        return Err(Verdict::unknown(format!(
                            "{kept}, unless a forwarder runs: {why}"
                        )));
                    }
                    Ok(Verdict::fail(
                        format!("{kept}, and no forwarder of the policy runs"),
                        Vec::new(),
                    ))
                }
            }
        }
    }
}

fn forwarded(what: &str, name: &str) -> Verdict {
    Verdict::pass().because(format!("{what}, and {name} forwards logs"))
}

/// A forwarder that runs, as a process of the host or, where the policy names it, as a container.
fn forwarder(host: &Host, is_good: impl Fn(&str) -> bool) -> Option<String> {
    let system = host
        .facts
        .system
        .get()
        .and_then(|system| system.log_forwarders.get());
    let processes = system.into_iter().flatten();
    if let Some(name) = processes.into_iter().find(|name| is_good(name)) {
        return Some(name.clone());
    }
    let running = host
        .containers
        .iter()
        .flatten()
        .filter(|container| lives(container));
    let listed = |container: &&Container| host.policy.log_forwarders.contains(&container.name);
    let mut listed = running.filter(listed).map(|container| container.name.clone());
    listed.find(|name| is_good(name))
}

#[cfg(test)]
mod tests {
    use super::super::testing::container;
    use super::super::testing::daemon::{check_items, check_one, engine, nobody, running, set, unset};
    use super::*;
    use crate::model::VerdictKind::{self, Fail, Pass, Unknown};

    #[track_caller]
    fn check(driver: &str, vary: impl FnOnce(&mut Host), kind: VerdictKind, words: &str) {
        let vary = |host: &mut Host| {
            engine(host).logging_driver = Some(driver.into());
            vary(host);
        };
        let verdict = check_one(&CHECK, vary, kind, words);
        assert_eq!(verdict.remedy.is_some(), kind == Fail);
    }

    fn forwards(host: &mut Host, names: &[&str]) {
        let owned = names.iter().map(|&name| name.to_owned()).collect();
        host.facts.system.get_mut().unwrap().log_forwarders = Fact::Known(owned);
    }

    fn trusts(host: &mut Host, name: &str) {
        host.policy.log_forwarders = vec![name.into()];
    }

    #[test]
    fn pass_drivers_that_send_away() {
        for driver in [
            "gelf",
            "fluentd",
            "splunk",
            "awslogs",
            "gcplogs",
            "logentries",
            "loki:latest",
        ] {
            check(driver, |_| {}, Pass, "logs leave the host");
        }
        let remote = |host: &mut Host| {
            set(
                host,
                "log-opts",
                json!({ "syslog-address": "tcp+tls://logs.example:6514" }),
            );
        };
        check("syslog", remote, Pass, "logs leave the host");
    }

    #[test]
    fn pass_what_a_forwarder_brings_away() {
        check(
            "journald",
            |host| forwards(host, &["systemd-journal-upload"]),
            Pass,
            "systemd-journal-upload forwards",
        );
        let process = |host: &mut Host| {
            forwards(host, &["rsyslogd", "fluent-bit"]);
            trusts(host, "fluent-bit");
        };
        check("json-file", process, Pass, "fluent-bit forwards");
        let shipper = |host: &mut Host| {
            let mut shipper = container("shipper");
            shipper.life.log_driver = Some("local".into());
            running(host, vec![shipper]);
            trusts(host, "shipper");
        };
        check("local", shipper, Pass, "shipper forwards");
    }

    #[test]
    fn fail_what_stays_on_the_host_or_goes_nowhere() {
        check("json-file", |_| {}, Fail, "logs stay on the host");
        check(
            "local",
            |host| forwards(host, &["fluent-bit"]),
            Fail,
            "logs stay on the host",
        );
        check(
            "json-file",
            |host| trusts(host, "vector"),
            Fail,
            "no forwarder of the policy runs",
        );
        let trusted = |host: &mut Host| {
            forwards(host, &["vector"]);
            trusts(host, "vector");
        };
        check("none", trusted, Fail, "nothing is logged");
    }

    #[test]
    fn fail_the_default_where_the_engine_does_not_answer() {
        let vary = |host: &mut Host| {
            host.facts.engine = Fact::unknown("no engine answers");
            unset(host, "log-driver");
        };
        check_one(&CHECK, vary, Fail, "`log-driver` is json-file by default");
    }

    #[test]
    fn unknown_a_local_log_without_forwarder_and_what_nobody_tells() {
        check("journald", |_| {}, Unknown, "no known forwarder");
        check("syslog", |_| {}, Unknown, "no known forwarder");
        let local = |host: &mut Host| {
            set(
                host,
                "log-opts",
                json!({ "syslog-address": "unixgram:///dev/log" }),
            );
        };
        check("syslog", local, Unknown, "no known forwarder");
        check_one(&CHECK, nobody, Unknown, "no dockerd was found");
        let blind = |host: &mut Host| {
            trusts(host, "vector");
            host.facts.system = Fact::unknown("no /proc");
        };
        check("json-file", blind, Unknown, "no /proc");
    }

    #[test]
    fn running_containers_with_another_driver_are_items_of_their_own() {
        let named = |name: &str, driver: Option<&str>| {
            let mut container = container(name);
            container.life.log_driver = driver.map(Into::into);
            container
        };
        let vary = |host: &mut Host| {
            let mut stopped = named("stopped", Some("none"));
            stopped.state = crate::model::ContainerState::Exited;
            let all = vec![
                named("same", Some("gelf")),
                named("quiet", Some("none")),
                named("fluent", Some("fluentd")),
                named("silent", None),
                stopped,
            ];
            running(host, all);
        };
        let expect = [
            ("the daemon", Pass),
            ("quiet", Fail),
            ("fluent", Pass),
            ("silent", Unknown),
        ];
        check_items(&CHECK, vary, &expect);
    }
}
