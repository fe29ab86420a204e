//! One run of cargo over the probes.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::toolchain::{self, Toolchain};
use super::{flags, wrapper};
use crate::process;

/// Whether the lock file of the probes may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lock {
    Keep,
    /// Where a dependency was added; versions that are locked stay.
    Update,
}

/// Builds the probes into a target directory and returns the object's path.
pub(super) fn build(root: &Path, toolchain: &Toolchain, target: &Path, lock: Lock) -> Result<PathBuf> {
    let home = process::cargo_home().context("neither CARGO_HOME nor HOME is set")?;
    let library = toolchain.library.canonicalize()?;
    // The last that matches wins.
    let renamed = [
        (home.as_path(), "/cargo"),
        (toolchain.library.as_path(), "/rust"),
        (library.as_path(), "/rust"),
        (root, "/hullwatch"),
    ];
    let mut command = Command::new(&toolchain.cargo);
    command
        .args(flags::CARGO)
        .args(["--target", flags::TARGET, "--bin", flags::BINARY, "--target-dir"])
        .arg(target)
        .args((lock == Lock::Keep).then_some("--locked"))
        .current_dir(root.join("ebpf"))
        .env("RUSTC", &toolchain.rustc)
        // Building the library along needs -Z, which a release compiler otherwise refuses.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_ENCODED_RUSTFLAGS", flags::rustc(&renamed).join("\x1f"))
        .env("PATH", toolchain::path_with_linker(&toolchain.linker))
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("RUSTUP_TOOLCHAIN");
    wrapper::install(&mut command)?;
    process::run(&mut command)?;
    Ok(target.join(flags::TARGET).join("release").join(flags::BINARY))
}
