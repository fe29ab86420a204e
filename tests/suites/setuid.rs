//! Programs that bear privilege: that the file carries it and that the process gained it are two facts.

use anyhow::{Result, ensure};
use hullwatch_tests::{Line, Shell};

use crate::case::cases;
use crate::stage::{Stage, Way};

/// Broken by a process that gains privilege by exec.
const GAINED: &str = "runtime-no-new-privileges";
/// Broken by a privilege-bearing file that is run.
const CARRIED: &str = "image-no-setuid-files";

cases! {
    staged:
        a_setuid_program_run_by_a_user,
        a_setuid_program_run_by_root,
        a_setuid_program_that_may_gain_nothing,
        a_setuid_program_on_a_nosuid_mount,
        a_setuid_program_by_another_way,
        a_setgid_program,
        a_program_with_file_capabilities,
        privileged_programs_on_the_host,
        ordinary_programs_on_the_host;
}

fn user_shell(stage: &Stage) -> Result<Shell> {
    stage.world.container(&["--user", "1000:1000"])
}

/// Runs a program in a container and checks the facts: what its file carries and what the process gained.
#[track_caller]
fn check(stage: &mut Stage, shell: &mut Shell, program: &str, carried: &str, gained: bool) -> Result<Line> {
    let seen = stage.run_in(shell, program)?;
    let carries = ["setuid", "setgid", "file_caps"].map(|fact| seen.is(&format!("/file/{fact}")));
    ensure!(
        carries == ["setuid", "setgid", "file_caps"].map(|fact| fact == carried),
        "{program}: {seen}"
    );
    let gains = seen.is("/gained/uid") || seen.is("/gained/gid") || seen.text("/gained/caps") != "0x0";
    ensure!(gains == gained, "{program}: gained {gains}: {seen}");
    ensure!(seen.is("/secure") == gained, "{program}: {seen}");
    Ok(seen)
}

fn a_setuid_program_run_by_a_user(stage: &mut Stage) -> Result<()> {
    let mark = stage.watch()?.mark();
    let mut shell = user_shell(stage)?;
    let seen = check(stage, &mut shell, "/privileged/setuid", "setuid", true)?;
    ensure!(
        seen.number("/before/euid") == Some(1000) && seen.number("/process/euid") == Some(0),
        "{seen}"
    );
    ensure!(
        seen.number("/process/uid") == Some(1000) && seen.is("/gained/uid"),
        "{seen}"
    );
    for key in [GAINED, CARRIED] {
        let said = stage
            .watch()?
            .violation(mark, key, |line| line.is_in(&shell.id))?;
        ensure!(said.text("/process/exe") == "/privileged/setuid", "{said}");
    }
    // An ordinary program of the same user.
    let mark = stage.watch()?.mark();
    check(stage, &mut shell, "/bin/actor", "", false)?;
    stage.silent(Way::Exec, mark, "an ordinary program", |line| {
        line.is_in(&shell.id) && (line.is_violation(GAINED) || line.is_violation(CARRIED))
    })
}

fn a_setuid_program_run_by_root(stage: &mut Stage) -> Result<()> {
    let mark = stage.watch()?.mark();
    let mut shell = stage.world.container(&[])?;
    check(stage, &mut shell, "/privileged/setuid", "setuid", false)?;
    let said = stage
        .watch()?
        .violation(mark, CARRIED, |line| line.is_in(&shell.id))?;
    ensure!(said.text("/class") == "exercised", "{said}");
    stage.silent(Way::Exec, mark, "root that gains nothing", |line| {
        line.is_violation(GAINED) && line.is_in(&shell.id)
    })
}

fn a_setuid_program_that_may_gain_nothing(stage: &mut Stage) -> Result<()> {
    let mark = stage.watch()?.mark();
    let mut shell = user_shell(stage)?;
    let seen = check(
        stage,
        &mut shell,
        "/bin/actor no-new-privs /privileged/setuid",
        "setuid",
        false,
    )?;
    ensure!(seen.is("/process/no_new_privs"), "{seen}");
    let mut bound = stage
        .world
        .container(&["--user", "1000:1000", "--security-opt", "no-new-privileges"])?;
    check(stage, &mut bound, "/privileged/setuid", "setuid", false)?;
    stage.silent(Way::Exec, mark, "no_new_privs", |line| {
        line.is_violation(GAINED) && (line.is_in(&shell.id) || line.is_in(&bound.id))
    })
}

fn a_setuid_program_on_a_nosuid_mount(stage: &mut Stage) -> Result<()> {
    let mark = stage.watch()?.mark();
    let mut shell =
        stage
            .world
            .container(&["--tmpfs", "/weak:exec,nosuid", "--tmpfs", "/strong:exec,suid"])?;
    shell.must(
        "/bin/busybox cp -p /privileged/setuid /weak/ && /bin/busybox cp -p /privileged/setuid /strong/",
    )?;
    let seen = check(
        stage,
        &mut shell,
        "/bin/actor as 1000 /weak/setuid",
        "setuid",
        false,
    )?;
    ensure!(seen.is("/file/nosuid"), "{seen}");
    stage.silent(Way::Exec, mark, "a nosuid mount", |line| {
        line.is_violation(GAINED) && line.is_in(&shell.id)
    })?;
    let seen = check(
        stage,
        &mut shell,
        "/bin/actor as 1000 /strong/setuid",
        "setuid",
        true,
    )?;
    ensure!(!seen.is("/file/nosuid"), "{seen}");
    stage
        .watch()?
        .violation(mark, GAINED, |line| line.is_in(&shell.id))?;
    Ok(())
}

fn a_setuid_program_by_another_way(stage: &mut Stage) -> Result<()> {
    for way in [
        "/tmp/link",
        "/tmp/symlink",
        "/bin/actor exec-fd /privileged/setuid",
    ] {
        let mark = stage.watch()?.mark();
        let mut shell = stage.world.container(&[])?;
        shell.must("/bin/busybox ln /privileged/setuid /tmp/link")?;
        shell.must("/bin/busybox ln -s /privileged/setuid /tmp/symlink")?;
        check(
            stage,
            &mut shell,
            &format!("/bin/actor as 1000 {way}"),
            "setuid",
            true,
        )?;
        stage
            .watch()?
            .violation(mark, GAINED, |line| line.is_in(&shell.id))?;
    }
    Ok(())
}

fn a_setgid_program(stage: &mut Stage) -> Result<()> {
    let mark = stage.watch()?.mark();
    let mut shell = user_shell(stage)?;
    let seen = check(stage, &mut shell, "/privileged/setgid", "setgid", true)?;
    ensure!(seen.is("/gained/gid") && !seen.is("/gained/uid"), "{seen}");
    stage
        .watch()?
        .violation(mark, GAINED, |line| line.is_in(&shell.id))?;
    Ok(())
}

fn a_program_with_file_capabilities(stage: &mut Stage) -> Result<()> {
    let mark = stage.watch()?.mark();
    let mut shell = user_shell(stage)?;
    let seen = check(stage, &mut shell, "/privileged/capable", "file_caps", true)?;
    ensure!(seen.text("/gained/caps") == "0x400", "{seen}");
    stage
        .watch()?
        .violation(mark, GAINED, |line| line.is_in(&shell.id))?;
    Ok(())
}

/// The host has setuid programs, and they are seen; no container recommendation is broken by them.
fn privileged_programs_on_the_host(stage: &mut Stage) -> Result<()> {
    let directory = stage.world.directory("host")?;
    let mark = stage.watch()?.mark();
    let mut pids = Vec::new();
    let files = [
        ("setuid", 0o4755, None),
        ("setgid", 0o2755, None),
        ("file_caps", 0o755, Some("cap_net_raw+ep")),
    ];
    for (fact, mode, capability) in files {
        let file = directory.join(fact);
        stage.world.actor_copy(&file, mode, capability)?;
        let file = file.to_string_lossy();
        let pid = stage.world.act(&["as", "71000", &file, "nothing"])?;
        let seen = stage.watch()?.observation(mark, "exec", |line| line.is_by(pid))?;
        ensure!(seen.is(&format!("/file/{fact}")) && seen.is("/secure"), "{seen}");
        ensure!(
            seen.text("/file/path") == file && seen.at("/container").is_null(),
            "{seen}"
        );
        pids.push(pid);
    }
    stage.silent(Way::Exec, mark, "the host's own program", |line| {
        pids.iter().any(|pid| line.is_by(*pid))
    })
}

/// They are nobody's business and cost nobody anything: not even observed.
fn ordinary_programs_on_the_host(stage: &mut Stage) -> Result<()> {
    let mark = stage.watch()?.mark();
    let pid = stage.world.act(&["nothing"])?;
    stage.settle(Way::Exec)?;
    stage
        .watch()?
        .none_since(mark, "an ordinary program on the host", |line| line.is_by(pid))
}
