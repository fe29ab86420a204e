//! A session made fit to be kept: only what the world did, and nothing of the machine that it was recorded on.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use anyhow::Result;
use hullwatch_tests::Line;
use serde_json::{Value, json};

/// What the world's directory is called in a kept session.
const WORLD: &str = "/world";

/// The lines of a session, without what others did at the same time and with neutral names for the host.
pub(crate) fn neutral(lines: &[Line], root: &Path) -> Result<String> {
    let ours: HashSet<&str> = lines
        .iter()
        .filter(|line| line.is_observation("container"))
        .map(|line| line.text("/facts/id"))
        .collect();
    let own = own_ancestry();
    let mut kept = String::new();
    for line in lines.iter().filter(|line| is_of_the_world(line, &ours)) {
        let mut value = line.value.clone();
        forget_the_machine(&mut value, &own);
        let text = serde_json::to_string(&value)?;
        kept.push_str(&text.replace(root.to_string_lossy().trim_end_matches('/'), WORLD));
        kept.push('\n');
    }
    Ok(kept)
}

/// Observations of the world's containers and of processes that this one started; what the runtime mounts while it
/// makes a container is many lines that say nothing.
fn is_of_the_world(line: &Line, containers: &HashSet<&str>) -> bool {
    if line.text("/type") != "observation" || line.is("/plumbing") && line.text("/kind") == "mount" {
        return false;
    }
    match (line.text("/container/id"), line.text("/source")) {
        ("", "kernel") => {
            let own = u64::from(std::process::id());
            let ancestors = line.at("/process/ancestors").as_array();
            ancestors.is_some_and(|list| {
                list.iter()
                    .any(|ancestor| ancestor.get("pid") == Some(&json!(own)))
            })
        }
        ("", _) => true,
        (container, _) => containers.contains(container),
    }
}

/// Takes out the ancestors that tests run under, and the host's own names.
fn forget_the_machine(value: &mut Value, own: &HashSet<u64>) {
    if let Some(Value::Array(ancestors)) = value.pointer_mut("/process/ancestors") {
        let pid = |ancestor: &Value| ancestor.get("pid").and_then(Value::as_u64);
        ancestors.retain(|ancestor| pid(ancestor).is_some_and(|pid| !own.contains(&pid)));
    }
    if let Some(host @ Value::Object(_)) = value.pointer_mut("/host") {
        let zeros = "0".repeat(32);
        *host = json!({ "name": "host", "id": zeros, "boot_id": "00000000-0000-0000-0000-000000000000" });
    }
}

/// This process, its parent, and so on.
fn own_ancestry() -> HashSet<u64> {
    let mut pids = HashSet::new();
    let mut pid = u64::from(std::process::id());
    while pid != 0 && pids.insert(pid) {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
        pid = parent
            .and_then(|parent| parent.trim().parse().ok())
            .unwrap_or_default();
    }
    pids
}
