//! Containers that loosen the default limits of their processes.

use serde_json::{Value, json};

use super::support::{Word, config, few, proc, weigh};
use super::{Assess, Basis, Benchmark, Check, Signal, no_live_signal};
use crate::model::{Container, Daemon, Host, Severity, Ulimit, Verdict};

pub(super) static CHECK: Check = Check {
    key: "runtime-ulimit-override-justified",
    title: "Container ulimit overrides are deliberate",
    section: "runtime",
    level: 1,
    early_level: 1,
    scored: &[],
    basis: Basis::Facts,
    severity: Severity::Low,
    numbers: &[
        (Benchmark::V1_13_0, "5.18"),
        (Benchmark::V1_1_0, "5.18"),
        (Benchmark::V1_2_0, "5.18"),
        (Benchmark::V1_3_1, "5.18"),
        (Benchmark::V1_4_0, "5.18"),
        (Benchmark::V1_5_0, "5.18"),
        (Benchmark::V1_6_0, "5.19"),
        (Benchmark::V1_7_0, "5.19"),
        (Benchmark::V1_8_0, "5.19"),
    ],
    about: "The daemon's default limits protect the host from every container; one that sets looser \
            limits for itself is to be justified. A container without limits of its own has the \
            defaults, which is as it should be, and tighter ones are better still. Where the daemon sets \
            no default, the one in force is read from a container that has none of its own. Limits that \
            a process holds beyond its own and the default fail as well.",
    remedy: "Drop the limit, or list it in the policy (allowed_ulimits)",
    assess: Assess::Container(assess),
    signals: &[Signal {
        kind: "container",
        when: "a container is created, started or updated",
    }],
    observe: no_live_signal,
};

fn assess(container: &Container, host: &Host) -> Verdict {
    let Some(own) = &container.limits.ulimits else {
        return Verdict::unknown("the engine does not say which ulimits the container has");
    };
    let mut looser = Vec::new();
    for limit in own.iter().filter(|limit| !is_allowed(limit, host)) {
        match default_of(&limit.name, container, host) {
            Some(default) if !is_looser(limit, &default) => {}
            None if limit.hard >= 0 && limit.soft >= 0 => {
                return Verdict::unknown(format!(
                    "container {} sets {}, and the default of that is not known: the daemon's default-ulimits does not \
                     name it",
                    container.name,
                    in_words(limit)
                ));
            }
            _ => looser.push(in_words(limit)),
        }
    }
    let asked = if looser.is_empty() {
        Word::Good("sets no ulimit looser than the default".into())
    } else {
        let clause = format!("sets {}, looser than the default", few(&looser));
        Word::Bad(clause, config("HostConfig.Ulimits", own))
    };
    let kernel = match asked {
        Word::Bad(..) => Word::Silent("its own ulimits decide"),
        _ => shown(container, own, host),
    };
    weigh(container, CHECK.severity, asked, kernel)
}

/// Whether the first process holds hard limits beyond its own and the daemon's default.
fn shown(container: &Container, own: &[Ulimit], host: &Host) -> Word {
    let limits = container.truth.as_ref().and_then(|truth| truth.ulimits.as_ref());
    let (Some(limits), Some(daemon)) = (limits, host.facts.daemon.get()) else {
        return Word::Silent("the limits of its first process could not be read");
    };
    let beyond = limits.iter().find(|limit| {
        let asked = own.iter().find(|asked| asked.name == limit.name).cloned();
        asked
            .or_else(|| option(daemon, &limit.name))
            .is_some_and(|bound| rank(limit.hard) > rank(bound.hard))
    });
    match beyond {
        None => Word::Good("holds no ulimit beyond its own and the default".into()),
        Some(limit) => Word::Bad(
            format!("holds {}, beyond its own and the default", in_words(limit)),
            proc(json!({ "ulimit": limit })),
        ),
    }
}

fn is_allowed(limit: &Ulimit, host: &Host) -> bool {
    host.policy.allowed_ulimits.contains(&in_words(limit))
}

/// As it is given to the engine.
fn in_words(limit: &Ulimit) -> String {
    format!("{}={}:{}", limit.name, limit.soft, limit.hard)
}

fn is_looser(limit: &Ulimit, default: &Ulimit) -> bool {
    rank(limit.hard) > rank(default.hard) || rank(limit.soft) > rank(default.soft)
}

/// A limit as something to compare: none at all is the loosest.
const fn rank(limit: i64) -> i64 {
    if limit < 0 { i64::MAX } else { limit }
}

/// The default of a limit: the daemon's option, else what a container without one of its own was given.
fn default_of(name: &str, container: &Container, host: &Host) -> Option<Ulimit> {
    let told = host.facts.daemon.get().and_then(|daemon| option(daemon, name));
    told.or_else(|| {
        let others = host.containers.iter().flatten();
        others
            .filter(|other| other.id != container.id)
            .filter(|other| !other.limits.ulimits.iter().flatten().any(|own| own.name == name))
            .filter(|other| other.limits.ulimits.is_some())
            .filter_map(|other| other.truth.as_ref()?.ulimits.as_ref())
            .find_map(|limits| limits.iter().find(|limit| limit.name == name))
            .cloned()
    })
}

/// One of the daemon's `default-ulimits`: `{"Name", "Hard", "Soft"}`, or `soft:hard`.
fn option(daemon: &Daemon, name: &str) -> Option<Ulimit> {
    let value = daemon.option("default-ulimits")?.value.get(name)?;
    let (soft, hard) = match value {
        Value::Object(fields) => {
            let field = |wanted: &str| {
                let found = fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(wanted));
                found.and_then(|(_, value)| value.as_i64())
            };
            (field("soft")?, field("hard")?)
        }
        Value::String(text) => {
            let (soft, hard) = text.split_once(':').unwrap_or((text, text));
            (soft.parse().ok()?, hard.parse().ok()?)
        }
        _ => return None,
    };
    Some(Ulimit {
        name: name.to_owned(),
        soft,
        hard,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_fails, assert_passes, assert_unknown, container, judge, truth};
    use super::*;
    use crate::model::{DaemonOption, OptionSource, RunningTruth};

    fn nofile(soft: i64, hard: i64) -> Ulimit {
        Ulimit {
            name: "nofile".into(),
            soft,
            hard,
        }
    }

    /// The verdict on a container with this limit of its own, where this is the daemon's option, and where a process of
    /// it holds this.
    #[track_caller]
    fn check(own: Option<Ulimit>, default: Option<Value>, held: Option<Ulimit>) -> Verdict {
        judge(&CHECK, |container, host| {
            container.limits.ulimits = Some(own.into_iter().collect());
            container.truth.as_mut().unwrap().ulimits = held.map(|held| vec![held]);
            let daemon = host.facts.daemon.get_mut().unwrap();
            let option = default.map(|value| DaemonOption {
                value: json!({ "nofile": value }),
                source: OptionSource::File,
                pending: None,
            });
            daemon
                .options
                .extend(option.map(|option| ("default-ulimits".to_owned(), option)));
        })
    }

    fn default() -> Option<Value> {
        Some(json!({ "Name": "nofile", "Hard": 4096, "Soft": 1024 }))
    }

    #[test]
    fn pass_none_tighter_and_allowed_ones() {
        assert_passes(&check(None, None, None));
        assert_passes(&check(None, default(), Some(nofile(1024, 4096))));
        assert_passes(&check(
            Some(nofile(512, 1024)),
            default(),
            Some(nofile(512, 1024)),
        ));
        assert_passes(&check(Some(nofile(1024, 4096)), Some(json!("1024:4096")), None));
        let allowed = judge(&CHECK, |container, host| {
            container.limits.ulimits = Some(vec![nofile(-1, -1)]);
            host.policy.allowed_ulimits = vec!["nofile=-1:-1".into()];
        });
        assert_passes(&allowed);
    }

    #[test]
    fn pass_one_that_is_tighter_than_what_others_are_given() {
        let verdict = judge(&CHECK, |own, host| {
            own.limits.ulimits = Some(vec![nofile(64, 64)]);
            own.truth.as_mut().unwrap().ulimits = Some(vec![nofile(64, 64)]);
            let ulimits = Some(vec![nofile(1024, 4096)]);
            let mut other = container("db");
            other.id = "cd".repeat(32).parse().unwrap();
            other.truth = Some(RunningTruth { ulimits, ..truth() });
            host.containers = Some(vec![own.clone(), other]);
        });
        assert_passes(&verdict);
    }

    #[test]
    fn fail_looser_ones() {
        for own in [nofile(2048, 4096), nofile(1024, 8192), nofile(-1, -1)] {
            let words = format!("sets {}, looser than the default", in_words(&own));
            assert_fails(&check(Some(own), default(), None), Severity::Low, &words);
        }
        assert_fails(
            &check(Some(nofile(-1, -1)), None, None),
            Severity::Low,
            "sets nofile=-1:-1",
        );
        let raised = check(None, default(), Some(nofile(1024, 65536)));
        assert_fails(
            &raised,
            Severity::Low,
            "holds nofile=1024:65536, beyond its own and the default",
        );
    }

    #[test]
    fn unknown_where_there_is_nothing_to_compare_with() {
        assert_unknown(
            &check(Some(nofile(64, 64)), None, None),
            "default-ulimits does not name it",
        );
        let untold = judge(&CHECK, |container, _| container.limits.ulimits = None);
        assert_unknown(&untold, "which ulimits");
    }
}
