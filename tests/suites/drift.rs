//! What the engine runs and how it is set changes under a watching `hullwatch`.

use anyhow::{Result, ensure};
use hullwatch_tests::{Enclave, Line, Mark};

use crate::case::cases;
use crate::own_stage::{OwnStage, STANDING, is_drift, is_posture, perform};
use crate::replay;

cases! {
    alone:
        containers_that_are_changed,
        what_was_mended_and_is_broken_again,
        a_renamed_container_keeps_its_verdicts,
        a_sloppy_start_is_one_line_beside_the_grave_ones,
        a_name_that_moves_makes_a_container_stale,
        networks,
        a_swarm,
        a_daemon_that_reloads,
        a_daemon_with_other_flags,
        an_engine_that_is_away_is_no_drift,
        the_whole_session_replayed;
}

/// One way to turn a verdict by the engine, and back.
struct Row {
    check: &'static str,
    item: &'static str,
    spoil: &'static str,
    mend: &'static str,
    /// The verdict once mended.
    mended: &'static str,
}

/// Spoils and mends; both are told.
#[track_caller]
fn check(stage: &mut OwnStage, row: &Row) -> Result<()> {
    let mark = stage.watch.mark();
    stage.host.sh(row.spoil)?;
    stage.turned(mark, row.check, row.item, "fail")?;
    stage.drifted(mark, row.check, "")?;
    let mark = stage.watch.mark();
    stage.host.sh(row.mend)?;
    stage.turned(mark, row.check, row.item, row.mended)?;
    stage
        .watch
        .none_since(mark, "what was mended", |line| line.is_violation(row.check))
}

const CONTAINERS: &[Row] = &[
    Row {
        check: "runtime-restart-policy",
        item: "limited",
        spoil: "docker update --restart always limited",
        mend: "docker update --restart on-failure:5 limited",
        mended: "pass",
    },
    Row {
        check: "runtime-no-default-bridge",
        item: "limited",
        spoil: "docker network connect bridge limited",
        mend: "docker network disconnect bridge limited",
        mended: "pass",
    },
];

fn containers_that_are_changed() -> Result<()> {
    perform(|stage| {
        stage.host.sh("docker network create apart")?;
        let options = ["--network=apart"];
        let container = stage.host.container("limited", &options)?;
        stage.watch.observation(Mark::default(), "container", |line| {
            line.text("/facts/id") == container.id && line.text("/action") == "started"
        })?;
        CONTAINERS.iter().try_for_each(|row| check(stage, row))?;
        let mark = stage.watch.mark();
        stage
            .host
            .sh("docker update --memory 64m --memory-swap 64m limited")?;
        stage.turned(mark, "runtime-memory-limit", "limited", "pass")?;
        drop(container);
        stage.host.sh("docker network rm apart")?;
        Ok(())
    })
}

/// Ways to break something twice.
const TWICE: &[Row] = &[
    Row {
        check: "daemon-json-mode",
        item: "/etc/docker/daemon.json",
        spoil: "chmod 666 /etc/docker/daemon.json",
        mend: "chmod 644 /etc/docker/daemon.json",
        mended: "pass",
    },
    Row {
        check: "runtime-pids-limit",
        item: "twice",
        spoil: "docker update --pids-limit -1 twice",
        mend: "docker update --pids-limit 100 twice",
        mended: "pass",
    },
];

/// What is broken is told at once, and again once it was mended; what goes on being broken is counted.
fn what_was_mended_and_is_broken_again() -> Result<()> {
    perform(|stage| {
        let mark = stage.watch.mark();
        let container = stage
            .host
            .container("twice", &["--pid=host", "--pids-limit=100"])?;
        let (pid, fresh) = ("runtime-no-host-pid", |line: &Line| line.at("/first").is_null());
        stage
            .watch
            .violation(mark, pid, |line| line.is_in(&container.id))?;
        for row in TWICE.iter().chain(TWICE) {
            let mark = stage.watch.mark();
            stage.host.sh(row.spoil)?;
            stage.drifted_anew(mark, row.check)?;
            let mark = stage.watch.mark();
            stage.host.sh(row.mend)?;
            stage.turned(mark, row.check, row.item, row.mended)?;
        }
        let mark = stage.watch.mark();
        stage.host.sh("docker restart --time 0 twice")?;
        stage.watch.observation(mark, "container", |line| {
            line.text("/facts/id") == container.id && line.text("/action") == "started"
        })?;
        stage.settle()?;
        stage.watch.none_since(mark, "another start", |line| {
            line.is_violation(pid) && line.is_in(&container.id) && fresh(line)
        })
    })
}

fn a_renamed_container_keeps_its_verdicts() -> Result<()> {
    perform(|stage| {
        stage.settle()?;
        let mark = stage.watch.mark();
        stage.host.sh(&format!("docker rename {STANDING} renamed"))?;
        stage
            .watch
            .observation(mark, "container", |line| line.text("/facts/name") == "renamed")?;
        stage.host.sh(&format!("docker rename renamed {STANDING}"))?;
        stage.silent(mark, "a name")
    })
}

/// What a container lacks without being given anything, and what is told on its own.
fn a_sloppy_start_is_one_line_beside_the_grave_ones() -> Result<()> {
    perform(|stage| {
        let mark = stage.watch.mark();
        let container = stage
            .host
            .container("sloppy", &["--pid=host", "--publish=8080:80"])?;
        stage
            .watch
            .violation(mark, "runtime-no-host-pid", |line| line.is_in(&container.id))?;
        stage.settle()?;
        let told = stage.watch.lines(mark);
        let told: Vec<_> = told
            .iter()
            .filter(|line| is_drift(line) && line.is_in(&container.id))
            .collect();
        let gathered: Vec<_> = told
            .iter()
            .filter(|line| line.text("/summary").contains("without what"))
            .collect();
        let [one] = gathered.as_slice() else {
            anyhow::bail!("{} lines of what is lacking: {gathered:?}", gathered.len());
        };
        for key in [
            "runtime-memory-limit",
            "runtime-cpu-limit",
            "runtime-readonly-rootfs",
        ] {
            ensure!(one.text("/summary").contains(key), "no {key}: {one}");
            let own = told.iter().filter(|line| line.is_violation(key)).count();
            ensure!(own == usize::from(one.is_violation(key)), "{key} is told again");
        }
        ensure!(told.len() <= 6, "{} lines for one start: {told:?}", told.len());
        stage.watch.none_since(mark, "a start", |line| {
            is_posture(line) && line.text("/item") == "sloppy"
        })
    })
}

fn a_name_that_moves_makes_a_container_stale() -> Result<()> {
    perform(|stage| {
        let key = "runtime-image-freshness";
        let image = Enclave::IMAGE;
        let build = |label: &str| {
            format!("printf 'FROM keep:1\\nLABEL of={label}\\n' | docker build --quiet --tag {image} -")
        };
        let load = format!("docker load --input $DIR/image.tar; docker tag keep:1 {image}");
        stage.host.sh(&format!(
            "docker tag {image} keep:1; docker save --output $DIR/image.tar {image}"
        ))?;
        for (spoil, mend) in [
            (build("one"), format!("docker tag keep:1 {image}")),
            (build("two"), load),
        ] {
            let mark = stage.watch.mark();
            stage.host.sh(&spoil)?;
            stage.turned(mark, key, STANDING, "fail")?;
            let mark = stage.watch.mark();
            stage.host.sh(&mend)?;
            stage.turned(mark, key, STANDING, "pass")?;
        }
        let mark = stage.watch.mark();
        stage.host.sh("docker rmi keep:1; docker image prune --force")?;
        stage.watch.observation(mark, "image-removed", |_| true)?;
        stage.settle()?;
        stage.watch.none_since(mark, "an image that nobody uses", |line| {
            is_posture(line) && line.text("/item") == STANDING
        })
    })
}

fn networks() -> Result<()> {
    perform(|stage| {
        let mark = stage.watch.mark();
        stage
            .host
            .sh("docker network create --opt com.docker.network.bridge.enable_icc=true made")?;
        stage
            .watch
            .observation(mark, "host", |line| line.text.contains("\"made\""))?;
        stage.host.sh("docker network rm made")?;
        stage.silent(mark, "a network that somebody made on purpose")
    })
}

/// The engine says nothing of a change of its cluster: what it writes down of it tells.
const SWARM: &[Row] = &[
    Row {
        check: "overlay-networks-encrypted",
        item: "plain",
        spoil: "docker network create --driver overlay plain",
        mend: "docker network rm plain",
        mended: "not-applicable",
    },
    Row {
        check: "swarm-autolock",
        item: "the swarm",
        spoil: "docker swarm update --autolock=false",
        mend: "docker swarm update --autolock=true",
        mended: "pass",
    },
    // Written to the log of the cluster alone.
    Row {
        check: "swarm-node-cert-expiry",
        item: "the swarm",
        spoil: "docker swarm update --cert-expiry 8760h",
        mend: "docker swarm update --cert-expiry 2160h",
        mended: "pass",
    },
];

fn a_swarm() -> Result<()> {
    perform(|stage| {
        let key = "swarm-mode-off-unless-needed";
        let mark = stage.watch.mark();
        stage
            .host
            .sh("docker swarm init --autolock --advertise-addr 127.0.0.1 --listen-addr 127.0.0.1:2377")?;
        stage.turned(mark, key, "the engine", "fail")?;
        stage.drifted(mark, key, "swarm")?;
        SWARM.iter().try_for_each(|row| check(stage, row))?;
        let mark = stage.watch.mark();
        stage.host.sh("docker swarm leave --force")?;
        stage.turned(mark, key, "the engine", "pass")?;
        // What lies beside it is none of the swarm's.
        stage.settle()?;
        let mark = stage.watch.mark();
        stage.host.sh("echo >$DIR/data/beside; rm $DIR/data/beside")?;
        stage.silent(mark, "a file beside the swarm")
    })
}

/// Has the engine read this configuration anew.
fn reload(stage: &OwnStage, more: &str) -> Result<()> {
    let json = format!(r#"{{"iptables":false,"ip-forward":false,"shutdown-timeout":1{more}}}"#);
    stage.host.sh(&format!(
        "echo '{json}' >/etc/docker/daemon.json; kill -HUP $(cat /run/docker.pid)"
    ))?;
    Ok(())
}

/// Options in the engine's configuration: as they should be, and one by one as they should not. What the file says no
/// more stays as it was until the engine is restarted.
const GOOD: &str = r#","insecure-registries":[],"live-restore":true"#;
const RELOADS: &[(&str, &str, &str)] = &[
    (
        "no-insecure-registries",
        "registry.example",
        r#","insecure-registries":["registry.example"],"live-restore":true"#,
    ),
    (
        "live-restore",
        "the daemon",
        r#","insecure-registries":[],"live-restore":false"#,
    ),
];

fn a_daemon_that_reloads() -> Result<()> {
    perform(|stage| {
        let mark = stage.watch.mark();
        reload(stage, GOOD)?;
        stage.turned_at_last(mark, "live-restore", "pass")?;
        for (key, item, bad) in RELOADS {
            let mark = stage.watch.mark();
            reload(stage, bad)?;
            // The engine is looked at every two seconds at most.
            let turned = stage.turned_at_last(mark, key, "fail")?;
            ensure!(turned.text("/item") == *item, "{turned}");
            ensure!(turned.text("/process/comm") == "sh", "{turned}");
            ensure!(!turned.text("/reason").contains("pending"), "{turned}");
            stage.drifted(mark, key, "")?;
            let mark = stage.watch.mark();
            reload(stage, GOOD)?;
            stage.watch.expect(mark, "mended", |line| {
                is_posture(line) && line.text("/check/key") == *key && line.text("/verdict") != "fail"
            })?;
        }
        Ok(())
    })
}

fn a_daemon_with_other_flags() -> Result<()> {
    perform(|stage| {
        let mark = stage.watch.mark();
        stage.host.end_engine()?;
        stage
            .host
            .run_engine(&["--log-level=debug", "--userland-proxy=false"])?;
        stage.turned_at_last(mark, "daemon-log-level-info", "fail")?;
        stage.turned_at_last(mark, "userland-proxy-disabled", "pass")?;
        engine_is_back(stage, mark)?;
        stage.drifted(mark, "daemon-log-level-info", "debug")?;
        let mark = stage.watch.mark();
        stage.host.end_engine()?;
        stage.host.run_engine(&[])?;
        stage.turned_at_last(mark, "daemon-log-level-info", "pass")?;
        stage.turned_at_last(mark, "userland-proxy-disabled", "fail")?;
        engine_is_back(stage, mark)
    })
}

/// The daemon's own options are known before its API answers: only then is it away no longer.
fn engine_is_back(stage: &OwnStage, from: Mark) -> Result<()> {
    let is_back = |line: &Line| line.is_status("recovered", "engine");
    stage.watch.expect(from, "recovered engine", is_back).map(drop)
}

fn an_engine_that_is_away_is_no_drift() -> Result<()> {
    perform(|stage| {
        stage.settle()?;
        let mark = stage.watch.mark();
        let is_engine = |state: &'static str| move |line: &Line| line.is_status(state, "engine");
        stage.host.end_engine()?;
        stage
            .watch
            .expect(mark, "degraded engine", is_engine("degraded"))?;
        stage.host.run_engine(&[])?;
        stage
            .watch
            .expect(mark, "recovered engine", is_engine("recovered"))?;
        stage.settle()?;
        stage.watch.none_since(mark, "an engine that was away", |line| {
            is_drift(line) && !line.text.contains("sentinel")
        })
    })
}

/// What was recorded gives the same lines.
fn the_whole_session_replayed() -> Result<()> {
    perform(|stage| {
        let (lines, code) = stage.restart_watch()?.stop()?;
        ensure!(code == Some(0), "exit code {code:?}");
        let file = stage.host.outside("session.jsonl");
        let recorded: String = lines.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(&file, recorded)?;
        ensure!(lines.iter().any(is_posture), "nothing turned");
        let mut hullwatch = std::process::Command::new(stage.host.program()?);
        replay::repeats(&mut hullwatch, &file, &lines)
    })
}
