//! Hosts that do not allow it: one line that says why and what to do, and exit code 3.

use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};

use crate::case::cases;
use crate::stage::Stage;

cases! {
    staged:
        a_kernel_without_btf;
}

/// The product on a host whose kernel has no type information: that is hidden in a mount namespace of the test's own. Further
/// namespaces are those that `unshare` knows by these options.
pub(crate) fn without_btf(stage: &Stage, further: &[&str]) -> Command {
    let hide = "mount -t tmpfs none /sys/kernel/btf && exec \"$0\" \"$@\"";
    let mut command = Command::new("unshare");
    command.env_remove("DOCKER_HOST").env_remove("RUST_LOG");
    command.arg("--mount").args(further).args(["sh", "-c", hide]);
    command.arg(stage.world.hullwatch_path());
    command
}

/// One line on standard error that says all of this, and the exit code of a host that does not allow it.
#[track_caller]
pub(crate) fn is_refused(output: &Output, said: &[&str]) -> Result<()> {
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(3), "exit code: {output:?}");
    ensure!(words.lines().count() == 1, "not one line: {words}");
    for part in said {
        ensure!(words.contains(part), "does not say `{part}`: {words}");
    }
    Ok(())
}

/// In another network namespace no audit records stand in.
fn a_kernel_without_btf(stage: &mut Stage) -> Result<()> {
    let said = ["CONFIG_DEBUG_INFO_BTF", "host's network namespace"];
    let refused = |command: &str| -> Result<Output> {
        let output = without_btf(stage, &["--net"]).arg(command).output();
        let output = output.context("start unshare")?;
        is_refused(&output, &said).context(command.to_owned())?;
        Ok(output)
    };
    let watch = refused("watch")?;
    ensure!(watch.stdout.is_empty(), "something on standard output: {watch:?}");
    let report = refused("doctor")?;
    let report = String::from_utf8_lossy(&report.stdout);
    ensure!(report.contains("BTF absent"), "{report}");
    ensure!(report.contains("exec      failed"), "{report}");
    Ok(())
}
