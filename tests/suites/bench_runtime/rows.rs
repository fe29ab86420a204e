//! The containers of section 5, and what must be found of each.

use crate::bench::{CLEAN, SOUND};

/// Options of the sound container, by what they are for.
pub(super) const SOUND_OPTIONS: [(&str, &[&str]); 8] = [
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
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) without: &'static [&'static str],
    pub(super) with: &'static [&'static str],
    pub(super) image: &'static str,
    pub(super) command: &'static [&'static str],
    pub(super) starts: bool,
    /// Keys that fail, with words of the reason.
    pub(super) found: &'static [(&'static str, &'static str)],
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

pub(super) const ROWS: &[Row] = &[
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
    row(
        "privileged",
        &[],
        &["--privileged"],
        &[
            (PRIVILEGED, "is privileged"),
            (CAPABILITIES, "beyond the default"),
            (DEVICES, "every device"),
            (SECCOMP, "being privileged"),
        ],
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

/// Ways to mend a container while it is there: the arguments of `docker`, and whose.
pub(super) const MENDS: &[(&str, &[&str])] = &[
    ("no-pids", &["update", "--pids-limit", "50", "no-pids"]),
    (
        "no-memory",
        &["update", "--memory", "32m", "--memory-swap", "32m", "no-memory"],
    ),
    ("no-cpu", &["update", "--cpus", "0.5", "no-cpu"]),
    ("always", &["update", "--restart", "on-failure:3", "always"]),
    ("bridged", &["network", "disconnect", "bridge", "bridged"]),
    ("moved", &["tag", SOUND, "moved:1"]),
];

/// Ways to spoil the sound one, and what is found then.
pub(super) const SPOILS: &[(&[&str], &str)] = &[
    (&["update", "--pids-limit", "-1", "sound"], PIDS),
    (&["update", "--restart", "unless-stopped", "sound"], RESTART),
    (&["network", "connect", "bridge", "sound"], BRIDGE),
];
