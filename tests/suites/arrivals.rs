//! Images that come while `hullwatch` watches: their files are read, and what they break is told.

use anyhow::{Result, ensure};
use hullwatch_tests::{Enclave, Line, Mark};

use crate::case::cases;
use crate::own_stage::{OwnStage, is_posture, perform};

cases! {
    alone:
        images_are_read_as_they_come,
        an_image_that_cannot_be_read;
}

/// An image and what its files break, if anything.
struct Shipped {
    name: &'static str,
    /// Makes the files, in a directory that becomes the image.
    files: &'static str,
    check: &'static str,
    fails: bool,
}

const SETUID: &str = "image-no-setuid-files";
const SECRETS: &str = "image-no-secrets";
const SHIPPED: &[Shipped] = &[
    Shipped {
        name: "setuid:1",
        files: "echo >tool; chmod 4755 tool",
        check: SETUID,
        fails: true,
    },
    Shipped {
        name: "plain:1",
        files: "echo >tool; chmod 755 tool",
        check: SETUID,
        fails: false,
    },
    Shipped {
        name: "key:1",
        files: "echo '-----BEGIN PRIVATE KEY-----' >server.key",
        check: SECRETS,
        fails: true,
    },
    Shipped {
        name: "cert:1",
        files: "echo '-----BEGIN CERTIFICATE-----' >server.pem",
        check: SECRETS,
        fails: false,
    },
    Shipped {
        name: "sources:1",
        files: "mkdir -p etc/apt; echo 'deb [trusted=yes] http://deb.example/ x main' >etc/apt/sources.list",
        check: "image-verified-packages",
        fails: true,
    },
];

/// The line that says that the files of an image were read.
fn read(stage: &OwnStage, from: Mark, name: &str) -> Result<Line> {
    let id = stage
        .host
        .sh(&format!("docker image inspect --format '{{{{.Id}}}}' {name}"))?;
    let id = id.trim().to_owned();
    stage
        .watch
        .observation(from, "image-files", |line| line.text("/id") == id)
}

fn images_are_read_as_they_come() -> Result<()> {
    perform(|stage| {
        for row in SHIPPED {
            let mark = stage.watch.mark();
            stage.host.sh(&format!(
                "mkdir $DIR/files; cd $DIR/files; {}; tar -c . | docker import - {}; rm -r $DIR/files",
                row.files, row.name
            ))?;
            if row.fails {
                stage.turned(mark, row.check, row.name, "fail")?;
            } else {
                read(stage, mark, row.name)?;
                stage.watch.none_since(mark, "a sound image", |line| {
                    is_posture(line) && line.text("/check/key") == row.check
                })?;
            }
        }
        let mark = stage.watch.mark();
        stage
            .host
            .sh("printf 'FROM setuid:1\nLABEL a=b\n' | docker build --quiet --tag built:1 -")?;
        // It may be told before it has its name.
        stage.turned(mark, SETUID, "", "fail")?;
        stage
            .watch
            .observation(mark, "image", |line| line.text.contains("built:1"))?;
        let mark = stage.watch.mark();
        stage.host.sh("docker tag built:1 other:1")?;
        stage
            .watch
            .observation(mark, "image", |line| line.text.contains("other:1"))?;
        stage.settle()?;
        stage.watch.none_since(mark, "another name", |line| {
            is_posture(line) && line.text("/of") == "image"
        })?;
        stage
            .host
            .sh("docker save --output $DIR/built.tar built:1; docker rmi other:1 built:1")?;
        // One that comes back before it is missed has never been away.
        stage
            .watch
            .observation(mark, "image-removed", |line| line.text.contains("sha256:"))?;
        let mark = stage.watch.mark();
        stage.host.sh("docker load --input $DIR/built.tar")?;
        stage.turned(mark, SETUID, "", "fail")?;
        Ok(())
    })
}

/// What is there at the start is read too, and is no news; what cannot be read is said to be so, until it can.
fn an_image_that_cannot_be_read() -> Result<()> {
    perform(|stage| {
        stage.host.sh(
            "mkdir $DIR/files; echo >$DIR/files/tool; chmod 4755 $DIR/files/tool
             tar -C $DIR/files -c . | docker import - hidden:1; rm -r $DIR/files",
        )?;
        let format = "'{{.GraphDriver.Data.UpperDir}}'";
        let layer = stage
            .host
            .sh(&format!("docker image inspect --format {format} hidden:1"))?;
        let layer = layer.trim().to_owned();
        stage.host.sh(&format!("mv {layer} {layer}.away"))?;
        stage.restart_watch()?;
        let told = read(stage, Mark::default(), "hidden:1")?;
        ensure!(told.text("/files/unknown").contains("cannot read"), "{told}");
        let told = read(stage, Mark::default(), Enclave::IMAGE)?;
        ensure!(told.text.contains("/privileged/setuid"), "{told}");
        let mark = stage.watch.mark();
        stage
            .host
            .sh(&format!("mv {layer}.away {layer}; docker tag hidden:1 found:1"))?;
        let told = read(stage, mark, "hidden:1")?;
        ensure!(told.text.contains("\"/tool\""), "{told}");
        stage.settle()?;
        stage
            .watch
            .none_since(Mark::default(), "images that were there before", |line| {
                is_posture(line) && line.text("/of") == "image"
            })
    })
}
