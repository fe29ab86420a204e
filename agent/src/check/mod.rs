//! The catalogue: one file per recommendation, with its numbers, its text, how to assess it and which
//! live observations bear on it. Pure: no I/O, no clock.

pub(crate) mod audit_trail;
mod benchmark;
mod context;
mod evaluate;
mod support;
#[cfg(test)]
mod testing;

pub use benchmark::Benchmark;
pub use context::{Finding, View};
pub use evaluate::{Judged, Of, image_name, worst};
pub(crate) use support::is_same_image;

pub use crate::model::Basis;
use crate::model::{Container, Event, Host, Image, Severity, Verdict};

/// One recommendation.
#[derive(Debug)]
pub struct Check {
    /// Stable identity, equal to the file's name with dashes.
    pub key: &'static str,
    /// Title in our words.
    pub title: &'static str,
    /// Section of the benchmark: `host`, `images`, `runtime`, …
    pub section: &'static str,
    /// Level of the benchmark's profile since 1.2.0, 1 or 2.
    pub level: u8,
    /// Level in 1.13.0 and 1.1.0.
    pub early_level: u8,
    /// The versions that score it, or call its assessment automated.
    pub scored: &'static [Benchmark],
    /// What decides it.
    pub basis: Basis,
    /// Usual severity of a violation.
    pub severity: Severity,
    /// Number per benchmark version; a version without the recommendation is left out.
    pub numbers: &'static [(Benchmark, &'static str)],
    /// Why it matters and what is looked at, in our words.
    pub about: &'static str,
    /// What to do about a failure.
    pub remedy: &'static str,
    /// How it is assessed from facts.
    pub assess: Assess,
    /// Which live observations bear on it, for people.
    pub signals: &'static [Signal],
    /// Whether an observation breaks it.
    pub observe: fn(&View<'_>) -> Option<Finding>,
}

/// How a recommendation is assessed from facts; the function says what it is judged per.
#[derive(Clone, Copy, Debug)]
pub enum Assess {
    /// Each container.
    Container(fn(&Container, &Host) -> Verdict),
    /// Each image.
    Image(fn(&Image, &Host) -> Verdict),
    /// Items of the host: what each is called, and its verdict. No item at all means that there was nothing to judge,
    /// which is a pass.
    Host(fn(&Host) -> Vec<Item>),
    /// Only live observations decide it.
    Live,
}

/// One assessed item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What was judged: a container's name, an account, a path.
    pub subject: String,
    /// Outcome.
    pub verdict: Verdict,
}

/// A live signal, described.
#[derive(Clone, Copy, Debug)]
pub struct Signal {
    /// Kind of the observation ([`Event::kind`]).
    pub kind: &'static str,
    /// What about it breaks the recommendation.
    pub when: &'static str,
}

impl Check {
    /// Number in one benchmark.
    #[must_use]
    pub fn number(&self, benchmark: Benchmark) -> Option<&'static str> {
        self.numbers
            .iter()
            .find(|(of, _)| *of == benchmark)
            .map(|(_, number)| *number)
    }

    /// Level in one benchmark.
    #[must_use]
    pub const fn level_in(&self, benchmark: Benchmark) -> u8 {
        match benchmark {
            Benchmark::V1_13_0 | Benchmark::V1_1_0 => self.early_level,
            _ => self.level,
        }
    }

    /// Whether an observation of this kind may break it.
    #[must_use]
    pub fn listens_to(&self, event: &Event) -> bool {
        self.signals.iter().any(|signal| signal.kind == event.kind())
    }
}

/// Never broken by an observation: the check has only an assessment.
#[must_use]
pub fn no_live_signal(_: &View<'_>) -> Option<Finding> {
    None
}

macro_rules! checks {
    ($($name:ident,)*) => {
        $(mod $name;)*

        /// Every check, in the order of the catalogue.
        pub static ALL: &[&Check] = &[$(&$name::CHECK),*];

        #[cfg(test)]
        const FILES: &[&str] = &[$(stringify!($name)),*];
    };
}

// One line per check. `cargo xtask tidy` fails on a file that is not listed.
checks! {
    docker_root_own_filesystem,
    host_hardened,
    docker_up_to_date,
    docker_group_trusted_members,
    audit_docker_daemon,
    audit_run_containerd,
    audit_docker_root,
    audit_etc_docker,
    audit_docker_service_unit,
    audit_containerd_socket,
    audit_docker_socket,
    audit_etc_default_docker,
    audit_daemon_json,
    audit_containerd_config,
    audit_etc_sysconfig_docker,
    audit_containerd_binary,
    audit_containerd_shim,
    audit_containerd_shim_runc_v1,
    audit_containerd_shim_runc_v2,
    audit_runc_binary,
    file_docker_service_owner,
    file_docker_service_mode,
    file_docker_socket_unit_owner,
    file_docker_socket_unit_mode,
    dir_etc_docker_owner,
    dir_etc_docker_mode,
    registry_certs_owner,
    registry_certs_mode,
    tls_ca_owner,
    tls_ca_mode,
    tls_server_cert_owner,
    tls_server_cert_mode,
    tls_server_key_owner,
    tls_server_key_mode,
    docker_sock_owner,
    docker_sock_mode,
    daemon_json_owner,
    daemon_json_mode,
    default_docker_owner,
    default_docker_mode,
    sysconfig_docker_mode,
    sysconfig_docker_owner,
    containerd_sock_owner,
    containerd_sock_mode,
    daemon_rootless,
    bridge_icc_disabled,
    daemon_log_level_info,
    daemon_manages_iptables,
    no_insecure_registries,
    no_aufs_driver,
    no_devicemapper_driver,
    daemon_tls_verify,
    default_ulimits,
    userns_remap,
    daemon_cgroup_parent_default,
    devicemapper_basesize_default,
    authorization_plugin,
    remote_log_driver,
    legacy_registry_v1_disabled,
    live_restore,
    userland_proxy_disabled,
    daemon_seccomp_profile,
    no_experimental,
    daemon_no_new_privileges,
    swarm_mode_off_unless_needed,
    swarm_manager_count,
    swarm_bound_to_interface,
    overlay_networks_encrypted,
    swarm_secrets_used,
    swarm_autolock,
    swarm_unlock_key_rotation,
    swarm_node_cert_expiry,
    swarm_ca_rotation,
    swarm_plane_separation,
    image_non_root_user,
    image_trusted_base,
    image_no_unneeded_packages,
    image_patched,
    content_trust_enabled,
    image_healthcheck,
    image_update_not_alone,
    image_no_setuid_files,
    image_copy_not_add,
    image_no_secrets,
    image_verified_packages,
    image_signatures_validated,
    runtime_apparmor,
    runtime_selinux,
    runtime_capabilities,
    runtime_not_privileged,
    runtime_no_sensitive_host_mounts,
    runtime_no_sshd,
    runtime_no_privileged_ports,
    runtime_only_needed_ports,
    runtime_no_host_network,
    runtime_memory_limit,
    runtime_cpu_limit,
    runtime_readonly_rootfs,
    runtime_bound_to_interface,
    runtime_restart_policy,
    runtime_no_host_pid,
    runtime_no_host_ipc,
    runtime_no_host_devices,
    runtime_ulimit_override_justified,
    runtime_no_shared_propagation,
    runtime_no_host_uts,
    runtime_seccomp_on,
    exec_not_privileged,
    exec_not_root,
    runtime_default_cgroup,
    runtime_no_new_privileges,
    runtime_healthcheck,
    runtime_image_freshness,
    runtime_pids_limit,
    runtime_no_default_bridge,
    runtime_no_host_userns,
    runtime_no_docker_socket,
    ops_security_audit,
    ops_monitoring,
    ops_backup,
    ops_image_sprawl,
    ops_container_sprawl,
    ee_ldap_auth,
    ee_external_certs,
    ee_client_bundles,
    ee_rbac,
    ee_signed_images_only,
    ee_session_limit,
    ee_session_lifetime,
    ee_registry_scanning,
}

/// Sections of the benchmark, in its order.
pub const SECTIONS: [&str; 8] = [
    "host",
    "daemon",
    "daemon-files",
    "images",
    "runtime",
    "operations",
    "swarm",
    "enterprise",
];

/// The check with this key, or this number in this benchmark.
#[must_use]
pub fn find(key_or_number: &str, benchmark: Benchmark) -> Option<&'static Check> {
    ALL.iter()
        .copied()
        .find(|check| check.key == key_or_number || check.number(benchmark) == Some(key_or_number))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::testing::{Scene, container, exec_in, host};
    use super::*;
    use crate::model::VerdictKind;

    #[test]
    fn keys_are_the_files_names_and_numbers_are_unique_per_benchmark() {
        for (check, file) in ALL.iter().zip(FILES) {
            assert_eq!(check.key, file.replace('_', "-"));
            assert_eq!(find(check.key, Benchmark::default()).unwrap().key, check.key);
        }
        for benchmark in Benchmark::ALL {
            let mut seen = HashSet::new();
            for check in ALL {
                let Some(number) = check.number(benchmark) else {
                    continue;
                };
                assert!(
                    seen.insert(number),
                    "{number} of {} is used twice",
                    benchmark.name()
                );
                assert_eq!(find(number, benchmark).unwrap().key, check.key);
            }
        }
    }

    #[test]
    fn every_check_is_complete() {
        for check in ALL {
            let key = check.key;
            assert!(!check.numbers.is_empty(), "{key} is in no benchmark");
            assert!(
                check.numbers.iter().map(|(of, _)| of).is_sorted(),
                "{key} lists versions out of order"
            );
            assert!((1..=2).contains(&check.level), "{key}");
            assert!(SECTIONS.contains(&check.section), "{key}");
            for text in [check.title, check.remedy] {
                assert!(!text.is_empty() && !text.ends_with('.'), "{key}: `{text}`");
            }
            assert!(check.about.ends_with('.'), "{key} does not say what it is about");
            let live = check.basis == Basis::Live;
            assert_eq!(live, matches!(check.assess, Assess::Live), "{key}");
            assert!(!live || !check.signals.is_empty(), "{key} is never decided");
            for signal in check.signals {
                assert!(!signal.when.is_empty() && !signal.when.ends_with('.'), "{key}");
            }
        }
    }

    #[test]
    fn an_ordinary_container_passes_and_its_programs_break_nothing() {
        for check in ALL {
            if let Assess::Container(assess) = check.assess {
                let verdict = assess(&container("web"), &host());
                let fine = matches!(verdict.kind(), VerdictKind::Pass | VerdictKind::NotApplicable);
                assert!(fine, "{}: {verdict:?}", check.key);
            }
            for entry in [false, true] {
                let mut scene = Scene::new(check, exec_in("web", "/usr/bin/app"));
                scene.exec().entry = entry;
                scene.silent();
            }
        }
    }

    #[test]
    fn nothing_known_of_a_container_is_no_pass() {
        let blank = testing::unknown_container("web");
        for check in ALL {
            if let Assess::Container(assess) = check.assess {
                let verdict = assess(&blank, &Host::default());
                assert_eq!(verdict.kind(), VerdictKind::Unknown, "{}: {verdict:?}", check.key);
            }
        }
    }

    #[test]
    fn nothing_known_of_the_host_is_no_pass() {
        for check in ALL {
            if let Assess::Host(assess) = check.assess {
                let items = assess(&Host::default());
                assert!(!items.is_empty(), "{}", check.key);
                for Item { subject, verdict } in items {
                    assert_eq!(
                        verdict.kind(),
                        VerdictKind::Unknown,
                        "{} {subject}: {verdict:?}",
                        check.key
                    );
                }
            }
        }
    }

    #[test]
    fn a_host_as_recommended_breaks_nothing_of_its_daemon_and_swarm() {
        for section in ["daemon", "swarm"] {
            for check in ALL.iter().filter(|check| check.section == section) {
                for Item { subject, verdict } in testing::daemon::judged(check, |_| {}) {
                    let fine = matches!(verdict.kind(), VerdictKind::Pass | VerdictKind::NotApplicable);
                    assert!(fine, "{} {subject}: {verdict:?}", check.key);
                }
            }
        }
    }

    #[test]
    fn privilege_is_said_once() {
        let mut said = Vec::new();
        for check in ALL {
            let mut scene = Scene::new(check, exec_in("web", "/usr/bin/app")).privileged();
            scene.exec().entry = true;
            scene.process().seccomp = crate::model::Seccomp::Off;
            if scene.observe().is_some() {
                said.push(check.key);
            }
        }
        assert_eq!(said, ["runtime-not-privileged"]);
    }
}
