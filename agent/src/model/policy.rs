//! What the operator allows.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CapSet, Time};

/// Allow-lists and statements that checks consult. Everything is empty by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Users, by resolved uid, who may drive a runtime's socket.
    pub trusted_uids: Vec<u32>,
    /// Capabilities that containers may have beyond the default set.
    pub allowed_caps: CapSet,
    /// Host devices that may be passed to containers.
    pub allowed_devices: Vec<String>,
    /// Absolute paths of setuid, setgid or file-capability programs that images may ship.
    pub allowed_setuid: Vec<String>,
    /// Host paths that may be mounted into containers, exactly as given.
    pub allowed_mounts: Vec<String>,
    /// Dated statements, by key of the check they are about.
    pub attestations: BTreeMap<String, Attestation>,
    /// Whether swarm mode is meant to be on.
    pub swarm_expected: bool,
    /// Whether the engine is meant to run without root.
    pub rootless_required: bool,
    /// Cgroup parents that are allowed beside the driver's default.
    pub allowed_cgroup_parents: Vec<String>,
    /// SHA-256 of seccomp profiles that were approved.
    pub approved_seccomp: Vec<String>,
    /// Ports of the host below the unprivileged ones that containers may publish.
    pub allowed_ports: Vec<u16>,
    /// Ports that containers need, by container name or image reference: `80/tcp`.
    pub needed_ports: BTreeMap<String, Vec<String>>,
    /// Registries and repositories that images may come from, as prefixes: `registry.example/team/`.
    pub allowed_sources: Vec<String>,
    /// Digests of images that are approved as they are or as a base: of an image, or of its topmost layer.
    pub allowed_digests: Vec<String>,
    /// Packages that no image may ship.
    pub denied_packages: Vec<String>,
    /// Names of log forwarders that make a local log driver good.
    pub log_forwarders: Vec<String>,
    /// Ulimits that containers may set for themselves though they are looser than the default: `nofile=65536:65536`.
    pub allowed_ulimits: Vec<String>,
    /// Names of ulimits that the daemon is to set by default; `nofile` and `nproc` where none are given.
    pub required_ulimits: Vec<String>,
    /// Lowest versions that are still supported, by component: `docker`, `containerd`, `runc`, as `MAJOR.MINOR` lines.
    pub minimum_versions: BTreeMap<String, Vec<String>>,
    /// Age in days after which an image is too old.
    pub max_image_age_days: Option<u32>,
    /// Longest life of a node certificate, in hours.
    pub max_node_cert_hours: Option<u32>,
    /// Age in days after which the swarm's root certificate is to be rotated.
    pub max_ca_age_days: Option<u32>,
    /// Age in days after which the unlock key is to be rotated.
    pub max_unlock_key_age_days: Option<u32>,
    /// Stopped containers that may lie about.
    pub max_stopped_containers: Option<u32>,
    /// Share of the images, in percent, that may be unused.
    pub max_unused_images_percent: Option<u32>,
}

/// A dated statement about something that no fact decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// What was done: one sentence.
    pub statement: String,
    /// Who says so.
    pub by: String,
    /// When it was done.
    pub date: Time,
    /// Until when it holds.
    pub expires: Time,
}
