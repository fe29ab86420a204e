//! Observations and processes in a few words. Everything that comes from outside is made visible here.

use super::escape::{command_line, visible};
use crate::model::{
    CgroupOp, ContainerAction, ContainerRef, Event, Fact, Mount, MountEffect, NamespaceChange,
    NamespaceOwner, Observation, Process,
};

/// Ancestors named on the line itself.
const ANCESTORS: usize = 4;

/// `uid 0 pid 42 ← sh ← containerd-shim`.
pub(super) fn actor(process: &Process) -> String {
    let mut text = format!("uid {}", process.uid);
    if process.euid != process.uid {
        text += &format!(" euid {}", process.euid);
    }
    text += &format!(" pid {}", process.pid);
    for ancestor in process.ancestors.iter().take(ANCESTORS) {
        text += " ← ";
        text += &visible(&ancestor.comm);
    }
    if process.ancestors.len() > ANCESTORS {
        text += " ← …";
    }
    text
}

/// `container web`, by the best name there is.
pub(super) fn place(container: &ContainerRef) -> String {
    match (&container.name, &container.id) {
        (Some(name), _) => format!("container {}", visible(name)),
        (None, Some(id)) => format!("container {}", id.short()),
        (None, None) => "an unknown container".to_owned(),
    }
}

/// What happened.
pub(super) fn event(observation: &Observation) -> String {
    match &observation.event {
        Event::Exec(exec) => match &observation.process {
            Some(process) if !process.args.is_empty() => {
                let more = if process.args_truncated { " …" } else { "" };
                format!(
                    "{} ({}{more})",
                    visible(&exec.file.path),
                    command_line(&process.args)
                )
            }
            _ => visible(&exec.file.path).into_owned(),
        },
        Event::Connect(connect) => format!(
            "{} socket {}",
            visible(&connect.socket.runtime),
            visible(&connect.socket.path)
        ),
        Event::Mount(mount) => mounted(mount),
        Event::Namespace(change) => entered(change),
        Event::Cgroup(change) => {
            let done = match change.op {
                CgroupOp::Created => "created",
                CgroupOp::Removed => "removed",
            };
            format!("{done} {}", visible(&change.path))
        }
        Event::Container { action, facts } => {
            format!("{} {}", visible(&facts.name), became(*action))
        }
        Event::ExecSession(session) => command_line(&session.command),
        Event::Image(image) => {
            let name = image.tags.first().unwrap_or(&image.id);
            visible(name).into_owned()
        }
        Event::ImageRemoved { id } => format!("{} removed", visible(id)),
        Event::ImageFiles { id, files } => match files {
            Fact::Known(_) => format!("{} read", visible(id)),
            Fact::Unknown(why) => format!("{} not read: {}", visible(id), visible(why)),
        },
        Event::File(change) => format!("{} {}", change.ops.join("+"), visible(&change.path)),
        Event::AuditChange(change) => format!("{} {}", visible(&change.op), visible(&change.what)),
        Event::AuditRecord(record) => {
            let names = record.paths.iter().filter_map(|path| path.name.as_deref());
            let names: Vec<_> = names.map(visible).collect();
            format!("{} {}", visible(&record.syscall), names.join(" "))
        }
        Event::Host(facts) => visible(&facts.host.name).into_owned(),
        Event::Policy(policy) => format!("{} trusted users", policy.trusted_uids.len()),
    }
}

const fn became(action: ContainerAction) -> &'static str {
    match action {
        ContainerAction::Listed => "listed",
        ContainerAction::Created => "created",
        ContainerAction::Started => "started",
        ContainerAction::Updated => "updated",
        ContainerAction::Stopped => "stopped",
        ContainerAction::Removed => "removed",
    }
}

fn mounted(mount: &Mount) -> String {
    let asked = &mount.requested;
    let mut text = visible(&mount.call).into_owned();
    if !asked.source.is_empty() {
        text += &format!(" {}", visible(&asked.source));
    }
    if !asked.target.is_empty() {
        text += &format!(" on {}", visible(&asked.target));
    }
    if !asked.fstype.is_empty() {
        text += &format!(" type {}", visible(&asked.fstype));
    }
    if mount.errno != 0 {
        return text + &format!(": failed, error {}", mount.errno);
    }
    match &mount.effect {
        MountEffect::Verified { mounts, removed } => {
            let added = mounts.iter().map(|mount| format!("+{}", visible(&mount.path)));
            let gone = removed.iter().map(|path| format!("-{}", visible(path)));
            let effect: Vec<_> = added.chain(gone).collect();
            text + ": " + &effect.join(" ")
        }
        MountEffect::None => text,
        MountEffect::Unverified { reason } => text + &format!(": effect unverified, {}", visible(reason)),
    }
}

fn entered(change: &NamespaceChange) -> String {
    let foreign: Vec<_> = change
        .entered
        .iter()
        .map(|one| {
            let owner = match &one.owner {
                NamespaceOwner::Host => "host",
                NamespaceOwner::Container(Some(id)) => id.short(),
                NamespaceOwner::Container(None) => "unknown container",
            };
            format!("{} of {owner}", visible(&one.namespace))
        })
        .collect();
    format!("{} into {}", visible(&change.call), foreign.join(", "))
}
