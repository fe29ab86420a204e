//! What keeps the audit from being read: told apart, each with its remedy.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use hullwatch_tests::Skip;

use crate::case::cases;
use crate::stage;

cases! {
    alone:
        what_keeps_rules_and_records_from_being_read_is_told_apart;
}

/// Exit code where the host does not let it be looked at.
const HOST: i32 = 3;

/// How `hullwatch audit` is run, what it says, and the remedy in it.
const REFUSALS: &[(&[&str], &[&str], &str, &str)] = &[
    (
        &["setpriv", "--bounding-set", "-audit_control"],
        &[],
        "CAP_AUDIT_CONTROL",
        "grant that capability",
    ),
    (
        &["setpriv", "--bounding-set", "-audit_read"],
        &["--prove"],
        "CAP_AUDIT_READ",
        "grant that capability",
    ),
    (
        &["setpriv", "--reuid", "65534", "--clear-groups"],
        &[],
        "CAP_AUDIT_CONTROL",
        "run hullwatch as root",
    ),
    (
        &["unshare", "--pid", "--fork", "--mount-proc"],
        &[],
        "host's pid namespace",
        "--pid=host",
    ),
    (
        &["unshare", "--user", "--map-root-user"],
        &[],
        "host's user namespace",
        "--userns=host",
    ),
    (
        &["unshare", "--net"],
        &["--prove"],
        "host's network namespace",
        "--network=host",
    ),
];

/// Runs `hullwatch audit` so: exit code, stdout, stderr.
fn run(wrapper: &[&str], args: &[&str]) -> Result<(Option<i32>, String, String)> {
    let program = &stage::programs().hullwatch;
    if !program.is_file() {
        return Err(Skip::because(format!("{} is not built", program.display())).into());
    }
    let (first, rest) = wrapper.split_first().context("no wrapper")?;
    let mut command = Command::new(first);
    let output = command.args(rest).arg(program).arg("audit").args(args).output();
    let output = output.with_context(|| format!("start {first}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((output.status.code(), text(&output.stdout), text(&output.stderr)))
}

fn what_keeps_rules_and_records_from_being_read_is_told_apart() -> Result<()> {
    let (code, _, said) = run(&["env"], &["--json"])?;
    if code == Some(HOST) {
        return Err(Skip::because(format!("the audit cannot be read here: {}", said.trim())).into());
    }
    for (wrapper, args, what, remedy) in REFUSALS {
        let (code, out, said) = run(wrapper, args)?;
        ensure!(
            code == Some(HOST) && out.is_empty() && said.lines().count() == 1,
            "{wrapper:?}: {code:?}\n{out}\n{said}"
        );
        ensure!(
            said.contains(what) && said.contains(remedy),
            "{wrapper:?} wants {what} and {remedy}: {said}"
        );
        let others = REFUSALS.iter().map(|(_, _, other, _)| other);
        for other in others.filter(|other| *other != what) {
            ensure!(!said.contains(other), "{wrapper:?} speaks of {other}: {said}");
        }
    }
    // The rules can be read in another network and with another view of mounts; only records need the host's network.
    for wrapper in [["unshare", "--net"], ["unshare", "--mount"]] {
        let (code, out, said) = run(&wrapper, &["--json"])?;
        ensure!(
            matches!(code, Some(0 | 1)) && out.starts_with('{'),
            "{wrapper:?}: {code:?} {said}"
        );
    }
    Ok(())
}
