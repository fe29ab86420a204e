//! Runtime sockets are known by their inode: whatever they are called, wherever they appear.

use std::fs;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::process::Stdio;

use anyhow::{Result, ensure};
use hullwatch_tests::{Mark, Shell};

use crate::case::cases;
use crate::stage::{Stage, TRUSTED_UID, Way};

const FROM_CONTAINER: &str = "runtime-no-docker-socket";
const FROM_HOST: &str = "docker-group-trusted-members";

cases! {
    staged:
        the_engine_s_socket_from_a_container,
        a_look_alike_from_a_container,
        the_engine_s_socket_from_the_host,
        look_alikes_on_the_host,
        a_connection_that_somebody_else_made,
        a_socket_that_the_operator_names,
        a_socket_that_is_renamed;
}

fn the_engine_s_socket_from_a_container(stage: &mut Stage) -> Result<()> {
    let socket = stage.world.dockerd.socket();
    let directory = stage.world.dockerd.directory();
    let mount = format!("{}:/elsewhere", directory.display());
    for (path, user) in [
        ("/elsewhere/docker.sock", "0"),
        ("/tmp/link", "0"),
        ("/elsewhere/../tmp/link", "1000"),
    ] {
        let mark = stage.watch()?.mark();
        let mut shell = stage.world.container(&["--volume", &mount])?;
        shell.must("/bin/busybox ln -s /elsewhere/docker.sock /tmp/link")?;
        shell.must(&format!("/bin/actor as {user} /bin/actor talk {path}"))?;
        let seen = stage
            .watch()?
            .observation(mark, "connect", |line| line.is_in(&shell.id))?;
        let file = socket.metadata()?;
        ensure!(seen.number("/socket/ino") == Some(file.ino()), "{seen}");
        ensure!(
            seen.text("/socket/runtime") == "docker" && seen.text("/op") == "connect",
            "{seen}"
        );
        ensure!(seen.text("/socket/path") == socket.to_string_lossy(), "{seen}");
        let said = stage.watch()?.violation(mark, FROM_CONTAINER, |line| {
            line.is_in(&shell.id) && line.text("/process/exe") == "/bin/actor"
        })?;
        ensure!(
            said.text("/class") == "exercised" || said.text("/class") == "drift",
            "{said}"
        );
    }
    Ok(())
}

fn a_look_alike_from_a_container(stage: &mut Stage) -> Result<()> {
    let directory = stage.world.directory("look-alike")?;
    let _listener = UnixListener::bind(directory.join("docker.sock"))?;
    let mark = stage.watch()?.mark();
    let mut shell = stage
        .world
        .container(&["--volume", &format!("{}:/var/run", directory.display())])?;
    shell.must("/bin/actor connect /var/run/docker.sock")?;
    stage.settle(Way::Connect)?;
    stage
        .watch()?
        .none_since(mark, "another socket of the same name", |line| {
            line.is_in(&shell.id) && (line.is_observation("connect") || line.is_violation(FROM_CONTAINER))
        })
}

fn the_engine_s_socket_from_the_host(stage: &mut Stage) -> Result<()> {
    let socket = stage.world.dockerd.socket().to_string_lossy().into_owned();
    let actor = stage.world.actor().get_program().to_string_lossy().into_owned();
    let mark = stage.watch()?.mark();
    let root = stage.world.act(&["talk", &socket])?;
    let trusted = stage.world.act(&["as", TRUSTED_UID, &actor, "talk", &socket])?;
    for pid in [root, trusted] {
        let seen = stage
            .watch()?
            .observation(mark, "connect", |line| line.is_by(pid))?;
        ensure!(seen.at("/container").is_null(), "{seen}");
    }
    let unlisted = stage.world.act(&["as", "71001", &actor, "talk", &socket])?;
    let said = stage
        .watch()?
        .violation(mark, FROM_HOST, |line| line.is_by(unlisted))?;
    ensure!(
        said.number("/process/uid") == Some(71001) && said.at("/container").is_null(),
        "{said}"
    );
    stage.silent(Way::Connect, mark, "root and the trusted user", |line| {
        line.is_by(root) || line.is_by(trusted)
    })
}

fn look_alikes_on_the_host(stage: &mut Stage) -> Result<()> {
    let socket = stage.world.dockerd.socket().to_string_lossy().into_owned();
    let directory = stage.world.directory("look-alike")?;
    let other = directory.join("docker.sock");
    let _file = UnixListener::bind(&other)?;
    fs::set_permissions(&other, fs::Permissions::from_mode(0o666))?;
    let _abstract = UnixListener::bind_addr(&SocketAddr::from_abstract_name(socket.as_bytes())?)?;
    let actor = stage.world.actor().get_program().to_string_lossy().into_owned();
    let mark = stage.watch()?.mark();
    let pids = [
        stage
            .world
            .act(&["as", "71002", &actor, "connect-abstract", &socket])?,
        stage
            .world
            .act(&["as", "71002", &actor, "connect", &other.to_string_lossy()])?,
    ];
    stage.settle(Way::Connect)?;
    stage.watch()?.none_since(mark, "a look-alike", |line| {
        pids.iter().any(|pid| line.is_by(*pid))
    })
}

/// A connection is used by whoever holds it, not only by who made it.
fn a_connection_that_somebody_else_made(stage: &mut Stage) -> Result<()> {
    let mark = stage.watch()?.mark();
    let connection = UnixStream::connect(stage.world.dockerd.socket())?;
    let mut child = stage
        .world
        .actor()
        .arg("talk-stdin")
        .stdin(Stdio::from(std::os::fd::OwnedFd::from(connection)))
        .spawn()?;
    let pid = child.id();
    ensure!(child.wait()?.success(), "the actor could not speak");
    let seen = stage
        .watch()?
        .observation(mark, "connect", |line| line.is_by(pid))?;
    ensure!(
        seen.text("/op") == "use" && seen.text("/socket/runtime") == "docker",
        "{seen}"
    );
    Ok(())
}

fn a_socket_that_the_operator_names(stage: &mut Stage) -> Result<()> {
    let directory = stage.world.directory("named")?;
    let path = directory.join("engine.sock");
    let option = format!("other={}", path.display());
    let first = UnixListener::bind(&path)?;
    let watch = stage.new_watch(&["--runtime-socket", &option])?;
    let mark = watch.mark();
    let pid = stage.world.act(&["connect", &path.to_string_lossy()])?;
    let seen = watch.observation(mark, "connect", |line| line.is_by(pid))?;
    ensure!(seen.text("/socket/runtime") == "other", "{seen}");
    // A daemon that starts again makes a new socket of the old name.
    drop(first);
    fs::remove_file(&path)?;
    let _second = UnixListener::bind(&path)?;
    let seen = hullwatch_tests::eventually("the new socket is known", hullwatch_tests::PATIENCE, || {
        let pid = stage.world.act(&["connect", &path.to_string_lossy()]).ok()?;
        watch
            .lines(mark)
            .into_iter()
            .find(|line| line.is_observation("connect") && line.is_by(pid))
    });
    // The connection that found it may be reported after the question was asked once more: any will do.
    let ino = path.metadata()?.ino();
    seen.map(drop).or_else(|_| {
        watch
            .observation(mark, "connect", |line| line.number("/socket/ino") == Some(ino))
            .map(drop)
    })
}

/// Another socket takes the engine's place, as a proxy would; the engine still listens where its own went.
fn a_socket_that_is_renamed(stage: &mut Stage) -> Result<()> {
    let (socket, directory) = (stage.world.dockerd.socket(), stage.world.dockerd.directory());
    let hidden = directory.join("hidden.sock");
    let mount = format!("{}:/elsewhere", directory.display());
    let mut shell = stage.world.container(&["--volume", &mount])?;
    let mark = stage.watch()?.mark();
    fs::rename(&socket, &hidden)?;
    let outcome = use_renamed(stage, &mut shell, mark);
    fs::rename(&hidden, &socket)?;
    outcome
}

fn use_renamed(stage: &mut Stage, shell: &mut Shell, mark: Mark) -> Result<()> {
    let socket = stage.world.dockerd.socket();
    let _listener = UnixListener::bind(&socket)?;
    // When this is told, the engine's own socket is known to be elsewhere.
    let pid = stage.world.act(&["connect", &socket.to_string_lossy()])?;
    stage
        .watch()?
        .observation(mark, "connect", |line| line.is_by(pid))?;
    shell.must("/bin/actor connect /elsewhere/hidden.sock")?;
    let said = stage.watch()?.violation(mark, FROM_CONTAINER, |line| {
        line.is_in(&shell.id) && line.text("/process/exe") == "/bin/actor"
    })?;
    ensure!(said.text("/class") == "exercised", "{said}");
    Ok(())
}
