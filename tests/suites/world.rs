//! The world itself: what the other suites take for granted.

use anyhow::{Result, ensure};
use hullwatch_tests::World;

use crate::case::cases;
use crate::stage::Stage;

cases! {
    staged:
        containers_run_what_they_are_told,
        privileged_containers_and_sessions_have_their_capabilities,
        programs_keep_their_privileges_in_the_image,
        the_actor_mounts_and_connects,
        the_actor_runs_programs,
        configurations_that_are_advised_against_can_be_had,
        containers_outlive_the_engine;
}

fn containers_run_what_they_are_told(stage: &mut Stage) -> Result<()> {
    let mut container = stage.world.container(&[])?;
    ensure!(container.must("/bin/id -u")? == "0");
    ensure!(container.sh("/bin/busybox false")?.code == 1);
    container.must("/bin/actor nothing")?;
    let mut user = stage.world.container_of(World::USER_IMAGE, &[])?;
    ensure!(user.must("/bin/id -u")? == "1000");
    Ok(())
}

fn privileged_containers_and_sessions_have_their_capabilities(stage: &mut Stage) -> Result<()> {
    let mut privileged = stage.world.privileged_container()?;
    let target = "/mnt/here";
    privileged.must(&format!("/bin/mkdir {target} && /bin/actor mount tmpfs {target}"))?;
    privileged.must(&format!("/bin/actor umount {target}"))?;
    privileged.must(&format!("/bin/actor mount-new tmpfs {target}"))?;
    let runtime = stage.world.bounded();
    let options: Vec<&str> = runtime.iter().map(String::as_str).collect();
    let mut ordinary = stage.world.container(&options)?;
    let capabilities = |said: &str| {
        let digits = said.rsplit(' ').next().unwrap_or_default();
        u64::from_str_radix(digits, 16).unwrap_or_default()
    };
    let own = capabilities(&ordinary.must("/bin/actor credentials")?);
    let given = capabilities(&ordinary.exec(&["--privileged"], &["/bin/actor", "credentials"])?);
    ensure!(
        own != 0 && given & own == own && given.count_ones() > 30,
        "{own:x} and {given:x}"
    );
    Ok(())
}

fn programs_keep_their_privileges_in_the_image(stage: &mut Stage) -> Result<()> {
    let mut container = stage.world.container(&[])?;
    let modes = container
        .must("/bin/busybox stat -c %a /privileged/setuid /privileged/setgid /privileged/capable")?;
    ensure!(modes == "4755\n2755\n755", "{modes}");
    let mut user = stage.world.container(&["--user", "1000:1000"])?;
    for (program, gained) in [
        ("setuid", "0 1000 "),
        ("setgid", "1000 0 0"),
        ("capable", "1000 1000 400"),
    ] {
        let said = user.must(&format!("/privileged/{program} credentials"))?;
        ensure!(said.starts_with(gained), "{program}: {said}");
        let said = user.must(&format!(
            "/bin/actor no-new-privs /privileged/{program} credentials"
        ))?;
        ensure!(said == "1000 1000 0", "{program} under no_new_privs: {said}");
    }
    Ok(())
}

/// Has a fresh container do a deed: what it prints, and its exit code, are these.
#[track_caller]
fn check(stage: &Stage, options: &[&str], deed: &str, printed: &str, code: i32) -> Result<()> {
    let reply = stage.world.container(options)?.sh(deed)?;
    // What a failure prints is for people.
    ensure!(reply.code == code, "{deed} with {options:?}: {reply:?}");
    ensure!(
        code != 0 || reply.output == printed,
        "{deed} with {options:?}: {reply:?}"
    );
    Ok(())
}

fn the_actor_mounts_and_connects(stage: &mut Stage) -> Result<()> {
    let directory = stage.world.dockerd.directory();
    let volume = format!("{}:/elsewhere", directory.display());
    let admin = ["--cap-add", "SYS_ADMIN", "--volume", "/etc:/given:ro"];
    let free = ["--security-opt", "seccomp=unconfined"];
    let socket = ["--volume", &volume];
    check(
        stage,
        &admin,
        "/bin/actor mount tmpfs /mnt && /bin/actor umount /mnt",
        "",
        0,
    )?;
    check(
        stage,
        &admin,
        "/bin/actor mount-new tmpfs /mnt && /bin/actor make-shared /mnt",
        "",
        0,
    )?;
    check(stage, &admin, "/bin/actor bind-new /tmp /mnt", "", 0)?;
    check(
        stage,
        &admin,
        "/bin/actor bind /given /mnt && /bin/actor writable /mnt",
        "",
        0,
    )?;
    check(stage, &free, "/bin/actor mount tmpfs /mnt", "", 1)?;
    check(stage, &free, "/bin/actor umount /proc", "", 1)?;
    check(stage, &free, "/bin/actor bind-new /etc /mnt", "", 1)?;
    check(stage, &socket, "/bin/actor talk /elsewhere/docker.sock", "", 0)?;
    check(
        stage,
        &socket,
        "/bin/actor as 1000 /bin/actor talk /elsewhere/docker.sock",
        "",
        0,
    )?;
    check(stage, &[], "/bin/actor connect /elsewhere/docker.sock", "", 1)
}

fn the_actor_runs_programs(stage: &mut Stage) -> Result<()> {
    let mounts = ["--tmpfs", "/weak:exec,nosuid", "--tmpfs", "/strong:exec,suid"];
    let user = "/bin/actor as 1000";
    let root = "0 1000 a80425fb";
    for (directory, expected) in [("weak", "1000 1000 0"), ("strong", root)] {
        let deed = format!(
            "/bin/busybox cp -p /privileged/setuid /{directory}/ && {user} /{directory}/setuid credentials"
        );
        check(stage, &mounts, &deed, expected, 0)?;
    }
    check(
        stage,
        &[],
        &format!("{user} /bin/actor exec-fd /privileged/setuid credentials"),
        root,
        0,
    )?;
    check(
        stage,
        &[],
        "/bin/busybox ln /privileged/setuid /tmp/link && /tmp/link nothing",
        "",
        0,
    )?;
    check(stage, &[], "/bin/actor exec-fd /bin/actor nothing", "", 0)?;
    check(
        stage,
        &[],
        "printf '#!/bin/actor nothing\\n' >/tmp/s; /bin/chmod 755 /tmp/s; /tmp/s",
        "",
        0,
    )?;
    check(stage, &[], "/bin/actor fork-exec-loop 0 /bin/true", "execs 0", 0)?;
    check(stage, &[], "/bin/actor no-such-deed", "", 1)
}

fn configurations_that_are_advised_against_can_be_had(stage: &mut Stage) -> Result<()> {
    for options in crate::configuration::OPTIONS {
        stage.world.container(options)?.must("/bin/actor nothing")?;
    }
    Ok(())
}

fn containers_outlive_the_engine(stage: &mut Stage) -> Result<()> {
    let container = stage.world.detached(&[], &["/bin/sleep", "100000"])?;
    let pid = container.pid()?;
    stage.kill_engine()?;
    ensure!(
        std::path::Path::new(&format!("/proc/{pid}")).exists(),
        "the container ended with the engine"
    );
    stage.start_engine()?;
    ensure!(container.pid()? == pid, "the engine has lost the container");
    container.exec(&[], &["/bin/actor", "nothing"])?;
    Ok(())
}
