//! What container is asked for.

use std::collections::HashMap;

use bollard::models::{ContainerCreateBody, HostConfig};

use super::LABEL;

/// How a container differs from an ordinary one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerSpec {
    /// Program and arguments.
    pub command: Vec<String>,
    /// `NAME=VALUE`.
    pub environment: Vec<String>,
    /// In the host's network namespace.
    pub host_network: bool,
    /// In the host's UTS namespace.
    pub host_uts: bool,
    /// Capabilities beyond the default set.
    pub cap_add: Vec<String>,
}

/// The request for it.
pub(super) fn body(image: String, spec: ContainerSpec) -> ContainerCreateBody {
    let hosts = |shared: bool| shared.then(|| "host".to_owned());
    let (name, value) = LABEL.split_once('=').unwrap_or((LABEL, ""));
    ContainerCreateBody {
        image: Some(image),
        cmd: Some(spec.command),
        env: Some(spec.environment),
        labels: Some(HashMap::from([(name.to_owned(), value.to_owned())])),
        host_config: Some(HostConfig {
            network_mode: hosts(spec.host_network),
            uts_mode: hosts(spec.host_uts),
            cap_add: Some(spec.cap_add),
            auto_remove: Some(false),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[track_caller]
    fn check(spec: ContainerSpec, expected: &Value) {
        assert_eq!(&serde_json::to_value(body("i:1".into(), spec)).unwrap(), expected);
    }

    #[test]
    fn a_container_is_asked_for_as_it_is_described() {
        let mut expected = json!({
            "Image": "i:1", "Cmd": ["/x", "y"], "Env": ["A=b"], "Labels": { "hullwatch.demo": "1" },
            "HostConfig": { "AutoRemove": false, "CapAdd": ["SYS_ADMIN"], "NetworkMode": "host", "UTSMode": "host" },
        });
        let mut spec = ContainerSpec {
            command: vec!["/x".into(), "y".into()],
            environment: vec!["A=b".into()],
            host_network: true,
            host_uts: true,
            cap_add: vec!["SYS_ADMIN".into()],
        };
        check(spec.clone(), &expected);
        (spec.host_network, spec.host_uts, spec.cap_add) = (false, false, Vec::new());
        expected["HostConfig"] = json!({ "AutoRemove": false, "CapAdd": [] });
        check(spec, &expected);
    }
}
