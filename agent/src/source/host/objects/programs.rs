//! Executables of the engine and of what it starts.

use super::context::Context;
use super::found::Found;
use super::root::split;
use super::running::Running;
use crate::model::Role;

/// Programs of containerd that are judged by their own names.
const SHIMS: [(&str, Role); 3] = [
    ("containerd-shim", Role::Shim),
    ("containerd-shim-runc-v1", Role::ShimRuncV1),
    ("containerd-shim-runc-v2", Role::ShimRuncV2),
];

/// Where packages put the engine.
const DOCKERD: [&str; 3] = ["/usr/bin/dockerd", "/usr/sbin/dockerd", "/usr/local/bin/dockerd"];

/// Lists them.
pub(super) fn find(found: &mut Found<'_>, context: &Context<'_>, running: &Running) {
    let daemon = context
        .daemon()
        .map(|daemon| daemon.exe.as_str())
        .filter(|exe| !exe.is_empty());
    match daemon {
        Some(exe) => found.add(Role::DockerdBinary, exe),
        // It is there while it does not run.
        None => usual(found, Role::DockerdBinary, &DOCKERD),
    }
    usual(
        found,
        Role::DockerBinary,
        &["/usr/bin/docker", "/usr/local/bin/docker"],
    );
    containerd(found, running);
    shims(found, running);
    runtimes(found, context);
}

/// Those of some paths that exist, else the first.
fn usual(found: &mut Found<'_>, role: Role, paths: &[&str]) {
    for path in paths {
        found.add_existing(role, path);
    }
    if let Some(first) = paths.first() {
        found.add(role, first);
    }
}

fn containerd(found: &mut Found<'_>, running: &Running) {
    for daemon in &running.daemons {
        found.add(Role::ContainerdBinary, &daemon.exe);
    }
    if running.daemons.is_empty() {
        found.add(Role::ContainerdBinary, "/usr/bin/containerd");
    }
    found.add_existing(Role::ContainerdBinary, "/usr/bin/docker-containerd");
}

/// The shims beside containerd, and those that run.
fn shims(found: &mut Found<'_>, running: &Running) {
    let beside = running.daemons.iter().filter_map(|daemon| split(&daemon.exe));
    let mut directories: Vec<&str> = beside.map(|(directory, _)| directory).collect();
    directories.push("/usr/bin");
    for directory in directories {
        for (name, role) in SHIMS {
            found.add(role, &format!("{directory}/{name}"));
        }
    }
    for path in &running.shims {
        let name = split(path).map_or("", |(_, name)| name);
        let known = SHIMS.iter().find(|(known, _)| *known == name);
        found.add(known.map_or(Role::ShimRuncV2, |(_, role)| *role), path);
    }
}

/// The OCI runtimes that the engine knows, and runc where distributions install it.
fn runtimes(found: &mut Found<'_>, context: &Context<'_>) {
    let root = found.looker.root;
    let engine = context.facts.engine.get();
    for (name, path) in engine.into_iter().flat_map(|engine| &engine.runtimes) {
        // One that is a shim has its name for an executable: io.containerd.runc.v2.
        let program = if path.is_empty() { name } else { path };
        if program.starts_with("io.containerd.") {
            continue;
        }
        if let Some(path) = context.program(root, program) {
            found.add(Role::RuncBinary, &path);
        }
    }
    let paths = [
        "/usr/bin/runc",
        "/usr/sbin/runc",
        "/usr/local/sbin/runc",
        "/usr/bin/docker-runc",
    ];
    usual(found, Role::RuncBinary, &paths);
}
