//! Programs in privileged containers, and sessions that bring more than the container has.

use anyhow::{Result, ensure};
use hullwatch_tests::{Shell, Skip, World};

use crate::case::cases;
use crate::stage::{Stage, Way};

cases! {
    staged:
        a_program_in_a_privileged_container,
        a_privileged_session,
        a_session_as_root,
        entering_a_container_from_the_host,
        a_program_that_leaves_its_cgroup,
        a_container_full_of_cgroups,
        what_the_runtime_itself_does,
        a_runtime_that_is_upgraded_in_an_unusual_place,
        programs_without_a_name_or_by_another;
}

fn a_program_in_a_privileged_container(stage: &mut Stage) -> Result<()> {
    let mark = stage.watch()?.mark();
    let mut privileged = stage.world.privileged_container()?;
    let mut ordinary = stage.world.container(&[])?;
    let own = ordinary.id.clone();
    privileged.must("/bin/actor nothing")?;
    let said = stage.watch()?.violation(mark, "runtime-not-privileged", |line| {
        line.is_in(&privileged.id) && line.text("/process/exe") == "/bin/actor"
    })?;
    ensure!(
        said.text("/class") == "exercised" && said.text("/severity") == "critical",
        "{said}"
    );
    ensure!(
        said.text("/check/benchmark") == "cis-1.6.0" && said.text("/check/number") == "5.5",
        "{said}"
    );
    ensure!(
        said.is("/container/privileged") && said.text("/container/identity") == "confirmed",
        "{said}"
    );
    ensure!(said.text("/container/name") == privileged.name, "{said}");
    ensure!(said.text("/container/image") == World::IMAGE, "{said}");
    ensure!(said.at("/process/ancestors/0/comm") == "sh", "{said}");
    stage.run_in(&mut ordinary, "/bin/actor")?;
    stage.silent(Way::Exec, mark, "an ordinary container", |line| {
        line.is_violation("runtime-not-privileged") && line.is_in(&own)
    })
}

/// A container into which privileged sessions can be opened on every machine.
fn target(stage: &Stage, image: &str) -> Result<Shell> {
    let runtime = stage.world.bounded();
    let options: Vec<&str> = runtime.iter().map(String::as_str).collect();
    stage.world.container_of(image, &options)
}

fn a_privileged_session(stage: &mut Stage) -> Result<()> {
    let mark = stage.watch()?.mark();
    let container = target(stage, World::IMAGE)?;
    container.exec(&[], &["/bin/actor", "nothing", "ordinary-session"])?;
    stage.ran(mark, "ordinary-session")?;
    stage.silent(Way::Exec, mark, "an ordinary session", |line| {
        line.is_violation("exec-not-privileged") && line.is_in(&container.id)
    })?;
    container.exec(
        &["--privileged"],
        &["/bin/actor", "nothing", "privileged-session"],
    )?;
    let said = stage.watch()?.violation(mark, "exec-not-privileged", |line| {
        line.is_in(&container.id) && line.text("/process/exe") == "/bin/actor"
    })?;
    ensure!(said.text("/class") == "drift", "{said}");
    ensure!(said.at("/container/privileged") == false, "{said}");
    Ok(())
}

fn a_session_as_root(stage: &mut Stage) -> Result<()> {
    let mark = stage.watch()?.mark();
    let container = target(stage, World::USER_IMAGE)?;
    container.exec(&[], &["/bin/actor", "nothing", "user-session"])?;
    stage.ran(mark, "user-session")?;
    stage.silent(Way::Exec, mark, "a session as the image's user", |line| {
        line.is_violation("exec-not-root") && line.is_in(&container.id)
    })?;
    container.exec(&["--user", "0"], &["/bin/actor", "nothing", "root-session"])?;
    let said = stage
        .watch()?
        .violation(mark, "exec-not-root", |line| line.is_in(&container.id))?;
    ensure!(said.number("/process/uid") == Some(0), "{said}");
    Ok(())
}

fn entering_a_container_from_the_host(stage: &mut Stage) -> Result<()> {
    let container = stage.world.container(&[])?;
    let namespace = format!("/proc/{}/ns/mnt", container.pid()?);
    let mark = stage.watch()?.mark();
    let pid = stage.world.act(&["setns", &namespace, "/bin/actor", "nothing"])?;
    let seen = stage
        .watch()?
        .observation(mark, "namespace", |line| line.is_by(pid))?;
    ensure!(seen.text("/call") == "setns", "{seen}");
    ensure!(seen.at("/entered/0/namespace") == "mnt", "{seen}");
    ensure!(seen.text("/entered/0/owner/container") == container.id, "{seen}");
    let said = stage
        .watch()?
        .violation(mark, "exec-not-privileged", |line| line.is_by(pid))?;
    ensure!(said.is_in(&container.id), "{said}");
    stage.silent(Way::Exec, mark, "what follows from where it came from", |line| {
        line.is_by(pid) && line.text("/check/key").starts_with("runtime-no-host-")
    })?;
    // Its own namespace, entered again, is nobody else's.
    let mark = stage.watch()?.mark();
    let own = format!("/proc/{}/ns/uts", std::process::id());
    let neighbour = stage.world.actor();
    let neighbour = neighbour.get_program().to_string_lossy().into_owned();
    let silent = stage.world.act(&["setns", &own, &neighbour, "nothing"])?;
    let last = stage.world.act(&["setns", &namespace, "/bin/actor", "nothing"])?;
    stage
        .watch()?
        .observation(mark, "namespace", |line| line.is_by(last))?;
    stage
        .watch()?
        .none_since(mark, "entering one's own namespace", |line| {
            line.is_observation("namespace") && line.is_by(silent)
        })
}

/// The cgroup of a privileged container's program is where the program puts it; who makes a mount and a pid
/// namespace in one step after that has nothing left that was the container's.
fn a_program_that_leaves_its_cgroup(stage: &mut Stage) -> Result<()> {
    let runtime = stage.world.bounded();
    let mount = format!("{}:/elsewhere", stage.world.dockerd.directory().display());
    let mut options: Vec<&str> = runtime.iter().map(String::as_str).collect();
    options.extend(["--privileged", "--cgroupns", "host", "--volume", &mount]);
    let mut shell = stage.world.container(&options)?;
    shell.must("/bin/busybox mkdir /tmp/cgroup")?;
    shell.must("/bin/actor mount cgroup2 /tmp/cgroup")?;
    let leave = "echo $$ >/tmp/cgroup/cgroup.procs";
    let mark = stage.watch()?.mark();
    shell.must(&format!(
        "/bin/sh -c '{leave}; exec /bin/busybox unshare -m -p -f /bin/actor talk /elsewhere/docker.sock'"
    ))?;
    let said = stage
        .watch()?
        .violation(mark, "runtime-no-docker-socket", |line| {
            line.is_in(&shell.id) && line.text("/process/exe") == "/bin/actor"
        })?;
    // The runtime of a version 1 host does not look at the hierarchy that was left.
    let identity = said.text("/container/identity");
    ensure!(identity == "inferred" || identity == "confirmed", "{said}");
    // A neighbour that makes the same namespaces, and speaks to nobody.
    let mut neighbour = stage.world.privileged_container()?;
    let mark = stage.watch()?.mark();
    neighbour.must("/bin/busybox unshare -m -p -f /bin/actor nothing")?;
    stage.silent(
        Way::Exec,
        mark,
        "a neighbour with namespaces of its own",
        |line| line.is_in(&neighbour.id) && line.is_violation("runtime-no-docker-socket"),
    )
}

/// One container's cgroups, however many and whatever they are called, take nobody else's room and name.
fn a_container_full_of_cgroups(stage: &mut Stage) -> Result<()> {
    if !std::fs::read_to_string("/proc/mounts")?.contains(" cgroup2 ") {
        return Err(Skip::because("needs cgroup version 2").into());
    }
    let runtime = stage.world.bounded();
    let mut options: Vec<&str> = runtime.iter().map(String::as_str).collect();
    options.extend(["--privileged", "--cgroupns", "host"]);
    let mut shell = stage.world.container(&options)?;
    shell.must("/bin/busybox mkdir /tmp/cgroup")?;
    shell.must("/bin/actor mount cgroup2 /tmp/cgroup")?;
    let mark = stage.watch()?.mark();
    let id = "d".repeat(64);
    // A cgroup that is called like a container, outside of its own.
    shell.must(&format!(
        "/bin/busybox mkdir /tmp/cgroup/{id} && \
         /bin/sh -c 'echo $$ >/tmp/cgroup/{id}/cgroup.procs; /bin/actor nothing in-disguise'"
    ))?;
    let seen = stage.ran(mark, "in-disguise")?;
    shell.must(&format!("/bin/busybox rmdir /tmp/cgroup/{id}"))?;
    ensure!(seen.is_in(&shell.id), "{seen}");
    shell.must(
        "own=/tmp/cgroup/$(/bin/busybox sed -n 's/^0:://p' /proc/self/cgroup); \
         i=0; while [ $i -lt 1100 ]; do set -- \"$@\" $own/$i; i=$((i + 1)); done; /bin/busybox mkdir \"$@\"",
    )?;
    stage.watch()?.expect(mark, "a gap of cgroups", |line| {
        line.text("/type") == "gap" && line.text("/source") == "cgroup" && line.text("/reason") == "map-full"
    })?;
    let mut neighbour = stage.world.container(&[])?;
    let seen = stage.run_in(&mut neighbour, "/bin/actor")?;
    ensure!(
        seen.is_in(&neighbour.id) && seen.text("/container/identity") == "confirmed",
        "{seen}"
    );
    Ok(())
}

/// The runtime holds every capability, enters namespaces and mounts while it makes a container: none of it is
/// the container's doing.
fn what_the_runtime_itself_does(stage: &mut Stage) -> Result<()> {
    runtime_is_silent(stage, &[])
}

fn a_runtime_that_is_upgraded_in_an_unusual_place(stage: &mut Stage) -> Result<()> {
    for _ in 0..2 {
        let runtime = stage.world.upgrade_vendor_runtime()?;
        runtime_is_silent(stage, &["--runtime", runtime])?;
    }
    Ok(())
}

fn runtime_is_silent(stage: &mut Stage, options: &[&str]) -> Result<()> {
    let mark = stage.watch()?.mark();
    let options = [options, &["--security-opt", "no-new-privileges"]].concat();
    let container = stage.world.container_of(World::USER_IMAGE, &options)?;
    container.exec(&[], &["/bin/actor", "nothing", "after-setup"])?;
    stage.ran(mark, "after-setup")?;
    let keys = [
        "runtime-not-privileged",
        "exec-not-privileged",
        "exec-not-root",
        "runtime-capabilities",
        "runtime-no-sensitive-host-mounts",
        "runtime-no-shared-propagation",
    ];
    stage.silent(Way::Exec, mark, "the runtime's own work", |line| {
        line.is_in(&container.id) && keys.iter().any(|key| line.is_violation(key))
    })
}

/// What runs is known by its file, not by what the caller called it.
fn programs_without_a_name_or_by_another(stage: &mut Stage) -> Result<()> {
    let mut container = stage.world.container(&[])?;
    let mark = stage.watch()?.mark();
    container.must("/bin/busybox ln -s /bin/actor /tmp/alias && /tmp/alias nothing by-symlink")?;
    let seen = stage.ran(mark, "by-symlink")?;
    ensure!(
        seen.text("/file/path") == "/bin/actor" && seen.text("/requested") == "/tmp/alias",
        "{seen}"
    );
    container.must("/bin/actor exec-fd /bin/actor nothing by-descriptor")?;
    let seen = stage.watch()?.observation(mark, "exec", |line| {
        line.has_arg("by-descriptor") && line.at("/process/args/1") == "nothing"
    })?;
    ensure!(seen.text("/file/path") == "/bin/actor", "{seen}");
    let ino = container.must("/bin/busybox stat -c %i /bin/actor")?;
    ensure!(seen.number("/file/ino") == ino.parse().ok(), "{ino}: {seen}");
    container.must(
        "printf '#!/bin/actor nothing\\n' >/tmp/script; /bin/chmod 755 /tmp/script; /tmp/script by-script",
    )?;
    let seen = stage.ran(mark, "by-script")?;
    ensure!(
        seen.text("/file/path") == "/bin/actor" && seen.text("/requested") == "/tmp/script",
        "{seen}"
    );
    Ok(())
}
