//! Files, directories and sockets of the engine: whose they are, and who else may change them.

mod mode;
mod owner;

use serde_json::json;

use super::super::Item;
use crate::model::{DirEntry, Evidence, Fact, Host, Object, ObjectKind, ObjectState, Role, Source, Verdict};

/// Objects that a recommendation is about.
#[derive(Debug)]
pub(in crate::check) struct Files {
    roles: &'static [Role],
    /// What they are, after "no".
    what: &'static str,
}

pub(in crate::check) const SERVICE_UNIT: Files = files(&[Role::ServiceUnit], "docker.service unit in force");
pub(in crate::check) const SOCKET_UNIT: Files = files(&[Role::SocketUnit], "docker.socket unit in force");
pub(in crate::check) const CONFIG_DIR: Files = files(&[Role::ConfigDir], "configuration directory");
pub(in crate::check) const CONFIG_FILE: Files =
    files(&[Role::ConfigFile], "configuration file of the daemon");
pub(in crate::check) const REGISTRY_CERTS: Files = files(&[Role::RegistryCert], "certificate of a registry");
pub(in crate::check) const REGISTRY_CERT_TREE: Files = files(
    &[Role::RegistryCertDir, Role::RegistryCert],
    "certificate of a registry",
);
pub(in crate::check) const TLS_CA: Files = files(&[Role::TlsCa], "CA certificate of a TLS listener");
pub(in crate::check) const TLS_CERT: Files = files(&[Role::TlsCert], "server certificate of a TLS listener");
pub(in crate::check) const TLS_KEY: Files = files(&[Role::TlsKey], "server key of a TLS listener");
pub(in crate::check) const ENGINE_SOCKET: Files = files(&[Role::EngineSocket], "socket of the engine");
pub(in crate::check) const DEFAULT_FILE: Files =
    files(&[Role::DefaultFile], "environment file of the daemon");
pub(in crate::check) const SYSCONFIG_FILE: Files =
    files(&[Role::SysconfigFile], "sysconfig file of the daemon");
pub(in crate::check) const CONTAINERD_SOCKET: Files =
    files(&[Role::ContainerdSocket], "socket of containerd");

const fn files(roles: &'static [Role], what: &'static str) -> Files {
    Files { roles, what }
}

impl Files {
    /// A verdict on each object that is there, and on each directory that lets somebody put another in its place.
    fn judge(
        &self,
        host: &Host,
        object: impl Fn(&Object, &ObjectState) -> Verdict,
        directory: impl Fn(&DirEntry, &Object) -> Option<Verdict>,
    ) -> Vec<Item> {
        let objects = match self.objects(host) {
            Ok(objects) if objects.is_empty() => {
                return vec![item(
                    self.what,
                    Verdict::not_applicable(format!("there is no {}", self.what)),
                )];
            }
            Ok(objects) => objects,
            Err(verdict) => return vec![item(self.what, verdict)],
        };
        let mut items = Vec::new();
        for each in &objects {
            items.push(item(
                &each.path,
                self.state_of(each)
                    .map_or_else(|verdict| verdict, |state| object(each, state)),
            ));
        }
        for (entry, each) in entries(&objects) {
            items.extend(directory(entry, each).map(|verdict| item(&entry.directory, verdict)));
        }
        items
    }

    fn objects<'h>(&self, host: &'h Host) -> Result<Vec<&'h Object>, Verdict> {
        let mut all = Vec::new();
        for role in self.roles {
            all.extend(host.facts.objects(*role)?);
        }
        Ok(all)
    }

    /// What is at an object's path, if it is of the sort that is expected there.
    fn state_of<'o>(&self, object: &'o Object) -> Result<&'o ObjectState, Verdict> {
        let path = readable(&object.path);
        let Some(state) = object.state.look()? else {
            return Err(Verdict::not_applicable(format!(
                "there is no {} at {path}",
                self.what
            )));
        };
        let is_socket_role = matches!(object.role, Role::EngineSocket | Role::ContainerdSocket);
        if is_socket_role && state.kind != ObjectKind::Socket {
            return Err(
                Verdict::unknown(format!("what is at {path} is no socket")).evidence(shown(object, state))
            );
        }
        Ok(state)
    }
}

fn item(subject: &str, verdict: Verdict) -> Item {
    let subject = readable(subject);
    Item { subject, verdict }
}

/// The directories that lead to objects, each once.
fn entries<'o>(objects: &[&'o Object]) -> Vec<(&'o DirEntry, &'o Object)> {
    let mut found: Vec<(&DirEntry, &Object)> = Vec::new();
    for object in objects {
        let Fact::Known(Some(state)) = &object.state else {
            continue;
        };
        for entry in &state.parents {
            if found.iter().all(|(known, _)| known.directory != entry.directory) {
                found.push((entry, object));
            }
        }
    }
    found
}

/// Who may own the engine's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner<'h> {
    Root,
    /// Root, or the user of a daemon that runs without root.
    User(u32),
    /// The daemon runs without root, and as whom is not known.
    Unknown(&'h str),
}

fn owner(host: &Host) -> Owner<'_> {
    match &host.facts.daemon {
        Fact::Known(daemon) if daemon.uid == 0 => Owner::Root,
        Fact::Known(daemon) => Owner::User(daemon.uid),
        Fact::Unknown(why) => {
            let options = host.facts.security_options.iter().flatten();
            let mut rootless = options.filter(|option| option.split(',').any(|part| part == "name=rootless"));
            rootless.next().map_or(Owner::Root, |_| Owner::Unknown(why))
        }
    }
}

/// Evidence of what is at a path.
fn shown(object: &Object, state: &ObjectState) -> Evidence {
    let facts = json!({
        "path": object.path,
        "resolved": state.resolved,
        "mode": octal(state.mode),
        "uid": state.uid,
        "gid": state.gid,
        "group": state.group,
        "acl": state.acl,
    });
    Evidence::new(Source::Assessment, "file", facts)
}

/// Evidence of a directory through which an object is reached.
fn shown_directory(entry: &DirEntry, object: &Object) -> Evidence {
    let facts = json!({
        "path": entry.directory,
        "holds": entry.name,
        "of": object.path,
        "mode": octal(entry.mode),
        "uid": entry.uid,
        "gid": entry.gid,
    });
    Evidence::new(Source::Assessment, "file", facts)
}

fn octal(mode: u32) -> String {
    format!("{mode:04o}")
}

/// A user by name, where the host's accounts have one.
fn user(host: &Host, uid: u32) -> String {
    let named = host
        .facts
        .system
        .get()
        .and_then(|system| system.users.get()?.0.get(&uid));
    match named {
        _ if uid == 0 => "root".to_owned(),
        Some(name) => name.clone(),
        None => uid.to_string(),
    }
}

/// A path without control characters: whoever made the file chose its name.
fn readable(path: &str) -> String {
    path.replace(char::is_control, "\u{fffd}")
}

/// A path as a word of a shell's command.
fn quoted(path: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%=,".contains(c);
    if path.chars().all(is_plain) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_one_word_of_a_shell() {
        for (path, expect) in [
            ("/etc/docker", "/etc/docker"),
            ("/etc/a b", "'/etc/a b'"),
            ("/x/$(y)", "'/x/$(y)'"),
            ("/it's", r"'/it'\''s'"),
        ] {
            assert_eq!(quoted(path), expect);
        }
    }
}
