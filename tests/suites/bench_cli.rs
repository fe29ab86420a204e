//! The command line of `hullwatch bench`: what is selected, left out, allowed and stated, and the exit code.

use anyhow::{Context, Result, ensure};
use hullwatch_tests::{Assessment, text};
use serde_json::Value;

use crate::bench::{self, Bench, Faults, SOUND};
use crate::case::cases;

cases! {
    alone:
        selection,
        exclusion,
        exit_codes,
        faulty_options_and_files,
        attestations_expire,
        sprawl,
        a_recorded_host;
}

const PIDS: &str = "runtime-pids-limit";

/// Checks by the ways to name them: the numbers that are left.
const SELECTIONS: &[(&[&str], &[&str])] = &[
    (&["--check", "5.5"], &["5.5"]),
    (&["--check", "5.5,runtime-not-privileged"], &["5.5"]),
    (&["--check", "5.5, 5.4"], &["5.4", "5.5"]),
    (&["--check", "check_5_5,check_4_1"], &["4.1", "5.5"]),
    (&["--check", "runtime-*-limit"], &["5.11", "5.12", "5.29"]),
    (&["--check", "4.1?"], &["4.10", "4.11", "4.12"]),
    (
        &["--check", "4.1*", "--exclude", "4.10,image-non-*"],
        &["4.11", "4.12"],
    ),
    (
        &[
            "--check",
            "images",
            "--level",
            "1",
            "--exclude",
            "4.1*,4.2,4.3,4.4",
        ],
        &["4.6", "4.7", "4.9"],
    ),
    (
        &["--check", "images", "--exclude", "level:1"],
        &["4.5", "4.8", "4.11"],
    ),
    (&["-c", "docker_security_operations"], &["6.1", "6.2"]),
    (
        &["--benchmark", "cis-1.13.0", "--check", "runtime-not-privileged"],
        &["5.4"],
    ),
    (&["--version", "18.09", "--check", "5.4"], &["5.4"]),
];

fn selection() -> Result<()> {
    bench::perform(|bench| {
        let mut faults = Faults::default();
        for (args, expected) in SELECTIONS {
            let judge = || {
                let report = bench.report(args)?;
                let numbers: Vec<&str> = report
                    .checks()
                    .iter()
                    .map(|check| text(check, "number"))
                    .collect();
                ensure!(numbers == *expected, "{numbers:?}, not {expected:?}");
                Ok(())
            };
            faults.note(&args.join(" "), judge());
        }
        for benchmark in ["cis-1.13.0", "cis-1.6.0", "cis-1.8.0"] {
            let all = bench.report(&["--benchmark", benchmark])?;
            faults.note(benchmark, counts_add_up(&all, listed(bench, benchmark)?));
        }
        faults.finish()
    })
}

/// How many checks the catalogue has in a benchmark.
pub(crate) fn listed(bench: &Bench, benchmark: &str) -> Result<usize> {
    let list = ["checks", "list", "--json", "--benchmark", benchmark];
    let output = bench.world.hullwatch().args(list).output()?;
    let list = Assessment::read(&output.stdout)?;
    let checks = list.at("checks").as_array().context("checks")?;
    let count = checks.iter().filter(|check| check["number"].is_string()).count();
    ensure!(count > 90, "only {count} checks in {benchmark}");
    Ok(count)
}

/// Each row is counted once, and no key is there twice.
fn counts_add_up(report: &Assessment, rows: usize) -> Result<()> {
    let mut keys = report.keys();
    ensure!(keys.len() == rows, "{} rows", keys.len());
    keys.sort_unstable();
    keys.dedup();
    ensure!(keys.len() == rows, "a key occurs twice");
    for verdict in ["pass", "fail", "not-applicable", "unknown"] {
        let counted = report.checks().iter().filter(|check| check["verdict"] == verdict);
        ensure!(
            report.at("counts").get(verdict) == Some(&counted.count().into()),
            "{verdict}"
        );
    }
    Ok(())
}

/// Containers of one test; they never run.
fn with_containers(test: fn(&Bench) -> Result<()>) -> Result<()> {
    bench::perform(|bench| {
        let create = |name: &str, options: &[&str]| {
            let args = [&["create", "--name", name], options, &[SOUND, "true"]].concat();
            bench.world.docker.run(&args)
        };
        let made = create("web", &["--label", "tier=front"])
            .and_then(|_| create("db-one", &["--label", "tier=back"]))
            .and_then(|_| create("db-two", &["--label", "hull.watch=no"]))
            .and_then(|_| create("safe", &["--pids-limit", "9"]));
        let outcome = made.and_then(|_| test(bench));
        let remove = ["rm", "--force", "web", "db-one", "db-two", "safe"];
        bench.world.docker.attempt(&remove)?;
        outcome
    })
}

/// Ways to leave containers out: who is judged.
const EXCLUSIONS: &[(&[&str], &[&str])] = &[
    (&[], &["db-one", "db-two", "safe", "web"]),
    (&["--skip-container", "db-*"], &["safe", "web"]),
    (
        &["--skip-container", "label=tier=back"],
        &["db-two", "safe", "web"],
    ),
    (&["--skip-container", "label=tier"], &["db-two", "safe"]),
    (
        &["--skip-container", "label=hull.watch"],
        &["db-one", "safe", "web"],
    ),
    (
        &[
            "--skip-container",
            "container.name.startsWith(\"db\") && \"tier\" in labels && labels[\"tier\"] == \"back\"",
        ],
        &["db-two", "safe", "web"],
    ),
    (&["--only-container", "w?b"], &["web"]),
    (
        &["--only-container", "db-*", "--skip-container", "db-two"],
        &["db-one"],
    ),
    (&["-i", "db"], &["db-one", "db-two"]),
    (&["-x", "db,saf"], &["web"]),
    (&["-t", "tier=front"], &["web"]),
];

fn exclusion() -> Result<()> {
    with_containers(|bench| {
        let mut faults = Faults::default();
        for (args, expected) in EXCLUSIONS {
            let judge = || {
                let report = bench.report(&[&["--check", PIDS], *args].concat())?;
                let items = report.check(PIDS)?["items"].as_array().context("items")?;
                let mut judged: Vec<&str> = items.iter().map(|item| text(item, "item")).collect();
                judged.sort_unstable();
                ensure!(judged == *expected, "{judged:?} are judged");
                let excluded = report.at("excluded").as_array().context("excluded")?;
                let containers = excluded.iter().filter(|one| one["of"] == "container");
                let why = containers.filter(|one| one["why"] != "").count();
                ensure!(why == 4 - expected.len(), "left out: {excluded:?}");
                Ok(())
            };
            faults.note(&format!("{args:?}"), judge());
        }
        let images = bench.report(&["--check", "image-healthcheck", "--only-image", "sound*"])?;
        let items = images.check("image-healthcheck")?["items"].clone();
        faults.note("images", is_one(&items, SOUND));
        faults.finish()
    })
}

fn is_one(items: &Value, name: &str) -> Result<()> {
    let items = items.as_array().context("items")?;
    ensure!(
        items.len() == 1 && items.iter().all(|item| item["item"] == name),
        "{items:?}"
    );
    Ok(())
}

/// What is asked to fail on, and the exit code.
const EXITS: &[(&[&str], i32)] = &[
    (&["--check", PIDS], 0),
    (&["--check", PIDS, "--fail-on", "info"], 1),
    (&["--check", PIDS, "--fail-on", "medium"], 1),
    (&["--check", PIDS, "--fail-on", "critical"], 0),
    (
        &["--check", PIDS, "--only-container", "safe", "--fail-on", "info"],
        0,
    ),
    (&["--check", "runtime-no-host-network", "--fail-on", "info"], 0),
    (
        &["--check", PIDS, "--format", "docker-bench", "--fail-on", "low"],
        1,
    ),
    // Those who watch decide it, so nothing fails.
    (&["--check", "exec-not-root", "--fail-on", "info"], 0),
];

fn exit_codes() -> Result<()> {
    with_containers(|bench| {
        let mut faults = Faults::default();
        for (args, code) in EXITS {
            let judge = || {
                let output = bench.run(args)?;
                ensure!(output.status.code() == Some(*code), "{}", output.status);
                ensure!(!output.stdout.is_empty(), "no report");
                Ok(())
            };
            faults.note(&args.join(" "), judge());
        }
        faults.finish()
    })
}

/// A refusal: exit code 2, nothing on stdout, and what is wrong in words.
fn refuses(bench: &Bench, args: &[&str], words: &[&str]) -> Result<()> {
    let output = bench.run(args)?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(2), "{}: {stderr}", output.status);
    ensure!(output.stdout.is_empty(), "something on stdout");
    for word in words {
        ensure!(stderr.contains(word), "nothing of `{word}`: {stderr}");
    }
    Ok(())
}

fn faulty_options_and_files() -> Result<()> {
    bench::perform(|bench| {
        let mut faults = Faults::default();
        for (args, words) in [
            (&["--check", "5.99"][..], &["5.99"][..]),
            (&["--check", "runtime-not-privilegd"], &["runtime-not-privileged"]),
            (&["--exclude", "no-*-such"], &["no-*-such"]),
            (&["--check", "level:3"], &["level"]),
            (&["--fail-on", "dire"], &["dire"]),
            (&["--benchmark", "cis-9.9"], &["cis-9.9"]),
            (&["--skip-container", "container.name ==="], &["container.name"]),
            (&["--format", "pdf"], &["pdf"]),
            (
                &["--policy", "/nonexistent/policy.toml"],
                &["/nonexistent/policy.toml"],
            ),
            (&["--snapshot", "/nonexistent/host.json"], &["--engine"]),
            (
                &["--check", "5.5", "--outputfile", "/nonexistent/report"],
                &["/nonexistent/report"],
            ),
        ] {
            faults.note(&args.join(" "), refuses(bench, args, words));
        }
        for (text, words) in [
            (
                "trusted_user = [\"root\"]\n",
                &["line 1", "no key `trusted_user`"][..],
            ),
            ("max_image_age_days = \"ninety\"\n", &["line 1", "ninety"]),
            ("max_image_age_days = -1\n", &["line 1", "-1"]),
            ("allowed_caps = [\"NO_SUCH_CAP\"]\n", &["NO_SUCH_CAP"]),
            ("= nonsense", &["policy"]),
            (
                "[attestations.no-such-check]\nstatement = \"s\"\nby = \"b\"\ndate = 2026-01-01\nexpires = 2027-01-01\n",
                &["no-such-check"],
            ),
            (
                "[attestations.host-hardened]\nstatement = \"s\"\nby = \"b\"\ndate = 2027-01-01\nexpires = 2026-01-01\n",
                &["expires", "before"],
            ),
        ] {
            let policy = bench.policy(text)?;
            faults.note(text, refuses(bench, &["--policy", &policy], words));
        }
        faults.finish()
    })
}

fn attestations_expire() -> Result<()> {
    bench::perform(|bench| {
        let mut faults = Faults::default();
        for (dates, verdict, words) in [
            (
                "date = 2026-01-01\nexpires = 2100-01-01",
                "pass",
                "the platform team",
            ),
            (
                "date = 2020-01-01\nexpires = 2021-01-01",
                "fail",
                "expired on 2021-01-01",
            ),
        ] {
            let judge = || {
                let policy = bench.policy(&format!(
                    "[attestations.host-hardened]\nstatement = \"hardened by the platform team\"\nby = \"ops\"\n{dates}\n"
                ))?;
                let report = bench.report(&["--check", "host-hardened", "--policy", &policy])?;
                let row = report.check("host-hardened")?;
                let reason = text(row, "reason");
                ensure!(row["verdict"] == verdict && reason.contains(words), "{row}");
                Ok(())
            };
            faults.note(dates, judge());
        }
        faults.finish()
    })
}

/// What lies about is much or little by the policy.
fn sprawl() -> Result<()> {
    with_containers(|bench| {
        let mut faults = Faults::default();
        for (key, limit, few, many) in [
            ("ops-container-sprawl", "max_stopped_containers", 4, 3),
            ("ops-image-sprawl", "max_unused_images_percent", 100, 1),
        ] {
            for (bound, verdict) in [(few, "pass"), (many, "fail")] {
                let policy = bench.policy(&format!("{limit} = {bound}\n"))?;
                let report = bench.report(&["--check", key, "--policy", &policy])?;
                let row = report.check(key)?;
                let judge = || {
                    ensure!(row["verdict"] == verdict, "{row}");
                    Ok(())
                };
                faults.note(key, judge());
            }
        }
        faults.finish()
    })
}

/// The same facts, assessed again without the host, give the same verdicts.
fn a_recorded_host() -> Result<()> {
    with_containers(|bench| {
        let record = bench.world.path("record.json");
        let path = record.to_str().context("path")?;
        let live = bench.report(&["--record", path])?;
        let output = bench
            .world
            .hullwatch()
            .args(["bench", "--json", "--snapshot", path])
            .output()?;
        ensure!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let again = Assessment::read(&output.stdout)?;
        ensure!(
            again.at("counts") == live.at("counts"),
            "{} {}",
            again.at("counts"),
            live.at("counts")
        );
        ensure!(again.checks() == live.checks(), "rows differ");
        std::fs::write(&record, "{\"facts\":")?;
        let output = bench
            .world
            .hullwatch()
            .args(["bench", "--snapshot", path])
            .output()?;
        ensure!(output.status.code() == Some(2), "{}", output.status);
        Ok(())
    })
}
