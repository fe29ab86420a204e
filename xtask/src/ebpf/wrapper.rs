//! This program in the place of the compiler, to make symbols the same in every checkout.
//!
//! Cargo hashes the absolute path of a path dependency outside the workspace (`common`, seen from
//! `ebpf`) and its own version into `-C metadata`; the compiler mixes that into every symbol's name,
//! and so into the order of functions. Each crate of the object has another name, so name and
//! version tell them apart as well.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use anyhow::Result;

use super::flags;
use crate::console;

/// Set where this program stands in for the compiler.
const MARK: &str = "HULLWATCH_XTASK_IS_RUSTC_WRAPPER";

/// Makes cargo call the compiler through this program.
pub(super) fn install(cargo: &mut Command) -> Result<()> {
    cargo
        .env("RUSTC_WRAPPER", std::env::current_exe()?)
        .env(MARK, "1")
        .env_remove("RUSTC_WORKSPACE_WRAPPER");
    Ok(())
}

/// Becomes the compiler where this program was called in its place; returns only where that fails.
pub(crate) fn run() -> Option<ExitCode> {
    std::env::var_os(MARK)?;
    let mut args = std::env::args().skip(1);
    let rustc = args.next()?;
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let error = Command::new(&rustc)
        .args(rewrite(args.collect(), &version))
        .exec();
    console::complain(&format!("cannot run {rustc}: {error}"));
    Some(ExitCode::FAILURE)
}

/// Replaces `metadata=…` for crates that end up in the object; build scripts and macros stay as they are.
fn rewrite(args: Vec<String>, version: &str) -> Vec<String> {
    let value_of = |flag: &str| {
        args.iter()
            .position(|arg| arg == flag)
            .and_then(|at| args.get(at + 1))
            .cloned()
    };
    let (Some(name), Some(target)) = (value_of("--crate-name"), value_of("--target")) else {
        return args;
    };
    if target != flags::TARGET {
        return args;
    }
    let rename = |arg: String| match arg.strip_prefix("metadata=") {
        Some(_) => format!("metadata={name}-{version}"),
        None => arg,
    };
    args.into_iter().map(rename).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(args: &str, expect: &str) {
        let args = args.split(' ').map(str::to_owned).collect();
        assert_eq!(rewrite(args, "1.2.3").join(" "), expect);
    }

    #[test]
    fn crates_of_the_object_are_told_apart_by_name_and_version() {
        check(
            "--crate-name probes -C metadata=0123 -C extra-filename=-0123 --target bpfel-unknown-none",
            "--crate-name probes -C metadata=probes-1.2.3 -C extra-filename=-0123 --target bpfel-unknown-none",
        );
    }

    #[test]
    fn crates_of_the_host_and_questions_are_left_alone() {
        for args in [
            "--crate-name build -C metadata=0123",
            "-vV",
            "- --crate-name ___ --print=cfg --target bpfel-unknown-none",
        ] {
            check(args, args);
        }
    }
}
