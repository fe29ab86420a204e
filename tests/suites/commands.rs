//! The command line: what it answers, and how it fails.

use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use hullwatch_tests::Skip;
use serde_json::Value;

use crate::case::cases;
use crate::schema::Schemas;
use crate::stage::{self, Stage};

cases! {
    staged:
        without_root,
        with_less_than_it_takes,
        demo,
        doctor;
    alone:
        an_unknown_option,
        a_missing_word,
        a_broken_engine_uri,
        the_catalogue;
}

/// `hullwatch` where no world is needed.
fn hullwatch(args: &[&str]) -> Result<Output> {
    let path = stage::programs().hullwatch;
    if !path.is_file() {
        return Err(Skip::because(format!("{} is not built", path.display())).into());
    }
    Command::new(path)
        .args(args)
        .env_remove("DOCKER_HOST")
        .output()
        .context("start hullwatch")
}

/// Fails with this code, nothing on stdout and, where asked, one line on stderr.
#[track_caller]
fn check_failure(output: &Output, code: i32, one_line: bool) -> Result<String> {
    let stderr = String::from_utf8(output.stderr.clone())?;
    ensure!(output.status.code() == Some(code), "{}: {stderr}", output.status);
    ensure!(
        output.stdout.is_empty(),
        "on stdout: {}",
        String::from_utf8_lossy(&output.stdout)
    );
    ensure!(
        !one_line || stderr.trim_end().lines().count() == 1,
        "not one line: {stderr}"
    );
    Ok(stderr)
}

fn without_root(stage: &mut Stage) -> Result<()> {
    let binary = stage.world.hullwatch_path().to_string_lossy().into_owned();
    let (_, output) = stage
        .world
        .try_to_act(&["as", "65534", &binary, "watch", "--json"])?;
    let said = check_failure(&output, 3, true)?;
    ensure!(said.contains("root"), "no remedy: {said}");
    Ok(())
}

/// Root without the capabilities, and with too few files: each is told for what it is.
fn with_less_than_it_takes(stage: &mut Stage) -> Result<()> {
    let binary = stage.world.hullwatch_path();
    for (limit, remedy) in [
        ("setpriv --bounding-set -sys_admin,-bpf,-perfmon", "CAP_BPF"),
        ("prlimit --nofile=20", "ulimit -n"),
    ] {
        let output = Command::new("sh")
            .args(["-c", &format!("exec {limit} \"$0\" watch --json")])
            .arg(binary)
            .env_remove("DOCKER_HOST")
            .output()?;
        let said = check_failure(&output, 3, true)?;
        ensure!(said.contains(remedy) && !said.contains("lockdown"), "{said}");
    }
    Ok(())
}

fn a_missing_word() -> Result<()> {
    for (args, word) in [
        (&[][..], "a command is missing"),
        (&["checks"], "a command is missing"),
        (&["replay"], "not provided: <FILE>"),
    ] {
        let said = check_failure(&hullwatch(args)?, 2, true)?;
        ensure!(said.contains(word), "{said}");
    }
    Ok(())
}

fn an_unknown_option() -> Result<()> {
    let said = check_failure(&hullwatch(&["watch", "--no-such-option"])?, 2, false)?;
    ensure!(said.contains("--no-such-option"), "{said}");
    check_failure(&hullwatch(&["no-such-command"])?, 2, false)?;
    Ok(())
}

fn a_broken_engine_uri() -> Result<()> {
    for uri in ["gopher://engine", "unix://", "no uri at all", "tcp://:::"] {
        let said = check_failure(&hullwatch(&["watch", "--json", "--engine", uri])?, 2, true)?;
        ensure!(said.contains("engine") || said.contains(uri), "{said}");
    }
    Ok(())
}

fn the_catalogue() -> Result<()> {
    let output = hullwatch(&["checks", "list"])?;
    let list = String::from_utf8(output.stdout)?;
    ensure!(
        output.status.success() && list.contains("runtime-not-privileged"),
        "{list}"
    );
    let by_key = hullwatch(&["checks", "explain", "runtime-not-privileged"])?;
    let by_number = hullwatch(&["checks", "explain", "5.5"])?;
    ensure!(by_key.status.success() && !by_key.stdout.is_empty(), "{by_key:?}");
    ensure!(
        by_key.stdout == by_number.stdout,
        "the key and the number name the same check"
    );
    check_failure(&hullwatch(&["checks", "explain", "no-such-check"])?, 2, true)?;
    Ok(())
}

fn doctor(stage: &mut Stage) -> Result<()> {
    let output = stage.world.hullwatch().args(["doctor", "--json"]).output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let report: Value = serde_json::from_slice(&output.stdout)?;
    let probes = report
        .pointer("/probes")
        .and_then(Value::as_array)
        .context("no probes")?;
    for name in ["exec", "connect", "mount", "namespace", "cgroup"] {
        let probe = probes
            .iter()
            .find(|probe| probe["name"].as_str().is_some_and(|given| given.contains(name)));
        let probe = probe.with_context(|| format!("no probe {name}: {report}"))?;
        ensure!(probe["rung"].is_string() && probe["state"].is_string(), "{probe}");
        ensure!(
            probe["reason"].is_string() || probe["reason"].is_null(),
            "{probe}"
        );
        ensure!(probe["blind"].is_array(), "{probe}");
    }
    match Schemas::published()? {
        Some(schemas) => schemas.check_value("doctor", &report),
        None => Ok(()),
    }
}

/// Every harmless violation is caught, with Docker and without.
fn demo(stage: &mut Stage) -> Result<()> {
    let with = ["setuid", "socket", "mount", "network namespace", "UTS namespace"];
    let without = ["setuid", "socket", "mount", "no Docker here"];
    for (engine, words) in [
        (stage.world.dockerd.uri(), &with[..]),
        ("unix:///nonexistent/docker.sock".to_owned(), &without),
    ] {
        let output = stage
            .world
            .hullwatch()
            .arg("demo")
            .env("DOCKER_HOST", &engine)
            .output()?;
        let (stdout, stderr) = (
            String::from_utf8(output.stdout)?,
            String::from_utf8_lossy(&output.stderr),
        );
        ensure!(output.status.success(), "{}: {stdout}\n{stderr}", output.status);
        for word in words {
            ensure!(
                stdout.contains(word),
                "nothing of {word} with {engine}: {stdout}\n{stderr}"
            );
        }
    }
    Ok(())
}
