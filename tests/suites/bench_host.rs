//! The recommendations about the host and its operation; and what an assessment is worth that cannot look: without
//! root, without an engine, with one that hangs. That it changes nothing is shown, too.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hullwatch_tests::{Assessment, Enclave, text};

use crate::case::cases;
use crate::stage::programs;

cases! {
    alone:
        a_filesystem_of_its_own,
        who_may_open_the_socket,
        versions_and_programs,
        statements_that_expire,
        images_and_containers_that_lie_about,
        without_an_engine,
        without_root,
        an_engine_that_hangs,
        nothing_is_changed;
}

const IMAGE: &str = "e2e-root:1";

/// Longest that an assessment may wait for an engine that does not answer.
const BOUND: Duration = Duration::from_secs(30);

fn a_filesystem_of_its_own() -> Result<()> {
    const CHECK: &str = "docker-root-own-filesystem";
    let mut enclave = Enclave::with_engine(&programs(), "", &[])?;
    let judged = |enclave: &Enclave, path: &str, verdict: &str, reason: &str| {
        let report = enclave.bench(&[])?;
        report.expect(&format!("{CHECK} | {path} | {verdict} | {reason}"))?;
        let letter = report.item(CHECK, path)?.get("letter_only") == Some(&true.into());
        anyhow::Ok(letter)
    };
    // A bind mount of the machine's filesystem is a mount point, and no more.
    let letter = judged(
        &enclave,
        "/var/lib/docker",
        "fail",
        "is a bind mount of a filesystem that holds more",
    )?;
    ensure!(letter, "the letter lets a bind mount pass");
    // Where it is private, dockerd binds its own directory over itself.
    enclave.sh("mount --make-shared /var/lib")?;
    enclave.start_engine(r#"{"data-root": "/var/lib/elsewhere"}"#, &[])?;
    let letter = judged(&enclave, "/var/lib/elsewhere", "fail", "shares lib (tmpfs")?;
    ensure!(!letter, "no letter lets that pass");
    enclave.stop_engine()?;
    enclave.sh("mount -t tmpfs own /var/lib/elsewhere")?;
    enclave.start_engine(r#"{"data-root": "/var/lib/elsewhere"}"#, &[])?;
    judged(&enclave, "/var/lib/elsewhere", "pass", "own (tmpfs")?;
    Ok(())
}

fn who_may_open_the_socket() -> Result<()> {
    const CHECK: &str = "docker-group-trusted-members";
    let enclave = Enclave::with_engine(&programs(), "", &[])?;
    let group = fs::read_to_string(enclave.path("/etc/group"))?;
    let report = |arguments: &[&str], lines: &str| enclave.bench(arguments)?.expect(lines);
    let nobody = format!("{CHECK} | /run/docker.sock | pass | nobody but root can open /run/docker.sock");
    report(&[], &nobody).context("bob is in a group of a similar name")?;
    enclave.write("/etc/group", &group.replace("docker:x:970:", "docker:x:970:ana"))?;
    report(
        &[],
        &format!("{CHECK} | ana | fail | ana (uid 1000) can open /run/docker.sock by group docker"),
    )?;
    enclave.write("/etc/policy.toml", "trusted_users = [\"bob\"]\n")?;
    let policy = ["--policy", "/etc/policy.toml"];
    report(&policy, &format!("{CHECK} | ana | fail | is not a trusted user"))?;
    enclave.write("/etc/policy.toml", "trusted_users = [\"ana\"]\n")?;
    report(&policy, &format!("{CHECK} | ana | pass | is a trusted user"))?;
    // By primary group, which no line of /etc/group tells.
    enclave.write("/etc/group", &group)?;
    let passwd = fs::read_to_string(enclave.path("/etc/passwd"))?;
    enclave.write(
        "/etc/passwd",
        &passwd.replace("bob:x:1001:1001:", "bob:x:1001:970:"),
    )?;
    report(
        &policy,
        &format!("{CHECK} | bob | fail | bob (uid 1001) can open /run/docker.sock by primary group"),
    )?;
    enclave.write("/etc/passwd", &passwd)?;
    enclave.sh("chmod 0666 /run/docker.sock")?;
    report(
        &policy,
        &format!("{CHECK} | everyone | fail | everyone can open /run/docker.sock"),
    )?;
    enclave.sh("chmod 0660 /run/docker.sock")?;
    report(&policy, &nobody)
}

fn versions_and_programs() -> Result<()> {
    const CHECK: &str = "docker-up-to-date";
    let enclave = Enclave::new(&programs())?;
    // The program as a package brings it, to be replaced by the next.
    enclave.sh("mkdir /run/bin && cp \"$(command -v dockerd)\" /run/bin/dockerd && mount --bind /run/bin /usr/local/sbin")?;
    let mut enclave = enclave;
    enclave.start_engine("", &[])?;
    let version = enclave
        .docker()
        .run(&["version", "--format", "{{.Server.Version}}"])?;
    let plain: String = version
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    let policy = ["--policy", "/etc/policy.toml"];
    for (minimum, verdict, words) in [
        (plain.as_str(), "pass", "by the policy's list"),
        ("9999.0.0", "fail", "docker"),
    ] {
        enclave.write(
            "/etc/policy.toml",
            &format!("[minimum_versions]\ndocker = [\"{minimum}\"]\n"),
        )?;
        enclave.bench(&policy)?.expect(&format!(
            "
            {CHECK} | docker               | {verdict} | {words}
            {CHECK} | the daemon's program | pass | runs the file at"
        ))?;
    }
    enclave.sh("cp /run/bin/dockerd /run/bin/new && mv /run/bin/new /run/bin/dockerd")?;
    let replaced = format!("{CHECK} | the daemon's program | fail | was replaced since dockerd");
    enclave.bench(&policy)?.expect(&replaced)?;
    enclave.start_engine("", &[])?;
    enclave.bench(&policy)?.expect(&format!(
        "{CHECK} | the daemon's program | pass | runs the file at"
    ))
}

fn statements_that_expire() -> Result<()> {
    const ROWS: [(&str, &str); 4] = [
        ("host-hardened", "the host"),
        ("ops-security-audit", "security audits"),
        ("ops-monitoring", "monitoring"),
        ("ops-backup", "volumes"),
    ];
    let enclave = Enclave::with_engine(&programs(), "", &[])?;
    enclave.docker().run(&["volume", "create", "data"])?;
    let day = |offset: &str| enclave.sh(&format!("date -u -d '{offset}' +%Y-%m-%d"));
    let (long_ago, ago, soon) = (day("400 days ago")?, day("10 days ago")?, day("90 days")?);
    let bench = || enclave.bench(&["--benchmark", "cis-1.13.0", "--policy", "/etc/policy.toml"]);
    let table = |verdict: &str, words: &str| -> String {
        ROWS.iter()
            .map(|(key, item)| format!("{key} | {item} | {verdict} | {words}\n"))
            .collect()
    };
    let state = |date: &str, expires: &str| {
        let one = |(key, _): &(&str, &str)| {
            format!(
                "[attestations.{key}]\nstatement = \"done\"\nby = \"ops\"\ndate = {date}\nexpires = {expires}\n"
            )
        };
        enclave.write("/etc/policy.toml", &ROWS.iter().map(one).collect::<String>())
    };
    enclave.write("/etc/policy.toml", "")?;
    bench()?.expect(&table("unknown", ""))?;
    state(&ago, &soon)?;
    bench()?.expect(&table("pass", "ops stated on"))?;
    state(&long_ago, &ago)?;
    bench()?.expect(&table("fail", "that expired on"))?;
    enclave.write("/etc/policy.toml", "")?;
    enclave.docker().run(&["volume", "rm", "data"])?;
    bench()?.expect("ops-backup | volumes | not-applicable | there are no volumes")
}

fn images_and_containers_that_lie_about() -> Result<()> {
    let enclave = Enclave::with_engine(&programs(), "", &[])?;
    enclave.import(&programs(), IMAGE)?;
    enclave.write(
        "/etc/policy.toml",
        "max_stopped_containers = 1\nmax_unused_images_percent = 40\n",
    )?;
    let bench = || enclave.bench(&["--policy", "/etc/policy.toml"]);
    let docker = |arguments: &[&str]| enclave.docker().run(arguments);
    docker(&["create", "--name", "one", IMAGE, "/bin/true"])?;
    bench()?.expect(
        "
        ops-image-sprawl     | images             | pass | 0 of 1 images are used by no container
        ops-container-sprawl | stopped containers | pass | 1 containers do not run, of 1 that may",
    )?;
    docker(&["create", "--name", "two", IMAGE, "/bin/true"])?;
    // The same files are another image by another configuration.
    docker(&["commit", "--change", "LABEL a=b", "one", "unused:1"])?;
    // Another name is no other image.
    docker(&["tag", IMAGE, "e2e-alias:1"])?;
    bench()?.expect(
        "
        ops-image-sprawl     | images             | fail | 1 of 2 images are used by no container, more than 40 percent
        ops-container-sprawl | stopped containers | fail | 2 containers do not run, more than the 1",
    )?;
    docker(&["rm", "two"])?;
    docker(&["rmi", "unused:1"])?;
    bench()?.expect(
        "
        ops-image-sprawl     | images             | pass | 0 of 1
        ops-container-sprawl | stopped containers | pass | 1 containers do not run",
    )
}

fn without_an_engine() -> Result<()> {
    let mut enclave = Enclave::new(&programs())?;
    enclave.write("/etc/docker/daemon.json", "{}")?;
    enclave.sh("chmod 0606 /etc/docker/daemon.json")?;
    let expect = "
        daemon-json-mode             | /etc/docker/daemon.json                | fail    | others write
        file-docker-service-mode     | /usr/lib/systemd/system/docker.service | pass    | 0644
        swarm-mode-off-unless-needed | the engine                             | unknown | docker.sock
        live-restore                 | the daemon                             | unknown | no dockerd runs here
        bridge-icc-disabled          | bridge                                 | unknown |
        ops-image-sprawl             | images                                 | unknown |";
    let report = enclave.bench(&[])?;
    report.expect(expect)?;
    no_bare_unknown(&report)?;
    ensure!(
        report.value.get("engine").is_some_and(serde_json::Value::is_null),
        "there is no engine"
    );
    enclave.start_engine("{}", &[])?;
    enclave
        .bench(&[])?
        .expect("swarm-mode-off-unless-needed | the engine | pass | in no swarm")?;
    // It ends, and its socket file stays.
    enclave.stop_engine()?;
    enclave
        .bench(&[])?
        .expect("swarm-mode-off-unless-needed | the engine | unknown | docker.sock")
}

/// What could not be looked at has to say why.
fn no_bare_unknown(report: &Assessment) -> Result<()> {
    for check in report.list("/checks") {
        let is_bare = text(check, "verdict") == "unknown" && text(check, "reason").is_empty();
        ensure!(!is_bare, "{check} does not say why");
    }
    Ok(())
}

fn without_root() -> Result<()> {
    let enclave = Enclave::with_engine(&programs(), "{}", &[])?;
    let report = enclave.bench_as_nobody()?;
    no_bare_unknown(&report)?;
    report.expect(
        "
        live-restore                 | the daemon                             | unknown |
        userland-proxy-disabled      | the daemon                             | unknown |
        swarm-mode-off-unless-needed | the engine                             | unknown | docker.sock
        file-docker-service-mode     | /usr/lib/systemd/system/docker.service | pass    | 0644
        daemon-json-mode             | /etc/docker/daemon.json                | pass    | 0644
        docker-sock-mode             | /run/docker.sock                       | pass    | 0660",
    )?;
    // With the socket open to everybody the engine tells what the kernel does not.
    enclave.sh("chmod 0666 /run/docker.sock")?;
    enclave.bench_as_nobody()?.expect(
        "
        live-restore                 | the daemon       | fail    | false as the engine shows
        swarm-mode-off-unless-needed | the engine       | pass    | in no swarm
        userland-proxy-disabled      | the daemon       | unknown |
        docker-sock-mode             | /run/docker.sock | fail    | others read, others write",
    )
}

fn an_engine_that_hangs() -> Result<()> {
    let enclave = Enclave::with_engine(&programs(), r#"{"userland-proxy": false}"#, &[])?;
    enclave.signal_engine("STOP")?;
    let began = Instant::now();
    let report = enclave.bench(&[]);
    let took = began.elapsed();
    enclave.resume_engine()?;
    let report = report?;
    ensure!(took < BOUND, "it took {took:?}");
    no_bare_unknown(&report)?;
    // The daemon's process and files can be seen all the same.
    report.expect(
        "
        swarm-mode-off-unless-needed | the engine                             | unknown |
        ops-image-sprawl             | images                                 | unknown |
        userland-proxy-disabled      | the daemon                             | pass    | false in /etc/docker/daemon.json
        daemon-json-mode             | /etc/docker/daemon.json                | pass    | 0644",
    )?;
    enclave
        .bench(&[])?
        .expect("swarm-mode-off-unless-needed | the engine | pass | in no swarm")
}

/// Everything below a directory: when it was changed, whose it is, how large.
fn listing(directory: &Path, into: &mut BTreeMap<PathBuf, String>) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        // What comes and goes by itself was not made by the assessment either, if it is there before and after.
        let Ok(found) = path.symlink_metadata() else {
            continue;
        };
        let (changed, nanos) = (found.ctime(), found.ctime_nsec());
        let line = format!(
            "{changed}.{nanos} {:o} {} {} {}",
            found.mode(),
            found.uid(),
            found.size(),
            found.ino()
        );
        if found.is_dir() {
            listing(&path, into)?;
        }
        into.insert(path, line);
    }
    Ok(())
}

fn nothing_is_changed() -> Result<()> {
    const CALLS: &str = "execve,execveat,open,openat,openat2,creat,mkdir,mkdirat,unlink,unlinkat,rename,renameat,\
        renameat2,link,linkat,symlink,symlinkat,mknod,mknodat,chmod,fchmod,fchmodat,chown,fchown,fchownat,lchown,\
        truncate,ftruncate,utimensat,setxattr,fsetxattr,lsetxattr,removexattr,mount,umount2,setns,kill,ptrace";
    let enclave = Enclave::with_engine(&programs(), "{}", &[])?;
    enclave.import(&programs(), IMAGE)?;
    enclave.docker().run(&[
        "run",
        "-d",
        "--network=none",
        "--name=web",
        IMAGE,
        "/bin/sleep",
        "1000",
    ])?;
    enclave
        .docker()
        .run(&["create", "--name=idle", IMAGE, "/bin/true"])?;
    let look = || -> Result<BTreeMap<PathBuf, String>> {
        let mut all = BTreeMap::new();
        for directory in ["/etc", "/run", "/var/lib", "/usr/lib/systemd/system"] {
            listing(&enclave.path(directory), &mut all)?;
        }
        Ok(all)
    };
    let now = || enclave.sh("date +%s.%N");
    let (before, since) = (look()?, now()?);
    enclave.bench(&[])?;
    let (until, after) = (now()?, look()?);
    let touched: Vec<_> = after
        .iter()
        .filter(|(path, line)| before.get(*path) != Some(line))
        .map(|(path, _)| path)
        .chain(before.keys().filter(|path| !after.contains_key(*path)))
        .collect();
    ensure!(before.len() > 100 && touched.is_empty(), "touched: {touched:?}");
    let events = enclave
        .docker()
        .run(&["events", "--since", &since, "--until", &until])?;
    ensure!(events.is_empty(), "the engine did something: {events}");
    let (_, trace) = enclave.bench_traced(CALLS)?;
    let deeds: Vec<_> = trace.lines().filter(|line| is_deed(line)).collect();
    ensure!(trace.lines().count() > 100, "the trace is too short: {trace}");
    ensure!(deeds.is_empty(), "bench did {deeds:?}");
    Ok(())
}

/// Whether a line of `strace` shows more than reading: its own start apart, and that a thread looks at the sockets of a
/// container's network.
fn is_deed(line: &str) -> bool {
    let is_open = ["open(", "openat(", "openat2("]
        .iter()
        .any(|call| line.contains(call));
    let writes = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND"]
        .iter()
        .any(|flag| line.contains(flag));
    let is_start = line.contains("execve(") && line.contains("\"bench\"");
    let is_look = line.contains("setns(") && line.contains("CLONE_NEWNET");
    let is_other = is_look || line.contains("<... ") || line.contains("--- SIG") || line.contains("+++ ");
    if is_open { writes } else { !is_start && !is_other }
}
