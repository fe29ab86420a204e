//! The engine, of what it says of itself.

use std::collections::BTreeMap;

use serde_json::Value;

use super::json;
use crate::model::{Engine, Network, Registries, Swarm, Volume};

/// What the kernel can limit, by the names of `/info`.
const LIMITS: [&str; 9] = [
    "MemoryLimit",
    "SwapLimit",
    "CpuCfsPeriod",
    "CpuCfsQuota",
    "CPUShares",
    "CPUSet",
    "PidsLimit",
    "OomKillDisable",
    "BridgeNfIptables",
];
/// Numbers of containers, by the names of `/info`.
const COUNTS: [&str; 4] = [
    "Containers",
    "ContainersRunning",
    "ContainersPaused",
    "ContainersStopped",
];

/// From `GET /info` and `GET /version`; what it manages is not in there.
pub(in super::super) fn engine(info: &Value, version: &Value) -> Engine {
    let text = |field: &str| json::text(info, field).filter(|text| !text.is_empty());
    Engine {
        version: text("/ServerVersion")
            .or_else(|| json::text(version, "/Version"))
            .unwrap_or_default(),
        components: components(version),
        address: String::new(),
        data_root: text("/DockerRootDir"),
        storage_driver: text("/Driver"),
        logging_driver: text("/LoggingDriver"),
        cgroup_driver: text("/CgroupDriver"),
        cgroup_version: text("/CgroupVersion"),
        security_options: json::texts(info, "/SecurityOptions"),
        live_restore: json::flag(info, "/LiveRestoreEnabled"),
        experimental: json::flag(info, "/ExperimentalBuild"),
        debug: json::flag(info, "/Debug"),
        can_limit: named(&LIMITS, |field| json::flag(info, field)),
        default_runtime: text("/DefaultRuntime"),
        runtimes: runtimes(info),
        registries: info
            .pointer("/RegistryConfig")
            .filter(|config| config.is_object())
            .map(registries),
        authorization_plugins: info
            .pointer("/Plugins")
            .and_then(|plugins| json::texts(plugins, "/Authorization")),
        firewall: text("/FirewallBackend/Driver"),
        warnings: json::texts(info, "/Warnings").unwrap_or_default(),
        containerd_address: text("/Containerd/Address"),
        container_counts: named(&COUNTS, |field| json::count(info, field)),
        swarm: swarm(info),
        ..Engine::default()
    }
}

fn named<T>(names: &[&str], read: impl Fn(&str) -> Option<T>) -> BTreeMap<String, T> {
    let found = names
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), read(&format!("/{name}"))?)));
    found.collect()
}

fn components(version: &Value) -> BTreeMap<String, String> {
    let all = json::list(version, "/Components").into_iter().flatten();
    all.filter_map(|component| {
        Some((
            json::text(component, "/Name")?,
            json::text(component, "/Version")?,
        ))
    })
    .collect()
}

/// The path of a runtime; of one that is a shim, its type.
fn runtimes(info: &Value) -> BTreeMap<String, String> {
    let path = |runtime| json::text(runtime, "/path").or_else(|| json::text(runtime, "/runtimeType"));
    json::entries(info, "/Runtimes")
        .map(|(name, runtime)| (name.clone(), path(runtime).unwrap_or_default()))
        .collect()
}

fn registries(config: &Value) -> Registries {
    let mut mirrors = json::texts(config, "/Mirrors").unwrap_or_default();
    let mut insecure_names = Vec::new();
    for (name, index) in json::entries(config, "/IndexConfigs") {
        if json::flag(index, "/Secure") == Some(false) {
            insecure_names.push(name.clone());
        }
        mirrors.extend(json::texts(index, "/Mirrors").unwrap_or_default());
    }
    mirrors.sort();
    mirrors.dedup();
    Registries {
        insecure_cidrs: json::texts(config, "/InsecureRegistryCIDRs").unwrap_or_default(),
        insecure_names,
        mirrors,
    }
}

/// `Swarm` of `/info`.
fn swarm(info: &Value) -> Swarm {
    let managers = json::list(info, "/Swarm/RemoteManagers").into_iter().flatten();
    Swarm {
        state: json::text(info, "/Swarm/LocalNodeState").unwrap_or_default(),
        manager: json::flag(info, "/Swarm/ControlAvailable").unwrap_or_default(),
        managers: json::count(info, "/Swarm/Managers"),
        nodes: json::count(info, "/Swarm/Nodes"),
        node_address: json::text(info, "/Swarm/NodeAddr").filter(|address| !address.is_empty()),
        remote_managers: managers.filter_map(|peer| json::text(peer, "/Addr")).collect(),
        ..Swarm::default()
    }
}

/// From `GET /networks/ID`, or an entry of `GET /networks`; none without an id.
pub(in super::super) fn network(answer: &Value) -> Option<Network> {
    let containers = json::entries(answer, "/Containers");
    Some(Network {
        id: json::text(answer, "/Id")?,
        name: json::text(answer, "/Name").unwrap_or_default(),
        driver: json::text(answer, "/Driver").unwrap_or_default(),
        scope: json::text(answer, "/Scope").unwrap_or_default(),
        ingress: json::flag(answer, "/Ingress").unwrap_or_default(),
        ipv6: json::flag(answer, "/EnableIPv6").unwrap_or_default(),
        options: json::table(answer, "/Options"),
        containers: containers
            .map(|(id, endpoint)| (id.clone(), json::text(endpoint, "/Name").unwrap_or_default()))
            .collect(),
    })
}

/// From `GET /volumes`.
pub(in super::super) fn volumes(answer: &Value) -> Vec<Volume> {
    let all = json::list(answer, "/Volumes").into_iter().flatten();
    let mut volumes: Vec<_> = all
        .filter_map(|volume| {
            Some(Volume {
                name: json::text(volume, "/Name")?,
                driver: json::text(volume, "/Driver").unwrap_or_default(),
                labels: json::table(volume, "/Labels"),
            })
        })
        .collect();
    volumes.sort_by(|one, other| one.name.cmp(&other.name));
    volumes
}

/// From `GET /plugins`: name, whether it is enabled.
pub(in super::super) fn plugins(answer: &Value) -> BTreeMap<String, bool> {
    let all = json::list(answer, "").into_iter().flatten();
    all.filter_map(|plugin| Some((json::text(plugin, "/Name")?, json::flag(plugin, "/Enabled")?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(json: &str) -> Value {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn an_engine_as_dockerd_20_10_describes_itself() {
        let info = read(include_str!("../fixtures/info.json"));
        let engine = engine(&info, &read(include_str!("../fixtures/version.json")));
        assert_eq!(engine.version, "20.10.24+dfsg1");
        assert!(
            ["Engine", "containerd", "runc", "docker-init"]
                .iter()
                .all(|name| engine.components.contains_key(*name))
        );
        let texts = [
            (&engine.data_root, "/var/lib/docker"),
            (&engine.storage_driver, "overlay2"),
            (&engine.logging_driver, "json-file"),
            (&engine.cgroup_driver, "cgroupfs"),
            (&engine.cgroup_version, "1"),
            (&engine.default_runtime, "runc"),
        ];
        for (got, expected) in texts {
            assert_eq!(got.as_deref(), Some(expected));
        }
        let switches = (engine.live_restore, engine.experimental, engine.debug);
        assert_eq!(switches, (Some(false), Some(false), Some(false)));
        assert_eq!(engine.security_options.unwrap(), ["name=seccomp,profile=default"]);
        assert_eq!(engine.runtimes["runc"], "runc");
        assert_eq!(engine.can_limit["PidsLimit"], true);
        assert_eq!(engine.container_counts["ContainersStopped"], 1);
        assert_eq!(engine.authorization_plugins, Some(Vec::new()));
        assert_eq!(
            (engine.firewall, engine.containerd_address, engine.warnings),
            (None, None, Vec::new())
        );
        let registries = engine.registries.unwrap();
        assert_eq!(
            (registries.insecure_cidrs, registries.insecure_names),
            (vec!["127.0.0.0/8".into()], Vec::new())
        );
    }

    #[test]
    fn its_swarm_is_that_of_the_node() {
        let swarm = engine(&read(include_str!("../fixtures/info.json")), &Value::Null).swarm;
        assert_eq!((swarm.state.as_str(), swarm.manager), ("active", true));
        assert_eq!((swarm.managers, swarm.nodes), (Some(1), Some(1)));
        assert_eq!(swarm.node_address.as_deref(), Some("127.0.0.1"));
        assert_eq!(swarm.remote_managers, ["127.0.0.1:2377"]);
        assert_eq!(swarm.cluster.get(), None);
    }

    #[test]
    fn newer_engines_say_more() {
        let engine = engine(
            &json!({
                "FirewallBackend": { "Driver": "nftables" },
                "Containerd": { "Address": "/run/containerd/containerd.sock" },
                "Runtimes": { "runsc": { "path": "/usr/bin/runsc" }, "kata": { "runtimeType": "io.containerd.kata.v2" } },
                "Plugins": { "Authorization": ["opa"] },
                "RegistryConfig": { "InsecureRegistryCIDRs": null, "Mirrors": ["https://m"],
                    "IndexConfigs": { "reg:5000": { "Secure": false }, "docker.io": { "Secure": true, "Mirrors": ["https://m"] } } },
                "Warnings": ["[DEPRECATION NOTICE]"],
            }),
            &json!({ "Version": "28.5.1" }),
        );
        assert_eq!(engine.version, "28.5.1");
        assert_eq!(engine.firewall.as_deref(), Some("nftables"));
        assert_eq!(
            engine.containerd_address.as_deref(),
            Some("/run/containerd/containerd.sock")
        );
        assert_eq!(
            (
                engine.runtimes["runsc"].as_str(),
                engine.runtimes["kata"].as_str()
            ),
            ("/usr/bin/runsc", "io.containerd.kata.v2")
        );
        assert_eq!(engine.authorization_plugins, Some(vec!["opa".into()]));
        let registries = engine.registries.unwrap();
        assert_eq!(
            (registries.insecure_names, registries.mirrors),
            (vec!["reg:5000".into()], vec!["https://m".into()])
        );
        assert_eq!(engine.warnings.len(), 1);
    }

    #[test]
    fn what_was_not_said_is_unknown() {
        assert_eq!(engine(&json!({}), &json!({})), Engine::default());
        assert_eq!(
            engine(
                &json!({ "Debug": "no", "Swarm": null, "Plugins": [] }),
                &json!([])
            ),
            Engine::default()
        );
    }

    #[test]
    fn networks_volumes_and_plugins_are_told_by_name() {
        let plain = network(&read(include_str!("../fixtures/network.json"))).unwrap();
        assert_eq!(
            (plain.name.as_str(), plain.driver.as_str(), plain.scope.as_str()),
            ("plain", "bridge", "local")
        );
        assert_eq!(plain.containers.values().collect::<Vec<_>>(), ["limited"]);
        let networks = read(include_str!("../fixtures/networks.json"));
        let all: Vec<_> = networks.as_array().unwrap().iter().filter_map(network).collect();
        let mesh = all.iter().find(|network| network.name == "mesh").unwrap();
        assert!(mesh.options.contains_key("encrypted") && all.iter().any(|network| network.ingress));
        let volumes = volumes(&read(include_str!("../fixtures/volumes.json")));
        assert_eq!(
            (volumes[0].name.as_str(), volumes[0].labels["role"].as_str()),
            ("data", "data")
        );
        assert!(plugins(&read(include_str!("../fixtures/plugins.json"))).is_empty());
        let plugin = plugins(&json!([{ "Name": "opa:1", "Enabled": true }, { "Name": "x" }]));
        assert_eq!(plugin, [("opa:1".into(), true)].into());
        assert_eq!(network(&json!({ "Name": "x" })), None);
    }
}
