//! The recommendations about the daemon, each broken and mended on a host of its own: by its configuration file, by
//! its command line, by reload, and by both at odds.

use anyhow::{Context, Result, ensure};
use hullwatch_tests::{Enclave, PATIENCE, eventually};

use crate::case::cases;
use crate::plugin::Plugin;
use crate::stage::programs;

cases! {
    alone:
        options_in_the_file,
        options_on_the_command_line,
        flags_beside_a_file,
        addresses_and_certificates,
        a_reload_counts_at_once,
        a_changed_file_is_not_in_force,
        a_file_that_is_no_json,
        plugins_that_decide,
        requests_only_read,
        profiles_and_storage,
        root_and_registries_of_old,
        containers_of_before_the_default;
}

const DAEMON: &str = "the daemon";
const UNIX: &str = "--host=unix:///run/docker.sock";

/// What the policy may add.
const POLICY: &str = "rootless_required = true\nrequired_ulimits = [\"nofile\", \"nproc\"]\n";

/// A file that an operator should not have written, and what is to be said of it.
const CARELESS: &str = r#"{
    "icc": true, "log-level": "debug", "iptables": false, "userland-proxy": true, "live-restore": false,
    "insecure-registries": ["reg.example:5000", "10.9.0.0/16", "localhost:5000"],
    "registry-mirrors": ["http://mirror.example"], "cgroup-parent": "/elsewhere", "log-driver": "none",
    "experimental": true, "no-new-privileges": false, "default-ulimits": {"core": {"Name": "core", "Soft": 0, "Hard": 0}}
}"#;
const CARELESS_SAID: &str = "
    bridge-icc-disabled          | bridge                 | fail | lets its containers talk to each other; 0 are on it
    daemon-log-level-info        | the daemon             | fail | `log-level` is debug in /etc/docker/daemon.json
    daemon-manages-iptables      | iptables               | fail | `iptables` is false in /etc/docker/daemon.json
    userland-proxy-disabled      | the daemon             | fail | `userland-proxy` is true in /etc/docker/daemon.json
    live-restore                 | the daemon             | fail | `live-restore` is false as the engine shows
    no-insecure-registries       | reg.example:5000       | fail | without verified TLS
    no-insecure-registries       | 10.9.0.0/16            | fail | without verified TLS
    no-insecure-registries       | http://mirror.example/ | fail | by plain HTTP
    daemon-cgroup-parent-default | the daemon             | fail | /elsewhere
    remote-log-driver            | the daemon             | fail | nothing is logged
    no-experimental              | the daemon             | fail | `experimental` is true as the engine shows
    daemon-no-new-privileges     | the daemon             | fail | `no-new-privileges` is false in
    default-ulimits              | the daemon             | fail | no default for nofile, nproc, which the policy requires
    userns-remap                 | the daemon             | fail | root in containers is root on the host
    authorization-plugin         | the daemon             | fail | no plugin decides
    daemon-rootless              | the daemon             | fail | is root on the host, and the policy requires";
/// The same mended.
const CAREFUL: &str = r#"{
    "icc": false, "log-level": "info", "iptables": true, "userland-proxy": false, "live-restore": true,
    "insecure-registries": ["127.0.0.0/8"], "registry-mirrors": ["https://mirror.example"],
    "cgroup-parent": "/docker", "log-driver": "syslog", "log-opts": {"syslog-address": "tcp://192.0.2.1:514"},
    "experimental": false, "no-new-privileges": true, "userns-remap": "mapped", "default-ulimits": {
        "nofile": {"Name": "nofile", "Soft": 1024, "Hard": 2048}, "nproc": {"Name": "nproc", "Soft": 64, "Hard": 64}
    }
}"#;
const CAREFUL_SAID: &str = "
    bridge-icc-disabled          | bridge             | pass | keeps its containers apart
    daemon-log-level-info        | the daemon         | pass | `log-level` is info in /etc/docker/daemon.json
    daemon-manages-iptables      | iptables           | pass | `iptables` is true in
    userland-proxy-disabled      | the daemon         | pass | `userland-proxy` is false in
    live-restore                 | the daemon         | pass | `live-restore` is true as the engine shows
    no-insecure-registries       | registries         | pass | but the loopback's
    daemon-cgroup-parent-default | the daemon         | pass | the default of the cgroupfs driver
    remote-log-driver            | the daemon         | pass | logs leave the host
    no-experimental              | the daemon         | pass | `experimental` is false as the engine shows
    daemon-no-new-privileges     | the daemon         | pass | `no-new-privileges` is true in
    default-ulimits              | the daemon         | pass | nofile 1024:2048
    userns-remap                 | the daemon         | pass | remaps users
    userns-remap                 | /etc/subuid        | pass | the range of mapped holds no account
    no-aufs-driver               | the storage driver | pass | overlay2";

fn options_in_the_file() -> Result<()> {
    let mut enclave = Enclave::with_engine(&programs(), CARELESS, &[])?;
    enclave.write("/etc/policy.toml", POLICY)?;
    let policy = ["--policy", "/etc/policy.toml"];
    let careless = enclave.bench(&policy)?;
    careless.expect(CARELESS_SAID).context("careless")?;
    let remedy = careless.item("live-restore", DAEMON)?.to_string();
    ensure!(
        remedy.contains(r#"Put \"live-restore\": true in /etc/docker/daemon.json, then reload the engine"#),
        "{remedy}"
    );
    enclave.start_engine(CAREFUL, &[])?;
    enclave.bench(&policy)?.expect(CAREFUL_SAID).context("careful")?;
    // Numbers of containers that are somebody of the host after all.
    enclave.write("/etc/subuid", "mapped:1000:65536\n")?;
    let overlap = "userns-remap | /etc/subuid | fail | users of containers can be ana (uid 1000) of the host";
    enclave.bench(&policy)?.expect(overlap).context("subuid")
}

fn options_on_the_command_line() -> Result<()> {
    const CARELESS: [&str; 12] = [
        "--icc",
        "-D",
        "--iptables=false",
        "--userland-proxy=true",
        "--live-restore=false",
        "--no-new-privileges=false",
        "--insecure-registry",
        "reg.example:5000",
        "--cgroup-parent=/elsewhere",
        "--log-driver=local",
        "--experimental",
        "--userns-remap=",
    ];
    const BROKEN: &str = "
        bridge-icc-disabled          | bridge           | fail | lets its containers talk
        daemon-log-level-info        | the daemon       | fail | `debug` is true as the engine shows, which lowers
        daemon-manages-iptables      | iptables         | fail | `iptables` is false by the flag --iptables
        userland-proxy-disabled      | the daemon       | fail | `userland-proxy` is true by the flag
        live-restore                 | the daemon       | fail | is false as the engine shows
        daemon-no-new-privileges     | the daemon       | fail | is false by the flag --no-new-privileges
        no-insecure-registries       | reg.example:5000 | fail | without verified TLS
        daemon-cgroup-parent-default | the daemon       | fail | by the flag --cgroup-parent
        remote-log-driver            | the daemon       | fail | local as the engine shows: logs stay on the host
        no-experimental              | the daemon       | fail | is true as the engine shows
        userns-remap                 | the daemon       | fail | root in containers is root on the host";
    const CAREFUL: [&str; 13] = [
        "--icc=false",
        "--log-level",
        "info",
        "--iptables",
        "--userland-proxy=false",
        "--live-restore",
        "--no-new-privileges",
        "--insecure-registry=127.0.0.1/32",
        "--log-driver=gelf",
        "--log-opt=gelf-address=udp://192.0.2.1:12201",
        "--experimental=false",
        "--default-ulimit=nofile=1024:2048",
        "--default-ulimit=nproc=64",
    ];
    const MENDED: &str = "
        bridge-icc-disabled      | bridge     | pass | keeps its containers apart
        daemon-log-level-info    | the daemon | pass | `log-level` is info by the flag --log-level
        daemon-manages-iptables  | iptables   | pass | `iptables` is true by the flag
        userland-proxy-disabled  | the daemon | pass | is false by the flag --userland-proxy
        live-restore             | the daemon | pass | is true as the engine shows
        daemon-no-new-privileges | the daemon | pass | is true by the flag --no-new-privileges
        no-insecure-registries   | registries | pass | but the loopback's
        remote-log-driver        | the daemon | pass | gelf as the engine shows: logs leave the host
        default-ulimits          | the daemon | pass | nofile 1024:2048, nproc 64:64";
    let mut enclave = Enclave::with_engine(&programs(), "", &CARELESS)?;
    enclave.bench(&[])?.expect(BROKEN).context("careless")?;
    enclave.start_engine("", &CAREFUL)?;
    enclave.bench(&[])?.expect(MENDED).context("careful")
}

/// What older tools took for granted: that a file decides where there is one.
fn flags_beside_a_file() -> Result<()> {
    let config = r#"{"live-restore": true}"#;
    let flags = [
        "-l",
        "debug",
        "--storage-driver",
        "overlay2",
        "--icc=false",
        "--no-new-privileges",
    ];
    let mut enclave = Enclave::with_engine(&programs(), config, &flags)?;
    let expect = "
        daemon-log-level-info    | the daemon | fail | `log-level` is debug by the flag --log-level
        bridge-icc-disabled      | bridge     | pass | apart
        daemon-no-new-privileges | the daemon | pass | by the flag
        live-restore             | the daemon | pass | true";
    let report = enclave.bench(&[])?;
    report.expect(expect)?;
    let remedy = report.item("daemon-log-level-info", DAEMON)?.to_string();
    ensure!(
        remedy.contains("Remove the flag --log-level from the unit's ExecStart"),
        "{remedy}"
    );
    // Another file than the usual one.
    enclave.write("/etc/elsewhere/daemon.json", r#"{"log-level": "warn"}"#)?;
    enclave.start_engine(config, &["--config-file", "/etc/elsewhere/daemon.json"])?;
    enclave.bench(&[])?.expect(
        "
            daemon-log-level-info | the daemon                 | fail | is warn in /etc/elsewhere/daemon.json
            live-restore          | the daemon                 | fail | false
            daemon-json-mode      | /etc/elsewhere/daemon.json | pass | 0644",
    )
}

fn addresses_and_certificates() -> Result<()> {
    const CHECK: &str = "daemon-tls-verify";
    const OPEN: &str = "tcp://127.0.0.1:2375";
    let mut enclave = Enclave::with_engine(&programs(), "", &[UNIX, "-H", OPEN, "--tls=false"])?;
    let report = enclave.bench(&[])?;
    report.expect(&format!(
        "
            {CHECK} | tcp://127.0.0.1:2375 | fail | is open to all who reach it"
    ))?;
    let remedy = report.item(CHECK, OPEN)?.to_string();
    ensure!(remedy.contains("--host tcp://127.0.0.1:2375"), "{remedy}");
    certificates(&enclave)?;
    const TLS: &str = "tcp://127.0.0.1:2376";
    let files = [
        "--tlscacert=/etc/tls/ca.pem",
        "--tlscert=/etc/tls/cert.pem",
        "--tlskey=/etc/tls/key.pem",
    ];
    for (verify, verdict, reason) in [
        ("--tls", "fail", "is encrypted and asks no client who it is"),
        ("--tlsverify", "pass", "asks clients for a certificate"),
    ] {
        enclave.start_engine("", &[&[UNIX, "--host", TLS, verify][..], &files].concat())?;
        enclave.bench(&[])?.expect(&format!(
            "
            {CHECK} | {TLS} | {verdict} | {reason}"
        ))?;
    }
    // By the file, with an address that stands for several.
    let config = r#"{"hosts": ["unix:///run/docker.sock", "tcp://0.0.0.0:2376"], "tlsverify": true,
        "tlscacert": "/etc/tls/ca.pem", "tlscert": "/etc/tls/cert.pem", "tlskey": "/etc/tls/key.pem"}"#;
    enclave.start_engine(config, &[])?;
    enclave.bench(&[])?.expect(&format!(
        "
            {CHECK} | tcp6://[::]:2376 | pass | asks clients"
    ))?;
    enclave.start_engine("", &["--metrics-addr=127.0.0.1:9323", "--experimental"])?;
    enclave.bench(&[])?.expect(&format!(
        "
            {CHECK} | the API | pass | listens on no TCP"
    ))
}

/// One certificate that is its own authority, where the daemon is told to find all three.
fn certificates(enclave: &Enclave) -> Result<()> {
    enclave.sh(
        "mkdir /etc/tls && cd /etc/tls && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
         -nodes -subj /CN=localhost -days 2 -keyout key.pem -out cert.pem && cp cert.pem ca.pem && \
         chmod 0400 key.pem && chmod 0444 cert.pem ca.pem",
    )?;
    Ok(())
}

fn a_reload_counts_at_once() -> Result<()> {
    const BROKEN: (&str, &str) = (
        r#"{"live-restore": false, "debug": true, "insecure-registries": ["reg.example:5000"]}"#,
        "
        live-restore           | the daemon       | fail | false as the engine shows
        daemon-log-level-info  | the daemon       | fail | `debug` is true as the engine shows
        no-insecure-registries | reg.example:5000 | fail | without verified TLS",
    );
    const FINE: (&str, &str) = (
        r#"{"live-restore": true, "debug": false, "insecure-registries": []}"#,
        "
        live-restore           | the daemon | pass | true as the engine shows
        daemon-log-level-info  | the daemon | pass | info by the flag
        no-insecure-registries | registries | pass | loopback",
    );
    let enclave = Enclave::with_engine(&programs(), FINE.0, &["--log-level=info"])?;
    enclave.bench(&[])?.expect(FINE.1).context("at first")?;
    for (config, expect) in [BROKEN, FINE] {
        enclave.write("/etc/docker/daemon.json", config)?;
        enclave.signal_engine("HUP")?;
        let wanted = if config.contains(r#""debug": true"#) {
            "true"
        } else {
            "false"
        };
        eventually("dockerd has reloaded", PATIENCE, || {
            let shown = enclave.docker().run(&["info", "--format", "{{.Debug}}"]).ok()?;
            (shown == wanted).then_some(())
        })?;
        enclave.bench(&[])?.expect(expect).context(config)?;
    }
    Ok(())
}

fn a_changed_file_is_not_in_force() -> Result<()> {
    let mut enclave = Enclave::with_engine(&programs(), r#"{"log-level": "info"}"#, &["--icc=false"])?;
    enclave.bench(&[])?.expect(
        "
            userland-proxy-disabled | the daemon | fail | true by default
            live-restore            | the daemon | fail | false
            daemon-log-level-info   | the daemon | pass | info",
    )?;
    let config = r#"{"log-level": "info", "userland-proxy": false, "live-restore": true}"#;
    enclave.write("/etc/docker/daemon.json", config)?;
    enclave.bench(&[])?.expect(
            "
            userland-proxy-disabled | the daemon | unknown | pending-restart: /etc/docker/daemon.json says false
            live-restore            | the daemon | fail    | false as the engine shows",
        )?;
    enclave.start_engine(config, &["--icc=false"])?;
    enclave.bench(&[])?.expect(
        "
            userland-proxy-disabled | the daemon | pass | false in
            live-restore            | the daemon | pass | true as the engine shows",
    )
}

/// The engine runs on with what it has read, and nobody knows what that was.
fn a_file_that_is_no_json() -> Result<()> {
    let enclave = Enclave::with_engine(&programs(), r#"{"userland-proxy": false}"#, &[])?;
    enclave.write("/etc/docker/daemon.json", "{\"userland-proxy\": false,")?;
    enclave.bench(&[])?.expect(
        "
            userland-proxy-disabled | the daemon | unknown | daemon.json
            live-restore            | the daemon | fail    | as the engine shows",
    )
}

fn plugins_that_decide() -> Result<()> {
    const CHECK: &str = "authorization-plugin";
    let mut enclave = Enclave::with_engine(&programs(), "", &[])?;
    enclave.bench(&[])?.expect(&format!(
        "
            {CHECK} | the daemon | fail | no plugin decides"
    ))?;
    let plugin = Plugin::start(&enclave, "gate")?;
    enclave.start_engine(r#"{"authorization-plugins": ["gate"]}"#, &[])?;
    enclave.bench(&[])?.expect(&format!(
        "
            {CHECK} | gate | pass | legacy plugin gate is there"
    ))?;
    enclave.start_engine("", &["--authorization-plugin=gate"])?;
    enclave.bench(&[])?.expect(&format!(
        "
            {CHECK} | gate | pass | legacy plugin gate is there"
    ))?;
    // Without its plugin the engine answers nobody.
    drop(plugin);
    let report = enclave.bench(&[])?;
    report.expect(&format!(
        "
            {CHECK} | gate | unknown | "
    ))
}

/// The engine's own plugin sees every request.
fn requests_only_read() -> Result<()> {
    let mut enclave = Enclave::new(&programs())?;
    let plugin = Plugin::start(&enclave, "gate")?;
    enclave.start_engine(r#"{"authorization-plugins": ["gate"]}"#, &[])?;
    enclave.import(&programs(), "e2e-root:1")?;
    enclave.docker().run(&["create", "e2e-root:1", "/bin/true"])?;
    let before = plugin.requests().len();
    enclave.bench(&[])?;
    let requests = plugin.requests();
    let of_bench = requests.get(before..).context("requests are kept")?;
    ensure!(!of_bench.is_empty(), "the plugin saw nothing");
    let other: Vec<_> = of_bench
        .iter()
        .filter(|request| !request.starts_with("GET "))
        .collect();
    ensure!(other.is_empty(), "bench asked for {other:?}");
    Ok(())
}

fn profiles_and_storage() -> Result<()> {
    const CHECK: &str = "daemon-seccomp-profile";
    const PROFILE: &str = "/etc/docker/seccomp.json";
    let mut enclave = Enclave::with_engine(&programs(), "", &[])?;
    enclave.bench(&[])?.expect(&format!(
        "
            {CHECK}                       | the daemon | pass           | the engine's own profile
            devicemapper-basesize-default | the daemon | not-applicable | overlay2"
    ))?;
    enclave.write(PROFILE, r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": []}"#)?;
    enclave.start_engine(r#"{"seccomp-profile": "/etc/docker/seccomp.json"}"#, &[])?;
    let judged = |arguments: &[&str], verdict, reason: &str| {
        let report = enclave.bench(arguments)?;
        report.expect(&format!("{CHECK} | the daemon | {verdict} | {reason}"))
    };
    judged(&[], "unknown", "is not approved")?;
    let digest = enclave.sh("sha256sum /etc/docker/seccomp.json")?;
    let digest = digest.split(' ').next().unwrap_or_default();
    enclave.write(
        "/etc/policy.toml",
        &format!("approved_seccomp = [\"{digest}\"]\n"),
    )?;
    let policy = ["--policy", "/etc/policy.toml"];
    judged(&policy, "pass", "is approved")?;
    enclave.sh("chmod 0606 /etc/docker/seccomp.json")?;
    judged(&policy, "fail", "others than root can change the profile")?;
    enclave.sh("chmod 0644 /etc/docker/seccomp.json; chown ana /etc/docker/seccomp.json")?;
    judged(&policy, "fail", "others than root can change the profile")?;
    enclave.sh("chown root /etc/docker/seccomp.json; echo >>/etc/docker/seccomp.json")?;
    judged(&policy, "unknown", "is not approved")?;
    let options =
        r#"{"storage-driver": "overlay2", "storage-opts": ["overlay2.override_kernel_check=true"]}"#;
    enclave.start_engine(options, &[])?;
    enclave.bench(&[])?.expect(
        "
        devicemapper-basesize-default | the daemon         | not-applicable | overlay2
        no-aufs-driver                | the storage driver | pass           | overlay2
        daemon-seccomp-profile        | the daemon         | pass           | the engine's own profile",
    )
}

fn root_and_registries_of_old() -> Result<()> {
    let enclave = Enclave::with_engine(&programs(), "{}", &[])?;
    let first = ["--benchmark", "cis-1.13.0"];
    let judged = |arguments: &[&str], line: &str| enclave.bench(arguments)?.expect(line);
    judged(
        &first,
        "legacy-registry-v1-disabled | the daemon | not-applicable | does not have the protocol",
    )?;
    enclave.write("/etc/docker/daemon.json", r#"{"disable-legacy-registry": true}"#)?;
    judged(
        &first,
        "legacy-registry-v1-disabled | the daemon | fail | will not start again with it",
    )?;
    judged(
        &[],
        "daemon-rootless | the daemon | unknown | the policy does not say whether it may be",
    )?;
    let (today, later) = (
        enclave.sh("date -u +%Y-%m-%d")?,
        enclave.sh("date -u -d '9 days' +%Y-%m-%d")?,
    );
    let stated = format!("statement = \"needs it\"\nby = \"ops\"\ndate = {today}\nexpires = {later}\n");
    enclave.write(
        "/etc/policy.toml",
        &format!("[attestations.daemon-rootless]\n{stated}"),
    )?;
    judged(
        &["--policy", "/etc/policy.toml"],
        "daemon-rootless | the daemon | pass | ops stated on",
    )
}

/// Containers keep what they were started with.
fn containers_of_before_the_default() -> Result<()> {
    let mut enclave = Enclave::with_engine(&programs(), r#"{"live-restore": true}"#, &[])?;
    enclave.import(&programs(), "e2e-root:1")?;
    let run = ["run", "-d", "--network=none"];
    let stay = ["e2e-root:1", "/bin/sleep", "1000"];
    let silent = ["--log-driver=none", "--name"];
    enclave
        .docker()
        .run(&[&run[..], &silent, &["early"], &stay].concat())?;
    let config = r#"{"live-restore": true, "no-new-privileges": true, "log-driver": "gelf",
        "log-opts": {"gelf-address": "udp://127.0.0.1:12201"}}"#;
    enclave.start_engine(config, &[])?;
    enclave
        .docker()
        .run(&[&run[..], &["--name", "late"], &stay].concat())?;
    let report = enclave.bench(&[])?;
    report.expect(
        "
            daemon-no-new-privileges | the daemon | pass | true
            daemon-no-new-privileges | early      | fail | early
            remote-log-driver        | the daemon | pass | leave the host
            remote-log-driver        | early      | fail | nothing is logged",
    )?;
    ensure!(
        report.item("daemon-no-new-privileges", "late").is_err(),
        "late has the flag"
    );
    ensure!(
        report.item("remote-log-driver", "late").is_err(),
        "late has the default driver"
    );
    enclave.docker().run(&["rm", "-f", "early"])?;
    let check = enclave.bench(&[])?;
    for key in ["daemon-no-new-privileges", "remote-log-driver"] {
        let verdict = hullwatch_tests::text(check.check(key)?, "verdict");
        ensure!(verdict == "pass", "{key} is {verdict} without the early one");
    }
    Ok(())
}
