//! Capabilities, root, and whose they are.

use crate::check::View;
use crate::model::{CapSet, Container, DEFAULT_CONTAINER_CAPS, Policy, Process};

/// Capabilities that together only a privileged container holds.
const MARKS: CapSet = CapSet(SYS_MODULE | SYS_RAWIO | SYS_ADMIN | SYS_BOOT);
/// Capabilities with which a process can take over the host, or see all of it.
const GRAVE: CapSet =
    CapSet(DAC_READ_SEARCH | NET_ADMIN | SYS_MODULE | SYS_RAWIO | SYS_PTRACE | SYS_ADMIN | SYS_BOOT | BPF);

// Bits of `linux/capability.h`.
const DAC_READ_SEARCH: u64 = 1 << 2;
const NET_ADMIN: u64 = 1 << 12;
const SYS_MODULE: u64 = 1 << 16;
const SYS_RAWIO: u64 = 1 << 17;
const SYS_PTRACE: u64 = 1 << 19;
const SYS_ADMIN: u64 = 1 << 21;
const SYS_BOOT: u64 = 1 << 22;
const BPF: u64 = 1 << 39;

/// Whether a set is what `--privileged` grants, as far as the host itself has it to give.
pub(in crate::check) fn is_privileged_set(caps: CapSet) -> bool {
    caps.contains(MARKS.or(DEFAULT_CONTAINER_CAPS))
}

/// Whether the observation's container is privileged: the engine's word, else the kernel's.
pub(in crate::check) fn is_privileged(view: &View<'_>) -> bool {
    let told = view.container.and_then(|container| container.privileged);
    let told = told.or_else(|| view.observation.container.as_ref()?.privileged);
    told.unwrap_or_else(|| view.first_bounding.is_some_and(is_privileged_set))
}

fn union(names: &[String]) -> CapSet {
    names
        .iter()
        .filter_map(|name| CapSet::named(name))
        .fold(CapSet::EMPTY, CapSet::or)
}

/// What the engine was asked to grant, as engines compute it: the default set, without what was dropped,
/// with what was added. Added `ALL` comes first, and only names take away from it. None where the engine
/// did not say.
pub(in crate::check) fn granted(container: &Container) -> Option<CapSet> {
    if container.privileged? {
        return Some(CapSet::ALL);
    }
    let (add, drop) = (container.cap_add.as_ref()?, container.cap_drop.as_ref()?);
    let is_all = |name: &String| CapSet::named(name) == Some(CapSet::ALL);
    if add.iter().any(is_all) {
        let named: Vec<_> = drop.iter().filter(|name| !is_all(name)).cloned().collect();
        return Some(CapSet::ALL.without(union(&named)));
    }
    Some(DEFAULT_CONTAINER_CAPS.without(union(drop)).or(union(add)))
}

/// What of a set neither the default nor the operator allows.
pub(in crate::check) fn beyond_default(caps: CapSet, policy: &Policy) -> CapSet {
    caps.without(DEFAULT_CONTAINER_CAPS).without(policy.allowed_caps)
}

/// Whether a set takes over the host.
pub(in crate::check) fn is_grave(caps: CapSet) -> bool {
    !caps.and(GRAVE).is_empty()
}

/// Up to three names, the gravest first, and how many more there are.
pub(in crate::check) fn caps_in_words(caps: CapSet) -> String {
    let mut names = caps.and(GRAVE).names();
    names.extend(caps.without(GRAVE).names());
    super::few(&names)
}

/// Whether a declared user (`user[:group]`) is root by its own words: empty, `root`, or a number that is
/// zero. Engines read numbers with a sign and leading zeroes.
pub(in crate::check) fn declares_root(declared: &str) -> bool {
    let user = declared.split(':').next().unwrap_or_default();
    user.is_empty() || user == "root" || user.parse::<i64>() == Ok(0)
}

/// What the container's uid 0 is on the host: the kernel's word, else that there is no mapping. None where
/// the kernel shows that its user namespace has no root.
pub(in crate::check) fn host_root_of(container: &Container) -> Option<u32> {
    container.truth.as_ref().map_or(Some(0), |truth| truth.root_uid)
}

/// Whether the process is in a user namespace that something in the container made: what it holds there is
/// not the container's. `entered`: it came from outside the container, so it made none.
///
/// Without the kernel's facts of the container, every namespace but the host's counts as made there.
pub(in crate::check) fn in_own_user_namespace(view: &View<'_>, process: &Process, entered: bool) -> bool {
    let user = process.namespaces.user;
    let hosts = view.host.facts.namespaces.map(|namespaces| namespaces.user);
    if user == 0 || hosts == Some(user) {
        return false;
    }
    let truth = view.container.and_then(|container| container.truth.as_ref());
    match truth.map(|truth| truth.namespaces.user) {
        Some(own) if own != 0 => own != user,
        _ => !entered && hosts.is_some(),
    }
}

/// What the process holds, or could be given by a file, that its container does not. `entered`: it came from
/// outside the container.
pub(in crate::check) fn beyond_its_container(view: &View<'_>, process: &Process, entered: bool) -> CapSet {
    if in_own_user_namespace(view, process, entered) {
        return CapSet::EMPTY;
    }
    let held = process
        .caps_effective
        .or(process.caps_permitted)
        .or(process.caps_bounding);
    own_capabilities(view).map_or(CapSet::EMPTY, |own| held.without(own))
}

/// The container's own capabilities: what the engine granted, and what its first process really has; where
/// neither is known, what its first program had. More than was granted is `runtime-capabilities`' affair.
fn own_capabilities(view: &View<'_>) -> Option<CapSet> {
    let truth = view.container.and_then(|container| container.truth.as_ref());
    let shown = truth.map(|truth| truth.caps_bounding);
    match (view.container.and_then(granted), shown) {
        (Some(granted), shown) => Some(granted.or(shown.unwrap_or_default())),
        (None, Some(shown)) => Some(shown),
        (None, None) => view.first_bounding,
    }
}
