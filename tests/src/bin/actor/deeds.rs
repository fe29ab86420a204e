//! Deeds with sockets, programs and namespaces.

use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io::{Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space, set_no_new_privs};

const PING: &[u8] = b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n";

/// Says what it runs with: `EUID EGID PERMITTED`, the last in hexadecimal.
pub(crate) fn credentials() -> Result<()> {
    let permitted = rustix::thread::capabilities(None)?.permitted.bits();
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    writeln!(
        std::io::stdout(),
        "{} {} {permitted:x}",
        user.as_raw(),
        group.as_raw()
    )?;
    Ok(())
}

/// Connects to a socket file; with `talk` asks the engine behind it for a sign of life.
pub(crate) fn connect(path: &OsStr, talk: bool) -> Result<()> {
    let mut stream = UnixStream::connect(path).with_context(|| format!("connect {}", path.display()))?;
    if talk { ping(&mut stream) } else { Ok(()) }
}

/// Connects to an abstract name.
pub(crate) fn connect_abstract(name: &OsStr) -> Result<()> {
    let address = SocketAddr::from_abstract_name(name.as_bytes())?;
    UnixStream::connect_addr(&address).context("connect to the abstract name")?;
    Ok(())
}

/// Speaks on a connection that somebody else made and passed as standard input.
pub(crate) fn talk_on_stdin() -> Result<()> {
    let socket = rustix::io::dup(rustix::stdio::stdin())?;
    ping(&mut UnixStream::from(socket))
}

fn ping(stream: &mut UnixStream) -> Result<()> {
    stream.write_all(PING)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    ensure!(answer.starts_with(b"HTTP/1"), "the engine did not answer");
    Ok(())
}

/// Runs a file by its descriptor: `execveat(fd, "", …, AT_EMPTY_PATH)`.
pub(crate) fn exec_descriptor(file: &OsStr, args: &[OsString]) -> Result<()> {
    let opened = File::open(file).with_context(|| format!("open {}", file.display()))?;
    let argv = std::iter::once(file)
        .chain(args.iter().map(OsString::as_os_str))
        .map(|arg| CString::new(arg.as_bytes()))
        .collect::<Result<Vec<_>, _>>()?;
    let environment: [CString; 0] = [];
    nix::unistd::fexecve(&opened, &argv, &environment).context("execveat")?;
    Ok(())
}

/// Runs a program that can gain nothing by exec.
pub(crate) fn no_new_privs(program: &OsStr, args: &[OsString]) -> Result<()> {
    set_no_new_privs(true).context("set no_new_privs")?;
    become_program(Command::new(program).args(args))
}

/// Runs a program as a numeric user and group, without further groups.
pub(crate) fn as_user(uid: &OsStr, program: &OsStr, args: &[OsString]) -> Result<()> {
    let uid: u32 = number(uid)?;
    become_program(Command::new(program).args(args).uid(uid).gid(uid))
}

/// Joins the namespace of a `/proc/PID/ns/*` file and runs a program there.
pub(crate) fn enter(namespace: &OsStr, program: &OsStr, args: &[OsString]) -> Result<()> {
    let file = File::open(namespace).with_context(|| format!("open {}", namespace.display()))?;
    let kind = match namespace.as_bytes().rsplit(|byte| *byte == b'/').next() {
        Some(b"mnt") => LinkNameSpaceType::Mount,
        Some(b"net") => LinkNameSpaceType::Network,
        Some(b"uts") => LinkNameSpaceType::HostNameAndNISDomainName,
        Some(b"ipc") => LinkNameSpaceType::InterProcessCommunication,
        _ => LinkNameSpaceType::ProcessID,
    };
    move_into_link_name_space(std::os::fd::AsFd::as_fd(&file), Some(kind)).context("setns")?;
    become_program(Command::new(program).args(args))
}

fn become_program(command: &mut Command) -> Result<()> {
    Err(command.exec()).with_context(|| format!("exec {}", command.get_program().display()))
}

/// Runs a program again and again for so many seconds, and says how often: `execs N`. A run that could
/// not be started is none, one that was started is exactly one exec.
pub(crate) fn fork_exec_loop(seconds: &OsStr, program: &OsStr, args: &[OsString]) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(number(seconds)?);
    let mut execs = 0_u64;
    while Instant::now() < end {
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::null()).stdout(Stdio::null());
        if let Ok(mut child) = command.spawn() {
            execs += 1;
            child.wait()?;
        }
    }
    writeln!(std::io::stdout(), "execs {execs}")?;
    Ok(())
}

fn number<N>(text: &OsStr) -> Result<N>
where
    N: std::str::FromStr,
    N::Err: std::error::Error + Send + Sync + 'static,
{
    text.to_str()
        .context("a number is text")?
        .parse()
        .context("a number is digits")
}
