//! Section 5: a container that follows every recommendation, and next to it one per way not to. Each is
//! started like the sound one with one thing changed, so of each exactly that must be found.

use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail, ensure};
use hullwatch_tests::{PATIENCE, World, eventually};

use crate::bench::{self, Bench, CLEAN, Faults, Report, SOUND};
use crate::case::cases;

cases! {
    alone:
        no_containers,
        each_defect_and_no_other;
}

/// Options of the sound container, by what they are for.
const SOUND_OPTIONS: [(&str, &[&str]); 8] = [
    ("network", &["--network", "besides"]),
    ("publish", &["--publish", "127.0.0.1::8080"]),
    ("memory", &["--memory", "32m"]),
    ("cpus", &["--cpus", "0.5"]),
    ("pids", &["--pids-limit", "50"]),
    ("read-only", &["--read-only"]),
    ("privileges", &["--security-opt", "no-new-privileges"]),
    ("restart", &["--restart", "on-failure:5"]),
];

/// It listens on the port that is published.
const SERVE: &[&str] = &["/bin/busybox", "httpd", "-f", "-p", "8080", "-h", "/"];

/// It takes no port of the host.
const WAIT: &[&str] = &["/bin/busybox", "sleep", "1000"];

/// A container: the sound one `without` some options and `with` others.
#[derive(Clone, Copy)]
struct Row {
    name: &'static str,
    without: &'static [&'static str],
    with: &'static [&'static str],
    image: &'static str,
    command: &'static [&'static str],
    starts: bool,
    /// Keys that fail, with words of the reason.
    found: &'static [(&'static str, &'static str)],
}

const ROW: Row = Row {
    name: "",
    without: &[],
    with: &[],
    image: SOUND,
    command: SERVE,
    starts: true,
    found: &[],
};

const fn row(
    name: &'static str,
    without: &'static [&'static str],
    with: &'static [&'static str],
    found: &'static [(&'static str, &'static str)],
) -> Row {
    Row {
        name,
        without,
        with,
        found,
        ..ROW
    }
}

const ROOT: &str = "image-non-root-user";
const CAPABILITIES: &str = "runtime-capabilities";
const PRIVILEGED: &str = "runtime-not-privileged";
const MOUNTS: &str = "runtime-no-sensitive-host-mounts";
const SSHD: &str = "runtime-no-sshd";
const LOW_PORTS: &str = "runtime-no-privileged-ports";
const NEEDED_PORTS: &str = "runtime-only-needed-ports";
const HOST_NETWORK: &str = "runtime-no-host-network";
const MEMORY: &str = "runtime-memory-limit";
const CPU: &str = "runtime-cpu-limit";
const READ_ONLY: &str = "runtime-readonly-rootfs";
const BOUND: &str = "runtime-bound-to-interface";
const RESTART: &str = "runtime-restart-policy";
const HOST_PID: &str = "runtime-no-host-pid";
const HOST_IPC: &str = "runtime-no-host-ipc";
const DEVICES: &str = "runtime-no-host-devices";
const ULIMITS: &str = "runtime-ulimit-override-justified";
const PROPAGATION: &str = "runtime-no-shared-propagation";
const HOST_UTS: &str = "runtime-no-host-uts";
const SECCOMP: &str = "runtime-seccomp-on";
const CGROUP: &str = "runtime-default-cgroup";
const PRIVILEGES: &str = "runtime-no-new-privileges";
const HEALTH: &str = "runtime-healthcheck";
const FRESH: &str = "runtime-image-freshness";
const PIDS: &str = "runtime-pids-limit";
const BRIDGE: &str = "runtime-no-default-bridge";
const SOCKET: &str = "runtime-no-docker-socket";

const ROWS: &[Row] = &[
    row("sound", &[], &[], &[]),
    row("as-zero", &[], &["--user", "00:0"], &[(ROOT, "runs as root")]),
    row("as-root", &[], &["--user", "root"], &[(ROOT, "runs as root")]),
    row(
        "as-toor",
        &[],
        &["--user", "toor"],
        &[(ROOT, "runs as the host's root")],
    ),
    row("as-rootless-app", &[], &["--user", "rootless-app"], &[]),
    row(
        "sys-admin",
        &[],
        &["--cap-add", "SYS_ADMIN"],
        &[(CAPABILITIES, "SYS_ADMIN")],
    ),
    row(
        "sys-ptrace",
        &[],
        &["--cap-add", "cap_sys_ptrace"],
        &[(CAPABILITIES, "SYS_PTRACE")],
    ),
    row(
        "default-caps",
        &[],
        &["--cap-add", "NET_BIND_SERVICE", "--cap-drop", "NET_RAW"],
        &[],
    ),
    row(
        "etc",
        &[],
        &["--volume", "/etc:/given:ro"],
        &[(MOUNTS, "/etc (read-only)")],
    ),
    row(
        "passwd",
        &[],
        &["--volume", "/etc/passwd:/given"],
        &[(MOUNTS, "/etc/passwd (writable)")],
    ),
    row(
        "usr-local",
        &[],
        &["--volume", "/usr/local:/given:ro"],
        &[(MOUNTS, "/usr/local")],
    ),
    row(
        "by-link",
        &[],
        &["--volume", "WORLD/link:/given:ro"],
        &[(MOUNTS, "WORLD/link")],
    ),
    row("harmless-mount", &[], &["--volume", "WORLD/harmless:/given"], &[]),
    Row {
        command: &["/usr/sbin/sshd", "-f", "-p", "8080", "-h", "/"],
        image: "ssh:1",
        ..row("sshd", &[], &[], &[(SSHD, "sshd")])
    },
    Row {
        command: &["/usr/sbin/sshd-keygen", "-f", "-p", "8080", "-h", "/"],
        image: "ssh:1",
        ..row("sshd-keygen", &[], &[], &[])
    },
    row(
        "port-1023",
        &["publish"],
        &["--publish", "ADDRESS:1023:8080"],
        &[(LOW_PORTS, "1023")],
    ),
    row(
        "port-1024",
        &["publish"],
        &["--publish", "ADDRESS:1024:8080"],
        &[],
    ),
    row(
        "every-v4",
        &["publish"],
        &["--publish", "0.0.0.0::8080"],
        &[(BOUND, "every address")],
    ),
    row(
        "every-v6",
        &["publish"],
        &["--publish", "[::]::8080"],
        &[(BOUND, "every address")],
    ),
    row(
        "unheard",
        &["publish"],
        &["--publish", "127.0.0.1::9090"],
        &[(NEEDED_PORTS, "9090")],
    ),
    row(
        "all-ports",
        &["publish"],
        &["--publish-all"],
        &[(NEEDED_PORTS, "every port")],
    ),
    Row {
        command: WAIT,
        ..row(
            "host-network",
            &["network", "publish"],
            &["--network", "host"],
            &[(HOST_NETWORK, "")],
        )
    },
    Row {
        command: &["/bin/busybox", "httpd", "-f", "-p", "ADDRESS:1022", "-h", "/"],
        ..row(
            "host-network-1022",
            &["network", "publish"],
            &["--network", "host", "--user", "0"],
            &[(ROOT, "runs as root"), (HOST_NETWORK, ""), (LOW_PORTS, "1022")],
        )
    },
    Row {
        command: WAIT,
        ..row(
            "of-host-network",
            &["network", "publish"],
            &["--network", "container:host-network"],
            &[(HOST_NETWORK, "")],
        )
    },
    row("no-memory", &["memory"], &[], &[(MEMORY, "has no memory limit")]),
    row(
        "reserved-memory",
        &["memory"],
        &["--memory-reservation", "16m"],
        &[(MEMORY, "has no memory limit")],
    ),
    row("no-cpu", &["cpus"], &[], &[(CPU, "no quota")]),
    row(
        "default-shares",
        &["cpus"],
        &["--cpu-shares", "1024"],
        &[(CPU, "no quota")],
    ),
    row("shares", &["cpus"], &["--cpu-shares", "2048"], &[]),
    row(
        "quota",
        &["cpus"],
        &["--cpu-period", "100000", "--cpu-quota", "20000"],
        &[],
    ),
    row("cpuset", &["cpus"], &["--cpuset-cpus", "0"], &[]),
    row(
        "writable",
        &["read-only"],
        &[],
        &[(READ_ONLY, "writable root filesystem")],
    ),
    row(
        "always",
        &["restart"],
        &["--restart", "always"],
        &[(RESTART, "its policy always")],
    ),
    row(
        "unless-stopped",
        &["restart"],
        &["--restart", "unless-stopped"],
        &[(RESTART, "unless-stopped")],
    ),
    row(
        "on-failure",
        &["restart"],
        &["--restart", "on-failure"],
        &[(RESTART, "without end")],
    ),
    row(
        "on-failure-6",
        &["restart"],
        &["--restart", "on-failure:6"],
        &[(RESTART, "up to 6 times")],
    ),
    row("never-restarted", &["restart"], &["--restart", "no"], &[]),
    row("host-pid", &[], &["--pid", "host"], &[(HOST_PID, "")]),
    row(
        "of-host-pid",
        &[],
        &["--pid", "container:host-pid"],
        &[(HOST_PID, "")],
    ),
    row("of-sound-pid", &[], &["--pid", "container:sound"], &[]),
    row("host-ipc", &[], &["--ipc", "host"], &[(HOST_IPC, "")]),
    row("host-uts", &[], &["--uts", "host"], &[(HOST_UTS, "")]),
    row(
        "device",
        &[],
        &["--device", "/dev/null:/dev/given:r"],
        &[(DEVICES, "/dev/null (r)")],
    ),
    row(
        "device-rule",
        &[],
        &["--device-cgroup-rule", "c 42:* rmw"],
        &[(DEVICES, "c 42:* rmw")],
    ),
    row(
        "looser",
        &[],
        &["--ulimit", "core=2000:2000"],
        &[(ULIMITS, "core=2000:2000")],
    ),
    row("tighter", &[], &["--ulimit", "core=0:1000"], &[]),
    row(
        "shared",
        &[],
        &["--volume", "WORLD/shared:/given:rshared"],
        &[(PROPAGATION, "/given")],
    ),
    row("slave", &[], &["--volume", "WORLD/shared:/given:rslave"], &[]),
    row(
        "unfiltered",
        &[],
        &["--security-opt", "seccomp=unconfined"],
        &[(SECCOMP, "unconfined")],
    ),
    row(
        "own-cgroup",
        &[],
        &["--cgroup-parent", "/hullwatch-e2e"],
        &[(CGROUP, "/hullwatch-e2e")],
    ),
    row(
        "new-privileges",
        &["privileges"],
        &[],
        &[(PRIVILEGES, "without no-new-privileges")],
    ),
    row(
        "false-privileges",
        &["privileges"],
        &["--security-opt", "no-new-privileges:false"],
        &[(PRIVILEGES, "")],
    ),
    row(
        "no-health",
        &[],
        &["--no-healthcheck"],
        &[(HEALTH, "switched off")],
    ),
    row(
        "unhealthy",
        &[],
        &[
            "--health-cmd",
            "false",
            "--health-interval",
            "1s",
            "--health-retries",
            "1",
        ],
        &[(HEALTH, "unhealthy")],
    ),
    Row {
        image: CLEAN,
        ..row("unprobed", &[], &["--user", "user"], &[(HEALTH, "health check")])
    },
    Row {
        image: "latest",
        ..row("latest", &[], &[], &[(FRESH, "by no version")])
    },
    Row {
        image: "moved:1",
        ..row("moved", &[], &[], &[(FRESH, "no longer names")])
    },
    row("no-pids", &["pids"], &[], &[(PIDS, "no limit of processes")]),
    row(
        "unlimited-pids",
        &["pids"],
        &["--pids-limit", "-1"],
        &[(PIDS, "no limit of processes")],
    ),
    row("bridged", &["network"], &[], &[(BRIDGE, "default bridge")]),
    row(
        "socket",
        &[],
        &["--volume", "WORLD/run/docker.sock:/harmless.txt:ro"],
        &[(SOCKET, "/harmless.txt")],
    ),
    row(
        "socket-directory",
        &[],
        &["--volume", "WORLD/run:/given:ro"],
        &[(SOCKET, "/given")],
    ),
    row(
        "socket-renamed",
        &[],
        &["--volume", "WORLD/renamed:/given"],
        &[(SOCKET, "/given")],
    ),
    row(
        "socket-look-alike",
        &[],
        &["--volume", "WORLD/docker.sock.bak:/var/run/docker.sock"],
        &[],
    ),
    Row {
        starts: false,
        ..row("stopped-root", &[], &["--user", "0"], &[(ROOT, "starts as root")])
    },
    Row {
        starts: false,
        ..row(
            "stopped-80",
            &["publish"],
            &["--publish", "0.0.0.0:80:8080"],
            &[(LOW_PORTS, "80"), (BOUND, "every address")],
        )
    },
    Row {
        starts: false,
        ..row("stopped-sound", &[], &[], &[])
    },
];

fn no_containers() -> Result<()> {
    bench::perform(|bench| {
        let report = bench.report(&["--check", "runtime"])?;
        ensure!(report.checks().len() >= 31, "{} rows", report.checks().len());
        let mut faults = Faults::default();
        for row in report.checks() {
            let key = bench::text(&row["key"]);
            let judge = || {
                let items = row["items"].as_array().context("items")?;
                ensure!(row["evaluated"] == items.len(), "{row}");
                Ok(())
            };
            faults.note(key, judge());
        }
        faults.finish()
    })
}

/// An address of the host's own that nobody else uses, so that low ports are free.
fn address() -> String {
    format!(
        "127.{}.{}.9",
        std::process::id() / 200 % 200 + 10,
        std::process::id() % 200
    )
}

fn prepare(bench: &Bench) -> Result<()> {
    let world = &bench.world;
    for name in ["harmless", "shared"] {
        std::fs::create_dir(world.path(name))?;
    }
    let shared = world.path("shared");
    let shared = shared.to_str().context("path")?;
    world.act(&["bind", shared, shared])?;
    world.act(&["make-shared", shared])?;
    symlink("/etc", world.path("link"))?;
    symlink(world.dockerd.socket(), world.path("renamed"))?;
    std::fs::write(world.path("docker.sock.bak"), "no socket")?;
    let programs =
        "RUN mkdir -p /usr/sbin && cp /bin/busybox /usr/sbin/sshd && cp /bin/busybox /usr/sbin/sshd-keygen";
    bench.build(
        "ssh:1",
        &format!("FROM {SOUND}\nUSER root\n{programs}\nUSER user\n"),
    )?;
    for tag in ["latest", "moved:1"] {
        world.docker.run(&["tag", SOUND, tag])?;
    }
    Ok(())
}

/// Makes the container of a row.
fn make(bench: &Bench, row: &Row) -> Result<()> {
    let root = bench.world.path("");
    let root = root.to_str().context("path")?.trim_end_matches('/');
    let address = address();
    let kept = SOUND_OPTIONS
        .iter()
        .filter(|(name, _)| !row.without.contains(name));
    let options = kept.flat_map(|(_, options)| options.iter()).chain(row.with);
    let options: Vec<String> = options
        .map(|option| option.replace("WORLD", root).replace("ADDRESS", &address))
        .collect();
    let mut args = if row.starts {
        vec!["run", "--detach"]
    } else {
        vec!["create"]
    };
    args.extend(["--name", row.name]);
    args.extend(options.iter().map(String::as_str));
    args.push(row.image);
    // A program of another name is busybox all the same, told so by its first argument.
    let command = row.command.join(" ").replace("ADDRESS", &address);
    let command = match row.command.first() {
        Some(program) if program.starts_with("/usr/sbin") => {
            let rest = row.command.get(1..).unwrap_or_default().join(" ");
            format!("exec -a httpd {program} {rest}")
        }
        _ => format!("exec {command}"),
    };
    args.extend(["/bin/sh", "-c", &command]);
    // A port that the engine takes at random may be another's.
    for _ in 0..5 {
        let output = bench.world.docker.attempt(&args)?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        if output.status.success() {
            return Ok(());
        }
        ensure!(stderr.contains("address already in use"), "{stderr}");
        bench.world.docker.run(&["rm", row.name])?;
    }
    bail!("no free port")
}

/// Makes the containers of these rows, several at a time: the engine waits for the kernel more than it works.
fn make_all(bench: &Bench, rows: &[&Row], faults: &mut Faults) {
    let next = AtomicUsize::new(0);
    let faults = Mutex::new(faults);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = make(bench, row);
                    let mut faults = faults.lock().unwrap_or_else(PoisonError::into_inner);
                    faults.note(row.name, outcome);
                }
            });
        }
    });
}

/// Everything of this world's containers ends with them.
struct Containers<'a>(&'a World);

impl Drop for Containers<'_> {
    fn drop(&mut self) {
        let names = ROWS.iter().map(|row| row.name);
        let args: Vec<&str> = ["rm", "--force", "--volumes"].into_iter().chain(names).collect();
        self.0.docker.attempt(&args).ok();
    }
}

/// Of a container, exactly what its row says fails.
fn judge(report: &Report, row: &Row, root: &str) -> Result<()> {
    let mut expected: Vec<&str> = row.found.iter().map(|(key, _)| *key).collect();
    let mut failing = report.where_said(row.name, "fail");
    expected.sort_unstable();
    failing.sort_unstable();
    let reasons: Vec<_> = failing.iter().map(|key| report.said(key, row.name)).collect();
    ensure!(
        failing == expected,
        "fails {failing:?}, not {expected:?}: {reasons:#?}"
    );
    for (key, words) in row.found {
        report.expect(key, row.name, "fail", &words.replace("WORLD", root))?;
    }
    let unknown = report.where_said(row.name, "unknown");
    let reasons: Vec<_> = unknown.iter().map(|key| report.said(key, row.name)).collect();
    ensure!(unknown.is_empty(), "unknown {reasons:#?}");
    Ok(())
}

fn each_defect_and_no_other() -> Result<()> {
    bench::perform(|bench| {
        prepare(bench)?;
        let _containers = Containers(&bench.world);
        let mut faults = Faults::default();
        // Some join others.
        let joins = |row: &&Row| row.with.iter().any(|option| option.starts_with("container:"));
        let (joining, first): (Vec<&Row>, Vec<&Row>) = ROWS.iter().partition(joins);
        make_all(bench, &first, &mut faults);
        make_all(bench, &joining, &mut faults);
        bench.world.docker.run(&["tag", "clean:1", "moved:1"])?;
        eventually("a container is unhealthy", PATIENCE, || {
            let state = ["inspect", "--format", "{{.State.Health.Status}}", "unhealthy"];
            bench
                .world
                .docker
                .run(&state)
                .ok()
                .filter(|state| state == "unhealthy")
        })?;
        let policy = bench.policy(
            "[needed_ports]\n\"sound\" = [\"8080/tcp\"]\nclean = [\"8080/tcp\"]\n\"ssh:1\" = [\"8080/tcp\"]\n\
             latest = [\"8080/tcp\"]\nmoved = [\"8080/tcp\"]\n",
        )?;
        let report = bench.report(&["--check", "runtime,image-non-root-user", "--policy", &policy])?;
        let root = bench.world.path("");
        let root = root.to_str().context("path")?.trim_end_matches('/');
        for row in ROWS {
            faults.note(row.name, judge(&report, row, root));
        }
        faults.finish()
    })
}
