//! Whose a file is.

use super::super::super::Item;
use super::{Files, Owner, owner, quoted, readable, shown, shown_directory, user};
use crate::model::{DirEntry, Fact, Host, Object, ObjectState, Verdict};

/// Group of the engine's socket that is not told of another.
const ENGINE_GROUP: &str = "docker";

impl Files {
    /// Each belongs to root and its group. Of a daemon that runs without root, its user's files are as good, whatever
    /// their group: their modes say what the group may do.
    pub(in crate::check) fn belong_to_root(&self, host: &Host) -> Vec<Item> {
        self.owners(host, |_| Ok(vec!["root".to_owned()]))
    }

    /// Each belongs to root, and to root's group or to the one that the configuration names for the engine's socket.
    pub(in crate::check) fn belong_to_the_engines_group(&self, host: &Host) -> Vec<Item> {
        self.owners(host, |state| engine_groups(host, state))
    }

    fn owners(&self, host: &Host, groups: impl Fn(&ObjectState) -> Result<Vec<String>, String>) -> Vec<Item> {
        let object = |object: &Object, state: &ObjectState| judge(host, object, state, groups(state));
        self.judge(host, object, |entry, object| directory(host, entry, object))
    }
}

/// Groups that may own the engine's socket besides root's.
fn engine_groups(host: &Host, state: &ObjectState) -> Result<Vec<String>, String> {
    let mut groups: Vec<String> = state.asked_group.iter().cloned().collect();
    match &host.facts.daemon {
        Fact::Known(daemon) => {
            let named = daemon.option("group").and_then(|option| option.value.as_str());
            groups.push(named.unwrap_or(ENGINE_GROUP).to_owned());
        }
        Fact::Unknown(_) if groups.is_empty() && state.group.as_deref() == Some(ENGINE_GROUP) => {
            groups.push(ENGINE_GROUP.to_owned());
        }
        Fact::Unknown(why) if groups.is_empty() => {
            return Err(format!(
                "which group the daemon gives its socket is not known: {why}"
            ));
        }
        Fact::Unknown(_) => {}
    }
    Ok(groups)
}

fn judge(host: &Host, object: &Object, state: &ObjectState, groups: Result<Vec<String>, String>) -> Verdict {
    let path = readable(&object.path);
    let is_of = |name: &String| state.group.as_ref() == Some(name) || *name == state.gid.to_string();
    let wanted = match &groups {
        Ok(groups) => groups.first().map_or("root", String::as_str),
        Err(_) => ENGINE_GROUP,
    };
    let wanted = if wanted.is_empty() { "root" } else { wanted };
    let group = state.group.clone().unwrap_or_else(|| state.gid.to_string());
    let whose = format!("{path} belongs to {}:{group}", user(host, state.uid));
    let failed = || {
        let remedy = format!("chown root:{wanted} {}", quoted(&state.resolved));
        Verdict::fail(
            format!("{whose}, not to root:{wanted}"),
            vec![shown(object, state)],
        )
        .remedy(remedy)
    };
    match owner(host) {
        Owner::Unknown(why) if state.uid != 0 => {
            let reason =
                format!("{whose}, and the user of the daemon, which runs without root, is not known: {why}");
            return Verdict::unknown(reason).evidence(shown(object, state));
        }
        Owner::User(uid) if state.uid == uid => {
            return Verdict::pass().because(format!("{whose}, the user of the daemon"));
        }
        _ if state.uid != 0 => return failed(),
        _ => {}
    }
    match groups {
        _ if state.gid == 0 => Verdict::pass().because(whose),
        Ok(groups) if groups.iter().any(is_of) => Verdict::pass().because(whose),
        Ok(_) => failed(),
        Err(why) => Verdict::unknown(format!("{whose}, and {why}")).evidence(shown(object, state)),
    }
}

/// A directory of somebody else, who can put another object in the place of this one.
fn directory(host: &Host, entry: &DirEntry, object: &Object) -> Option<Verdict> {
    let expected = match owner(host) {
        Owner::Root => entry.uid == 0,
        Owner::User(uid) => entry.uid == 0 || entry.uid == uid,
        Owner::Unknown(_) => true,
    };
    let reason = || {
        let (directory, path) = (readable(&entry.directory), readable(&object.path));
        let whose = user(host, entry.uid);
        format!("the directory {directory} belongs to {whose}, who can replace {path}")
    };
    (!expected).then(|| {
        Verdict::fail(reason(), vec![shown_directory(entry, object)])
            .remedy(format!("chown root:root {}", quoted(&entry.directory)))
    })
}
