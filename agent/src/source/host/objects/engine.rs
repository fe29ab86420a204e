//! Objects of the engine itself: units, configuration, certificates, sockets, data.

use super::context::Context;
use super::found::Found;
use super::glob::expand;
use super::root::split;
use super::units::{self, Unit};
use crate::model::{Daemon, Engine, Fact, Role};

/// Directory of the engine's configuration.
const CONFIG: &str = "/etc/docker";
/// Configuration directory of the engine as a snap package.
const SNAP_CONFIG: &str = "/var/snap/docker/current/config";

/// What changes with the swarm, below the data root; the engine tells of no such change.
const SWARM: [&str; 3] = ["swarm", "swarm/certificates", "swarm/raft/wal-v3-encrypted"];

/// Lists them.
pub(super) fn find(found: &mut Found<'_>, context: &Context<'_>) {
    let socket = units(found, context);
    configuration(found, context);
    tls(found, context);
    sockets(found, context, socket.as_ref());
    data(found, context);
}

/// The units and what they name; returns the one of the socket.
fn units(found: &mut Found<'_>, context: &Context<'_>) -> Option<Unit> {
    let directories = unit_directories(context);
    let service = unit(found, &directories, Role::ServiceUnit, "docker.service");
    environment_files(found, service.as_ref());
    unit(found, &directories, Role::SocketUnit, "docker.socket")
}

/// Where the units of the daemon are: the system's, or its user's.
fn unit_directories(context: &Context<'_>) -> Vec<String> {
    let Some(uid) = context.rootless() else {
        return units::SYSTEM
            .iter()
            .map(|&directory| directory.to_owned())
            .collect();
    };
    let config = config_home(context);
    let own = [
        format!("{config}/systemd/user"),
        format!("/run/user/{uid}/systemd/user"),
    ];
    let common = units::USER.iter().map(|&directory| directory.to_owned());
    own.into_iter().chain(common).collect()
}

fn config_home(context: &Context<'_>) -> String {
    let default = || format!("{}/.config", context.home);
    context
        .variable("XDG_CONFIG_HOME")
        .map_or_else(default, str::to_owned)
}

/// A unit's files. A masked one is not there, for nothing of it is in force.
fn unit(found: &mut Found<'_>, directories: &[String], role: Role, name: &str) -> Option<Unit> {
    let Some(unit) = Unit::find(found.looker.root, directories, name).filter(|unit| !unit.masked) else {
        found.add_absent(role, &format!("/usr/lib/systemd/system/{name}"));
        return None;
    };
    found.add(role, &unit.fragment);
    for path in &unit.drop_ins {
        found.add(role, path);
    }
    Some(unit)
}

fn environment_files(found: &mut Found<'_>, service: Option<&Unit>) {
    found.add(Role::DefaultFile, "/etc/default/docker");
    found.add(Role::SysconfigFile, "/etc/sysconfig/docker");
    let Some(service) = service else { return };
    if let Some(why) = &service.unread {
        found.add_unknown(Role::DefaultFile, &service.fragment, why.as_str());
    }
    for value in service.all("Service", "EnvironmentFile") {
        let expanded = units::path_in(value)
            .ok_or_else(|| format!("what EnvironmentFile={value} names is not resolved"));
        match expanded.and_then(|pattern| expand(found.looker.root, &pattern)) {
            Ok(paths) => paths
                .iter()
                .for_each(|path| found.add(environment_role(path), path)),
            Err(why) => found.add_unknown(Role::DefaultFile, value, why),
        }
    }
}

fn environment_role(path: &str) -> Role {
    if path.starts_with("/etc/sysconfig/") {
        Role::SysconfigFile
    } else {
        Role::DefaultFile
    }
}

fn configuration(found: &mut Found<'_>, context: &Context<'_>) {
    let named = context.daemon().map(|daemon| daemon.config_file.path.as_str());
    if let Some(file) = named.filter(|path| path.starts_with('/')) {
        found.add(Role::ConfigFile, file);
        if let Some((directory, _)) = split(file) {
            found.add(Role::ConfigDir, directory);
        }
    }
    let own = match context.rootless() {
        Some(_) => format!("{}/docker", config_home(context)),
        None => CONFIG.to_owned(),
    };
    found.add(Role::ConfigDir, &own);
    found.add_existing(Role::ConfigDir, SNAP_CONFIG);
    if named.is_none() {
        found.add(Role::ConfigFile, &format!("{CONFIG}/daemon.json"));
        found.add_existing(Role::ConfigFile, &format!("{SNAP_CONFIG}/daemon.json"));
    }
    super::certs::find(found, &format!("{own}/certs.d"));
    if let Some(profile) = context
        .option("seccomp-profile")
        .filter(|path| path.starts_with('/'))
    {
        found.add(Role::SeccompProfile, profile);
    }
}

/// The files of TLS: those that are named, and with TLS on the default ones.
fn tls(found: &mut Found<'_>, context: &Context<'_>) {
    const FILES: [(&str, &str, Role); 3] = [
        ("tlscacert", "ca.pem", Role::TlsCa),
        ("tlscert", "cert.pem", Role::TlsCert),
        ("tlskey", "key.pem", Role::TlsKey),
    ];
    let variable = context
        .variable("DOCKER_CERT_PATH")
        .or_else(|| context.variable("DOCKER_CONFIG"));
    let default = variable.map_or_else(|| format!("{}/.docker", context.home), str::to_owned);
    for (option, file, role) in FILES {
        let path = format!("{default}/{file}");
        match &context.facts.daemon {
            Fact::Unknown(why) => {
                let why = format!("whether TLS is on, and with which files, is not known: {why}");
                found.add_unknown(role, &path, why);
            }
            Fact::Known(daemon) => match context.option(option) {
                Some(named) if named.starts_with('/') => found.add(role, named),
                Some(named) => {
                    let why = format!("{named} is relative to the daemon's working directory");
                    found.add_unknown(role, named, why);
                }
                None if tls_is_on(daemon) => found.add(role, &path),
                None => {}
            },
        }
    }
}

fn tls_is_on(daemon: &Daemon) -> bool {
    let on = |name| daemon.flag(name, false) != Some(false);
    on("tls") || on("tlsverify")
}

/// Every Unix socket of the engine's API: where it really listens, where it was told to, and where systemd listens for it.
fn sockets(found: &mut Found<'_>, context: &Context<'_>, unit: Option<&Unit>) {
    let role = Role::EngineSocket;
    if let Some(unit) = unit {
        let group = unit.last("Socket", "SocketGroup").unwrap_or("root");
        let streams = unit.all("Socket", "ListenStream");
        for path in streams.into_iter().filter_map(units::path_in) {
            found.add_asked(role, &path, Some(group));
        }
    }
    for path in context
        .list("hosts")
        .iter()
        .filter_map(|host| host.strip_prefix("unix://"))
    {
        found.add(role, path);
    }
    for path in listeners(context) {
        found.add(role, path);
    }
    if let Some(path) = &context.facts.engine_socket {
        found.add(role, path);
    }
    if context.rootless().is_none() {
        found.add(role, "/run/docker.sock");
    }
}

/// Unix sockets that the daemon listens on, without those by which its own plugins and drivers reach it: these lie in
/// its directory of runtime files.
fn listeners<'a>(context: &'a Context<'_>) -> impl Iterator<Item = &'a str> {
    let exec_root = context.option("exec-root").unwrap_or("/run/docker");
    let directory = format!("{}/", canonical_run(exec_root).trim_end_matches('/'));
    let all = context
        .daemon()
        .and_then(|daemon| daemon.listeners.get())
        .into_iter()
        .flatten();
    all.filter(|listener| listener.protocol == "unix")
        .map(|listener| listener.address.as_str())
        .filter(move |path| !canonical_run(path).starts_with(&directory))
}

fn canonical_run(path: &str) -> &str {
    path.strip_prefix("/var")
        .filter(|rest| rest.starts_with("/run/"))
        .unwrap_or(path)
}

/// The data root, and with user namespaces also the directory that has one for each mapping.
fn data(found: &mut Found<'_>, context: &Context<'_>) {
    let shown = context
        .facts
        .engine
        .get()
        .and_then(|engine: &Engine| engine.data_root.as_deref());
    if let Some(path) = shown {
        found.add(Role::DataRoot, path);
        for below in SWARM {
            found.add_existing(Role::SwarmState, &format!("{path}/{below}"));
        }
    }
    let default = match context.rootless() {
        Some(_) => format!("{}/.local/share/docker", context.home),
        None => "/var/lib/docker".to_owned(),
    };
    let named = context.option("data-root").or_else(|| context.option("graph"));
    let remapped = context.option("userns-remap").is_some();
    match named {
        Some(path) => found.add(Role::DataRoot, path),
        None if remapped || shown.is_none() => found.add(Role::DataRoot, &default),
        None => {}
    }
}
