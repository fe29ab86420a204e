//! What lies in a directory and is treated otherwise than the directory.

use super::call::{Arch, CALLS, Machine};
use super::decide::Decision;
use super::field::{Tri, describe, holds};
use super::place::below;
use super::required::Required;
use super::simulate::{ALWAYS, EXIT, in_mask};
use super::survey::WANTED;
use crate::check::support::{few, is_within};
use crate::model::{AuditDecision, AuditRule, ObjectState, Role};

/// Directories of the engine's data that hold what containers write. Recent benchmarks themselves exempt them.
const OF_CONTAINERS: [&str; 11] = [
    "aufs",
    "btrfs",
    "buildkit",
    "devicemapper",
    "fuse-overlayfs",
    "overlay",
    "overlay2",
    "rootfs",
    "vfs",
    "volumes",
    "zfs",
];
/// Further ones on which containers' filesystems are mounted.
const WITH_MOUNTS: [&str; 2] = ["containers", "plugins"];

/// Takes from a covered directory what is exempt below it, and what is mounted on it.
/// `last` is the last of the rules that cover it: what stands behind changes nothing.
pub(super) fn limit(decision: &mut Decision, required: &Required<'_>, rules: &[AuditRule], last: usize) {
    let mut exempt = Vec::new();
    for (index, rule, path) in rules_below(required.state, rules) {
        if rule.action == ALWAYS || index > last {
            continue;
        }
        if is_of_containers(required, path, &OF_CONTAINERS) {
            decision.notes.push(format!(
                "{path} is exempt, as the benchmark allows ({})",
                describe(index, rule)
            ));
        } else {
            exempt.push((index, format!("{} exempts {path}", describe(index, rule))));
        }
    }
    if let Some((index, _)) = exempt.first() {
        let words: Vec<_> = exempt.iter().map(|(_, words)| words.as_str()).collect();
        decision.kind = AuditDecision::Partial;
        decision.rule = Some(*index);
        decision.prepend = true;
        decision.reason = few(&words);
        return;
    }
    let all = [&OF_CONTAINERS[..], &WITH_MOUNTS].concat();
    let mounts: Vec<_> = required
        .state
        .mounts_below
        .iter()
        .filter(|mount| !is_of_containers(required, mount, &all))
        .collect();
    if !mounts.is_empty() {
        decision.kind = AuditDecision::Partial;
        decision.certain = false;
        decision.reason = format!(
            "what is mounted on {} is recorded only if it was mounted before the rule was loaded, which cannot be told: \
             a proof shows it",
            few(&mounts)
        );
    }
}

/// The first rule that has changes recorded of something in a directory.
pub(super) fn only<'a>(
    required: &Required<'_>,
    rules: &'a [AuditRule],
) -> Option<(usize, &'a AuditRule, &'a str)> {
    rules_below(required.state, rules).find(|(_, rule, _)| rule.action == ALWAYS)
}

/// Rules of the exit list about something strictly below, that match some change.
fn rules_below<'a>(
    state: &ObjectState,
    rules: &'a [AuditRule],
) -> impl Iterator<Item = (usize, &'a AuditRule, &'a str)> {
    let arch = Arch::native(Machine::NATIVE);
    rules
        .iter()
        .enumerate()
        .filter(|(_, rule)| rule.list == EXIT)
        .filter_map(move |(index, rule)| Some((index, rule, below(rule, state)?)))
        .filter(move |(_, rule, _)| {
            CALLS.iter().filter(|call| call.kind & WANTED != 0).any(|call| {
                call.number(arch)
                    .is_some_and(|number| in_mask(&rule.mask, number))
                    && rule
                        .fields
                        .iter()
                        .all(|field| holds(field, arch, call.perms) != Tri::No)
            })
        })
}

fn is_of_containers(required: &Required<'_>, path: &str, directories: &[&str]) -> bool {
    let root = &required.state.resolved;
    let inner = path.strip_prefix(root.as_str()).unwrap_or_default();
    let mut parts = inner.split('/').filter(|part| !part.is_empty());
    match required.role {
        Role::DataRoot => {
            let first = parts.next().unwrap_or_default();
            // With user namespaces the data lies one level deeper, in UID.GID.
            let remapped = first
                .split_once('.')
                .is_some_and(|(uid, gid)| is_number(uid) && is_number(gid));
            let first = if remapped {
                parts.next().unwrap_or_default()
            } else {
                first
            };
            is_within(path, root) && directories.contains(&first)
        }
        Role::RunContainerd => parts
            .next()
            .is_some_and(|first| first.starts_with("io.containerd.")),
        _ => false,
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
