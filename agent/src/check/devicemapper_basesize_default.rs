//! The base size of the devicemapper driver.

use super::support::storage::in_use;
use super::support::{Setting, item};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Host, Severity, Verdict};

pub(super) static CHECK: Check = Check {
    key: "devicemapper-basesize-default",
    title: "Device-mapper base size is left alone",
    section: "daemon",
    level: 2,
    early_level: 2,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Low,
    numbers: &[
        (Benchmark::V1_13_0, "2.10"),
        (Benchmark::V1_1_0, "2.10"),
        (Benchmark::V1_2_0, "2.10"),
        (Benchmark::V1_3_1, "2.11"),
        (Benchmark::V1_4_0, "2.11"),
        (Benchmark::V1_5_0, "2.11"),
        (Benchmark::V1_6_0, "2.11"),
        (Benchmark::V1_7_0, "2.11"),
        (Benchmark::V1_8_0, "2.12"),
    ],
    about: "A larger base size makes every image and container larger than the engine was tested with, \
            and it cannot be taken back. It bears only on hosts with the devicemapper driver; options of \
            other drivers are none of it.",
    remedy: "Remove the dm.basesize option",
    assess: Assess::Host(assess),
    signals: &[
        Signal {
            kind: "host",
            when: "the daemon is started again with a base size",
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
    let used = in_use(host)?;
    let driver = used.text()?.unwrap_or_default();
    if driver != "devicemapper" {
        return Ok(Verdict::not_applicable(format!("the storage driver is {driver}")));
    }
    let setting = Setting::of(host, "storage-opts")?;
    let options = setting.list()?;
    Ok(
        match options
            .iter()
            .find(|option| option.trim().starts_with("dm.basesize="))
        {
            Some(option) => setting
                .tell(Verdict::fail(
                    format!("the base size is set: {option}"),
                    Vec::new(),
                ))
                .remedy(setting.drop_entry(option)),
            None => setting.tell(Verdict::pass().because("the base size is left alone")),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::daemon::{check_one, engine, nobody, set, set_by_flag};
    use super::*;
    use crate::model::VerdictKind::{Fail, NotApplicable, Pass, Unknown};
    use serde_json::json;

    fn devicemapper(host: &mut Host) {
        engine(host).storage_driver = Some("devicemapper".into());
    }

    #[test]
    fn pass_other_options_and_not_applicable_other_drivers() {
        let vary = |host: &mut Host| {
            devicemapper(host);
            set(
                host,
                "storage-opts",
                json!(["dm.thinpooldev=/dev/pool", "dm.basesizex=1"]),
            );
        };
        check_one(&CHECK, vary, Pass, "left alone");
        check_one(&CHECK, devicemapper, Pass, "left alone");
        let other = |host: &mut Host| set(host, "storage-opts", json!(["overlay2.size=1G"]));
        check_one(&CHECK, other, NotApplicable, "overlay2");
    }

    #[test]
    fn fail_a_base_size() {
        let vary = |host: &mut Host| {
            devicemapper(host);
            set_by_flag(host, "storage-opts", json!(["dm.fs=xfs", "dm.basesize=50G"]));
        };
        let verdict = check_one(&CHECK, vary, Fail, "dm.basesize=50G");
        let remedy = "Remove the flag --storage-opt dm.basesize=50G from the unit's ExecStart, then restart the engine";
        assert_eq!(verdict.remedy.as_deref(), Some(remedy));
    }

    #[test]
    fn unknown_where_nobody_tells() {
        check_one(&CHECK, nobody, Unknown, "no dockerd was found");
    }
}
