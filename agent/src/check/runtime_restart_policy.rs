//! Containers that are restarted without end.

use super::support::{Task, client, config, failed, passed, task};
use super::{Assess, Basis, Benchmark, Check, Signal, no_live_signal};
use crate::model::{Container, Host, Service, Severity, Verdict};

/// Restarts that are few enough to be noticed.
const ATTEMPTS: i64 = 5;

pub(super) static CHECK: Check = Check {
    key: "runtime-restart-policy",
    title: "Restart policy is bounded",
    section: "runtime",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Low,
    numbers: &[
        (Benchmark::V1_13_0, "5.14"),
        (Benchmark::V1_1_0, "5.14"),
        (Benchmark::V1_2_0, "5.14"),
        (Benchmark::V1_3_1, "5.14"),
        (Benchmark::V1_4_0, "5.14"),
        (Benchmark::V1_5_0, "5.14"),
        (Benchmark::V1_6_0, "5.15"),
        (Benchmark::V1_7_0, "5.15"),
        (Benchmark::V1_8_0, "5.15"),
    ],
    about: "A container that is restarted without end hides that it fails, and gives an attacker any \
            number of attempts. No restart at all and `on-failure` with one to five attempts are \
            bounded; `always`, `unless-stopped` and `on-failure` without a number are not. A swarm task \
            is restarted by its service, so its service is judged.",
    remedy: "Use --restart on-failure:5",
    assess: Assess::Container(assess),
    signals: &[Signal {
        kind: "container",
        when: "a container is created, started or updated",
    }],
    observe: no_live_signal,
};

fn assess(container: &Container, host: &Host) -> Verdict {
    match task(container, host) {
        Task::No => configured(container),
        Task::Of(service) => of_service(container, service),
        Task::Unknown(why) => Verdict::unknown(format!(
            "container {} is restarted by its swarm service: {why}",
            container.name
        )),
    }
}

fn configured(container: &Container) -> Verdict {
    let Some((name, count)) = &container.life.restart else {
        return Verdict::unknown("the engine does not say when the container is restarted");
    };
    let clause = match (name.as_str(), *count) {
        ("" | "no", _) => return passed(container, "is never restarted"),
        ("on-failure", 1..=ATTEMPTS) => {
            return passed(container, &format!("is restarted {count} times at most"));
        }
        ("on-failure", count) if count > ATTEMPTS => format!("is restarted up to {count} times"),
        ("on-failure", _) => "is restarted on failure without end".to_owned(),
        (name, _) => format!("is restarted without end by its policy {name}"),
    };
    let shown = config(
        "HostConfig.RestartPolicy",
        serde_json::json!({ "Name": name, "MaximumRetryCount": count }),
    );
    failed(container, CHECK.severity, &clause, vec![shown]).remedy(format!(
        "{} update --restart on-failure:{ATTEMPTS} {}",
        client(container),
        container.name
    ))
}

fn of_service(container: &Container, service: &Service) -> Verdict {
    // A service without a policy restarts its tasks always.
    let (condition, attempts) = service
        .restart
        .as_ref()
        .map_or(("any", 0), |(condition, attempts)| {
            (condition.as_str(), *attempts)
        });
    let name = &service.name;
    let few = (1..=ATTEMPTS.unsigned_abs()).contains(&attempts);
    if condition == "none" || few {
        let clause = format!("is a task of service {name}, whose restarts are bounded");
        return passed(container, &clause);
    }
    let bound = if attempts == 0 {
        "without end".to_owned()
    } else {
        format!("up to {attempts} times")
    };
    let clause = format!("is a task of service {name}, which restarts it {bound}");
    let shown = config(
        "TaskTemplate.RestartPolicy",
        serde_json::json!({ "service": name, "Condition": condition, "MaxAttempts": attempts }),
    );
    failed(container, CHECK.severity, &clause, vec![shown]).remedy(format!(
        "docker service update --restart-condition on-failure --restart-max-attempts {ATTEMPTS} {name}"
    ))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_fails, assert_passes, assert_unknown, judge};
    use super::*;
    use crate::model::Fact;

    #[track_caller]
    fn check(policy: Option<(&str, i64)>) -> Verdict {
        judge(&CHECK, |container, _| {
            container.life.restart = policy.map(|(name, count)| (name.into(), count));
        })
    }

    /// The verdict on a task of a service with this policy; of a service that is not known without one.
    #[track_caller]
    fn check_task(restart: Option<Option<(&str, u64)>>) -> Verdict {
        judge(&CHECK, |container, host| {
            container.life.restart = Some(("no".into(), 0));
            container.labels = vec![("com.docker.swarm.service.id".into(), "s1".into())];
            let engine = host.facts.engine.get_mut().unwrap();
            engine.swarm.services = Fact::Known(
                restart
                    .map(|restart| Service {
                        id: "s1".into(),
                        name: "shop".into(),
                        restart: restart.map(|(condition, attempts)| (condition.into(), attempts)),
                        ..Service::default()
                    })
                    .into_iter()
                    .collect(),
            );
        })
    }

    #[test]
    fn pass_none_and_a_few() {
        for policy in [("", 0), ("no", 0), ("on-failure", 1), ("on-failure", 5)] {
            assert_passes(&check(Some(policy)));
        }
        for policy in [("none", 0), ("on-failure", 5), ("any", 3)] {
            assert_passes(&check_task(Some(Some(policy))));
        }
    }

    #[test]
    fn fail_what_has_no_end_and_too_many() {
        for (policy, words) in [
            (("always", 0), "without end by its policy always"),
            (("unless-stopped", 0), "unless-stopped"),
            (("on-failure", 0), "on failure without end"),
            (("on-failure", 6), "up to 6 times"),
        ] {
            let verdict = check(Some(policy));
            assert_fails(&verdict, Severity::Low, words);
            assert_eq!(
                verdict.remedy.as_deref(),
                Some("docker update --restart on-failure:5 web")
            );
        }
    }

    #[test]
    fn fail_a_task_by_its_service() {
        for restart in [None, Some(("any", 0)), Some(("on-failure", 0))] {
            let words = "is a task of service shop, which restarts it without end";
            assert_fails(&check_task(Some(restart)), Severity::Low, words);
        }
        assert_fails(
            &check_task(Some(Some(("any", 9)))),
            Severity::Low,
            "up to 9 times",
        );
    }

    #[test]
    fn unknown_where_nobody_says() {
        assert_unknown(&check(None), "when the container is restarted");
        assert_unknown(&check_task(None), "its swarm service is not listed");
    }
}
