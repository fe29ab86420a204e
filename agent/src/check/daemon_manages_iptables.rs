//! Rules of the packet filter.

use super::support::{Setting, Version, item};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Evidence, Host, Severity, Source, Verdict};
use serde_json::json;

pub(super) static CHECK: Check = Check {
    key: "daemon-manages-iptables",
    title: "Engine is allowed to manage the packet filter",
    section: "daemon",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "2.3"),
        (Benchmark::V1_1_0, "2.3"),
        (Benchmark::V1_2_0, "2.3"),
        (Benchmark::V1_3_1, "2.4"),
        (Benchmark::V1_4_0, "2.4"),
        (Benchmark::V1_5_0, "2.4"),
        (Benchmark::V1_6_0, "2.4"),
        (Benchmark::V1_7_0, "2.4"),
        (Benchmark::V1_8_0, "2.4"),
    ],
    about: "Where the engine may not write rules, nothing keeps published ports and networks apart but \
            what an operator writes by hand and keeps in step. The option in force counts, for IPv6 \
            where a network has it, and the engine's own word on its firewall.",
    remedy: "Remove the false setting",
    assess: Assess::Host(assess),
    signals: &[
        Signal {
            kind: "host",
            when: "the daemon may no longer write packet filter rules",
        },
        Signal {
            kind: "file",
            when: "the daemon's configuration file is changed",
        },
    ],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    let mut items = vec![item("iptables", judge(host))];
    let networks = host.facts.engine.get().and_then(|engine| engine.networks.get());
    if let Some(network) = networks.into_iter().flatten().find(|network| network.ipv6) {
        items.push(item("ip6tables", judge_ipv6(host, &network.name)));
    }
    items
}

fn judge(host: &Host) -> Result<Verdict, Verdict> {
    let backend = host
        .facts
        .engine
        .get()
        .and_then(|engine| engine.firewall.as_deref());
    if backend == Some("none") {
        let shown = Evidence::new(
            Source::Engine,
            "config",
            json!({ "field": "FirewallBackend", "value": "none" }),
        );
        return Ok(Verdict::fail("the engine has no firewall backend", vec![shown]));
    }
    let setting = Setting::of(host, "iptables")?;
    let on = setting.flag(true)?;
    let by = backend
        .map(|backend| format!("; its backend is {backend}"))
        .unwrap_or_default();
    let reason = format!("{}{by}", setting.is(on));
    Ok(if on {
        setting.tell(Verdict::pass().because(reason))
    } else {
        setting
            .tell(Verdict::fail(reason, Vec::new()))
            .remedy(setting.unset())
    })
}

fn judge_ipv6(host: &Host, network: &str) -> Result<Verdict, Verdict> {
    let setting = Setting::of(host, "ip6tables")?;
    let by_default = default_for_ipv6(host);
    let on = match by_default {
        None if !setting.is_given() => {
            return Err(Verdict::unknown(
                "the default of `ip6tables` is not known: the engine's version is not",
            ));
        }
        by_default => setting.flag(by_default.unwrap_or(true))?,
    };
    let reason = format!("{}, and network {network} has IPv6", setting.is(on));
    Ok(if on {
        setting.tell(Verdict::pass().because(reason))
    } else {
        setting
            .tell(Verdict::fail(reason, Vec::new()))
            .remedy(setting.set_to(&json!(true)))
    })
}

/// On since 27.0, and an experiment before.
fn default_for_ipv6(host: &Host) -> Option<bool> {
    let version = Version::parse(&host.facts.engine.get()?.version)?;
    Some(version.is_since(27, 0))
}

#[cfg(test)]
mod tests {
    use super::super::testing::daemon::{check_items, check_one, engine, network, nobody, set, set_by_flag};
    use super::*;
    use crate::model::VerdictKind::{Fail, Pass, Unknown};
    use crate::model::{Fact, Network};

    #[test]
    fn pass_the_default_and_true() {
        check_one(&CHECK, |_| {}, Pass, "`iptables` is true by default");
        check_one(
            &CHECK,
            |host| set_by_flag(host, "iptables", json!(true)),
            Pass,
            "by the flag --iptables",
        );
        let nftables = |host: &mut Host| engine(host).firewall = Some("nftables".into());
        check_one(&CHECK, nftables, Pass, "its backend is nftables");
    }

    #[test]
    fn fail_false_in_the_file_although_no_flag_says_so() {
        let verdict = check_one(
            &CHECK,
            |host| set(host, "iptables", json!(false)),
            Fail,
            "in /etc/docker/daemon.json",
        );
        let remedy = "Remove \"iptables\" from /etc/docker/daemon.json, then restart the engine";
        assert_eq!(verdict.remedy.as_deref(), Some(remedy));
        check_one(
            &CHECK,
            |host| set_by_flag(host, "iptables", json!(false)),
            Fail,
            "--iptables",
        );
        check_one(
            &CHECK,
            |host| engine(host).firewall = Some("none".into()),
            Fail,
            "no firewall backend",
        );
    }

    #[test]
    fn unknown_where_the_daemon_is_not_seen() {
        check_one(&CHECK, nobody, Unknown, "no dockerd was found");
    }

    fn with_ipv6(version: &'static str, given: Option<bool>) -> impl FnOnce(&mut Host) {
        move |host| {
            let ipv6 = Network {
                ipv6: true,
                ..network("apps", "bridge", &[])
            };
            engine(host).networks = Fact::Known(vec![ipv6]);
            engine(host).version = version.into();
            if let Some(given) = given {
                set(host, "ip6tables", json!(given));
            }
        }
    }

    #[test]
    fn ipv6_counts_where_a_network_has_it() {
        let expect = |kind| [("iptables", Pass), ("ip6tables", kind)];
        check_items(&CHECK, with_ipv6("29.8.2", None), &expect(Pass));
        check_items(&CHECK, with_ipv6("20.10.24", None), &expect(Fail));
        check_items(&CHECK, with_ipv6("20.10.24", Some(true)), &expect(Pass));
        check_items(&CHECK, with_ipv6("29.8.2", Some(false)), &expect(Fail));
        check_items(&CHECK, with_ipv6("dev", None), &expect(Unknown));
    }
}
