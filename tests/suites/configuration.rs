//! Containers that are started with what the benchmark advises against, and one that is not.

use anyhow::{Context, Result, ensure};

use crate::case::cases;
use crate::stage::{Stage, Way};

cases! {
    staged:
        host_network,
        host_processes,
        host_ipc,
        host_names,
        host_devices,
        added_capabilities,
        sensitive_host_directories,
        shared_propagation,
        no_seccomp,
        an_ordinary_container;
}

const KEYS: [&str; 10] = [
    "runtime-not-privileged",
    "runtime-no-host-network",
    "runtime-no-host-pid",
    "runtime-no-host-ipc",
    "runtime-no-host-uts",
    "runtime-no-host-devices",
    "runtime-capabilities",
    "runtime-no-sensitive-host-mounts",
    "runtime-no-shared-propagation",
    "runtime-seccomp-on",
];

const HOST_NETWORK: &[&str] = &["--network", "host"];
const HOST_PID: &[&str] = &["--pid", "host"];
const HOST_IPC: &[&str] = &["--ipc", "host"];
const HOST_UTS: &[&str] = &["--uts", "host"];
const DEVICE: &[&str] = &["--device", "/dev/kmsg:/dev/given"];
const CAPABILITY: &[&str] = &["--cap-add", "SYS_ADMIN"];
const DIRECTORY: &[&str] = &["--volume", "/etc:/given"];
const NO_SECCOMP: &[&str] = &["--security-opt", "seccomp=unconfined"];

/// Every set of options that needs no preparation.
pub(crate) const OPTIONS: [&[&str]; 8] = [
    HOST_NETWORK,
    HOST_PID,
    HOST_IPC,
    HOST_UTS,
    DEVICE,
    CAPABILITY,
    DIRECTORY,
    NO_SECCOMP,
];

/// Starts a container with these options: of all the keys, exactly this one is broken.
#[track_caller]
fn check(stage: &mut Stage, options: &[&str], key: &str) -> Result<()> {
    let mark = stage.watch()?.mark();
    let container = stage.world.container(options)?;
    let said = stage
        .watch()?
        .violation(mark, key, |line| line.is_in(&container.id))?;
    ensure!(said.text("/container/name") == container.name, "{said}");
    ensure!(said.text("/posture/verdict") == "fail", "{said}");
    stage.silent(
        Way::Engine,
        mark,
        "what the container was not started with",
        |line| {
            line.is_in(&container.id) && KEYS.iter().any(|other| *other != key && line.is_violation(other))
        },
    )
}

fn host_network(stage: &mut Stage) -> Result<()> {
    check(stage, HOST_NETWORK, "runtime-no-host-network")
}

fn host_processes(stage: &mut Stage) -> Result<()> {
    check(stage, HOST_PID, "runtime-no-host-pid")
}

fn host_ipc(stage: &mut Stage) -> Result<()> {
    check(stage, HOST_IPC, "runtime-no-host-ipc")
}

fn host_names(stage: &mut Stage) -> Result<()> {
    check(stage, HOST_UTS, "runtime-no-host-uts")
}

fn host_devices(stage: &mut Stage) -> Result<()> {
    check(stage, DEVICE, "runtime-no-host-devices")
}

fn added_capabilities(stage: &mut Stage) -> Result<()> {
    check(stage, CAPABILITY, "runtime-capabilities")
}

fn sensitive_host_directories(stage: &mut Stage) -> Result<()> {
    check(stage, DIRECTORY, "runtime-no-sensitive-host-mounts")
}

fn no_seccomp(stage: &mut Stage) -> Result<()> {
    check(stage, NO_SECCOMP, "runtime-seccomp-on")
}

fn shared_propagation(stage: &mut Stage) -> Result<()> {
    // Docker shares a directory only if its mount is shared on the host.
    let directory = stage.world.directory("shared")?;
    let path = directory.to_str().context("path")?;
    stage.world.act(&["bind", path, path])?;
    stage.world.act(&["make-shared", path])?;
    check(
        stage,
        &["--volume", &format!("{path}:/given:rshared")],
        "runtime-no-shared-propagation",
    )
}

fn an_ordinary_container(stage: &mut Stage) -> Result<()> {
    let directory = stage.world.directory("harmless")?;
    let mark = stage.watch()?.mark();
    let volume = format!("{}:/given:ro", directory.display());
    let container = stage
        .world
        .container(&["--volume", &volume, "--cap-drop", "NET_RAW"])?;
    let seen = stage.known(mark, &container.id)?;
    ensure!(
        seen.text("/facts/name") == container.name && seen.text("/source") == "engine",
        "{seen}"
    );
    stage.silent(Way::Engine, mark, "an ordinary container", |line| {
        line.is_in(&container.id) && KEYS.iter().any(|key| line.is_violation(key))
    })
}
