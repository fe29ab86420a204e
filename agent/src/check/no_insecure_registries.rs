//! Registries without verified TLS.

use std::net::IpAddr;

use serde_json::json;

use super::support::{Setting, item};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Evidence, Host, Registries, Severity, Source, Verdict};

pub(super) static CHECK: Check = Check {
    key: "no-insecure-registries",
    title: "No registry is reachable without verified TLS",
    section: "daemon",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::High,
    numbers: &[
        (Benchmark::V1_13_0, "2.4"),
        (Benchmark::V1_1_0, "2.4"),
        (Benchmark::V1_2_0, "2.4"),
        (Benchmark::V1_3_1, "2.5"),
        (Benchmark::V1_4_0, "2.5"),
        (Benchmark::V1_5_0, "2.5"),
        (Benchmark::V1_6_0, "2.5"),
        (Benchmark::V1_7_0, "2.5"),
        (Benchmark::V1_8_0, "2.5"),
    ],
    about: "From a registry without verified TLS anybody on the way can hand out images of their own. \
            Everything counts that the engine holds for insecure, by flag, file or reload, and mirrors \
            by plain HTTP; the loopback, which it always holds for insecure, does not.",
    remedy: "Give the registry a trusted certificate and remove the entry",
    assess: Assess::Host(assess),
    signals: &[
        Signal {
            kind: "host",
            when: "the engine accepts a registry without verified TLS",
        },
        Signal {
            kind: "file",
            when: "the daemon's configuration file is changed",
        },
    ],
    observe: no_live_signal,
};

const OPTION: &str = "insecure-registries";
const MIRRORS: &str = "registry-mirrors";

fn assess(host: &Host) -> Vec<Item> {
    let registries = match registries(host) {
        Ok(registries) => registries,
        Err(unseen) => return vec![item("registries", Err(unseen))],
    };
    let open = |entry: &&String| !is_loopback(entry);
    let ranges = registries
        .insecure_cidrs
        .iter()
        .filter(open)
        .map(|range| insecure(host, range));
    let names = registries.insecure_names.iter().map(|name| insecure(host, name));
    let plain = |mirror: &&String| scheme(mirror) == Some("http");
    let mirrors = registries
        .mirrors
        .iter()
        .filter(plain)
        .map(|mirror| plain_mirror(host, mirror));
    let items: Vec<_> = ranges.chain(names).chain(mirrors).collect();
    if items.is_empty() {
        let fine = Verdict::pass().because("no registry is insecure but the loopback's");
        return vec![item("registries", Ok(fine))];
    }
    items
}

/// What the engine holds for insecure, else what its daemon was told to.
fn registries(host: &Host) -> Result<Registries, Verdict> {
    if let Some(shown) = host
        .facts
        .engine
        .get()
        .and_then(|engine| engine.registries.as_ref())
    {
        return Ok(shown.clone());
    }
    let (insecure, mirrors) = (Setting::of(host, OPTION)?, Setting::of(host, MIRRORS)?);
    let owned = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let (insecure_cidrs, insecure_names) = owned(insecure.list()?)
        .into_iter()
        .partition(|entry| entry.contains('/'));
    Ok(Registries {
        insecure_cidrs,
        insecure_names,
        mirrors: owned(mirrors.list()?),
    })
}

fn insecure(host: &Host, entry: &str) -> Item {
    let reason = format!("registry {entry} is accepted without verified TLS");
    let verdict = fail(host, OPTION, entry, reason);
    let verdict = if is_local(entry) {
        verdict.severity(Severity::Low)
    } else {
        verdict
    };
    item(entry, Ok(verdict))
}

fn plain_mirror(host: &Host, mirror: &str) -> Item {
    let reason = format!("mirror {mirror} is asked by plain HTTP");
    item(
        mirror,
        Ok(fail(host, MIRRORS, mirror, reason).severity(Severity::Medium)),
    )
}

fn fail(host: &Host, option: &'static str, entry: &str, reason: String) -> Verdict {
    let by_engine = host
        .facts
        .engine
        .get()
        .is_some_and(|engine| engine.registries.is_some());
    let source = if by_engine {
        Source::Engine
    } else {
        Source::Assessment
    };
    let shown = Evidence::new(source, "registry", json!({ "option": option, "entry": entry }));
    let verdict = Verdict::fail(reason, vec![shown]);
    match Setting::of(host, option) {
        Ok(setting) => setting.tell(verdict).remedy(setting.drop_entry(entry)),
        Err(_) => verdict,
    }
}

fn scheme(address: &str) -> Option<&str> {
    address.split_once("://").map(|(scheme, _)| scheme)
}

/// Whether a range holds nothing but the host's own addresses.
fn is_loopback(range: &str) -> bool {
    let (address, bits) = range.split_once('/').unwrap_or((range, "128"));
    match (address.parse(), bits.parse::<u8>()) {
        (Ok(IpAddr::V4(address)), Ok(bits)) => address.is_loopback() && (8..=32).contains(&bits),
        (Ok(IpAddr::V6(address)), Ok(bits)) => address.is_loopback() && bits == 128,
        _ => false,
    }
}

/// Whether a name is the host itself.
fn is_local(entry: &str) -> bool {
    let host = entry.rsplit_once(':').map_or(entry, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::super::testing::daemon::{
        check_items, check_one, engine, judged, judged_one, nobody, set, set_by_flag,
    };
    use super::*;
    use crate::model::Fact;
    use crate::model::VerdictKind::{Fail, Pass, Unknown};

    fn with(ranges: &[&str], names: &[&str], mirrors: &[&str]) -> impl FnOnce(&mut Host) {
        let owned = |list: &[&str]| list.iter().map(|&entry| entry.to_owned()).collect();
        let registries = Registries {
            insecure_cidrs: owned(ranges),
            insecure_names: owned(names),
            mirrors: owned(mirrors),
        };
        move |host| engine(host).registries = Some(registries)
    }

    #[test]
    fn pass_the_loopback_and_mirrors_with_tls() {
        check_one(
            &CHECK,
            with(&["::1/128", "127.0.0.0/8"], &[], &["https://mirror.example/"]),
            Pass,
            "loopback",
        );
        check_one(&CHECK, with(&["127.1.0.0/16"], &[], &[]), Pass, "loopback");
    }

    #[test]
    fn fail_each_range_name_and_plain_mirror() {
        let vary = with(
            &["127.0.0.0/8", "10.0.0.0/8"],
            &["hub.example:5000"],
            &["http://mirror.example/"],
        );
        let expect = [
            ("10.0.0.0/8", Fail),
            ("hub.example:5000", Fail),
            ("http://mirror.example/", Fail),
        ];
        check_items(&CHECK, vary, &expect);
        for wide in ["0.0.0.0/0", "127.0.0.0/7", "::/0", "::1/64"] {
            check_items(&CHECK, with(&[wide], &[], &[]), &[(wide, Fail)]);
        }
    }

    #[test]
    fn fail_the_hosts_own_names_mildly() {
        for name in ["localhost:5000", "127.0.0.1:5000", "[::1]:5000"] {
            assert_eq!(
                judged_one(&CHECK, with(&[], &[name], &[])).severity,
                Some(Severity::Low),
                "{name}"
            );
        }
        let verdict = judged_one(&CHECK, with(&[], &["localhost.example"], &[]));
        assert_eq!(verdict.severity, None);
    }

    #[test]
    fn fail_what_the_daemon_was_told_where_the_engine_does_not_answer() {
        let vary = |host: &mut Host| {
            host.facts.engine = Fact::unknown("no engine answers");
            set_by_flag(host, OPTION, json!(["hub.example"]));
            set(host, MIRRORS, json!(["http://mirror.example"]));
        };
        let items = judged(&CHECK, vary);
        let remedies: Vec<_> = items
            .iter()
            .filter_map(|item| item.verdict.remedy.as_deref())
            .collect();
        let expect = [
            "Remove the flag --insecure-registry hub.example from the unit's ExecStart, then restart the engine",
            "Remove \"http://mirror.example\" from \"registry-mirrors\" in /etc/docker/daemon.json, then reload the engine",
        ];
        assert_eq!(remedies, expect);
    }

    #[test]
    fn unknown_where_nobody_tells() {
        check_one(&CHECK, nobody, Unknown, "no dockerd was found");
    }
}
