//! The files, directories and sockets that recommendations are about: where they really are on this host, and what is
//! there. Nothing is written and nothing is opened but to be read.

mod certs;
mod containerd;
mod context;
mod engine;
mod found;
mod glob;
mod hidden;
mod places;
mod programs;
mod root;
mod running;
mod state;
mod system;
#[cfg(test)]
mod tests;
mod units;

use std::io;
use std::path::Path;

use procfs::process::Process;

use self::context::Context;
use self::found::Found;
use self::root::Root;
use self::running::Running;
use self::state::Looker;
use super::account::Accounts;
use super::proc;
use crate::model::{Fact, HostFacts, Object};

/// The host's root directory, seen from another mount namespace.
const HOST_ROOT: &str = "/proc/1/root";

/// Where the host's files begin for this process: elsewhere than at `/` in another mount namespace than the host's.
#[must_use]
pub fn files_root(facts: &HostFacts) -> &'static str {
    let own = Process::myself().ok().and_then(|own| proc::mount_namespace(&own));
    match (facts.namespaces, own) {
        (Some(host), Some(own)) if host.mnt != own => HOST_ROOT,
        _ => "/",
    }
}

/// Every object of every role ([`crate::model::Role`]), as far as `facts.engine` and `facts.daemon` say where it is, and
/// at its usual place where they do not. One that is not there has no state, and is listed once per role at most.
///
/// Unknown where the host's root directory cannot be opened, or /proc is not mounted.
#[must_use]
pub fn objects(facts: &HostFacts) -> Fact<Vec<Object>> {
    let own = Process::myself().ok().and_then(|own| proc::mount_namespace(&own));
    let hosts = facts.namespaces.map(|namespaces| namespaces.mnt);
    let path = files_root(facts);
    let pid = (path == HOST_ROOT).then_some(1);
    let look = || -> io::Result<Vec<Object>> {
        let root = Root::open(Path::new(path))?;
        let process = match pid {
            Some(pid) => proc::open(pid)?,
            None => Process::myself().map_err(proc::into_io)?,
        };
        let running = hosts.or(own).map(running::running).unwrap_or_default();
        let context = Context::new(&root, facts);
        Ok(objects_in(&root, proc::mounts(&process)?, &context, &running))
    };
    look()
        .map_err(|error| format!("the host's files could not be looked at below {path}: {error}"))
        .into()
}

/// The objects of a tree.
fn objects_in(
    root: &Root,
    mounts: Vec<crate::model::MountLine>,
    context: &Context<'_>,
    running: &Running,
) -> Vec<Object> {
    let groups = Accounts::parse("", &root.read("/etc/group").unwrap_or_default()).groups;
    let looker = Looker::new(root, mounts, groups);
    let mut found = Found::new(&looker);
    engine::find(&mut found, context);
    containerd::find(&mut found, context, running);
    programs::find(&mut found, context, running);
    system::find(&mut found);
    found.finish()
}
