//! Why a test cannot run on this machine. A skipped test is named and counted, never silent.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The machine lacks something that a test needs.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{reason}")]
pub struct Skip {
    /// What is lacking.
    pub reason: String,
}

impl Skip {
    /// A reason.
    #[must_use]
    pub fn because(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
        }
    }
}

/// Programs without which there is no world.
const TOOLS: [&str; 7] = ["dockerd", "docker", "containerd", "runc", "tar", "setcap", "ldd"];

/// A statically linked busybox: the userland of every image.
pub(crate) const BUSYBOX: &str = "/bin/busybox";

/// Whether a world can be made here.
pub(crate) fn requirements(hullwatch: &Path) -> Result<(), Skip> {
    if !rustix::process::geteuid().is_root() {
        return Err(Skip::because("needs root"));
    }
    if !hullwatch.is_file() {
        let path = hullwatch.display();
        return Err(Skip::because(format!(
            "{path} is not built (or set HULLWATCH_BIN)"
        )));
    }
    if !Path::new(BUSYBOX).is_file() {
        return Err(Skip::because(format!(
            "needs {BUSYBOX} (apt-get install busybox-static)"
        )));
    }
    match TOOLS.iter().find(|tool| !is_installed(tool)) {
        Some(tool) => Err(Skip::because(format!(
            "needs {tool} (apt-get install docker.io libcap2-bin)"
        ))),
        None => Ok(()),
    }
}

/// Whether programs are here that some tests need.
pub(crate) fn tools(all: &[&str]) -> Result<(), Skip> {
    match all.iter().find(|tool| !is_installed(tool)) {
        Some(tool) => Err(Skip::because(format!("needs {tool}"))),
        None => Ok(()),
    }
}

/// Whether the shell finds a program.
pub(crate) fn is_installed(tool: &str) -> bool {
    program(tool).is_some()
}

/// Where the shell finds a program.
pub(crate) fn program(tool: &str) -> Option<PathBuf> {
    let found = Command::new("sh")
        .args(["-c", "command -v \"$0\"", tool])
        .output()
        .ok()
        .filter(|found| found.status.success())?;
    Some(PathBuf::from(String::from_utf8(found.stdout).ok()?.trim_end()))
}
