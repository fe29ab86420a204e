//! Devices of the host in a container.

use serde_json::json;

use super::support::{config, failed, few, is_within, passed, resolved};
use super::{Assess, Basis, Benchmark, Check, no_live_signal};
use crate::model::{Container, Device, Evidence, Host, Severity, Verdict};

/// Directories below `/dev` that hold no device nodes of hardware, and sockets that lie there.
const NO_DEVICES: [&str; 5] = [
    "/dev/hugepages",
    "/dev/log",
    "/dev/mqueue",
    "/dev/pts",
    "/dev/shm",
];
/// How names of block devices, and of memory and ports as devices, start.
const GRAVE: [&str; 14] = [
    "bus/", "disk/", "dm-", "hd", "kmem", "loop", "mapper/", "md", "mem", "mmcblk", "nvme", "port", "sd",
    "vd",
];

pub(super) static CHECK: Check = Check {
    key: "runtime-no-host-devices",
    title: "Host devices are not passed to containers",
    section: "runtime",
    level: 1,
    early_level: 1,
    scored: &[],
    basis: Basis::Facts,
    severity: Severity::High,
    numbers: &[
        (Benchmark::V1_13_0, "5.17"),
        (Benchmark::V1_1_0, "5.17"),
        (Benchmark::V1_2_0, "5.17"),
        (Benchmark::V1_3_1, "5.17"),
        (Benchmark::V1_4_0, "5.17"),
        (Benchmark::V1_5_0, "5.17"),
        (Benchmark::V1_6_0, "5.18"),
        (Benchmark::V1_7_0, "5.18"),
        (Benchmark::V1_8_0, "5.18"),
    ],
    about: "A device given to a container is used around the host's own permissions; a disk that can be \
            written is the host. Devices, requests to device drivers, device rules and bind mounts from /dev \
            are judged, apart from what the policy allows. Writable disks, memory and rules for every device \
            are critical; what can only be read is less severe.",
    remedy: "Pass only the device that is needed, with the fewest permissions, and list it in the policy",
    assess: Assess::Container(assess),
    signals: &[],
    observe: no_live_signal,
};

/// A device in reach, how bad that is, and what shows it.
type Reach = (Severity, String, Evidence);

fn assess(container: &Container, host: &Host) -> Verdict {
    let lists = [
        devices(container, host),
        requests(container, host),
        rules(container),
        mounts(container, host),
    ];
    let complete = container.privileged.is_some() && lists.iter().all(Option::is_some);
    let privileged = (container.privileged == Some(true)).then(|| {
        (
            Severity::Critical,
            "every device".to_owned(),
            config("HostConfig.Privileged", true),
        )
    });
    let mut reach: Vec<_> = privileged
        .into_iter()
        .chain(lists.into_iter().flatten().flatten())
        .collect();
    reach.sort_by_key(|(severity, ..)| std::cmp::Reverse(*severity));
    match reach.first() {
        None if complete => passed(container, "is given no device of the host"),
        None => Verdict::unknown("the engine does not list all that gives a container devices"),
        Some((severity, ..)) => {
            let names: Vec<_> = reach.iter().map(|(_, name, _)| name).collect();
            let clause = format!("has {} of the host", few(&names));
            failed(
                container,
                *severity,
                &clause,
                reach.iter().map(|(.., shown)| shown.clone()).collect(),
            )
        }
    }
}

fn is_allowed(name: &str, host: &Host) -> bool {
    host.policy.allowed_devices.iter().any(|allowed| allowed == name)
}

/// `HostConfig.Devices`.
fn devices(container: &Container, host: &Host) -> Option<Vec<Reach>> {
    let reach = |device: &Device| {
        let Device {
            host, permissions, ..
        } = device;
        let described = format!("{host} ({permissions})");
        (
            severity_of(host, permissions.contains('w')),
            described,
            config("HostConfig.Devices", device),
        )
    };
    let devices = container.devices.as_ref()?.iter();
    Some(
        devices
            .filter(|device| !is_allowed(&device.host, host))
            .map(reach)
            .collect(),
    )
}

fn severity_of(path: &str, writable: bool) -> Severity {
    let name = path.strip_prefix("/dev/").unwrap_or_default();
    let grave = name.is_empty() || GRAVE.iter().any(|start| name.starts_with(start));
    match (grave, writable) {
        (true, true) => Severity::Critical,
        (true, false) | (false, true) => Severity::High,
        (false, false) => Severity::Medium,
    }
}

/// `HostConfig.DeviceRequests`: what they resolve to is the driver's choice.
fn requests(container: &Container, host: &Host) -> Option<Vec<Reach>> {
    let reach = |request: &String| {
        let shown = config("HostConfig.DeviceRequests", request);
        (Severity::Medium, format!("devices of {request}"), shown)
    };
    let requests = container.device_requests.as_ref()?.iter();
    Some(
        requests
            .filter(|request| !is_allowed(request, host))
            .map(reach)
            .collect(),
    )
}

/// `HostConfig.DeviceCgroupRules`, `TYPE MAJOR:MINOR PERMISSIONS`.
fn rules(container: &Container) -> Option<Vec<Reach>> {
    let reach = |rule: &String| {
        let mut words = rule.split_whitespace();
        let (kind, numbers) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let writable = words.next().is_none_or(|permissions| permissions.contains('w'));
        let wide = matches!(kind, "a" | "b") || numbers.starts_with('*');
        let severity = if wide && writable {
            Severity::Critical
        } else {
            Severity::High
        };
        (
            severity,
            format!("devices by rule `{rule}`"),
            config("HostConfig.DeviceCgroupRules", rule),
        )
    };
    Some(
        container
            .device_cgroup_rules
            .as_ref()?
            .iter()
            .map(reach)
            .collect(),
    )
}

/// Bind mounts of `/dev` or something in it.
fn mounts(container: &Container, host: &Host) -> Option<Vec<Reach>> {
    let mounts = container.mounts.as_ref()?.iter().filter(|mount| {
        let path = resolved(mount);
        mount.kind == "bind"
            && is_within(path, "/dev")
            && !NO_DEVICES.iter().any(|directory| is_within(path, directory))
            && !is_allowed(path, host)
    });
    let reach = |path: &str| {
        // A read-only mount does not make a device read-only.
        let facts = json!({ "field": "Mounts", "mount": path });
        let shown = Evidence::new(crate::model::Source::Engine, "config", facts);
        (severity_of(path, true), format!("{path} (mounted)"), shown)
    };
    Some(mounts.map(|mount| reach(resolved(mount))).collect())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_fails, assert_passes, bind, judge};
    use super::*;

    fn device(host: &str, permissions: &str) -> Device {
        Device {
            host: host.into(),
            container: host.into(),
            permissions: permissions.into(),
        }
    }

    #[track_caller]
    fn check_device(path: &str, permissions: &str, expect: Severity) {
        let verdict = judge(&CHECK, |container, _| {
            container.devices = Some(vec![device(path, permissions)]);
        });
        assert_fails(
            &verdict,
            expect,
            &format!("has {path} ({permissions}) of the host"),
        );
    }

    #[test]
    fn pass_no_devices_and_those_allowed() {
        assert_passes(&judge(&CHECK, |_, _| ()));
        let verdict = judge(&CHECK, |container, host| {
            container.devices = Some(vec![device("/dev/fuse", "rwm")]);
            container.mounts = Some(vec![bind("/dev/shm/x", "/x"), bind("/development", "/d")]);
            host.policy.allowed_devices = vec!["/dev/fuse".into()];
        });
        assert_passes(&verdict);
    }

    #[test]
    fn fail_devices_graded_by_kind_and_permissions() {
        check_device("/dev/sda", "rwm", Severity::Critical);
        check_device("/dev/mem", "rw", Severity::Critical);
        check_device("/dev/nvme0n1", "r", Severity::High);
        check_device("/dev/snd/timer", "rwm", Severity::High);
        check_device("/dev/video0", "r", Severity::Medium);
    }

    #[test]
    fn fail_other_ways_to_a_device() {
        let verdict = judge(&CHECK, |container, _| {
            container.mounts = Some(vec![bind("/dev", "/dev")]);
        });
        assert_fails(&verdict, Severity::Critical, "/dev (mounted)");
        let verdict = judge(&CHECK, |container, _| {
            container.device_requests = Some(vec!["nvidia".into()]);
        });
        assert_fails(&verdict, Severity::Medium, "devices of nvidia");
        let verdict = judge(&CHECK, |container, _| {
            container.device_cgroup_rules = Some(vec!["c 42:* r".into(), "a *:* rwm".into()]);
        });
        assert_fails(&verdict, Severity::Critical, "devices by rule `a *:* rwm`");
        let verdict = judge(&CHECK, |container, _| container.privileged = Some(true));
        assert_fails(&verdict, Severity::Critical, "every device");
    }

    #[test]
    fn unknown_where_a_list_is_missing_and_nothing_fails() {
        let verdict = judge(&CHECK, |container, _| container.device_requests = None);
        assert_eq!(verdict.kind(), crate::model::VerdictKind::Unknown);
        let verdict = judge(&CHECK, |container, _| {
            (container.device_requests, container.devices) = (None, Some(vec![device("/dev/sda", "rw")]));
        });
        assert_fails(&verdict, Severity::Critical, "/dev/sda");
    }
}
