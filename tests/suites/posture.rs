//! Files of the host that change under a watching `hullwatch`: verdicts turn, and who turned them is named.

use anyhow::{Result, ensure};
use hullwatch_tests::{Enclave, Mark};

use crate::case::cases;
use crate::own_stage::{OwnStage, is_drift, is_posture, perform};

cases! {
    alone:
        nothing_is_told_of_what_was_there_before,
        files_that_are_spoilt_and_mended,
        an_access_list,
        a_file_renamed_over_another,
        a_program_in_a_container,
        what_changes_no_verdict_is_silent,
        members_of_the_engine_s_group;
}

/// One way to spoil a file.
struct Row {
    check: &'static str,
    item: &'static str,
    spoil: &'static str,
    mend: &'static str,
    /// Program that does both.
    by: &'static str,
}

/// `SOCK` stands for the path of the engine's socket.
const ROWS: &[Row] = &[
    Row {
        check: "docker-sock-mode",
        item: Enclave::SOCKET,
        spoil: "chmod 666 /run/docker.sock",
        mend: "chmod 660 /run/docker.sock",
        by: "chmod",
    },
    Row {
        check: "docker-sock-owner",
        item: Enclave::SOCKET,
        spoil: "chown 1234 /run/docker.sock",
        mend: "chown 0 /run/docker.sock",
        by: "chown",
    },
    Row {
        check: "daemon-json-mode",
        item: "/etc/docker/daemon.json",
        spoil: "chmod 666 /etc/docker/daemon.json",
        mend: "chmod 644 /etc/docker/daemon.json",
        by: "chmod",
    },
    Row {
        check: "daemon-json-owner",
        item: "/etc/docker/daemon.json",
        spoil: "chown 1234 /etc/docker/daemon.json",
        mend: "chown 0 /etc/docker/daemon.json",
        by: "chown",
    },
    Row {
        check: "dir-etc-docker-mode",
        item: "/etc/docker",
        spoil: "chmod 777 /etc/docker",
        mend: "chmod 755 /etc/docker",
        by: "chmod",
    },
    Row {
        check: "dir-etc-docker-owner",
        item: "/etc/docker",
        spoil: "chown 1234 /etc/docker",
        mend: "chown 0 /etc/docker",
        by: "chown",
    },
    Row {
        check: "file-docker-service-mode",
        item: "/etc/systemd/system/docker.service",
        spoil: "chmod 666 /etc/systemd/system/docker.service",
        mend: "chmod 644 /etc/systemd/system/docker.service",
        by: "chmod",
    },
    Row {
        check: "file-docker-service-owner",
        item: "/etc/systemd/system/docker.service",
        spoil: "chgrp 1234 /etc/systemd/system/docker.service",
        mend: "chgrp 0 /etc/systemd/system/docker.service",
        by: "chgrp",
    },
    Row {
        check: "default-docker-mode",
        item: "/etc/default/docker",
        spoil: "chmod 666 /etc/default/docker",
        mend: "chmod 644 /etc/default/docker",
        by: "chmod",
    },
    Row {
        check: "default-docker-owner",
        item: "/etc/default/docker",
        spoil: "chown 1234 /etc/default/docker",
        mend: "chown 0 /etc/default/docker",
        by: "chown",
    },
    Row {
        check: "sysconfig-docker-mode",
        item: "/etc/sysconfig/docker",
        spoil: "chmod 666 /etc/sysconfig/docker",
        mend: "chmod 644 /etc/sysconfig/docker",
        by: "chmod",
    },
    Row {
        check: "registry-certs-mode",
        item: "/etc/docker/certs.d/reg/ca.crt",
        spoil: "chmod 666 /etc/docker/certs.d/reg/ca.crt",
        mend: "chmod 444 /etc/docker/certs.d/reg/ca.crt",
        by: "chmod",
    },
    Row {
        check: "registry-certs-owner",
        item: "/etc/docker/certs.d/reg/ca.crt",
        spoil: "chown 1234 /etc/docker/certs.d/reg/ca.crt",
        mend: "chown 0 /etc/docker/certs.d/reg/ca.crt",
        by: "chown",
    },
];

fn nothing_is_told_of_what_was_there_before() -> Result<()> {
    perform(|stage| {
        stage.settle()?;
        stage
            .watch
            .none_since(Mark::default(), "what was there before", |line| {
                (is_posture(line) || is_drift(line)) && !line.text.contains("sentinel")
            })
    })
}

fn files_that_are_spoilt_and_mended() -> Result<()> {
    perform(|stage| {
        // Who makes a file and who changes it at once are not always told apart.
        stage
            .host
            .sh("mkdir -p /etc/docker/certs.d/reg; umask 0333; echo >/etc/docker/certs.d/reg/ca.crt")?;
        stage.settle()?;
        let start = stage.watch.mark();
        ROWS.iter().try_for_each(|row| check(stage, row))?;
        // A violation waits for what the audit trail says of the change.
        for row in ROWS {
            let item = row.item;
            let told = stage.drifted(start, row.check, item)?;
            ensure!(
                told.text("/process/comm") == row.by && told.at("/container").is_null(),
                "not by {}: {told}",
                row.by
            );
        }
        stage.settle()?;
        for row in ROWS {
            let item = row.item;
            let lines = stage.watch.lines(start);
            let told = lines.iter().filter(|line| {
                line.is_violation(row.check) && is_drift(line) && line.text("/summary").starts_with(item)
            });
            ensure!(
                told.count() == 1,
                "{} of {item} is told more than once",
                row.check
            );
        }
        Ok(())
    })
}

/// Spoils and mends; both must turn the verdict, by this program.
#[track_caller]
fn check(stage: &OwnStage, row: &Row) -> Result<()> {
    for (deed, verdict) in [(row.spoil, "fail"), (row.mend, "pass")] {
        let mark = stage.watch.mark();
        stage.host.sh(deed)?;
        let turned = stage.turned(mark, row.check, row.item, verdict)?;
        ensure!(
            turned.text("/process/comm") == row.by,
            "not by {}: {turned}",
            row.by
        );
    }
    Ok(())
}

/// `system.posix_acl_access` with an entry for a user beside the mode's own.
fn access_list(user: u32, may: u16) -> Vec<u8> {
    const NOBODY: u32 = u32::MAX;
    let entries = [
        (1, 6, NOBODY),
        (2, may, user),
        (4, 6, NOBODY),
        (0x10, 6, NOBODY),
        (0x20, 0, NOBODY),
    ];
    let mut bytes = 2_u32.to_le_bytes().to_vec();
    for (tag, may, id) in entries {
        bytes.extend(u16::to_le_bytes(tag));
        bytes.extend(may.to_le_bytes());
        bytes.extend(id.to_le_bytes());
    }
    bytes
}

fn an_access_list() -> Result<()> {
    perform(|stage| {
        let mark = stage.watch.mark();
        let (socket, name) = (stage.host.path(Enclave::SOCKET), "system.posix_acl_access");
        rustix::fs::setxattr(
            &socket,
            name,
            &access_list(1234, 6),
            rustix::fs::XattrFlags::empty(),
        )?;
        let turned = stage.turned(mark, "docker-group-trusted-members", "", "fail")?;
        ensure!(turned.is_by(std::process::id()), "{turned}");
        let mark = stage.watch.mark();
        rustix::fs::removexattr(&socket, name)?;
        let item = turned.text("/item");
        stage.turned(mark, "docker-group-trusted-members", item, "not-applicable")?;
        Ok(())
    })
}

fn a_file_renamed_over_another() -> Result<()> {
    perform(|stage| {
        let mark = stage.watch.mark();
        let json = "/etc/docker/daemon.json";
        stage.host.sh(&format!(
            "cp -p {json} {json}.new; chmod 606 {json}.new; mv {json}.new {json}"
        ))?;
        let turned = stage.turned(mark, "daemon-json-mode", json, "fail")?;
        ensure!(turned.text("/process/comm") == "mv", "{turned}");
        let mark = stage.watch.mark();
        stage.host.sh(&format!("chmod 644 {json}"))?;
        stage.turned(mark, "daemon-json-mode", json, "pass")?;
        Ok(())
    })
}

fn a_program_in_a_container() -> Result<()> {
    perform(|stage| {
        let container = stage
            .host
            .container("meddler", &["--volume", "/etc/docker:/mnt"])?;
        let mark = stage.watch.mark();
        container.exec(&[], &["/bin/chmod", "602", "/mnt/daemon.json"])?;
        let json = "/etc/docker/daemon.json";
        let turned = stage.turned(mark, "daemon-json-mode", json, "fail")?;
        ensure!(turned.text("/process/comm") == "chmod", "{turned}");
        stage
            .watch
            .violation(mark, "daemon-json-mode", |line| line.is_in(&container.id))?;
        let mark = stage.watch.mark();
        container.exec(&[], &["/bin/chmod", "644", "/mnt/daemon.json"])?;
        stage.turned(mark, "daemon-json-mode", json, "pass")?;
        Ok(())
    })
}

fn what_changes_no_verdict_is_silent() -> Result<()> {
    perform(|stage| {
        let mark = stage.watch.mark();
        for deed in [
            "chmod 755 /etc/docker",
            "chmod 640 /etc/docker/daemon.json; chmod 600 /etc/docker/daemon.json; chmod 644 /etc/docker/daemon.json",
            "chown 0:0 /etc/docker/daemon.json",
            "echo >/etc/docker/notes; rm /etc/docker/notes",
            "echo >/etc/elsewhere; chmod 666 /etc/elsewhere; rm /etc/elsewhere",
            "groupadd bystanders; usermod --append --groups bystanders nobody",
        ] {
            stage.host.sh(deed)?;
        }
        stage.silent(mark, "what changes no verdict")
    })
}

fn members_of_the_engine_s_group() -> Result<()> {
    perform(|stage| {
        let group = stage.host.sh("stat -c %G /run/docker.sock")?;
        let mark = stage.watch.mark();
        stage
            .host
            .sh(&format!("usermod --append --groups {group} nobody"))?;
        let key = "docker-group-trusted-members";
        let turned = stage.turned(mark, key, "nobody", "fail")?;
        ensure!(turned.text("/process/comm") == "usermod", "{turned}");
        stage.drifted(mark, key, "nobody")?;
        let mark = stage.watch.mark();
        stage.host.sh(&format!("gpasswd --delete nobody {group}"))?;
        stage.turned(mark, key, "nobody", "not-applicable")?;
        Ok(())
    })
}
