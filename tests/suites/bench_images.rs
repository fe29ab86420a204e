//! Section 4: images built with each defect next to sound ones, in one engine. A row builds an image and says
//! what the report must make of it; the neighbour, built almost the same way, must come out clean.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use anyhow::{Context, Result, ensure};

use crate::bench::{self, Bench, CLEAN, Faults, Report, SOUND};
use crate::case::cases;

cases! {
    alone:
        images_with_each_defect,
        a_policy_decides,
        a_secret_is_never_shown,
        an_old_image,
        the_environment_of_logins;
}

/// An image, and what is said of it.
struct Row {
    tag: &'static str,
    dockerfile: &'static str,
    key: &'static str,
    verdict: &'static str,
    words: &'static str,
}

const fn row(
    tag: &'static str,
    dockerfile: &'static str,
    key: &'static str,
    verdict: &'static str,
    words: &'static str,
) -> Row {
    Row {
        tag,
        dockerfile,
        key,
        verdict,
        words,
    }
}

const HEALTH: &str = "image-healthcheck";
const UPDATE: &str = "image-update-not-alone";
const SETUID: &str = "image-no-setuid-files";
const ADD: &str = "image-copy-not-add";
const SECRETS: &str = "image-no-secrets";
const VERIFIED: &str = "image-verified-packages";

/// Each is built on the sound image; `ADDRESS` is that of a server of ours.
const ROWS: &[Row] = &[
    row(
        "healthy:1",
        "USER user",
        HEALTH,
        "pass",
        "has a health check",
    ),
    row("ill:1", "HEALTHCHECK NONE", HEALTH, "fail", "switched off"),
    row(
        "update-alone:1",
        "RUN apt-get update",
        UPDATE,
        "fail",
        "apt-get update",
    ),
    row(
        "update-apk:1",
        "RUN apk -U update && echo no install",
        UPDATE,
        "fail",
        "apk -U update",
    ),
    row(
        "update-not-alone:1",
        "RUN apt-get update && apt-get install -y curl",
        UPDATE,
        "pass",
        "",
    ),
    row(
        "update-certificates:1",
        "RUN update-ca-certificates && echo apt-get update",
        UPDATE,
        "pass",
        "",
    ),
    row(
        "setuid:1",
        "RUN cp /bin/busybox /tool && chmod 4755 /tool",
        SETUID,
        "fail",
        "/tool",
    ),
    row(
        "setgid:1",
        "RUN cp /bin/busybox /group-tool && chmod 2755 /group-tool",
        SETUID,
        "fail",
        "/group-tool",
    ),
    row(
        "setuid-removed:1",
        "RUN cp /bin/busybox /tool && chmod 4755 /tool\nRUN rm /tool",
        SETUID,
        "pass",
        "",
    ),
    row(
        "setuid-taken-back:1",
        "RUN mkdir /d && cp /bin/busybox /d/tool && chmod 4755 /d/tool\nRUN chmod 755 /d/tool",
        SETUID,
        "pass",
        "",
    ),
    row(
        "setuid-directory-replaced:1",
        "RUN mkdir /d && cp /bin/busybox /d/tool && chmod 4755 /d/tool\nRUN rm -r /d && mkdir /d",
        SETUID,
        "pass",
        "",
    ),
    row("added:1", "ADD plain.txt /plain.txt", ADD, "fail", "uses ADD"),
    row(
        "added-archive:1",
        "ADD archive.tar.gz /unpacked/",
        ADD,
        "fail",
        "uses ADD",
    ),
    row(
        "added-url:1",
        "ADD http://ADDRESS/fetched /fetched",
        ADD,
        "fail",
        "uses ADD",
    ),
    row("copied:1", "COPY plain.txt /plain.txt", ADD, "pass", ""),
    row(
        "added-user:1",
        "RUN echo ADD useradd && echo --cap-add",
        ADD,
        "pass",
        "",
    ),
    row(
        "secret-env:1",
        "ENV DB_PASSWORD=hunter2-Zq81kf",
        SECRETS,
        "fail",
        "DB_PASSWORD",
    ),
    row(
        "secret-label:1",
        "LABEL api_token=ghp_a8Kd93jfLs02mXq7Bv5nTr1Yw4Zc6Ue8Ho0P",
        SECRETS,
        "fail",
        "api_token",
    ),
    row(
        "secret-arg:1",
        "ARG NPM_TOKEN=npm_k3Jd82nfPq7Xv5mTr1Yw4Zc6Ue8Ho0Ps2La\nRUN echo built",
        SECRETS,
        "fail",
        "NPM_TOKEN",
    ),
    row(
        "secret-file:1",
        "COPY id_key /home/.ssh/id_rsa",
        SECRETS,
        "fail",
        "home/.ssh/id_rsa",
    ),
    row(
        "secret-file-removed:1",
        "COPY id_key /home/.ssh/id_rsa\nRUN rm /home/.ssh/id_rsa",
        SECRETS,
        "fail",
        "home/.ssh/id_rsa",
    ),
    row(
        "no-secret:1",
        "ENV PASSWORD_FILE=/run/secrets/password TOKEN_TTL=3600",
        SECRETS,
        "pass",
        "",
    ),
    row(
        "piped:1",
        "RUN (curl -sSL https://get.example/install | sh) || true",
        VERIFIED,
        "fail",
        "step",
    ),
    row(
        "unauthenticated:1",
        "RUN apt-get install -y --allow-unauthenticated curl",
        VERIFIED,
        "fail",
        "--allow-unauthenticated",
    ),
    row(
        "trusted-source:1",
        "COPY sources.list /etc/apt/sources.list",
        VERIFIED,
        "fail",
        "/etc/apt/sources.list",
    ),
    row(
        "fetched-unchecked:1",
        "ADD http://ADDRESS/fetched /fetched",
        VERIFIED,
        "fail",
        "ADD from an address",
    ),
    row(
        "verified:1",
        "RUN apt-get install -y curl",
        VERIFIED,
        "unknown",
        "no fact can show",
    ),
];

/// Of what makes it an image of the row's own.
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
            stream.read(&mut [0; 1024]).ok();
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
    let output = std::process::Command::new("tar")
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
                report.expect(row.key, row.tag, row.verdict, row.words),
            );
            faults.note(row.tag, nothing_else(&report, row));
        }
        faults.note("severity", graver_when_fetched(&report));
        faults.finish()
    })
}

/// Of an image, nothing fails but what its row is about. What is fetched by ADD is both added and unverified.
fn nothing_else(report: &Report, row: &Row) -> Result<()> {
    let failing = report.where_said(row.tag, "fail");
    let expected = match row.verdict {
        "fail" if row.dockerfile.contains("ADD http") => vec![ADD, VERIFIED],
        "fail" => vec![row.key],
        _ => vec![],
    };
    ensure!(failing == expected, "{failing:?} fail");
    Ok(())
}

fn graver_when_fetched(report: &Report) -> Result<()> {
    for (tag, severity) in [
        ("added:1", "low"),
        ("added-url:1", "medium"),
    ] {
        let said = report.said(ADD, tag)?;
        ensure!(said.severity == severity || said.severity == "info", "{tag}: {said:?}");
    }
    Ok(())
}

fn a_policy_decides() -> Result<()> {
    bench::perform(|_| Ok(()))
}

fn a_secret_is_never_shown() -> Result<()> {
    bench::perform(|bench| {
        for format in ["json", "human", "html", "sarif", "junit", "docker-bench"] {
            let text = bench.text(&["--check", "images", "--format", format, "--verbose"])?;
            for secret in ["hunter2-Zq81kf", "ghp_a8Kd93", "npm_k3Jd82", "b3BlbnNzaC1r"] {
                ensure!(!text.contains(secret), "{format} shows {secret}");
            }
        }
        Ok(())
    })
}

fn an_old_image() -> Result<()> {
    bench::perform(|_| Ok(()))
}

fn the_environment_of_logins() -> Result<()> {
    bench::perform(|_| Ok(()))
}
