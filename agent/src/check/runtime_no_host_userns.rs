//! Containers that opt out of the remapping of users.

use super::support::HostNamespace;
use super::{Assess, Basis, Benchmark, Check, Finding, Signal, View};
use crate::model::{Container, Host, Severity, Verdict};

pub(super) static CHECK: Check = Check {
    key: "runtime-no-host-userns",
    title: "Containers do not opt out of user-namespace remapping",
    section: "runtime",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::High,
    numbers: &[
        (Benchmark::V1_13_0, "5.30"),
        (Benchmark::V1_1_0, "5.30"),
        (Benchmark::V1_2_0, "5.30"),
        (Benchmark::V1_3_1, "5.30"),
        (Benchmark::V1_4_0, "5.30"),
        (Benchmark::V1_5_0, "5.30"),
        (Benchmark::V1_6_0, "5.31"),
        (Benchmark::V1_7_0, "5.31"),
        (Benchmark::V1_8_0, "5.31"),
    ],
    about: "Where the engine maps the users of containers to others of the host, a container in the \
            host's user namespace has the host's root for its own. The configured mode decides, and the \
            namespace that the first process is in. Where the engine maps nobody, the recommendation has \
            no bearing: the one about remapping says so.",
    remedy: "Start the container without --userns=host",
    assess: Assess::Container(assess),
    signals: &[
        Signal {
            kind: "container",
            when: "a container is created, started or updated",
        },
        Signal {
            kind: "namespace",
            when: "a process in a container enters the host's user namespace",
        },
        Signal {
            kind: "exec",
            when: "a program runs in the host's user namespace and its container is not meant to",
        },
    ],
    observe,
};

static NAMESPACE: HostNamespace = HostNamespace {
    name: "user",
    words: "user",
    field: "HostConfig.UsernsMode",
    mode: |container| container.userns_mode.as_deref(),
    inode: |namespaces| namespaces.user,
    severity: Severity::High,
};

/// Whether the engine maps the users of containers; none where it did not say.
fn remaps(host: &Host) -> Option<bool> {
    let options = host.facts.security_options.as_ref()?;
    Some(
        options
            .iter()
            .any(|option| option.split(',').any(|part| part == "name=userns")),
    )
}

fn assess(container: &Container, host: &Host) -> Verdict {
    match remaps(host) {
        None => Verdict::unknown("the engine does not say whether it remaps users"),
        Some(false) => Verdict::not_applicable("the engine does not remap users: see userns-remap"),
        Some(true) => NAMESPACE.assess(container, host),
    }
}

fn observe(view: &View<'_>) -> Option<Finding> {
    remaps(view.host).filter(|remaps| *remaps)?;
    NAMESPACE.observe(view)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{
        HOST_NAMESPACES, Scene, assert_fails, assert_passes, assert_unknown, exec_in, judge, setns_in,
    };
    use super::*;
    use crate::model::{Class, VerdictKind};

    fn remap(host: &mut Host) {
        host.facts.security_options = Some(vec!["name=userns".into()]);
    }

    /// The verdict where the engine remaps.
    #[track_caller]
    fn check(mode: Option<&str>, user: Option<u32>) -> Verdict {
        judge(&CHECK, |container, host| {
            remap(host);
            container.userns_mode = mode.map(Into::into);
            match (user, &mut container.truth) {
                (Some(user), Some(truth)) => truth.namespaces.user = user,
                _ => container.truth = None,
            }
        })
    }

    #[test]
    fn pass_the_engines_mapping() {
        assert_passes(&check(Some(""), Some(99)));
        assert_passes(&check(Some(""), None));
    }

    #[test]
    fn fail_the_hosts_namespace() {
        let hosts = HOST_NAMESPACES.user;
        let shares = "shares the host's user namespace";
        assert_fails(&check(Some("host"), Some(hosts)), Severity::High, shares);
        assert_fails(&check(Some("host"), None), Severity::High, shares);
        assert_fails(&check(Some(""), Some(hosts)), Severity::High, "says otherwise");
    }

    #[test]
    fn unknown_where_nobody_says_and_without_bearing_where_nobody_is_mapped() {
        assert_unknown(&check(None, None), "namespaces");
        let dark = judge(&CHECK, |_, host| host.facts.security_options = None);
        assert_unknown(&dark, "whether it remaps");
        let plain = judge(&CHECK, |container, _| container.userns_mode = Some("host".into()));
        assert_eq!(plain.kind(), VerdictKind::NotApplicable);
    }

    #[test]
    fn live_only_where_users_are_mapped() {
        let mut entry = Scene::new(&CHECK, setns_in("web", "user"));
        entry.silent();
        remap(&mut entry.host);
        let summary = "/usr/bin/app in container web entered the host's user namespace by setns";
        entry.finds(Class::Drift, Severity::High, summary);

        let mut stray = Scene::new(&CHECK, exec_in("web", "/bin/id"));
        stray.silent();
        remap(&mut stray.host);
        let summary = "/bin/id of container web runs in the host's user namespace, which its configuration does not share";
        stray.finds(Class::Drift, Severity::High, summary);
    }
}
