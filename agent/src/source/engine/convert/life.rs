//! How a container lives: limits, restarts, health.

use bollard::models::{ContainerConfig, ContainerState, HostConfig, ResourcesUlimits};

use super::json;
use crate::model::{Life, Limits, SecretHint, Ulimit, secret};

/// Of `HostConfig`.
pub(super) fn limits(config: &HostConfig) -> Limits {
    let ulimits = config.ulimits.iter().flatten().map(ulimit).collect();
    Limits {
        memory: config.memory,
        memory_swap: config.memory_swap,
        cpu_shares: config.cpu_shares,
        cpu_quota: config.cpu_quota,
        nano_cpus: config.nano_cpus,
        cpuset: config.cpuset_cpus.clone(),
        // Null is no limit.
        pids: Some(config.pids_limit.unwrap_or_default()),
        ulimits: Some(ulimits),
        cgroup_parent: config.cgroup_parent.clone(),
        cgroupns_mode: config.cgroupns_mode.map(|mode| mode.to_string()),
    }
}

fn ulimit(limit: &ResourcesUlimits) -> Ulimit {
    Ulimit {
        name: limit.name.clone().unwrap_or_default(),
        soft: limit.soft.unwrap_or(-1),
        hard: limit.hard.unwrap_or(-1),
    }
}

/// Of `State`, `Config` and `HostConfig`.
pub(super) fn life(
    run: Option<&ContainerState>,
    config: Option<&ContainerConfig>,
    host: Option<&HostConfig>,
) -> Life {
    let restart = host.and_then(|host| host.restart_policy.as_ref());
    let restart = restart.map(|policy| {
        let name = policy.name.map(|name| name.to_string());
        (
            name.unwrap_or_default(),
            policy.maximum_retry_count.unwrap_or_default(),
        )
    });
    let log = host.and_then(|host| host.log_config.as_ref());
    Life {
        readonly_rootfs: host.and_then(|host| host.readonly_rootfs),
        restart,
        log_driver: log.and_then(|log| log.typ.clone()),
        healthcheck: config.map(healthcheck),
        health: run.map(health),
        finished: run.and_then(|run| json::instant(run.finished_at.as_deref()?)),
        unmasked: host.and_then(unmasked),
        docker_host: config.and_then(docker_host),
    }
}

fn healthcheck(config: &ContainerConfig) -> Vec<String> {
    let check = config.healthcheck.as_ref();
    check.and_then(|check| check.test.clone()).unwrap_or_default()
}

fn health(run: &ContainerState) -> String {
    let status = run.health.as_ref().and_then(|health| health.status);
    let status = status.map(|status| status.to_string()).unwrap_or_default();
    if status.is_empty() {
        "none".to_owned()
    } else {
        status
    }
}

/// A list that is null was not told: it is so in containers that hide what is usual.
fn unmasked(host: &HostConfig) -> Option<bool> {
    let (masked, read_only) = (host.masked_paths.as_ref(), host.readonly_paths.as_ref());
    let hides = |paths: Option<&Vec<String>>| paths.is_some_and(|paths| !paths.is_empty());
    if hides(masked) || hides(read_only) {
        return Some(false);
    }
    masked.and(read_only).map(|_| true)
}

fn docker_host(config: &ContainerConfig) -> Option<String> {
    let variables = config.env.as_ref()?;
    let given = variables
        .iter()
        .find_map(|line| line.strip_prefix("DOCKER_HOST="))?;
    Some(secret::redact(given))
}

/// A label, without its value where that looks like a secret.
pub(super) fn label((name, value): (String, String)) -> (String, String) {
    let value = secret::redact_value(&name, &value);
    (name, value)
}

/// Traces of secrets in the configuration of a container.
pub(super) fn secrets(config: &ContainerConfig, command: &[String]) -> Vec<SecretHint> {
    let mut hints = secret::in_env(config.env.as_deref().unwrap_or_default());
    let labels = config.labels.iter().flatten();
    hints.extend(secret::in_labels(
        labels.map(|(name, value)| (name.as_str(), value.as_str())),
    ));
    hints.extend(secret::in_command(&command.join(" ")));
    hints.sort();
    hints
}

#[cfg(test)]
mod tests {
    use bollard::models::ContainerInspectResponse;

    use super::*;

    fn read(json: &str) -> ContainerInspectResponse {
        serde_json::from_str(json).unwrap()
    }

    fn life_of(json: &str) -> Life {
        let answer = read(json);
        life(
            answer.state.as_ref(),
            answer.config.as_ref(),
            answer.host_config.as_ref(),
        )
    }

    #[test]
    fn limits_are_those_of_the_host_configuration() {
        let answer = read(include_str!("../fixtures/container-limited.json"));
        let expected = Limits {
            memory: Some(64 << 20),
            memory_swap: Some(128 << 20),
            cpu_shares: Some(512),
            cpu_quota: Some(0),
            nano_cpus: Some(500_000_000),
            cpuset: Some("0".into()),
            pids: Some(100),
            ulimits: Some(vec![Ulimit {
                name: "nofile".into(),
                soft: 100,
                hard: 200,
            }]),
            cgroup_parent: Some("/custom".into()),
            cgroupns_mode: Some("host".into()),
        };
        assert_eq!(limits(&answer.host_config.unwrap()), expected);
    }

    #[test]
    fn no_limit_of_processes_is_zero_and_no_ulimits_are_none() {
        let answer = read(include_str!("../fixtures/container-later.json"));
        let limits = limits(&answer.host_config.unwrap());
        assert_eq!((limits.pids, limits.ulimits), (Some(0), Some(Vec::new())));
    }

    #[test]
    fn a_life_as_dockerd_describes_it() {
        let limited = life_of(include_str!("../fixtures/container-limited.json"));
        let expected = Life {
            readonly_rootfs: Some(true),
            restart: Some(("on-failure".into(), 5)),
            log_driver: Some("json-file".into()),
            healthcheck: Some(["CMD", "/bin/busybox", "true"].map(str::to_owned).to_vec()),
            health: Some("starting".into()),
            finished: None,
            unmasked: Some(false),
            docker_host: Some("tcp://h:2375".into()),
        };
        assert_eq!(limited, expected);
    }

    #[test]
    fn a_life_without_a_check_has_none_and_without_a_word_is_unknown() {
        let bare = life_of(r#"{"Config":{},"State":{"FinishedAt":"2026-01-01T00:00:00Z"}}"#);
        assert_eq!(
            (bare.healthcheck, bare.health),
            (Some(Vec::new()), Some("none".into()))
        );
        assert!(bare.finished.is_some());
        assert_eq!(life_of("{}"), Life::default());
    }

    #[track_caller]
    fn check_unmasked(host: &str, expected: Option<bool>) {
        assert_eq!(
            life_of(&format!(r#"{{"HostConfig":{host}}}"#)).unmasked,
            expected,
            "{host}"
        );
    }

    #[test]
    fn nothing_is_hidden_where_both_lists_are_empty() {
        check_unmasked(r#"{"MaskedPaths":[],"ReadonlyPaths":[]}"#, Some(true));
        check_unmasked(
            r#"{"MaskedPaths":["/proc/kcore"],"ReadonlyPaths":[]}"#,
            Some(false),
        );
        check_unmasked(r#"{"MaskedPaths":null,"ReadonlyPaths":[]}"#, None);
    }
}
