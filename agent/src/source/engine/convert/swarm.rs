//! What a manager of a swarm tells. Tokens and keys are in its answers, and are not looked at.

use serde_json::Value;
use x509_parser::pem::Pem;

use super::json;
use crate::model::{Cluster, SecretHint, Service, Time, secret};

/// From `GET /swarm`.
pub(in super::super) fn cluster(answer: &Value) -> Cluster {
    let root = json::text(answer, "/TLSInfo/TrustRoot");
    Cluster {
        version: json::count(answer, "/Version/Index").unwrap_or_default(),
        updated: json::time(answer, "/UpdatedAt"),
        autolock: json::flag(answer, "/Spec/EncryptionConfig/AutoLockManagers"),
        node_cert_expiry: json::count(answer, "/Spec/CAConfig/NodeCertExpiry"),
        ca_issued: root.and_then(|pem| issued(&pem)),
        ca_rotating: json::flag(answer, "/RootRotationInProgress").unwrap_or_default(),
        data_path_port: json::count(answer, "/DataPathPort").and_then(|port| u32::try_from(port).ok()),
    }
}

/// `notBefore` of the first certificate in a PEM text.
fn issued(pem: &str) -> Option<Time> {
    let first = Pem::iter_from_buffer(pem.as_bytes()).next()?.ok()?;
    let certificate = first.parse_x509().ok()?;
    let seconds = certificate.validity().not_before.timestamp();
    Some(Time::from_unix_nanos(
        i128::from(seconds).saturating_mul(1_000_000_000),
    ))
}

/// From `GET /services`.
pub(in super::super) fn services(answer: &Value) -> Vec<Service> {
    let all = json::list(answer, "").into_iter().flatten();
    all.filter_map(service).collect()
}

fn service(answer: &Value) -> Option<Service> {
    let task = answer.pointer("/Spec/TaskTemplate").unwrap_or(&Value::Null);
    let secrets = json::list(task, "/ContainerSpec/Secrets").map_or(0, Iterator::count);
    let restart = task.pointer("/RestartPolicy").filter(|policy| policy.is_object());
    Some(Service {
        id: json::text(answer, "/ID")?,
        name: json::text(answer, "/Spec/Name").unwrap_or_default(),
        secrets: u64::try_from(secrets).unwrap_or(u64::MAX),
        hints: hints(answer, task),
        restart: restart.map(|policy| {
            let condition = json::text(policy, "/Condition").unwrap_or_default();
            (condition, json::count(policy, "/MaxAttempts").unwrap_or_default())
        }),
        ports: ports(answer),
    })
}

fn hints(service: &Value, task: &Value) -> Vec<SecretHint> {
    let mut hints = secret::in_env(&json::texts(task, "/ContainerSpec/Env").unwrap_or_default());
    for field in ["/ContainerSpec/Command", "/ContainerSpec/Args"] {
        let words = json::texts(task, field).unwrap_or_default();
        hints.extend(secret::in_command(&words.join(" ")));
    }
    for labels in [
        json::table(service, "/Spec/Labels"),
        json::table(task, "/ContainerSpec/Labels"),
    ] {
        let pairs = labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        hints.extend(secret::in_labels(pairs));
    }
    hints.sort();
    hints.dedup();
    hints
}

/// Ports in force, else those asked for.
fn ports(service: &Value) -> Vec<(u32, String)> {
    let fields = ["/Endpoint/Ports", "/Spec/EndpointSpec/Ports"];
    let listed = fields.iter().find_map(|field| json::list(service, field));
    let port = |port: &Value| {
        let number = u32::try_from(json::count(port, "/PublishedPort")?).ok()?;
        let mode = json::text(port, "/PublishMode");
        Some((number, mode.unwrap_or_else(|| "ingress".to_owned())))
    };
    listed.into_iter().flatten().filter_map(port).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(json: &str) -> Value {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_cluster_as_dockerd_20_10_describes_it() {
        let cluster = cluster(&read(include_str!("../fixtures/swarm.json")));
        let thirty_days = 30 * 24 * 3600 * 1_000_000_000;
        assert_eq!((cluster.version, cluster.autolock), (16, Some(false)));
        assert_eq!(
            (cluster.node_cert_expiry, cluster.data_path_port),
            (Some(thirty_days), Some(4789))
        );
        assert_eq!(
            cluster.ca_issued.unwrap().to_string(),
            "2026-11-22T11:49:00.000000000Z"
        );
        assert!(cluster.updated.is_some() && !cluster.ca_rotating);
        assert!(!serde_json::to_string(&cluster).unwrap().contains("SWMTKN"));
    }

    #[test]
    fn a_cluster_says_no_more_than_it_was_told() {
        assert_eq!(cluster(&json!({})), Cluster::default());
        for root in [
            "",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "x",
        ] {
            assert_eq!(
                cluster(&json!({ "TLSInfo": { "TrustRoot": root } })).ca_issued,
                None
            );
        }
    }

    #[test]
    fn services_tell_of_secrets_restarts_and_ports() {
        let services = services(&read(include_str!("../fixtures/services.json")));
        let [api] = services.as_slice() else {
            panic!("{services:?}")
        };
        assert_eq!((api.name.as_str(), api.secrets), ("api", 1));
        assert_eq!(api.restart, Some(("on-failure".into(), 5)));
        assert_eq!(api.ports, [(18080, "ingress".to_owned())]);
        assert_eq!(
            (api.hints[0].place.as_str(), api.hints[0].name.as_str()),
            ("env", "API_TOKEN")
        );
        assert!(!serde_json::to_string(api).unwrap().contains("fixture-"));
    }

    #[test]
    fn a_service_that_is_not_up_has_the_ports_it_asks_for() {
        let spec = json!([{ "ID": "x", "Spec": { "Name": "n", "TaskTemplate": {},
            "EndpointSpec": { "Ports": [{ "PublishedPort": 80, "PublishMode": "host" }] } } }]);
        let [service] = &services(&spec)[..] else { panic!() };
        assert_eq!(
            (service.restart.clone(), service.ports.clone()),
            (None, vec![(80, "host".to_owned())])
        );
    }
}
