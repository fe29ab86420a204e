//! Ways around the watch over files, none of which may lead past it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use hullwatch_tests::{PATIENCE, eventually};

use crate::case::cases;
use crate::own_stage::{is_posture, perform};

cases! {
    alone:
        other_ways_to_the_same_file,
        an_innocent_neighbour_is_not_blamed,
        a_file_held_open_since_before,
        directories_that_go_and_come,
        a_name_of_control_characters,
        ten_thousand_changes;
}

const JSON: &str = "/etc/docker/daemon.json";
const KEY: &str = "daemon-json-mode";

/// Ways to give the file another mode, `MODE`, and what must be cleared away afterwards.
const WAYS: &[(&str, &str)] = &[
    (
        "ln /etc/docker/daemon.json /etc/ssl/other; chmod MODE /etc/ssl/other",
        "rm /etc/ssl/other",
    ),
    (
        "ln -s /etc/docker/daemon.json $DIR/symlink; chmod MODE $DIR/symlink",
        "rm $DIR/symlink",
    ),
    (
        "mkdir $DIR/bound; mount --bind /etc/docker $DIR/bound; chmod MODE $DIR/bound/daemon.json",
        "umount $DIR/bound; rmdir $DIR/bound",
    ),
    (
        "touch $DIR/file; mount --bind /etc/docker/daemon.json $DIR/file; chmod MODE $DIR/file",
        "umount $DIR/file; rm $DIR/file",
    ),
    ("F=/etc/docker/daemon.json; chmod MODE /proc/$$/root$F", ":"),
    ("chmod MODE /proc/$$/cwd/../etc/docker/daemon.json", ":"),
    ("exec 3</etc/docker/daemon.json; chmod MODE /proc/self/fd/3", ":"),
    ("unshare --mount chmod MODE /etc/docker/daemon.json", ":"),
    // Its own program, whatever it calls itself.
    ("busybox chmod MODE /etc/docker/daemon.json", ":"),
];

fn other_ways_to_the_same_file() -> Result<()> {
    perform(|stage| {
        for (way, clear) in WAYS {
            let mark = stage.watch.mark();
            stage.host.sh(&way.replace("MODE", "666"))?;
            let turned = stage
                .turned(mark, KEY, JSON, "fail")
                .with_context(|| (*way).to_owned())?;
            let by = turned.text("/process/comm");
            ensure!(
                ["chmod", "busybox"].contains(&by),
                "`{way}` was done by {by}: {turned}"
            );
            let mark = stage.watch.mark();
            stage.host.sh(&format!("chmod 644 {JSON}; {clear}"))?;
            stage.turned(mark, KEY, JSON, "pass")?;
        }
        Ok(())
    })
}

/// Who else changes the file: before, after, and beside the one that makes it wide.
const NEIGHBOURS: &[&str] = &[
    "chown 0 $F; chmod 666 $F",
    "chmod 666 $F; chown 0 $F",
    "chgrp 0 $F; chmod 666 $F; chown 0 $F; touch $F",
    "chmod 666 $F & chown 0 $F & chgrp 0 $F & wait",
];

/// Either it is `chmod` that is named, or it is among the suspects and nobody is.
fn an_innocent_neighbour_is_not_blamed() -> Result<()> {
    perform(|stage| {
        for deeds in NEIGHBOURS.iter().cycle().take(3 * NEIGHBOURS.len()) {
            let mark = stage.watch.mark();
            stage.host.sh(&format!("F={JSON}; {deeds}"))?;
            let turned = stage.turned(mark, KEY, JSON, "fail")?;
            match turned.text("/process/comm") {
                "chmod" => {}
                "" => {
                    let suspected = turned.text.contains("\"comm\":\"chmod\"");
                    let uncertain = turned.text("/reason").contains("uncertain");
                    ensure!(suspected && uncertain, "`{deeds}`: nobody is named: {turned}");
                }
                other => anyhow::bail!("`{deeds}` was done by {other}: {turned}"),
            }
            let mark = stage.watch.mark();
            stage.host.sh(&format!("chmod 644 {JSON}"))?;
            stage.turned(mark, KEY, JSON, "pass")?;
        }
        Ok(())
    })
}

fn a_file_held_open_since_before() -> Result<()> {
    perform(|stage| {
        let script = format!("exec 3>>{JSON}; echo open; read -r go; echo >&3; read -r end");
        let mut holder = stage.host.command(&[], "sh");
        let mut holder = holder
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut said = [0; 5];
        std::io::Read::read_exact(holder.stdout.as_mut().context("stdout")?, &mut said)?;
        stage.restart_watch()?;
        let mark = stage.watch.mark();
        let mut commands = holder.stdin.take().context("stdin")?;
        writeln!(commands, "go")?;
        let pid = holder.id();
        stage
            .watch
            .observation(mark, "file", |line| line.is_by(pid) && line.text("/path") == JSON)?;
        drop(commands);
        holder.wait()?;
        Ok(())
    })
}

fn directories_that_go_and_come() -> Result<()> {
    perform(|stage| {
        for (away, back) in [
            ("mv /etc/docker /etc/away", "mv /etc/away /etc/docker"),
            (
                "cp -a /etc/docker /etc/copy; rm -r /etc/docker",
                "mv /etc/copy /etc/docker",
            ),
            (
                "mv /etc/docker /etc/old; mkdir /etc/docker",
                "rmdir /etc/docker; mv /etc/old /etc/docker",
            ),
        ] {
            let mark = stage.watch.mark();
            stage.host.sh(away)?;
            stage
                .watch
                .observation(mark, "file", |line| line.text("/path") == "/etc/docker")?;
            stage.host.sh(back)?;
            stage.settle()?;
            let mark = stage.watch.mark();
            stage.host.sh(&format!("chmod 666 {JSON}"))?;
            let turned = stage
                .turned(mark, KEY, JSON, "fail")
                .with_context(|| away.to_owned())?;
            ensure!(turned.text("/process/comm") == "chmod", "{turned}");
            let mark = stage.watch.mark();
            stage.host.sh(&format!("chmod 644 {JSON}"))?;
            stage.turned(mark, KEY, JSON, "pass")?;
        }
        Ok(())
    })
}

fn a_name_of_control_characters() -> Result<()> {
    perform(|stage| {
        let name = "a\u{1b}[2J\n\"b";
        let program = stage.host.outside(name);
        fs::copy("/usr/bin/chmod", &program)?;
        let mark = stage.watch.mark();
        let status = stage.host.command(&[], &program).args(["666", JSON]).status()?;
        ensure!(status.success(), "{status}");
        let turned = stage.turned(mark, KEY, JSON, "fail")?;
        // Every line was read as one object, or nothing would have been heard any more.
        ensure!(turned.text("/process/comm") == name, "{turned}");
        let mark = stage.watch.mark();
        stage.host.sh(&format!("chmod 644 {JSON}"))?;
        stage.turned(mark, KEY, JSON, "pass")?;
        Ok(())
    })
}

fn resident(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

fn ten_thousand_changes() -> Result<()> {
    perform(|stage| {
        stage.settle()?;
        let pid = stage.watch.pid();
        let before = resident(pid).context("VmRSS")?;
        let mark = stage.watch.mark();
        let directory = stage.host.path("/etc/docker");
        stage.watch.pause()?;
        for number in 0..10_000 {
            fs::write(directory.join(format!("many{number}")), "")?;
        }
        stage.watch.resume()?;
        stage.watch.expect(mark, "a gap", |line| {
            line.text("/type") == "gap" && line.text("/source") == "files"
        })?;
        for number in 0..10_000 {
            fs::remove_file(directory.join(format!("many{number}")))?;
        }
        fs::set_permissions(directory.join("daemon.json"), fs::Permissions::from_mode(0o666))?;
        stage.watch.expect(mark, "the last change", |line| {
            is_posture(line) && line.text("/item") == JSON && line.text("/verdict") == "fail"
        })?;
        fs::set_permissions(directory.join("daemon.json"), fs::Permissions::from_mode(0o644))?;
        stage.settle()?;
        eventually("memory is given back", PATIENCE, || {
            resident(pid).filter(|now| *now < before + 24 * 1024)
        })?;
        Ok(())
    })
}
