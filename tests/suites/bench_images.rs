//! Section 4: images built with each defect next to sound ones, in one engine. A row builds an image and says
//! what the report must make of it; the neighbour, built almost the same way, must come out clean.

mod rows;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use hullwatch_tests::{Assessment, World, text};
use serde_json::json;

use rows::{ADD, ROWS, Row, SETUID, VERIFIED};

use crate::bench::{self, Bench, CLEAN, Faults, SOUND};
use crate::case::cases;

cases! {
    alone:
        images_with_each_defect,
        severity_by_use,
        a_policy_decides,
        a_secret_is_never_shown,
        an_old_image,
        the_environment_of_logins;
}

/// Beginnings of the secrets above, and of the private key.
const SHOWN: [&str; 4] = ["hunter2-Zq81kf", "ghp_a8Kd93", "npm_k3Jd82", "b3BlbnNzaC1r"];

/// Package managers that do nothing.
const TOOLS: &str = "RUN for tool in apt-get apk update-ca-certificates curl; do \
    printf '#!/bin/sh\\nexit 0\\n' >/bin/$tool; chmod 755 /bin/$tool; done";

const KEY: &[u8] = b"-----BEGIN OPENSSH PRIVATE KEY-----\n\
    b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n\
    -----END OPENSSH PRIVATE KEY-----\n";

/// Serves the same few bytes to everybody who asks; gives its address. It ends with the test program.
fn serve() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            // Whatever is asked for, once something is.
            if stream.read(&mut [0; 1024]).is_err() {
                continue;
            }
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
            stream.write_all(answer.as_bytes()).ok();
        }
    });
    Ok(address)
}

fn build(bench: &Bench) -> Result<Faults> {
    bench.give("plain.txt", b"text\n")?;
    bench.give("archive.tar.gz", &archive(bench)?)?;
    bench.give("id_key", KEY)?;
    bench.give(
        "sources.list",
        b"deb [trusted=yes] http://deb.example/debian stable main\n",
    )?;
    bench.build(
        "tools:1",
        &format!("FROM {SOUND}\nUSER root\n{TOOLS}\nUSER user\n"),
    )?;
    let address = serve()?;
    let mut faults = Faults::default();
    for row in ROWS {
        let body = row.dockerfile.replace("ADDRESS", &address);
        let dockerfile = format!("FROM tools:1\nUSER root\nLABEL row={}\n{body}\n", row.tag);
        faults.note(row.tag, bench.build(row.tag, &dockerfile));
    }
    Ok(faults)
}

fn archive(bench: &Bench) -> Result<Vec<u8>> {
    let directory = bench.world.directory("archive")?;
    std::fs::write(directory.join("inside"), "text\n")?;
    let output = Command::new("tar")
        .arg("-C")
        .arg(&directory)
        .args(["-cz", "inside"])
        .output()?;
    Ok(output.stdout)
}

fn images_with_each_defect() -> Result<()> {
    bench::perform(|bench| {
        let mut faults = build(bench)?;
        let report = bench.report(&["--check", "images"])?;
        for row in ROWS {
            faults.note(
                row.tag,
                report.expect_item(row.key, row.tag, row.verdict, row.words),
            );
            faults.note(row.tag, nothing_else(&report, row));
        }
        faults.finish()
    })
}

/// Of an image, nothing fails but what its row is about.
fn nothing_else(report: &Assessment, row: &Row) -> Result<()> {
    let failing = report.where_said(row.tag, "fail");
    let expected = if row.verdict == "fail" {
        vec![row.key]
    } else {
        vec![]
    };
    ensure!(failing == expected, "{failing:?} fail");
    Ok(())
}

/// What no container is made of is worth a remark; what one is made of is graver.
fn severity_by_use() -> Result<()> {
    bench::perform(|bench| {
        let before = bench.report(&["--check", ADD])?;
        bench
            .world
            .docker
            .run(&["create", "--name", "uses-added", "added-archive:1", "true"])?;
        let after = bench.report(&["--check", ADD])?;
        bench.world.docker.run(&["rm", "uses-added"])?;
        let of = |report: &Assessment| {
            Ok::<_, anyhow::Error>(text(report.item(ADD, "added-archive:1")?, "severity").to_owned())
        };
        ensure!(of(&before)? == "info", "{before:?}");
        ensure!(of(&after)? != "info", "{after:?}");
        Ok(())
    })
}

fn a_policy_decides() -> Result<()> {
    bench::perform(|bench| {
        let base = bench
            .world
            .docker
            .run(&["image", "inspect", "--format", "{{.Id}}", CLEAN])?;
        let status = b"Package: openssh-server\nStatus: install ok installed\nVersion: 1\n\n";
        bench.give("status", status)?;
        bench.build(
            "packages:1",
            &format!("FROM {SOUND}\nCOPY status /var/lib/dpkg/status\n"),
        )?;
        let policy = bench.policy(&format!(
            "allowed_setuid = [\"/tool\"]\nallowed_digests = [\"{base}\"]\ndenied_packages = [\"openssh-server\"]\n"
        ))?;
        let report = bench.report(&["--check", "images", "--policy", &policy])?;
        let mut faults = Faults::default();
        for (key, item, verdict, words) in [
            (SETUID, "setuid:1", "pass", ""),
            (SETUID, "setgid:1", "fail", "/group-tool"),
            ("image-trusted-base", CLEAN, "pass", "approved by the digest"),
            ("image-trusted-base", SOUND, "pass", "is built on clean:1"),
            (
                "image-trusted-base",
                World::IMAGE,
                "fail",
                "was built or loaded here",
            ),
            (
                "image-no-unneeded-packages",
                "packages:1",
                "fail",
                "openssh-server",
            ),
            (
                "image-no-unneeded-packages",
                SOUND,
                "pass",
                "ships nothing that is denied",
            ),
        ] {
            faults.note(item, report.expect_item(key, item, verdict, words));
        }
        // Without a policy the same are undecided.
        let report = bench.report(&["--check", "images"])?;
        faults.note(
            "no policy",
            report.expect_item("image-trusted-base", SOUND, "unknown", "allowed_sources"),
        );
        faults.note(
            "no policy",
            report.expect_item(
                "image-no-unneeded-packages",
                "packages:1",
                "unknown",
                "denied_packages",
            ),
        );
        faults.finish()
    })
}

const FORMATS: [&str; 7] = [
    "json",
    "human",
    "html",
    "sarif",
    "junit",
    "docker-bench",
    "docker-bench-security",
];

fn a_secret_is_never_shown() -> Result<()> {
    bench::perform(|bench| {
        for format in FORMATS {
            let text = bench.text(&["--check", "images", "--format", format, "--verbose"])?;
            ensure!(text.contains("4.10"), "{format} tells nothing");
            for secret in SHOWN {
                ensure!(!text.contains(secret), "{format} shows {secret}");
            }
        }
        let record = bench.world.path("recorded.json");
        let path = record.to_str().context("path")?;
        bench.text(&["--check", "images", "--record", path])?;
        let text = std::fs::read_to_string(&record)?;
        for secret in SHOWN {
            ensure!(!text.contains(secret), "the record shows {secret}");
        }
        Ok(())
    })
}

/// The sound image, said to have been built long ago by a builder that writes its steps as buildkit does.
fn an_old_image() -> Result<()> {
    bench::perform(|bench| {
        bench.doctor(SOUND, "old:1", |config| {
            config["created"] = json!("2020-01-01T00:00:00Z");
            let steps = config["history"].as_array_mut().context("history")?;
            for step in steps.iter_mut() {
                step["created"] = json!("2020-01-01T00:00:00Z");
            }
            let last = steps
                .iter_mut()
                .rfind(|step| step["empty_layer"] != true)
                .context("a layer")?;
            last["created_by"] = json!("ADD https://get.example/tool /tool # buildkit");
            Ok(())
        })?;
        let policy = bench.policy("max_image_age_days = 90\n")?;
        let report = bench.report(&["--check", "images", "--policy", &policy])?;
        report.expect_item("image-patched", "old:1", "fail", "of 90 that the policy allows")?;
        report.expect_item("image-patched", SOUND, "pass", "was built 0 days ago")?;
        report.expect_item(ADD, "old:1", "fail", "https://get.example/tool")?;
        report.expect_item(
            VERIFIED,
            "old:1",
            "fail",
            "ADD from an address without a checksum",
        )?;
        let report = bench.report(&["--check", "images"])?;
        report.expect_item("image-patched", "old:1", "unknown", "max_image_age_days")
    })
}

/// A host whose `/etc` has these files as well. Its first process is the assessment itself.
fn assess_with(bench: &Bench, files: &[(&str, &str)]) -> Result<Assessment> {
    let upper = bench.world.directory("etc")?;
    for (name, text) in files {
        let path = upper.join(name);
        std::fs::create_dir_all(path.parent().context("a directory")?)?;
        std::fs::write(path, text)?;
    }
    let script = "mount -t overlay -o lowerdir=\"$1\":/etc none /etc && exec \"$0\" bench --json --check images \
        --engine \"$2\"";
    let output = Command::new("unshare")
        .args(["--pid", "--fork", "--mount", "--mount-proc", "sh", "-c", script])
        .arg(bench.world.hullwatch_path())
        .arg(upper)
        .arg(bench.world.dockerd.uri())
        .output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Assessment::read(&output.stdout)
}

fn the_environment_of_logins() -> Result<()> {
    bench::perform(|bench| {
        const TRUST: &str = "content-trust-enabled";
        const SIGNED: &str = "image-signatures-validated";
        const FILE: &str = "/etc/environment";
        let accept = r#"{"default":[{"type":"insecureAcceptAnything"}]}"#;
        let reject = r#"{"default":[{"type":"reject"}]}"#;
        let plain = bench.report(&["--check", "images"])?;
        let row = plain.check(TRUST)?;
        ensure!(row["verdict"] == "fail" && row["evaluated"] == 1, "{row}");
        let signed = |report: &Assessment| Ok::<_, anyhow::Error>(report.check(SIGNED)?["verdict"].clone());
        ensure!(signed(&plain)? == "unknown", "{plain:?}");

        let on = assess_with(bench, &[("environment", "DOCKER_CONTENT_TRUST=1\n")])?;
        on.expect_item(TRUST, FILE, "pass", "DOCKER_CONTENT_TRUST=1")?;
        let commented = assess_with(bench, &[("environment", "#DOCKER_CONTENT_TRUST=1\n")])?;
        ensure!(commented.check(TRUST)?["verdict"] == "fail", "{commented:?}");
        let off = assess_with(bench, &[("environment", "DOCKER_CONTENT_TRUST=0\n")])?;
        off.expect_item(TRUST, FILE, "fail", "switches content trust off")?;
        ensure!(signed(&off)? == "fail", "{off:?}");
        let enforced = assess_with(bench, &[("containers/policy.json", reject)])?;
        ensure!(signed(&enforced)? == "pass", "{enforced:?}");
        let open = assess_with(bench, &[("containers/policy.json", accept)])?;
        ensure!(signed(&open)? == "unknown", "{open:?}");
        Ok(())
    })
}
