//! Objects of containerd: configuration, sockets, runtime directories.

use std::collections::HashSet;

use toml::{Table, Value};

use super::context::Context;
use super::found::Found;
use super::glob::expand;
use super::root::{Root, split};
use super::running::{Containerd, Running};
use crate::model::{Engine, Role};

/// Configuration of a containerd that was not told of another.
const CONFIG: &str = "/etc/containerd/config.toml";
/// Files that a configuration may import, also through others.
const MAX_IMPORTS: usize = 64;
/// Runtime directory and files of the containerd that dockerd itself starts.
const SUPERVISED: &str = "/run/docker/containerd";

/// Lists them.
pub(super) fn find(found: &mut Found<'_>, context: &Context<'_>, running: &Running) {
    if running.daemons.is_empty() {
        daemon(found, &Containerd::default());
    }
    for each in &running.daemons {
        daemon(found, each);
    }
    found.add_existing(Role::ContainerdConfig, &format!("{SUPERVISED}/containerd.toml"));
    found.add_existing(Role::RunContainerd, SUPERVISED);
    found.add(Role::RunContainerd, "/run/containerd");
    let shown = context
        .facts
        .engine
        .get()
        .and_then(|engine: &Engine| engine.containerd_address.as_deref());
    for address in context.option("containerd").into_iter().chain(shown) {
        socket(found, address);
    }
    let supervised = format!("{SUPERVISED}/containerd.sock");
    if found.looker.root.has(&supervised) {
        socket(found, &supervised);
    }
    socket(found, "/run/containerd/containerd.sock");
}

/// What one containerd was told, or the default.
fn daemon(found: &mut Found<'_>, containerd: &Containerd) {
    let file = containerd.option("config", Some('c')).unwrap_or(CONFIG);
    let settings = configuration(found, file);
    let address = containerd
        .option("address", Some('a'))
        .or(settings.address.as_deref());
    if let Some(address) = address {
        socket(found, address);
    }
    let state = containerd.option("state", None).or(settings.state.as_deref());
    if let Some(state) = state {
        found.add(Role::RunContainerd, state);
    }
}

/// A socket, and the one beside it that shims use.
fn socket(found: &mut Found<'_>, address: &str) {
    let path = address.strip_prefix("unix://").unwrap_or(address);
    found.add(Role::ContainerdSocket, path);
    found.add_existing(Role::ContainerdSocket, &format!("{path}.ttrpc"));
}

/// What configuration files say; a later one overrides.
#[derive(Debug, Default, PartialEq, Eq)]
struct Settings {
    address: Option<String>,
    state: Option<String>,
}

/// Lists a configuration file and everything that it imports.
fn configuration(found: &mut Found<'_>, file: &str) -> Settings {
    let mut settings = Settings::default();
    let mut files = vec![file.to_owned()];
    let mut next = 0;
    while let Some(file) = files.get(next).cloned() {
        next += 1;
        found.add(Role::ContainerdConfig, &file);
        let root = found.looker.root;
        let Ok(text) = root.read(&file) else { continue };
        match text.parse::<Table>() {
            Ok(table) => {
                settings.take(&table);
                match imports(root, &file, &table) {
                    Ok(imported) => files.extend(imported),
                    Err(why) => found.add_unknown(Role::ContainerdConfig, &file, why),
                }
            }
            Err(error) => {
                let why = format!("{file} is not valid TOML: {}", error.message());
                found.add_unknown(Role::ContainerdSocket, &file, why);
            }
        }
        // Configurations may import each other.
        let mut seen = HashSet::new();
        files.retain(|file| seen.insert(file.clone()));
        files.truncate(MAX_IMPORTS);
    }
    settings
}

/// The files that a configuration imports, by patterns that may be relative to it.
fn imports(root: &Root, file: &str, table: &Table) -> Result<Vec<String>, String> {
    let directory = split(file).map_or("/", |(directory, _)| directory);
    let listed = table
        .get("imports")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let mut paths = Vec::new();
    for pattern in listed.filter_map(Value::as_str) {
        let pattern = match pattern.strip_prefix('/') {
            Some(_) => pattern.to_owned(),
            None => format!("{directory}/{pattern}"),
        };
        paths.extend(expand(root, &pattern)?);
    }
    Ok(paths)
}

impl Settings {
    fn take(&mut self, table: &Table) {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let address = table.get("grpc").and_then(|grpc| grpc.get("address"));
        self.address = text(address)
            .filter(|path| !path.is_empty())
            .or(self.address.take());
        self.state = text(table.get("state"))
            .filter(|path| !path.is_empty())
            .or(self.state.take());
    }
}
