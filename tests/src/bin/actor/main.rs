//! What a program in a test does: one deed per subcommand, nothing else. It runs on the host and inside
//! containers, and its exit code says whether the deed was done.

mod deeds;
mod mounts;

use std::ffi::OsString;

use anyhow::{Context, Result, bail};

fn main() -> Result<()> {
    let mut args = std::env::args_os().skip(1);
    let deed = args.next().context("a deed is needed")?;
    let rest: Vec<OsString> = args.collect();
    let deed = deed.to_str().context("a deed's name is text")?;
    match (deed, rest.as_slice()) {
        ("nothing", _) => Ok(()),
        ("credentials", []) => deeds::credentials(),
        ("connect", [path]) => deeds::connect(path, false),
        ("talk", [path]) => deeds::connect(path, true),
        ("connect-abstract", [name]) => deeds::connect_abstract(name),
        ("talk-stdin", []) => deeds::talk_on_stdin(),
        ("exec-fd", [file, args @ ..]) => deeds::exec_descriptor(file, args),
        ("no-new-privs", [program, args @ ..]) => deeds::no_new_privs(program, args),
        ("as", [uid, program, args @ ..]) => deeds::as_user(uid, program, args),
        ("setns", [namespace, program, args @ ..]) => deeds::enter(namespace, program, args),
        ("fork-exec-loop", [seconds, program, args @ ..]) => deeds::fork_exec_loop(seconds, program, args),
        ("mount", [fstype, target]) => mounts::mount(fstype, target),
        ("mount-new", [fstype, target]) => mounts::mount_new(fstype, target),
        ("bind", [source, target]) => mounts::bind(source, target),
        ("bind-new", [source, target]) => mounts::bind_new(source, target),
        ("make-shared", [target]) => mounts::make_shared(target),
        ("writable", [target]) => mounts::make_writable(target),
        ("umount", [target]) => mounts::umount(target),
        _ => bail!("no deed `{deed}` with {} arguments", rest.len()),
    }
}
