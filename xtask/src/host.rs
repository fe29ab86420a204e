//! What the machine is, and how it gets what a task needs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::{console, process};

/// Whether this is a machine of continuous integration: nobody watches, everything may be installed.
pub(crate) fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true" || value == "1")
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Debian or a descendant of it, with its package manager.
pub(crate) fn is_debian() -> bool {
    Path::new("/etc/debian_version").exists() && process::find("apt-get").is_some()
}

/// Installs Debian packages without starting the services they bring.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    console::say(&format!("installing {}", packages.join(" ")));
    let _no_services = NoServices::forbid()?;
    process::run(apt_get().args(["update", "-q"]))?;
    process::run(
        apt_get()
            .args(["install", "-q", "-y", "--no-install-recommends"])
            .args(packages),
    )
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null());
    command
}

/// Debian asks this program whether a package may start its service.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// While it lives, packages start no services. A policy that was there before is left alone.
struct NoServices {
    ours: bool,
}

impl NoServices {
    fn forbid() -> Result<Self> {
        let ours = !Path::new(POLICY).exists();
        if ours {
            fs::write(POLICY, "#!/bin/sh\nexit 101\n").with_context(|| format!("cannot write {POLICY}"))?;
            fs::set_permissions(POLICY, fs::Permissions::from_mode(0o755))?;
        }
        Ok(Self { ours })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.ours
            && let Err(error) = fs::remove_file(POLICY)
        {
            console::complain(&format!(
                "cannot remove {POLICY}: {error}; services cannot be started while it is there"
            ));
        }
    }
}
