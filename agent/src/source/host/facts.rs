//! Facts of the host itself.

use std::io;
use std::path::Path;

use super::lookup::read_line;
use super::proc;
use crate::model::{HostFacts, HostRef};

/// Facts of this host. Those that only an engine can tell are left `None`.
#[must_use]
pub fn facts() -> HostFacts {
    HostFacts {
        host: HostRef {
            name: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            id: read_line(Path::new("/etc/machine-id")).unwrap_or_default(),
            boot_id: read_line(Path::new("/proc/sys/kernel/random/boot_id")).unwrap_or_default(),
        },
        namespaces: proc::host_namespaces(),
        apparmor: apparmor_enabled(),
        selinux_enforcing: switch(Path::new("/sys/fs/selinux/enforce")),
        ..HostFacts::default()
    }
}

/// Whether AppArmor is enabled in the kernel; `None` where it could not be read.
pub(super) fn apparmor_enabled() -> Option<bool> {
    switch(Path::new("/sys/module/apparmor/parameters/enabled"))
}

/// Whether SELinux is active, enforcing or not; its filesystem is mounted where it is.
pub(super) fn selinux_active() -> bool {
    Path::new("/sys/fs/selinux/enforce").exists()
}

/// A switch of the kernel: on, off or absent, `None` where it cannot be read or is neither.
fn switch(path: &Path) -> Option<bool> {
    match read_line(path) {
        Ok(text) => match text.as_str() {
            "Y" | "1" => Some(true),
            "N" | "0" => Some(false),
            _ => None,
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some(false),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(content: Option<&str>, expect: Option<bool>) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("enabled");
        if let Some(content) = content {
            std::fs::write(&file, content).unwrap();
        }
        assert_eq!(switch(&file), expect, "{content:?}");
    }

    #[test]
    fn switches_are_on_off_absent_or_unknown() {
        check(Some("Y\n"), Some(true));
        check(Some("1"), Some(true));
        check(Some("N\n"), Some(false));
        check(Some("0"), Some(false));
        check(None, Some(false));
        check(Some("maybe"), None);
        check(Some(&"1".repeat(5000)), None);
    }

    #[test]
    fn a_switch_that_cannot_be_read_is_unknown() {
        assert_eq!(switch(Path::new("/")), None);
    }

    #[test]
    fn this_host_has_a_name_and_namespaces() {
        let facts = facts();
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        assert_eq!(facts.host.name, name.trim());
        assert_eq!(facts.host.boot_id.len(), 36);
        assert_eq!(facts.security_options, None);
        if rustix::process::geteuid().is_root() {
            assert!(facts.namespaces.is_some_and(|namespaces| namespaces.net != 0));
        } else {
            println!("skipped: only root can look at the namespaces of process 1");
        }
    }
}
