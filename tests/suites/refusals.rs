//! Hosts that do not allow it: one line that says why and what to do, and exit code 3.

use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};

use crate::case::cases;
use crate::stage::Stage;

cases! {
    staged:
        a_kernel_without_btf;
}

/// Runs `watch` and `doctor` in a changed world; both must say the same in one line.
#[track_caller]
fn check(stage: &Stage, (program, arguments): (&str, &[&str]), said: &str) -> Result<()> {
    for command in ["watch", "doctor"] {
        let product = stage.world.hullwatch_path();
        let output = Command::new(program)
            .args(arguments)
            .arg(product)
            .arg(command)
            .output();
        let output = output.with_context(|| program.to_owned())?;
        is_refusal(&output, said).with_context(|| format!("{command}: {output:?}"))?;
    }
    Ok(())
}

fn is_refusal(output: &Output, said: &str) -> Result<()> {
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(3), "exit code");
    ensure!(output.stdout.is_empty(), "something on standard output");
    ensure!(words.lines().count() == 1, "not one line");
    ensure!(words.contains(said), "does not say `{said}`");
    Ok(())
}

/// The kernel's type information is hidden in a mount namespace of the test's own.
fn a_kernel_without_btf(stage: &mut Stage) -> Result<()> {
    let hide = "mount -t tmpfs none /sys/kernel/btf && exec \"$0\" \"$@\"";
    check(
        stage,
        ("unshare", &["--mount", "sh", "-c", hide]),
        "CONFIG_DEBUG_INFO_BTF",
    )
}
