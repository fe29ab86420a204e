//! Compilers that can build the probes: a nightly of rustup, or Debian's with its library sources.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process;

/// The linker of BPF objects.
pub(super) const LINKER: &str = "bpf-linker";

/// What Debian calls compiler, library sources, and the LLVM that the linker is built upon.
pub(super) const PACKAGES: &[&str] = &[
    "rustc-web",
    "rust-web-src",
    "llvm-22-dev",
    "libpolly-22-dev",
    "clang-22",
];

const LLVM: &str = "/usr/lib/llvm-22";
const LINKER_ARGS: &[&str] = &[
    "install",
    "--locked",
    "bpf-linker",
    "--version",
    "0.13.0",
    "--no-default-features",
    "--features",
    "llvm-22",
];

/// What to do where there is no toolchain.
pub(super) const HOW_TO_INSTALL: &str = "\
no toolchain for the probes: `apt-get install rustc-web rust-web-src llvm-22-dev libpolly-22-dev clang-22` \
(or `rustup toolchain install nightly --component rust-src`), then \
`LLVM_SYS_221_PREFIX=/usr/lib/llvm-22 PATH=/usr/lib/llvm-22/bin:$PATH \
cargo install --locked bpf-linker --version 0.13.0 --no-default-features --features llvm-22`";

/// Everything that builds the probes.
#[derive(Debug)]
pub(super) struct Toolchain {
    pub(super) cargo: PathBuf,
    pub(super) rustc: PathBuf,
    /// Sources of the standard library.
    pub(super) library: PathBuf,
    pub(super) linker: PathBuf,
    versions: String,
}

impl Toolchain {
    /// The toolchain with these versions if it is here, else any.
    pub(super) fn find(wanted: Option<&str>) -> Option<Self> {
        let linker = process::find(LINKER)?;
        let mut found: Vec<_> = [nightly_sysroot(), Some(PathBuf::from("/usr"))]
            .into_iter()
            .flatten()
            .filter_map(|sysroot| Self::at(&sysroot, &linker))
            .collect();
        let best = found
            .iter()
            .position(|toolchain| Some(toolchain.versions()) == wanted)
            .unwrap_or(0);
        (best < found.len()).then(|| found.swap_remove(best))
    }

    /// The compiler in a sysroot, where the library's sources are there too.
    fn at(sysroot: &Path, linker: &Path) -> Option<Self> {
        let rustc = sysroot.join("bin/rustc");
        let library = sysroot.join("lib/rustlib/src/rust");
        if !library.join("library/core/Cargo.toml").is_file() {
            return None;
        }
        let compiler = process::first_line(Command::new(&rustc).arg("-V"))?;
        let linker_version = process::first_line(Command::new(linker).arg("--version"))?;
        Some(Self {
            cargo: Some(sysroot.join("bin/cargo"))
                .filter(|cargo| cargo.is_file())
                .unwrap_or_else(|| process::cargo().get_program().into()),
            rustc,
            library,
            linker: linker.to_owned(),
            versions: format!("{compiler}, {linker_version}"),
        })
    }

    /// Versions of compiler and linker: with them the same, the object is.
    pub(super) fn versions(&self) -> &str {
        &self.versions
    }
}

/// Root of rustup's nightly; none where there is no rustup or no nightly.
fn nightly_sysroot() -> Option<PathBuf> {
    let rustup = process::find("rustup")?;
    let mut command = Command::new(rustup);
    command.args(["run", "nightly", "rustc", "--print", "sysroot"]);
    process::first_line(&mut command).map(PathBuf::from)
}

/// Builds the linker from source.
pub(super) fn install_linker() -> Command {
    let mut command = process::cargo();
    command
        .args(LINKER_ARGS)
        .env("LLVM_SYS_221_PREFIX", LLVM)
        .env("PATH", prepended(&Path::new(LLVM).join("bin")));
    command
}

/// The search path with the linker's directory first: the compiler calls it by name.
pub(super) fn path_with_linker(linker: &Path) -> OsString {
    linker
        .parent()
        .map_or_else(|| std::env::var_os("PATH").unwrap_or_default(), prepended)
}

fn prepended(directory: &Path) -> OsString {
    let mut path = directory.as_os_str().to_owned();
    if let Some(rest) = std::env::var_os("PATH") {
        path.push(":");
        path.push(rest);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_is_what_is_done() {
        assert!(HOW_TO_INSTALL.contains(&PACKAGES.join(" ")));
        assert!(HOW_TO_INSTALL.contains(&LINKER_ARGS.join(" ")));
        assert!(HOW_TO_INSTALL.contains(LLVM));
    }

    #[test]
    fn a_compiler_without_library_sources_is_no_toolchain() {
        let scratch = tempfile::tempdir().unwrap();
        assert!(Toolchain::at(scratch.path(), Path::new("bpf-linker")).is_none());
    }
}
