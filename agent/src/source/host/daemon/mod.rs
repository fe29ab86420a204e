//! The engine's daemon as a process of the host: what it was started with, what it is configured with by now, and
//! where it listens.

mod config;
mod effective;
mod find;
mod flags;
mod option;
mod redact;

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt;

use find::Found;
use procfs::process::{Process, Status};
use rustix::fs::fstat;
use rustix::time::{ClockId, clock_gettime};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::account::Accounts;
use super::process_root::ProcessRoot;
use super::processes::{Processes, Running};
use super::sentence::known;
use super::{proc, truth};
use crate::model::{ConfigFile, Daemon, Engine, Fact, Time};

/// Programs that forward a published port.
const PROXIES: [&str; 2] = ["docker-proxy", "rootlesskit-docker-proxy"];

/// Bytes of a seccomp profile; the stock one has 12 KiB.
const MAX_PROFILE: u64 = 1 << 20;

/// The kernel counts starts in ticks of 10 ms.
const TICK: i128 = 10_000_000;

/// Something of the daemon could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {what} of process {pid}, the dockerd")]
struct ReadError {
    pid: u32,
    what: &'static str,
    #[source]
    source: io::Error,
}

/// The daemon that answers at the engine's address; without an engine, the host's own. Passwords in its options are
/// left out.
#[must_use]
pub fn daemon(engine: Option<&Engine>) -> Fact<Daemon> {
    match Processes::read() {
        Ok(processes) => daemon_among(engine, &processes),
        Err(error) => Fact::unknown(format!("cannot list processes: {error}")),
    }
}

/// As [`daemon`], among processes that were listed already.
pub(super) fn daemon_among(engine: Option<&Engine>, processes: &Processes) -> Fact<Daemon> {
    match find::find(engine, processes) {
        Ok(found) => known(describe(found, engine, processes)),
        Err(error) => known(Err(error)),
    }
}

fn describe(found: Found, engine: Option<&Engine>, processes: &Processes) -> Result<Daemon, ReadError> {
    let process = &found.process;
    let pid = process.pid.unsigned_abs();
    let failed = |what| move |source| ReadError { pid, what, source };
    let argv = proc::read(process, "cmdline").map_err(failed("the command line"))?;
    let argv = split(&argv);
    let status = proc::status(process).map_err(failed("the status"))?;
    let uid_map = proc::read_text(process, "uid_map").map_err(failed("the user namespace"))?;
    let root = ProcessRoot::of(process).map_err(failed("the root directory"))?;
    let running = processes.get(pid);
    let flags = flags::parse(&argv);
    let mut config_file = config_file(process, &status, &flags, &root);
    let started = started(process);
    let newer = config_file.is_newer_than(started);
    let file = config_file.content.get().and_then(Option::as_ref);
    let mut options = effective::effective(
        flags,
        &file.map(config::options).unwrap_or_default(),
        newer,
        engine,
    );
    for (key, option) in &mut options {
        option.value = redact::value(key, option.value.take());
        option.pending = option.pending.take().map(|pending| redact::value(key, pending));
    }
    if let Some(Some(content)) = config_file.content.get_mut() {
        for (key, value) in content {
            *value = redact::value(key, value.take());
        }
    }
    let proxies = proxies(
        pid,
        options.get("userland-proxy-path").map(|o| &o.value),
        processes,
    );
    let profile = profile(options.get("seccomp-profile").map(|option| &option.value), &root);
    Ok(Daemon {
        pid,
        uid: status.euid,
        root_uid: truth::host_uid_of_root(&uid_map).unwrap_or(status.euid),
        exe: running.map(|running| running.exe.clone()).unwrap_or_default(),
        exe_replaced: running.is_some_and(|running| is_replaced(process, running, &root)),
        started,
        argv: argv.iter().map(|argument| redact::text(argument)).collect(),
        config_file,
        options,
        listeners: match found.listeners {
            Some(listeners) => Fact::Known(listeners),
            None => known(find::sockets(process).map_err(failed("the sockets"))),
        },
        userland_proxies: proxies,
        seccomp_sha256: profile,
    })
}

/// Strings that end in NUL.
fn split(bytes: &[u8]) -> Vec<String> {
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    let strings = bytes.split(|byte| *byte == 0);
    strings
        .map(|string| String::from_utf8_lossy(string).into_owned())
        .collect()
}

/// SHA-256 of the seccomp profile that an option names.
fn profile(option: Option<&Value>, root: &ProcessRoot) -> Fact<String> {
    let Some(path) = option
        .and_then(Value::as_str)
        .filter(|path| path.starts_with('/'))
    else {
        return Fact::unknown("no seccomp profile is named by its path");
    };
    let digest = root.read(path, MAX_PROFILE).map(|profile| {
        let digest = Sha256::digest(profile);
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    });
    Fact::from(digest.map_err(|error| format!("cannot read {path}: {error}")))
}

/// The configuration file where the daemon looks for it.
fn config_file(
    process: &Process,
    status: &Status,
    flags: &BTreeMap<String, Value>,
    root: &ProcessRoot,
) -> ConfigFile {
    if let Some(path) = flags.get("config-file").and_then(Value::as_str) {
        return config::read(root, absolute(process, path), true);
    }
    let environment = proc::read(process, "environ")
        .map(|bytes| split(&bytes))
        .unwrap_or_default();
    let home = home(status.euid);
    let path = default_config(&environment, status.euid != 0, home.as_deref());
    config::read(root, path, false)
}

/// Below the home directory for a daemon that RootlessKit runs, or that is not root.
fn default_config(environment: &[String], rootless: bool, home: Option<&str>) -> String {
    let variable = |name: &str| {
        let value = environment
            .iter()
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        value.filter(|value| !value.is_empty())
    };
    if !rootless && variable("ROOTLESSKIT_STATE_DIR").is_none() {
        return config::DEFAULT_PATH.to_owned();
    }
    let below_home = || Some(format!("{}/.config", variable("HOME").or(home)?));
    let directory = variable("XDG_CONFIG_HOME").map(str::to_owned).or_else(below_home);
    directory.map_or_else(
        || config::DEFAULT_PATH.to_owned(),
        |directory| format!("{directory}/docker/daemon.json"),
    )
}

fn home(uid: u32) -> Option<String> {
    let accounts = Accounts::read().ok()?;
    let user = accounts.users.into_iter().find(|user| user.uid == uid)?;
    Some(user.home)
}

/// A path from the daemon's root.
fn absolute(process: &Process, path: &str) -> String {
    if path.starts_with('/') {
        return path.to_owned();
    }
    let directory = process.cwd().unwrap_or_else(|_gone| "/".into());
    directory.join(path).to_string_lossy().into_owned()
}

/// When a process was started, by the present clock; `None` where that cannot be told.
fn started(process: &Process) -> Option<Time> {
    let ticks = i128::from(process.stat().ok()?.starttime);
    let since_boot = ticks
        .checked_mul(1_000_000_000)?
        .checked_div(i128::from(procfs::ticks_per_second()))?;
    let uptime = clock_gettime(ClockId::Boottime);
    let uptime = i128::from(uptime.tv_sec) * 1_000_000_000 + i128::from(uptime.tv_nsec);
    let ago = uptime.checked_sub(since_boot)?;
    let started = Time::now().unix_nanos().checked_sub(ago)?;
    // No more digits than ticks have: else it were another instant each time that it is asked.
    Some(Time::from_unix_nanos(started.checked_div(TICK)? * TICK))
}

/// Whether the file that runs is not the one that is at its path by now.
fn is_replaced(process: &Process, running: &Running, root: &ProcessRoot) -> bool {
    if running.deleted {
        return true;
    }
    let runs =
        std::fs::metadata(format!("/proc/{}/exe", process.pid)).map(|status| (status.dev(), status.ino()));
    let there = root
        .locate(&running.exe)
        .and_then(|file| Ok(fstat(file)?))
        .map(|status| (status.st_dev, status.st_ino));
    matches!((runs, there), (Ok(runs), Ok(there)) if runs != there)
}

/// Children of the daemon that forward ports.
fn proxies(daemon: u32, path: Option<&Value>, processes: &Processes) -> Fact<Vec<u32>> {
    if PROXIES.iter().any(|name| processes.may_hide(name)) {
        return Fact::unknown("a docker-proxy may run that this user may not look at: run as root");
    }
    let path = path.and_then(Value::as_str).unwrap_or_default();
    let is_proxy = |running: &&Running| PROXIES.contains(&running.name()) || running.exe == path;
    let is_child = |pid: u32| {
        let parent = proc::open(pid)
            .ok()
            .and_then(|process| process.stat().ok())
            .map(|stat| stat.ppid);
        parent.is_some_and(|parent| parent.unsigned_abs() == daemon)
    };
    let running = processes
        .running
        .iter()
        .filter(is_proxy)
        .map(|running| running.pid);
    Fact::Known(running.filter(|pid| is_child(*pid)).collect())
}

#[cfg(test)]
mod tests;
