//! Containers in cgroups that the engine does not choose.

use serde_json::json;

use super::support::{Word, config, proc, weigh};
use super::{Assess, Basis, Benchmark, Check, Signal, no_live_signal};
use crate::model::{Container, Host, Severity, Verdict};

pub(super) static CHECK: Check = Check {
    key: "runtime-default-cgroup",
    title: "Containers use the expected cgroup parent",
    section: "runtime",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Low,
    numbers: &[
        (Benchmark::V1_13_0, "5.24"),
        (Benchmark::V1_1_0, "5.24"),
        (Benchmark::V1_2_0, "5.24"),
        (Benchmark::V1_3_1, "5.24"),
        (Benchmark::V1_4_0, "5.24"),
        (Benchmark::V1_5_0, "5.24"),
        (Benchmark::V1_6_0, "5.25"),
        (Benchmark::V1_7_0, "5.25"),
        (Benchmark::V1_8_0, "5.25"),
    ],
    about: "Limits of enclosing cgroups hold for what is in them: a container that is started under \
            another parent escapes those of the engine. `HostConfig.CgroupParent` is to be empty, the \
            daemon's own or one of the policy's, and the first process is to be in the container's own \
            cgroup below such a parent.",
    remedy: "Start the container without --cgroup-parent, or list the parent in the policy (allowed_cgroup_parents)",
    assess: Assess::Container(assess),
    signals: &[Signal {
        kind: "container",
        when: "a container is created, started or updated",
    }],
    observe: no_live_signal,
};

fn assess(container: &Container, host: &Host) -> Verdict {
    weigh(
        container,
        CHECK.severity,
        asked(container, host),
        shown(container, host),
    )
}

fn asked(container: &Container, host: &Host) -> Word {
    match container.limits.cgroup_parent.as_deref() {
        None => Word::Silent("the engine does not say under which cgroup the container is"),
        Some("") => Word::Good("is under the engine's own cgroup".into()),
        Some(parent) if is_allowed(parent, host) => {
            Word::Good(format!("is under the cgroup {parent}, which is allowed"))
        }
        Some(parent) => Word::Bad(
            format!("is started under the cgroup {parent}"),
            config("HostConfig.CgroupParent", parent),
        ),
    }
}

fn is_allowed(parent: &str, host: &Host) -> bool {
    let same = |other: &str| other.trim_matches('/') == parent.trim_matches('/');
    host.policy
        .allowed_cgroup_parents
        .iter()
        .any(|allowed| same(allowed))
        || daemons(host).is_some_and(same)
}

/// The daemon's option.
fn daemons(host: &Host) -> Option<&str> {
    let option = host.facts.daemon.get()?.option("cgroup-parent")?;
    option.value.as_str().filter(|parent| !parent.is_empty())
}

fn shown(container: &Container, host: &Host) -> Word {
    let Some(path) = container.truth.as_ref().and_then(|truth| truth.cgroup.as_deref()) else {
        return Word::Silent("the cgroup of its first process could not be read");
    };
    let seen = || proc(json!({ "cgroup": path }));
    let Some(parent) = parent_of_own(path, container.id.as_str()) else {
        return Word::Bad(
            format!("has its first process in the cgroup {path}, which is not its own"),
            seen(),
        );
    };
    let asked = container.limits.cgroup_parent.as_deref().unwrap_or_default();
    if is_default(parent)
        || is_allowed(parent, host)
        || is_below(parent, daemons(host))
        || is_below(parent, Some(asked))
    {
        // The configured parent is judged where it was asked for.
        return Word::Good(format!("is in its own cgroup below {parent}"));
    }
    Word::Bad(format!("is in a cgroup below {parent}"), seen())
}

/// What is above the component that bears the container's id, whatever the container made below it.
fn parent_of_own<'a>(path: &'a str, id: &str) -> Option<&'a str> {
    path.split_once(id).map(|(above, _)| {
        let end = above.rfind('/').unwrap_or(0);
        above.get(..end).unwrap_or_default()
    })
}

/// The drivers' defaults: `/docker` of cgroupfs, `system.slice` of systemd, a user's slice of a rootless engine, and
/// Podman's; wherever the engine's own cgroup is.
fn is_default(parent: &str) -> bool {
    let last = parent.rsplit('/').next().unwrap_or_default();
    matches!(
        last,
        "docker" | "system.slice" | "user.slice" | "app.slice" | "machine.slice" | "libpod_parent"
    )
}

/// Whether `parent` is this parent, relative to wherever the engine's own cgroup is. systemd spreads `a-b.slice` over
/// `a.slice/a-b.slice`, so the last component decides.
fn is_below(parent: &str, wanted: Option<&str>) -> bool {
    let wanted = wanted.map(|wanted| wanted.trim_matches('/')).unwrap_or_default();
    !wanted.is_empty() && (parent.ends_with(&format!("/{wanted}")) || parent == wanted)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_fails, assert_passes, assert_unknown, id, judge};
    use super::*;
    use crate::model::{DaemonOption, OptionSource};

    /// The verdict with this configured parent, and the cgroup of its first process: `ID` stands for the container's.
    #[track_caller]
    fn check(asked: Option<&str>, shown: Option<&str>, vary: impl FnOnce(&mut Host)) -> Verdict {
        judge(&CHECK, |container, host| {
            container.limits.cgroup_parent = asked.map(Into::into);
            let shown = shown.map(|path| path.replace("ID", id().as_str()));
            container.truth.as_mut().unwrap().cgroup = shown;
            vary(host);
        })
    }

    #[test]
    fn pass_the_drivers_defaults() {
        for path in [
            "/docker/ID",
            "/system.slice/docker-ID.scope",
            "/system.slice/docker-ID.scope/init.scope",
            "/user.slice/user-1000.slice/user@1000.service/user.slice/docker-ID.scope",
            "/machine.slice/libpod-ID.scope/container",
            "/outer/docker/ID",
        ] {
            assert_passes(&check(Some(""), Some(path), |_| ()));
        }
        assert_passes(&check(Some(""), None, |_| ()));
    }

    #[test]
    fn pass_the_daemons_parent_and_the_policys() {
        let allow = |host: &mut Host| host.policy.allowed_cgroup_parents = vec!["/apps".into()];
        assert_passes(&check(Some("apps"), Some("/apps/ID"), allow));
        let set = |host: &mut Host| {
            let option = DaemonOption {
                value: "apps.slice".into(),
                source: OptionSource::Flag,
                pending: None,
            };
            let daemon = host.facts.daemon.get_mut().unwrap();
            daemon.options.insert("cgroup-parent".into(), option);
        };
        assert_passes(&check(Some(""), Some("/apps.slice/docker-ID.scope"), set));
    }

    #[test]
    fn fail_another_parent_and_a_moved_process() {
        let low = Severity::Low;
        let words = "container web is started under the cgroup /apps";
        assert_fails(&check(Some("/apps"), None, |_| ()), low, words);
        assert_fails(&check(Some("/apps"), Some("/apps/ID"), |_| ()), low, words);
        let moved = check(Some(""), Some("/elsewhere/ID"), |_| ());
        assert_fails(&moved, low, "is in a cgroup below /elsewhere, although");
        let lost = check(Some(""), Some("/"), |_| ());
        assert_fails(&lost, low, "in the cgroup /, which is not its own");
    }

    #[test]
    fn unknown_where_nobody_says() {
        assert_unknown(&check(None, None, |_| ()), "under which cgroup");
    }
}
