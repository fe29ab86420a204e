//! A container's inspection.

use bollard::models::{
    ContainerInspectResponse, ContainerStateStatusEnum as Status, DeviceMapping, DeviceRequest, HostConfig,
};

use super::{Malformed, life, mounts, reach};
use crate::model::{Container, ContainerState, Device, EngineKind, Time};

/// From `GET /containers/ID/json`.
///
/// # Errors
///
/// An answer without a container's id or name is none.
pub(in super::super) fn container(
    answer: ContainerInspectResponse,
    engine: EngineKind,
) -> Result<Container, Malformed> {
    let id = answer.id.and_then(|id| id.parse().ok()).ok_or(Malformed("Id"))?;
    let name = answer.name.ok_or(Malformed("Name"))?;
    let host = answer.host_config.as_ref();
    let life = life::life(answer.state.as_ref(), answer.config.as_ref(), host);
    let run = answer.state.unwrap_or_default();
    let state = state(run.status);
    let mounts = mounts::mounts(answer.mounts, host, state);
    let exposed = answer.config.as_ref().map(|config| config.exposed_ports.clone());
    let reach = reach::reach(exposed, answer.network_settings, host, state);
    let mut command = answer.path.into_iter().collect::<Vec<_>>();
    command.extend(answer.args.into_iter().flatten());
    let secrets = answer
        .config
        .as_ref()
        .map(|config| life::secrets(config, &command));
    let config = answer.config.unwrap_or_default();
    let labels = config.labels.unwrap_or_default().into_iter();
    let mut labels: Vec<_> = labels.map(life::label).collect();
    labels.sort();
    let facts = Container {
        name: name.trim_start_matches('/').to_owned(),
        image: config.image.unwrap_or_default(),
        image_id: answer.image,
        state,
        pid: pid(run.pid),
        created: answer.created.and_then(|text| Time::try_from(text).ok()),
        user: config.user,
        mounts,
        apparmor_profile: answer.app_armor_profile,
        process_label: answer.process_label,
        labels,
        reach,
        life,
        secrets,
        ..Container::unknown(id, engine)
    };
    Ok(match answer.host_config {
        Some(config) => with_host_config(facts, config),
        None => facts,
    })
}

/// A process id on the host; engines write 0 where there is none.
pub(super) fn pid(number: Option<i64>) -> Option<u32> {
    number
        .and_then(|pid| u32::try_from(pid).ok())
        .filter(|pid| *pid > 0)
}

fn state(status: Option<Status>) -> ContainerState {
    match status {
        Some(Status::CREATED) => ContainerState::Created,
        // Its processes still run.
        Some(Status::RUNNING | Status::STOPPING) => ContainerState::Running,
        Some(Status::PAUSED) => ContainerState::Paused,
        Some(Status::RESTARTING) => ContainerState::Restarting,
        Some(Status::REMOVING) => ContainerState::Removing,
        Some(Status::EXITED) => ContainerState::Exited,
        Some(Status::DEAD) => ContainerState::Dead,
        Some(Status::EMPTY) | None => ContainerState::Unknown,
    }
}

/// The API writes an empty list as null: a list that is null within a `HostConfig` that is there is empty.
fn with_host_config(facts: Container, config: HostConfig) -> Container {
    Container {
        limits: life::limits(&config),
        runtime: config.runtime,
        privileged: config.privileged,
        cap_add: Some(config.cap_add.unwrap_or_default()),
        cap_drop: Some(config.cap_drop.unwrap_or_default()),
        security_opt: Some(config.security_opt.unwrap_or_default()),
        network_mode: config.network_mode,
        pid_mode: config.pid_mode,
        ipc_mode: config.ipc_mode,
        uts_mode: config.uts_mode,
        userns_mode: config.userns_mode,
        devices: Some(config.devices.into_iter().flatten().map(device).collect()),
        device_requests: Some(
            config
                .device_requests
                .into_iter()
                .flatten()
                .map(device_request)
                .collect(),
        ),
        device_cgroup_rules: Some(config.device_cgroup_rules.unwrap_or_default()),
        ..facts
    }
}

fn device(mapping: DeviceMapping) -> Device {
    Device {
        host: mapping.path_on_host.unwrap_or_default(),
        container: mapping.path_in_container.unwrap_or_default(),
        permissions: mapping.cgroup_permissions.unwrap_or_default(),
    }
}

/// What was asked for, by driver, else by device, else by capability.
fn device_request(request: DeviceRequest) -> String {
    let ids = request.device_ids.unwrap_or_default();
    match request.driver {
        Some(driver) if !driver.is_empty() => driver,
        _ if !ids.is_empty() => ids.join(","),
        _ => request
            .capabilities
            .unwrap_or_default()
            .iter()
            .map(|all| all.join("+"))
            .collect::<Vec<_>>()
            .join(","),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn convert(json: &str) -> Container {
        container(serde_json::from_str(json).unwrap(), EngineKind::Docker).unwrap()
    }

    fn minimal(extra: &Value) -> Container {
        let mut object = json!({ "Id": "ab".repeat(32), "Name": "/x" });
        object
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        convert(&object.to_string())
    }

    #[test]
    fn a_running_container_as_dockerd_20_10_describes_it() {
        let web = convert(include_str!("../fixtures/container-running.json"));
        assert_eq!((web.name.as_str(), web.image.as_str()), ("web", "hull:1"));
        assert_eq!(web.state, ContainerState::Running);
        assert!(web.pid.is_some_and(|pid| pid > 1) && web.created.is_some());
        assert!(
            web.image_id
                .as_deref()
                .is_some_and(|id| id.starts_with("sha256:"))
        );
        assert_eq!(web.user.as_deref(), Some("1000"));
        assert_eq!(web.privileged, Some(false));
        assert_eq!(web.cap_add, Some(vec!["CAP_NET_ADMIN".into()]));
        assert_eq!(web.cap_drop, Some(vec!["CAP_MKNOD".into()]));
        assert_eq!(web.security_opt, Some(vec!["no-new-privileges".into()]));
        assert_eq!(web.network_mode.as_deref(), Some("none"));
        assert_eq!(web.ipc_mode.as_deref(), Some("private"));
        assert_eq!(web.pid_mode.as_deref(), Some(""));
        assert_eq!(web.runtime.as_deref(), Some("runc"));
        assert_eq!(web.devices, Some(Vec::new()));
        assert_eq!(web.apparmor_profile.as_deref(), Some(""));
        let labels: Vec<_> = web.labels.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(labels, ["a", "b", "role"]);
        assert_eq!(web.truth, None);
    }

    #[test]
    fn a_running_container_as_podman_4_3_describes_it() {
        let answer = serde_json::from_str(include_str!("../fixtures/container-podman.json")).unwrap();
        let pweb = container(answer, EngineKind::Podman).unwrap();
        assert_eq!((pweb.name.as_str(), pweb.engine), ("pweb", EngineKind::Podman));
        assert_eq!(pweb.state, ContainerState::Running);
        assert!(pweb.pid.is_some() && pweb.created.is_some());
        assert_eq!(pweb.user.as_deref(), Some("1000"));
        assert_eq!(pweb.privileged, Some(false));
        assert_eq!(pweb.cap_add, Some(vec!["NET_ADMIN".into()]));
        assert_eq!(pweb.security_opt, Some(vec!["seccomp=unconfined".into()]));
        assert_eq!(pweb.uts_mode.as_deref(), Some("host"));
        assert_eq!(pweb.device_requests, Some(Vec::new()));
    }

    #[test]
    fn a_container_that_never_ran_shows_its_privileges_and_no_process() {
        let bare = convert(include_str!("../fixtures/container-created.json"));
        assert_eq!((bare.state, bare.pid), (ContainerState::Created, None));
        assert_eq!(bare.privileged, Some(true));
        assert_eq!(bare.cap_add, Some(Vec::new()));
        assert_eq!(bare.user.as_deref(), Some("0:0"));
        for mode in [&bare.pid_mode, &bare.ipc_mode, &bare.uts_mode] {
            assert_eq!(mode.as_deref(), Some("host"));
        }
        let device = Device {
            host: "/dev/null".into(),
            container: "/dev/xnull".into(),
            permissions: "rw".into(),
        };
        assert_eq!(bare.devices, Some(vec![device]));
        assert_eq!(bare.device_cgroup_rules, Some(vec!["c 1:3 r".into()]));
    }

    #[track_caller]
    fn check_secrets(json: &str, expected: &[(&str, &str)]) {
        let facts = convert(json);
        let hints = facts.secrets.as_ref().unwrap();
        let got: Vec<_> = hints
            .iter()
            .map(|hint| (hint.place.as_str(), hint.name.as_str()))
            .collect();
        assert_eq!(got, expected);
        assert!(!serde_json::to_string(&facts).unwrap().contains("fixture-"));
    }

    #[test]
    fn secrets_are_hinted_at_and_not_told() {
        check_secrets(
            include_str!("../fixtures/container-limited.json"),
            &[("env", "DB_PASSWORD"), ("label", "app.token")],
        );
        check_secrets(
            include_str!("../fixtures/container-later.json"),
            &[("command", "password"), ("env", "DB_PASSWORD")],
        );
    }

    #[test]
    fn what_was_not_said_is_unknown() {
        let silent = minimal(&json!({}));
        assert_eq!(silent.state, ContainerState::Unknown);
        assert_eq!((silent.pid, silent.user, silent.privileged), (None, None, None));
        assert_eq!(
            (silent.cap_add, silent.devices, silent.mounts),
            (None, None, None)
        );
        let hushed = minimal(&json!({ "HostConfig": {}, "State": { "Pid": -1 } }));
        assert_eq!(
            (hushed.privileged, hushed.network_mode, hushed.pid),
            (None, None, None)
        );
        assert_eq!(hushed.security_opt, Some(Vec::new()));
    }

    #[test]
    fn an_answer_without_an_identity_is_none() {
        for (json, field) in [
            (json!({ "Name": "/x" }), "Id"),
            (json!({ "Id": "../..", "Name": "/x" }), "Id"),
            (json!({ "Id": "ab".repeat(32) }), "Name"),
        ] {
            let answer = serde_json::from_value(json).unwrap();
            assert_eq!(container(answer, EngineKind::Docker), Err(Malformed(field)));
        }
    }

    #[track_caller]
    fn check_request(request: &Value, expected: &str) {
        let facts = minimal(&json!({ "HostConfig": { "DeviceRequests": [request] } }));
        assert_eq!(facts.device_requests, Some(vec![expected.to_owned()]));
    }

    #[test]
    fn a_device_request_is_named_by_the_most_telling_field() {
        check_request(&json!({ "Driver": "nvidia", "DeviceIDs": ["0"] }), "nvidia");
        check_request(
            &json!({ "Driver": "", "DeviceIDs": ["vendor/gpu=0", "1"] }),
            "vendor/gpu=0,1",
        );
        check_request(
            &json!({ "Capabilities": [["gpu", "compute"], ["tpu"]] }),
            "gpu+compute,tpu",
        );
    }
}
