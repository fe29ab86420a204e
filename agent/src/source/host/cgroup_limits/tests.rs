//! Tests over hierarchies of plain directories.

use std::fs;

use proptest::prelude::*;

use super::*;

const ID: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// Files of a hierarchy, `ID` in a path standing for the container's id.
#[track_caller]
fn check(version: u8, own: &str, files: &[(&str, &str)], expect: &[(&str, i64)]) {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path.replace("ID", ID));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let place = Place {
        mount: dir.path().to_owned(),
        version,
        own: own.replace("ID", ID),
    };
    let mut found = BTreeMap::new();
    for controller in ["memory", "pids", "cpu", "cpuset"] {
        place.add(controller, &mut found).unwrap();
    }
    let found: Vec<_> = found
        .iter()
        .map(|(name, value)| (name.as_str(), *value))
        .collect();
    assert_eq!(found, expect, "{own} {files:?}");
}

#[test]
fn version_2_limits_are_read() {
    let own = "/docker/ID";
    check(2, own, &[], &[]);
    let unlimited = [
        ("docker/ID/memory.max", "max\n"),
        ("docker/ID/pids.max", "max\n"),
        ("docker/ID/cpu.max", "max 100000\n"),
        ("docker/ID/cpu.weight", "100\n"),
        ("docker/ID/cpuset.cpus.effective", "0-3\n"),
        ("docker/cpuset.cpus.effective", "0-3\n"),
    ];
    check(2, own, &unlimited, &[]);
    let limited = [
        ("docker/ID/memory.max", "1048576\n"),
        ("docker/ID/pids.max", "100\n"),
        ("docker/ID/cpu.max", "25000 50000\n"),
        ("docker/ID/cpu.weight", "20\n"),
        ("docker/ID/cpuset.cpus.effective", "0,2-3\n"),
        ("docker/cpuset.cpus.effective", "0-3\n"),
    ];
    let expect = [
        ("cpu-quota", 50_000),
        ("cpu-weight", 20),
        ("cpuset", 3),
        ("memory", 1_048_576),
        ("pids", 100),
    ];
    check(2, own, &limited, &expect);
}

#[test]
fn version_1_limits_are_read() {
    let own = "/docker/ID";
    let unlimited = [
        ("docker/ID/memory.limit_in_bytes", "9223372036854771712\n"),
        ("docker/ID/cpu.cfs_quota_us", "-1\n"),
        ("docker/ID/cpu.cfs_period_us", "100000\n"),
        ("docker/ID/cpu.shares", "1024\n"),
    ];
    check(1, own, &unlimited, &[]);
    check(
        1,
        own,
        &[("docker/ID/memory.limit_in_bytes", "9223372036854710272\n")],
        &[],
    );
    let limited = [
        ("docker/ID/memory.limit_in_bytes", "6291456\n"),
        ("docker/ID/cpu.cfs_quota_us", "150000\n"),
        ("docker/ID/cpu.cfs_period_us", "100000\n"),
        ("docker/ID/cpu.shares", "512\n"),
        ("docker/ID/cpuset.effective_cpus", "1\n"),
        ("docker/cpuset.effective_cpus", "0-1\n"),
    ];
    check(
        1,
        own,
        &limited,
        &[
            ("cpu-quota", 150_000),
            ("cpu-shares", 512),
            ("cpuset", 1),
            ("memory", 6_291_456),
        ],
    );
}

#[test]
fn cgroups_around_the_container_count_but_for_those_of_all() {
    let inner = ("team.slice/a.slice/docker-ID.scope/memory.max", "max");
    let own = "/team.slice/a.slice/docker-ID.scope";
    check(
        2,
        own,
        &[inner, ("team.slice/a.slice/memory.max", "8192")],
        &[("memory", 8192)],
    );
    check(
        2,
        own,
        &[inner, ("team.slice/memory.max", "4096"), ("memory.max", "1")],
        &[("memory", 4096)],
    );
    let system = "/system.slice/docker-ID.scope";
    check(2, system, &[("system.slice/memory.max", "4096")], &[]);
    check(
        2,
        "/docker/ID",
        &[("docker/memory.max", "4096"), ("docker/ID/memory.max", "8192")],
        &[("memory", 8192)],
    );
    let user = "/user.slice/user-1000.slice/user@1000.service/docker-ID.scope";
    check(
        2,
        user,
        &[("user.slice/user-1000.slice/user@1000.service/pids.max", "9")],
        &[],
    );
}

#[test]
fn a_file_that_makes_no_sense_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    for (file, text) in [("memory.max", "lots"), ("cpu.max", "100000"), ("pids.max", "")] {
        fs::write(dir.path().join(file), text).unwrap();
        let result = if file == "cpu.max" {
            quota_v2(dir.path())
        } else {
            limit(dir.path(), file)
        };
        assert!(result.is_err(), "{file}");
    }
    assert_eq!(quota_v1(dir.path()).unwrap(), None);
    assert_eq!(normalised(1, 0), None);
}

#[test]
fn each_controller_has_its_hierarchy() {
    let line = |text: &str| MountLine::parse(text.as_bytes()).unwrap();
    let mounts = [
        line("1 0 0:1 / /cg/memory rw - cgroup cgroup rw,memory"),
        line("2 0 0:2 / /cg/unified rw - cgroup2 cgroup2 rw"),
    ];
    let groups = format!("4:memory:/docker/{ID}/inner\n0::/other/{ID}\n");
    let groups = procfs::FromBufRead::from_buf_read(groups.as_bytes()).unwrap();
    let id: ContainerId = ID.parse().unwrap();
    let of = |controller, mounts: &[MountLine]| {
        place(&groups, &id, mounts, controller).map(|place| (place.version, place.own, place.mount))
    };
    let v1 = (1, format!("/docker/{ID}"), PathBuf::from("/cg/memory"));
    let v2 = (2, format!("/other/{ID}"), PathBuf::from("/cg/unified"));
    assert_eq!(of("memory", &mounts), Some(v1));
    assert_eq!(of("pids", &mounts), Some(v2));
    assert_eq!(of("pids", &mounts[..1]), None);
}

proptest! {
    #[test]
    fn arbitrary_texts_are_a_limit_or_an_error(text in "(-?[0-9]{0,25}|max|\\PC{0,10})", list in "[0-9,-]{0,30}") {
        if let Ok(Some(limit)) = number(&text) {
            prop_assert!((0..UNLIMITED_V1).contains(&limit));
        }
        if let Ok(count) = count(&list) {
            prop_assert!(count >= 0);
        }
    }

    #[test]
    fn a_quota_of_one_period_is_one_processor(period in 1_000_i64..=1_000_000, count in 1_i64..64) {
        prop_assert_eq!(normalised(period * count, period), Some(count * PERIOD));
    }
}
