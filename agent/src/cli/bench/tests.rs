//! The command as a whole, over recorded facts.

use std::fs;
use std::path::Path;

use clap::{Args, FromArgMatches};
use serde_json::{Value, json};

use super::*;
use crate::model::{Container, EngineKind};

fn command(args: &[&str]) -> Result<BenchCommand, clap::Error> {
    let parser = BenchCommand::augment_args(clap::Command::new("bench"));
    BenchCommand::from_arg_matches(&parser.try_get_matches_from([&["bench"], args].concat())?)
}

/// Facts of a host with a privileged container, recorded in a directory.
fn recorded(directory: &Path) -> String {
    let mut host = Host::default();
    let id = "ab".repeat(32).parse().unwrap();
    host.facts.engine_version = Some("28.5.2".into());
    host.containers = Some(vec![Container {
        name: "web".into(),
        privileged: Some(true),
        ..Container::unknown(id, EngineKind::Docker)
    }]);
    let file = directory.join("host.json");
    snapshot::write(&file, &host).unwrap();
    file.to_str().unwrap().to_owned()
}

/// Runs over the recorded facts; gives the exit code and the report.
fn run(args: &[&str]) -> (String, String) {
    let directory = tempfile::tempdir().unwrap();
    let snapshot = recorded(directory.path());
    let out = directory.path().join("out");
    let fixed = ["--snapshot", &snapshot, "--outputfile", out.to_str().unwrap()];
    let code = command(&[&fixed, args].concat()).unwrap().run().unwrap();
    (format!("{code:?}"), fs::read_to_string(out).unwrap())
}

fn run_json(args: &[&str]) -> Value {
    serde_json::from_str(&run(&[args, &["--json"]].concat()).1).unwrap()
}

fn code(number: u8) -> String {
    format!("{:?}", ExitCode::from(number))
}

#[test]
fn the_benchmark_is_the_one_asked_for_or_the_engines() {
    for (args, expect) in [
        (&[][..], "cis-1.8.0"),
        (&["--benchmark", "1.6.0"], "cis-1.6.0"),
        (&["--benchmark", "cis-1.0"], "cis-1.13.0"),
        (&["--version", "18.09"], "cis-1.2.0"),
    ] {
        assert_eq!(run_json(args)["benchmark"], expect, "{args:?}");
    }
    assert!(command(&["--version", "18.09", "--benchmark", "1.6.0"]).is_err());
    let blank = command(&[]).unwrap().benchmark(&Host::default());
    assert_eq!(blank, Benchmark::V1_6_0);
}

#[test]
fn only_failures_that_were_asked_for_make_the_exit_code() {
    let privileged = ["--check", "runtime-not-privileged"];
    let with = |more: &[&'static str]| run(&[&privileged, more].concat()).0;
    assert_eq!(with(&[]), code(0));
    assert_eq!(with(&["--fail-on", "info"]), code(1));
    assert_eq!(with(&["--fail-on", "high"]), code(1));
    assert_eq!(with(&["--fail-on", "info", "-x", "we"]), code(0));
    assert!(command(&["--fail-on", "bad"]).is_err());
}

#[test]
fn a_report_holds_what_was_selected_and_says_what_was_left_out() {
    let report = run_json(&["-c", "5.5,exec-not-root", "--skip-container", "web"]);
    let keys: Vec<_> = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["key"].as_str().unwrap())
        .collect();
    assert_eq!(keys, ["runtime-not-privileged", "exec-not-root"]);
    assert_eq!(report["checks"][0]["verdict"], "pass");
    assert_eq!(report["excluded"][0]["item"], "web");
    assert_eq!(report["excluded"][0]["why"], "--skip-container web");
}

#[test]
fn shapes_are_named_by_format_and_json() {
    let only = ["-c", "5.5"];
    let start = |args: &[&'static str]| {
        let text = run(&[&only, args].concat()).1;
        text.chars().take(14).collect::<String>()
    };
    for (args, expect) in [
        (&[][..], "Hullwatch 0.1."),
        (&["--json"], "{\"benchmark\":\""),
        (&["--format", "json"], "{\"benchmark\":\""),
        (&["--format", "docker-bench"], "[INFO] cis-1.8"),
        (&["--format", "docker-bench", "--json"], "{\"id\":\"1.8.0\","),
        (&["--format", "docker-bench-security"], "# Hullwatch 0."),
        (
            &["--format", "docker-bench-security", "--json"],
            "{\"dockerbenchs",
        ),
        (&["--format", "junit"], "<?xml version="),
        (&["--format", "sarif"], "{\"$schema\":\"ht"),
        (&["--format", "html"], "<!doctype html"),
    ] {
        let expect: String = expect.chars().take(14).collect();
        assert_eq!(start(args), expect, "{args:?}");
    }
    let error = command(&["--format", "pdf"]).unwrap_err().to_string();
    assert!(error.contains("there are human, json,"), "{error}");
}

#[test]
fn the_log_is_text_with_json_beside_it() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("bench.log");
    let (_, report) = run(&[
        "-b",
        "-p",
        "-n",
        "1",
        "-c",
        "check_5_5",
        "--format",
        "docker-bench-security",
        "-l",
        log.to_str().unwrap(),
    ]);
    assert_eq!(fs::read_to_string(&log).unwrap(), report);
    assert!(report.contains("[WARN] 5.5 - "), "{report}");
    let json = fs::read_to_string(directory.path().join("bench.log.json")).unwrap();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["tests"][0]["results"][0]["items"], json!(["web"]));
}

#[test]
fn recorded_facts_are_read_back_and_others_refused() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let file = recorded(directory.path());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let host = snapshot::read(Path::new(&file)).unwrap();
    assert_eq!(host.containers.unwrap()[0].name, "web");
    fs::write(&file, "{\"facts\": 1}").unwrap();
    for path in [Path::new(&file), Path::new("/nonexistent")] {
        let fault = format!("{:?}", snapshot::read(path).unwrap_err());
        assert!(
            fault.contains("--snapshot") && fault.contains("code: 2"),
            "{fault}"
        );
    }
}

#[test]
fn a_policy_of_now_replaces_the_recorded_one() {
    let directory = tempfile::tempdir().unwrap();
    let policy = directory.path().join("policy.toml");
    fs::write(&policy, "allowed_mounts = [\"/srv\"]").unwrap();
    let snapshot = recorded(directory.path());
    let args = [
        "--snapshot",
        &snapshot,
        "--policy",
        policy.to_str().unwrap(),
        "-u",
        "0",
    ];
    let host = command(&args).unwrap().host().unwrap();
    assert_eq!(host.policy.allowed_mounts, ["/srv"]);
    assert_eq!(host.policy.trusted_uids, [0]);
}
