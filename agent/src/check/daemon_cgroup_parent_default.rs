//! The cgroup that containers are below.

use super::support::{Setting, item, security_option};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Host, Severity, Verdict};

pub(super) static CHECK: Check = Check {
    key: "daemon-cgroup-parent-default",
    title: "Engine default cgroup parent is unchanged or approved",
    section: "daemon",
    level: 2,
    early_level: 2,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Low,
    numbers: &[
        (Benchmark::V1_13_0, "2.9"),
        (Benchmark::V1_1_0, "2.9"),
        (Benchmark::V1_2_0, "2.9"),
        (Benchmark::V1_3_1, "2.10"),
        (Benchmark::V1_4_0, "2.10"),
        (Benchmark::V1_5_0, "2.10"),
        (Benchmark::V1_6_0, "2.10"),
        (Benchmark::V1_7_0, "2.10"),
        (Benchmark::V1_8_0, "2.11"),
    ],
    about: "Containers share the limits of the cgroup that they are below. Below another parent than the \
            driver's own, they escape what is set for them there. The option in force is held against \
            the default of the driver in use, and against the policy's list.",
    remedy: "Remove the override or approve it in policy",
    assess: Assess::Host(assess),
    signals: &[
        Signal {
            kind: "host",
            when: "the daemon is started again with another cgroup parent",
        },
        Signal {
            kind: "file",
            when: "the daemon's configuration file is changed",
        },
    ],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    vec![item("the daemon", judge(host))]
}

fn judge(host: &Host) -> Result<Verdict, Verdict> {
    let setting = Setting::of(host, "cgroup-parent")?;
    let Some(parent) = setting.text()? else {
        let reason = "the cgroup parent is left to the driver";
        return Ok(setting.tell(Verdict::pass().because(reason)));
    };
    if host
        .policy
        .allowed_cgroup_parents
        .iter()
        .any(|allowed| allowed == parent)
    {
        let reason = format!("{}, which the policy allows", setting.is(parent));
        return Ok(setting.tell(Verdict::pass().because(reason)));
    }
    let (driver, default) = default(host)?;
    let reason = |what: &str| format!("{}, which is {what} of the {driver} driver", setting.is(parent));
    Ok(if parent.trim_start_matches('/') == default {
        setting.tell(Verdict::pass().because(reason("the default")))
    } else {
        setting
            .tell(Verdict::fail(reason("not the default"), Vec::new()))
            .remedy(setting.unset())
    })
}

/// The driver, and its default without a leading slash.
fn default(host: &Host) -> Result<(&str, &'static str), Verdict> {
    let driver = host.facts.engine.look()?.cgroup_driver.as_deref();
    let driver = driver.ok_or_else(|| Verdict::unknown("the engine does not tell its cgroup driver"))?;
    let rootless = security_option(host, "rootless")?.is_some();
    let default = match driver {
        "systemd" if rootless => "user.slice",
        "systemd" => "system.slice",
        "cgroupfs" => "docker",
        other => {
            return Err(Verdict::unknown(format!(
                "the default parent of the {other} driver is not known"
            )));
        }
    };
    Ok((driver, default))
}

#[cfg(test)]
mod tests {
    use super::super::testing::daemon::{check_one, engine, nobody, set, set_by_flag};
    use super::*;
    use crate::model::VerdictKind::{self, Fail, Pass, Unknown};
    use serde_json::json;

    #[track_caller]
    fn check(driver: &str, parent: &str, kind: VerdictKind, words: &str) {
        let vary = |host: &mut Host| {
            engine(host).cgroup_driver = Some(driver.into());
            set(host, "cgroup-parent", json!(parent));
        };
        check_one(&CHECK, vary, kind, words);
    }

    #[test]
    fn pass_nothing_the_drivers_default_and_what_is_allowed() {
        check_one(&CHECK, |_| {}, Pass, "left to the driver");
        check("systemd", "", Pass, "left to the driver");
        check(
            "cgroupfs",
            "/docker",
            Pass,
            "which is the default of the cgroupfs driver",
        );
        check(
            "systemd",
            "system.slice",
            Pass,
            "which is the default of the systemd driver",
        );
        let allowed = |host: &mut Host| {
            set(host, "cgroup-parent", json!("/docker-apps"));
            host.policy.allowed_cgroup_parents = vec!["/docker-apps".into()];
        };
        check_one(&CHECK, allowed, Pass, "which the policy allows");
        let rootless = |host: &mut Host| {
            engine(host).security_options = Some(vec!["name=rootless".into()]);
            set(host, "cgroup-parent", json!("user.slice"));
        };
        check_one(&CHECK, rootless, Pass, "the default");
    }

    #[test]
    fn fail_another_parent_in_the_file_or_by_flag() {
        check(
            "cgroupfs",
            "/docker-apps",
            Fail,
            "in /etc/docker/daemon.json, which is not the default",
        );
        check(
            "cgroupfs",
            "system.slice",
            Fail,
            "not the default of the cgroupfs driver",
        );
        check(
            "systemd",
            "/docker",
            Fail,
            "not the default of the systemd driver",
        );
        let flagged = |host: &mut Host| set_by_flag(host, "cgroup-parent", json!("user.slice"));
        let verdict = check_one(&CHECK, flagged, Fail, "by the flag --cgroup-parent");
        let remedy = "Remove the flag --cgroup-parent from the unit's ExecStart, then restart the engine";
        assert_eq!(verdict.remedy.as_deref(), Some(remedy));
    }

    #[test]
    fn unknown_where_driver_or_option_is_not_seen() {
        check_one(&CHECK, nobody, Unknown, "no dockerd was found");
        check("none", "/docker", Unknown, "the none driver is not known");
    }
}
