//! Traffic between containers on the default bridge.

use super::support::{Setting, granted, head, item};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{CapSet, Evidence, Host, Network, Severity, Source, Verdict};
use serde_json::json;

pub(super) static CHECK: Check = Check {
    key: "bridge-icc-disabled",
    title: "Default bridge does not let containers talk to each other",
    section: "daemon",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "2.1"),
        (Benchmark::V1_1_0, "2.1"),
        (Benchmark::V1_2_0, "2.1"),
        (Benchmark::V1_3_1, "2.2"),
        (Benchmark::V1_4_0, "2.2"),
        (Benchmark::V1_5_0, "2.2"),
        (Benchmark::V1_6_0, "2.2"),
        (Benchmark::V1_7_0, "2.2"),
        (Benchmark::V1_8_0, "2.2"),
    ],
    about: "Containers on the default bridge were not put together by anybody, yet each can reach every \
            port of all others, and with CAP_NET_RAW pose as them. The option of the network named \
            bridge decides, as the engine shows it; the daemon's option `icc` where the engine does not \
            answer. Networks that were made on purpose are listed, and judged by nobody but their maker.",
    remedy: "Set icc to false, and put containers that must talk to each other on a network of their own",
    assess: Assess::Host(assess),
    signals: &[
        Signal {
            kind: "host",
            when: "the default bridge lets its containers talk to each other",
        },
        Signal {
            kind: "file",
            when: "the daemon's configuration file is changed",
        },
    ],
    observe: no_live_signal,
};

/// Driver option of a bridge.
const ICC: &str = "com.docker.network.bridge.enable_icc";

fn assess(host: &Host) -> Vec<Item> {
    let networks = match networks(host) {
        Ok(networks) => networks,
        Err(unseen) => return vec![item("bridge", by_option(host).or(Err(unseen)))],
    };
    let bridges = || networks.iter().filter(|network| network.driver == "bridge");
    let default = bridges().find(|network| network.name == "bridge");
    let made = bridges().filter(|network| network.name != "bridge");
    let first = default.map_or_else(
        || Verdict::not_applicable("there is no default bridge"),
        |network| judge(network, host),
    );
    std::iter::once(item("bridge", Ok(first)))
        .chain(made.map(|network| item(&network.name, Ok(listed(network)))))
        .collect()
}

fn networks(host: &Host) -> Result<&[Network], Verdict> {
    Ok(host.facts.engine.look()?.networks.look()?)
}

fn judge(network: &Network, host: &Host) -> Verdict {
    let value = network.options.get(ICC).map(String::as_str);
    let facts = json!({
        "name": network.name,
        "option": ICC,
        "value": value,
        "containers": head(&attached(network)),
        "net_raw": head(&with_net_raw(network, host)),
    });
    let shown = Evidence::new(Source::Engine, "network", facts);
    let setting = Setting::of(host, "icc").ok();
    let verdict = if is_off(value) {
        Verdict::pass()
            .because("the default bridge keeps its containers apart")
            .evidence(shown)
    } else {
        let count = network.containers.len();
        let reason = format!("the default bridge lets its containers talk to each other; {count} are on it");
        Verdict::fail(reason, vec![shown])
    };
    setting.map_or(verdict.clone(), |setting| mended(&setting, verdict))
}

/// What the option alone says, where the network cannot be asked for.
fn by_option(host: &Host) -> Result<Verdict, Verdict> {
    let setting = Setting::of(host, "icc")?;
    let reason = |on: bool| setting.is(on);
    let verdict = match setting.flag(true)? {
        false => Verdict::pass().because(reason(false)),
        true => Verdict::fail(reason(true), Vec::new()),
    };
    Ok(mended(&setting, verdict))
}

fn mended(setting: &Setting<'_>, verdict: Verdict) -> Verdict {
    let fails = verdict.kind() == crate::model::VerdictKind::Fail;
    let verdict = setting.tell(verdict);
    if fails {
        verdict.remedy(setting.set_to(&json!(false)))
    } else {
        verdict
    }
}

fn listed(network: &Network) -> Verdict {
    let apart = is_off(network.options.get(ICC).map(String::as_str));
    let how = if apart {
        "keeps its containers apart"
    } else {
        "lets its containers talk to each other"
    };
    Verdict::not_applicable(format!("network {} was made on purpose, and {how}", network.name))
}

/// As Go reads a boolean. An option that is not there is on.
fn is_off(value: Option<&str>) -> bool {
    matches!(value, Some("0" | "f" | "F" | "false" | "FALSE" | "False"))
}

fn attached(network: &Network) -> Vec<&String> {
    network.containers.values().collect()
}

/// Containers on the network that can send packets with any sender.
fn with_net_raw<'a>(network: &Network, host: &'a Host) -> Vec<&'a str> {
    let net_raw = CapSet::named("NET_RAW").unwrap_or_default();
    let containers = host.containers.iter().flatten();
    containers
        .filter(|container| network.containers.contains_key(container.id.as_str()))
        .filter(|container| granted(container).is_some_and(|caps| caps.contains(net_raw)))
        .map(|container| container.name.as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::daemon::{
        check_items, check_one, engine, judged_one, network, nobody, running, set, set_by_flag, unset,
    };
    use super::super::testing::{container, id};
    use super::*;
    use crate::model::Fact;
    use crate::model::VerdictKind::{Fail, NotApplicable, Pass, Unknown};

    fn networks_are(host: &mut Host, networks: Vec<Network>) {
        engine(host).networks = Fact::Known(networks);
    }

    #[test]
    fn pass_a_bridge_that_keeps_containers_apart_and_no_bridge() {
        check_one(&CHECK, |_| {}, Pass, "keeps its containers apart");
        check_one(
            &CHECK,
            |host| networks_are(host, Vec::new()),
            NotApplicable,
            "no default bridge",
        );
        let silent = |host: &mut Host| engine(host).networks = Fact::unknown("timed out");
        check_one(&CHECK, silent, Pass, "`icc` is false in /etc/docker/daemon.json");
    }

    #[test]
    fn fail_the_default_and_what_is_on_by_name() {
        for options in [&[][..], &[(ICC, "true")], &[(ICC, "")]] {
            let vary = |host: &mut Host| {
                networks_are(host, vec![network("bridge", "bridge", options)]);
                set_by_flag(host, "icc", json!(true));
            };
            let verdict = check_one(&CHECK, vary, Fail, "lets its containers talk");
            let remedy = verdict.remedy.unwrap();
            assert!(
                remedy.starts_with("Remove the flag --icc from the unit's ExecStart"),
                "{remedy}"
            );
        }
    }

    #[test]
    fn fail_by_the_option_where_the_engine_does_not_answer() {
        let vary = |host: &mut Host| {
            host.facts.engine = Fact::unknown("no engine answers");
            unset(host, "icc");
        };
        let verdict = check_one(&CHECK, vary, Fail, "`icc` is true by default");
        let remedy = "Put \"icc\": false in /etc/docker/daemon.json, then restart the engine";
        assert_eq!(verdict.remedy.as_deref(), Some(remedy));
    }

    #[test]
    fn unknown_where_neither_network_nor_daemon_is_seen() {
        check_one(&CHECK, nobody, Unknown, "no engine answers");
    }

    #[test]
    fn networks_that_were_made_are_listed_and_judge_nothing() {
        let vary = |host: &mut Host| {
            let bridge = network("bridge", "bridge", &[(ICC, "false")]);
            let overlay = network("mesh", "overlay", &[]);
            networks_are(host, vec![network("apps", "bridge", &[]), bridge, overlay]);
        };
        check_items(&CHECK, vary, &[("bridge", Pass), ("apps", NotApplicable)]);
    }

    #[test]
    fn a_changed_file_is_pending_and_who_can_forge_packets_is_told() {
        let vary = |host: &mut Host| {
            let mut bridge = network("bridge", "bridge", &[]);
            bridge.containers.insert(id().as_str().to_owned(), "web".into());
            networks_are(host, vec![bridge]);
            running(host, vec![container("web")]);
            set(host, "icc", json!(true));
            let options = &mut host.facts.daemon.get_mut().unwrap().options;
            options.get_mut("icc").unwrap().pending = Some(json!(false));
        };
        let verdict = judged_one(&CHECK, vary);
        assert!(verdict.reason.contains("pending-restart"), "{}", verdict.reason);
        assert_eq!(verdict.evidence[0].facts()["net_raw"], json!(["web"]));
    }
}
