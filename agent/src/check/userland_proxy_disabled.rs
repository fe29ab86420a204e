//! The program that copies the traffic of published ports.

use serde_json::json;

use super::support::{Setting, item};
use super::{Assess, Basis, Benchmark, Check, Finding, Item, Signal, View};
use crate::model::{Class, Event, Evidence, Host, Severity, Source, Verdict, VerdictKind};

pub(super) static CHECK: Check = Check {
    key: "userland-proxy-disabled",
    title: "Port publishing does not use the user-space proxy",
    section: "daemon",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Low,
    numbers: &[
        (Benchmark::V1_13_0, "2.18"),
        (Benchmark::V1_1_0, "2.15"),
        (Benchmark::V1_2_0, "2.14"),
        (Benchmark::V1_3_1, "2.16"),
        (Benchmark::V1_4_0, "2.16"),
        (Benchmark::V1_5_0, "2.16"),
        (Benchmark::V1_6_0, "2.16"),
        (Benchmark::V1_7_0, "2.16"),
        (Benchmark::V1_8_0, "2.17"),
    ],
    about: "For every published port the daemon runs a program that copies traffic, as root, although \
            the kernel can do it. Whether it may is an option; programs that run show that it does.",
    remedy: "Set userland-proxy to false where hairpin NAT works",
    assess: Assess::Host(assess),
    signals: &[
        Signal {
            kind: "exec",
            when: "the daemon starts a proxy for a published port",
        },
        Signal {
            kind: "host",
            when: "the daemon is started again with the proxy",
        },
        Signal {
            kind: "file",
            when: "the daemon's configuration file is changed",
        },
    ],
    observe,
};

fn assess(host: &Host) -> Vec<Item> {
    vec![item("the daemon", judge(host))]
}

fn judge(host: &Host) -> Result<Verdict, Verdict> {
    let setting = Setting::of(host, "userland-proxy")?;
    let on = setting.flag(true)?;
    let running = host
        .facts
        .daemon
        .get()
        .and_then(|daemon| daemon.userland_proxies.get());
    let proxies = running.map(Vec::as_slice).unwrap_or_default();
    let shown = Evidence::new(
        Source::Kernel,
        "process",
        json!({ "proxies": proxies.iter().take(64).collect::<Vec<_>>() }),
    );
    let reason = setting.is(on);
    let verdict = match (on, proxies.len()) {
        (false, 0) => return Ok(setting.tell(Verdict::pass().because(reason))),
        (true, _) => Verdict::fail(reason, vec![shown]),
        (false, count) => Verdict::fail(format!("{reason}, and yet {count} proxies run"), vec![shown]),
    };
    Ok(setting.tell(verdict).remedy(setting.set_to(&json!(false))))
}

fn observe(view: &View<'_>) -> Option<Finding> {
    let Event::Exec(exec) = &view.observation.event else {
        return None;
    };
    let process = view.observation.process.as_ref()?;
    let parent = process.ancestors.first()?;
    let daemon = view.host.facts.daemon.get()?;
    let name = exec.file.path.rsplit('/').next();
    if view.observation.container.is_some() || name != Some("docker-proxy") || parent.pid != daemon.pid {
        return None;
    }
    let stands = judge(view.host).is_ok_and(|verdict| verdict.kind() == VerdictKind::Fail);
    let class = if stands { Class::Exercised } else { Class::Drift };
    let summary = format!("the daemon started {} for a published port", exec.file.path);
    Some(Finding::new(class, &exec.file.path, summary))
}

#[cfg(test)]
mod tests {
    use super::super::testing::daemon::{check_one, daemon, hardened, nobody, set, set_by_flag, unset};
    use super::super::testing::{Scene, exec_in};
    use super::*;
    use crate::model::Fact;
    use crate::model::VerdictKind::{Fail, Pass, Unknown};

    #[test]
    fn pass_an_option_that_is_false() {
        check_one(
            &CHECK,
            |_| {},
            Pass,
            "`userland-proxy` is false in /etc/docker/daemon.json",
        );
    }

    #[test]
    fn fail_the_default_true_and_proxies_that_run() {
        let verdict = check_one(
            &CHECK,
            |host| unset(host, "userland-proxy"),
            Fail,
            "is true by default",
        );
        let remedy = "Put \"userland-proxy\": false in /etc/docker/daemon.json, then restart the engine";
        assert_eq!(verdict.remedy.as_deref(), Some(remedy));
        check_one(
            &CHECK,
            |host| set_by_flag(host, "userland-proxy", json!(true)),
            Fail,
            "by the flag",
        );
        let runs = |host: &mut Host| daemon(host).userland_proxies = Fact::Known(vec![7, 8]);
        check_one(&CHECK, runs, Fail, "and yet 2 proxies run");
    }

    #[test]
    fn unknown_where_the_daemon_is_not_seen() {
        check_one(&CHECK, nobody, Unknown, "no dockerd was found");
        check_one(
            &CHECK,
            |host| set(host, "userland-proxy", json!("no")),
            Unknown,
            "which is no boolean",
        );
    }

    /// The daemon starts this program on the host.
    fn started(path: &str) -> Scene {
        let mut scene = Scene::new(&CHECK, exec_in("web", path)).on_host();
        scene.host = hardened();
        scene.process().ancestors[0].pid = 1000;
        scene
    }

    #[test]
    fn a_proxy_of_the_daemon_is_exercised_or_drift() {
        let summary = "the daemon started /usr/bin/docker-proxy for a published port";
        started("/usr/bin/docker-proxy").finds(Class::Drift, Severity::Low, summary);
        let mut allowed = started("/usr/bin/docker-proxy");
        unset(&mut allowed.host, "userland-proxy");
        allowed.finds(Class::Exercised, Severity::Low, summary);
    }

    #[test]
    fn silent_for_other_programs_other_parents_and_containers() {
        started("/usr/bin/docker-proxy2").silent();
        let mut by_hand = started("/usr/bin/docker-proxy");
        by_hand.process().ancestors[0].pid = 1001;
        by_hand.silent();
        Scene::new(&CHECK, exec_in("web", "/usr/bin/docker-proxy")).silent();
    }
}
