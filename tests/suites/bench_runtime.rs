//! Section 5: a container that follows every recommendation, and next to it one per way not to. Each is
//! started like the sound one with one thing changed, so of each exactly that must be found.

mod rows;

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail, ensure};
use hullwatch_tests::{Assessment, PATIENCE, World, eventually, text};

use rows::{MENDS, ROWS, Row, SOUND_OPTIONS, SPOILS};

use crate::bench::{self, Bench, Faults, SOUND};
use crate::case::cases;

cases! {
    alone:
        no_containers,
        each_defect_and_no_other;
}

fn no_containers() -> Result<()> {
    bench::perform(|bench| {
        let report = bench.report(&["--check", "runtime"])?;
        ensure!(report.checks().len() >= 31, "{} rows", report.checks().len());
        let mut faults = Faults::default();
        for row in report.checks() {
            let key = text(row, "key");
            let judge = || {
                let items = row["items"].as_array().context("items")?;
                ensure!(row["evaluated"] == items.len(), "{row}");
                let verdict = if key.starts_with("exec-") {
                    "unknown"
                } else {
                    "pass"
                };
                ensure!(row["verdict"] == verdict, "{row}");
                let said = text(row, "reason");
                ensure!(
                    verdict != "pass" || items.len() == 1 || said.contains("0 evaluated"),
                    "{row}"
                );
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
    let runtime = bench.world.bounded();
    if row.with.contains(&"--privileged") {
        args.extend(runtime.iter().map(String::as_str));
    }
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

/// Name of the cgroup that a container asks to be in.
const CGROUP_PARENT: &str = "hullwatch-e2e";

/// Everything of this world's containers ends with them.
struct Containers<'a>(&'a World);

impl Drop for Containers<'_> {
    fn drop(&mut self) {
        let names = ROWS.iter().map(|row| row.name);
        let args: Vec<&str> = ["rm", "--force", "--volumes"].into_iter().chain(names).collect();
        self.0.docker.attempt(&args).ok();
        // The engine removes its containers' cgroups, not those that it was told to make them in.
        for hierarchy in std::fs::read_dir("/sys/fs/cgroup")
            .into_iter()
            .flatten()
            .flatten()
        {
            std::fs::remove_dir(hierarchy.path().join(CGROUP_PARENT)).ok();
        }
        // Only names: the sound image stays.
        self.0.docker.attempt(&["rmi", "latest", "moved:1"]).ok();
    }
}

/// Of a container, exactly what its row says fails.
fn judge(report: &Assessment, row: &Row, root: &str) -> Result<()> {
    let expected: Vec<&str> = row.found.iter().map(|(key, _)| *key).collect();
    fails_exactly(report, row.name, &expected)?;
    for (key, words) in row.found {
        report.expect_item(key, row.name, "fail", &words.replace("WORLD", root))?;
    }
    let unknown = report.where_said(row.name, "unknown");
    let reasons: Vec<_> = unknown.iter().map(|key| report.item(key, row.name)).collect();
    ensure!(unknown.is_empty(), "unknown {reasons:#?}");
    Ok(())
}

fn fails_exactly(report: &Assessment, name: &str, keys: &[&str]) -> Result<()> {
    let mut expected = keys.to_vec();
    let mut failing = report.where_said(name, "fail");
    expected.sort_unstable();
    failing.sort_unstable();
    let reasons: Vec<_> = failing.iter().map(|key| report.item(key, name)).collect();
    ensure!(
        failing == expected,
        "fails {failing:?}, not {expected:?}: {reasons:#?}"
    );
    Ok(())
}

/// What this kernel and engine have not is neither kept nor broken.
fn inapplicable(report: &Assessment) -> Result<()> {
    let mut expected = vec!["runtime-no-host-userns"];
    if !Path::new("/sys/fs/selinux/enforce").exists() {
        expected.push("runtime-selinux");
    }
    if !Path::new("/sys/kernel/security/apparmor").exists() {
        expected.push("runtime-apparmor");
    }
    let said = report.where_said("sound", "not-applicable");
    ensure!(expected.iter().all(|key| said.contains(key)), "{said:?}");
    ensure!(said.len() == expected.len(), "{said:?}");
    let passed = report.where_said("sound", "pass").len();
    ensure!(passed >= 27, "only {passed} pass");
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
        let options = ["--check", "runtime,image-non-root-user", "--policy", &policy];
        let report = bench.report(&options)?;
        let root = bench.world.path("");
        let root = root.to_str().context("path")?.trim_end_matches('/');
        for row in ROWS {
            faults.note(row.name, judge(&report, row, root));
        }
        faults.note("what does not apply", inapplicable(&report));
        for (name, args) in MENDS {
            faults.note(name, bench.world.docker.run(args).map(drop));
        }
        for (args, _) in SPOILS {
            faults.note("sound", bench.world.docker.run(args).map(drop));
        }
        let report = bench.report(&options)?;
        for (name, _) in MENDS {
            faults.note(name, fails_exactly(&report, name, &[]));
        }
        let spoilt: Vec<&str> = SPOILS.iter().map(|(_, key)| *key).collect();
        faults.note("sound", fails_exactly(&report, "sound", &spoilt));
        faults.finish()
    })
}
