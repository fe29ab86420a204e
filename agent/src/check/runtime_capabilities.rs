//! Capabilities beyond those that every container gets.

use serde_json::json;

use super::support::{
    Word, beyond_default, caps_in_words, config, container_name, granted, in_own_user_namespace, is_grave,
    is_privileged, proc, program, weigh,
};
use super::{Assess, Basis, Benchmark, Check, Finding, Signal, View};
use crate::model::{CapSet, Class, Container, Event, Host, Severity, Verdict};

/// What all of the mount family and every entry into a namespace asks for.
const SYS_ADMIN: CapSet = CapSet(1 << 21);

pub(super) static CHECK: Check = Check {
    key: "runtime-capabilities",
    title: "Containers get no capabilities beyond the default set",
    section: "runtime",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::High,
    numbers: &[
        (Benchmark::V1_13_0, "5.3"),
        (Benchmark::V1_1_0, "5.3"),
        (Benchmark::V1_2_0, "5.3"),
        (Benchmark::V1_3_1, "5.3"),
        (Benchmark::V1_4_0, "5.3"),
        (Benchmark::V1_5_0, "5.3"),
        (Benchmark::V1_6_0, "5.4"),
        (Benchmark::V1_7_0, "5.4"),
        (Benchmark::V1_8_0, "5.4"),
    ],
    about: "Engines grant a container fourteen capabilities by default; every further one is a way to the \
            host. What was added and dropped is computed as engines do, and held against the default set and \
            what the policy allows; so is the bounding set of the first process, as the kernel shows it. \
            Those that take over the host, SYS_ADMIN or NET_ADMIN say, are critical. Live, a mount or the \
            entry into a namespace proves that SYS_ADMIN is used.",
    remedy: "Drop every capability and add the few that the program needs",
    assess: Assess::Container(assess),
    signals: &[
        Signal {
            kind: "mount",
            when: "a process in a container mounts or unmounts",
        },
        Signal {
            kind: "namespace",
            when: "a process in a container enters a foreign namespace",
        },
    ],
    observe,
};

fn assess(container: &Container, host: &Host) -> Verdict {
    let extra = granted(container)
        .map(|caps| beyond_default(caps, &host.policy))
        .unwrap_or_default();
    let bounding = container
        .truth
        .as_ref()
        .map(|truth| truth.caps_bounding)
        .unwrap_or_default();
    let extra = extra.or(beyond_default(bounding, &host.policy));
    let severity = if is_grave(extra) {
        Severity::Critical
    } else {
        CHECK.severity
    };
    weigh(
        container,
        severity,
        configured(container, host),
        shown(container, host),
    )
}

fn configured(container: &Container, host: &Host) -> Word {
    let Some(granted) = granted(container) else {
        return Word::Silent("the engine does not say which capabilities it grants");
    };
    let extra = beyond_default(granted, &host.policy);
    let unheard = unheard_of(container);
    if extra.is_empty() && unheard.is_empty() {
        return Word::Good("is granted no capability beyond the default".into());
    }
    let names = if extra.is_empty() {
        unheard.join(", ")
    } else {
        caps_in_words(extra)
    };
    let asked = json!({ "CapAdd": container.cap_add, "CapDrop": container.cap_drop, "beyond": extra });
    Word::Bad(
        format!("is granted {names} beyond the default"),
        config("HostConfig", asked),
    )
}

/// Names that were added and that we do not know: in no default set.
fn unheard_of(container: &Container) -> Vec<&str> {
    let added = container.cap_add.iter().flatten().map(String::as_str);
    added.filter(|name| CapSet::named(name).is_none()).collect()
}

fn shown(container: &Container, host: &Host) -> Word {
    let Some(truth) = &container.truth else {
        return Word::Silent("the capabilities of its first process could not be read");
    };
    let extra = beyond_default(truth.caps_bounding, &host.policy);
    // More than was granted is worth a word even where the policy allows it.
    let ungranted = granted(container)
        .map(|granted| truth.caps_bounding.without(granted))
        .unwrap_or_default();
    let told = if ungranted.is_empty() { extra } else { ungranted };
    if told.is_empty() {
        return Word::Good("holds no capability beyond the default".into());
    }
    let seen = json!({ "caps_bounding": truth.caps_bounding, "beyond": extra, "ungranted": ungranted });
    Word::Bad(format!("holds {}", caps_in_words(told)), proc(seen))
}

fn observe(view: &View<'_>) -> Option<Finding> {
    let call = proves_use(&view.observation.event)?;
    let process = view.observation.process.as_ref()?;
    view.observation.container.as_ref()?;
    if is_privileged(view)
        || view.host.policy.allowed_caps.contains(SYS_ADMIN)
        || !process.caps_effective.contains(SYS_ADMIN)
        || in_own_user_namespace(view, process, false)
    {
        return None;
    }
    let (class, origin) = match has_sys_admin(view) {
        Some(true) => (Class::Exercised, "which it has beyond the default"),
        Some(false) => (Class::Drift, "which it was not given"),
        None => (Class::Exercised, "which is beyond the default"),
    };
    let summary = format!(
        "{} in {} used the capability SYS_ADMIN, {origin}, for {call}",
        program(view.observation),
        container_name(view.observation),
    );
    let seen = proc(json!({ "caps_effective": process.caps_effective }));
    Some(Finding::new(class, "SYS_ADMIN", summary).evidence(seen))
}

/// The call that cannot have succeeded without SYS_ADMIN.
fn proves_use(event: &Event) -> Option<&str> {
    match event {
        // An `open_tree` that clones nothing asks for no capability.
        Event::Mount(mount) if mount.errno == 0 && !mount.call.starts_with("open_tree") => Some(&mount.call),
        Event::Namespace(change) if !change.entered.is_empty() => Some(&change.call),
        _ => None,
    }
}

/// Whether the container itself has SYS_ADMIN: by its configuration, its first process or its first program;
/// none where nothing is known of any.
fn has_sys_admin(view: &View<'_>) -> Option<bool> {
    let truth = view.container.and_then(|container| container.truth.as_ref());
    let sets = [
        view.container.and_then(granted),
        truth.map(|truth| truth.caps_bounding),
        view.first_bounding,
    ];
    let own = sets.into_iter().flatten().reduce(CapSet::or)?;
    Some(own.contains(SYS_ADMIN))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Scene, assert_fails, assert_passes, exec_in, judge, mount_in, setns_in};
    use super::*;
    use crate::model::{DEFAULT_CONTAINER_CAPS, MountEffect};

    /// The verdict where these are added and dropped, and the kernel shows just what that grants.
    #[track_caller]
    fn check(add: &[&str], drop: &[&str]) -> Verdict {
        judge(&CHECK, |container, host| {
            container.cap_add = Some(add.iter().map(|&name| name.into()).collect());
            container.cap_drop = Some(drop.iter().map(|&name| name.into()).collect());
            container.truth.as_mut().unwrap().caps_bounding = granted(container).unwrap();
            host.policy.allowed_caps = CapSet::named("SYS_NICE").unwrap();
        })
    }

    #[test]
    fn pass_the_default_set_less_of_it_and_what_is_allowed() {
        assert_passes(&check(&[], &[]));
        assert_passes(&check(&["CHOWN", "cap_sys_nice"], &["ALL"]));
        assert_passes(&check(&["NET_RAW"], &["NET_RAW"]));
    }

    #[test]
    fn fail_others_graded_by_what_they_open() {
        assert_fails(
            &check(&["LEASE"], &[]),
            Severity::High,
            "is granted LEASE beyond the default",
        );
        assert_fails(
            &check(&["cap_sys_admin"], &["all"]),
            Severity::Critical,
            "is granted SYS_ADMIN",
        );
        let all = "is granted DAC_READ_SEARCH, NET_ADMIN, SYS_MODULE and 23 more";
        assert_fails(&check(&["ALL"], &["ALL"]), Severity::Critical, all);
        let some = "is granted DAC_READ_SEARCH, NET_ADMIN, SYS_MODULE and 22 more";
        assert_fails(&check(&["ALL"], &["SYS_ADMIN"]), Severity::Critical, some);
        // A name that we do not know is in no default set; no set that we compute has its bit.
        assert_fails(
            &check(&["CAP_FUTURE"], &[]),
            Severity::Low,
            "is granted CAP_FUTURE",
        );
    }

    #[test]
    fn fail_where_the_kernel_shows_more_than_was_granted() {
        let holding = |caps: CapSet| {
            judge(&CHECK, |container, _| {
                container.cap_drop = Some(vec!["NET_RAW".into()]);
                container.truth.as_mut().unwrap().caps_bounding = caps;
            })
        };
        let otherwise = "although its configuration says otherwise";
        assert_fails(&holding(DEFAULT_CONTAINER_CAPS), Severity::High, "holds NET_RAW");
        assert_fails(
            &holding(DEFAULT_CONTAINER_CAPS.or(SYS_ADMIN)),
            Severity::Critical,
            otherwise,
        );
    }

    #[test]
    fn unknown_where_nobody_says() {
        let verdict = judge(&CHECK, |container, _| {
            (container.cap_add, container.truth) = (None, None);
        });
        assert_eq!(verdict.kind(), crate::model::VerdictKind::Unknown);
    }

    /// A process with SYS_ADMIN mounts something in a container that was given it.
    fn mounts() -> Scene {
        let mut scene = Scene::new(&CHECK, mount_in("web", MountEffect::None));
        scene.process().caps_effective = SYS_ADMIN;
        scene.facts().cap_add = Some(vec!["SYS_ADMIN".into()]);
        scene
    }

    #[test]
    fn a_mount_or_entry_proves_use() {
        let used = "/usr/bin/app in container web used the capability SYS_ADMIN, which it";
        let summary = format!("{used} has beyond the default, for mount");
        mounts().finds(Class::Exercised, Severity::High, &summary);
        let mut ungiven = mounts();
        ungiven.facts().cap_add = Some(Vec::new());
        ungiven.finds(
            Class::Drift,
            Severity::High,
            &format!("{used} was not given, for mount"),
        );
        ungiven.observation.event = setns_in("web", "net").event;
        ungiven.finds(
            Class::Drift,
            Severity::High,
            &format!("{used} was not given, for setns"),
        );
    }

    #[test]
    fn silent_without_proof_in_privileged_containers_and_in_own_user_namespaces() {
        let mut failed = mounts();
        let Event::Mount(mount) = &mut failed.observation.event else {
            panic!("no mount")
        };
        mount.errno = 1;
        failed.silent();
        mounts().privileged().silent();
        mounts().on_host().silent();
        let mut nested = mounts();
        nested.process().namespaces.user = 99;
        nested.silent();
        let mut allowed = mounts();
        allowed.host.policy.allowed_caps = SYS_ADMIN;
        allowed.silent();
        Scene::new(&CHECK, exec_in("web", "/bin/mount")).silent();
    }
}
