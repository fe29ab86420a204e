//! Labels of the security modules (`/proc/PID/attr`).

use std::io;

use procfs::process::Process;

use super::{facts, proc};
use crate::model::AppArmor;

/// AppArmor confinement of a process; `None` where the host has no AppArmor.
///
/// # Errors
/// Whether the host has it, or the process's own confinement, cannot be read.
pub(super) fn apparmor(process: &Process) -> io::Result<Option<AppArmor>> {
    let enabled = facts::apparmor_enabled()
        .ok_or_else(|| io::Error::other("whether AppArmor is enabled cannot be read"))?;
    if !enabled {
        return Ok(None);
    }
    // A directory of AppArmor's own since Linux 5.8; before, and where it is the only module, both.
    let text = match proc::read_text(process, "attr/apparmor/current") {
        Err(error) if error.kind() == io::ErrorKind::NotFound => proc::read_text(process, "attr/current")?,
        other => other?,
    };
    Ok(Some(parse_apparmor(&text)))
}

/// SELinux label of a process; `None` where the host has no SELinux.
///
/// # Errors
/// The label cannot be read.
pub(super) fn selinux(process: &Process) -> io::Result<Option<String>> {
    if !facts::selinux_active() {
        return Ok(None);
    }
    let text = proc::read_text(process, "attr/current")?;
    Ok(Some(text.trim_end_matches(['\0', '\n']).to_owned()))
}

/// `unconfined` or `PROFILE (MODE)`; a profile may have blanks and parentheses of its own.
fn parse_apparmor(text: &str) -> AppArmor {
    let text = text.trim_end_matches(['\0', '\n']);
    let (profile, mode) = text
        .strip_suffix(')')
        .and_then(|text| text.rsplit_once(" ("))
        .unwrap_or((text, ""));
    AppArmor {
        profile: profile.to_owned(),
        mode: mode.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, profile: &str, mode: &str) {
        let parsed = parse_apparmor(text);
        assert_eq!(
            (parsed.profile.as_str(), parsed.mode.as_str()),
            (profile, mode),
            "{text}"
        );
    }

    #[test]
    fn confinement_is_profile_and_mode() {
        check("unconfined\n", "unconfined", "");
        check("docker-default (enforce)\n", "docker-default", "enforce");
        check("a (b) c (complain)\0", "a (b) c", "complain");
        check("odd)", "odd)", "");
        check("", "", "");
    }
}
