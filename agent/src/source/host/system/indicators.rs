//! What hints at a hardened host. None of them decides anything alone.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::lookup::{read, read_line};
use super::super::process_root::ProcessRoot;
use super::sshd;

/// Settings of the kernel, below `/proc/sys`.
const SYSCTLS: &[&str] = &[
    "fs.protected_fifos",
    "fs.protected_hardlinks",
    "fs.protected_regular",
    "fs.protected_symlinks",
    "fs.suid_dumpable",
    "kernel.dmesg_restrict",
    "kernel.kexec_load_disabled",
    "kernel.kptr_restrict",
    "kernel.modules_disabled",
    "kernel.perf_event_paranoid",
    "kernel.randomize_va_space",
    "kernel.sysrq",
    "kernel.unprivileged_bpf_disabled",
    "kernel.yama.ptrace_scope",
    "net.core.bpf_jit_harden",
];
/// Secure Boot of the firmware: four bytes of attributes, then 1 or 0.
const SECURE_BOOT: &str = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";

/// All that can be read, by name.
pub(super) fn indicators(root: &ProcessRoot) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = SYSCTLS
        .iter()
        .filter_map(|name| {
            let path = format!("/proc/sys/{}", name.replace('.', "/"));
            Some(((*name).to_owned(), read_line(Path::new(&path)).ok()?))
        })
        .collect();
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            found.insert(name.to_owned(), value);
        }
    };
    let lockdown = read_line(Path::new("/sys/kernel/security/lockdown")).ok();
    add("lockdown", lockdown.as_deref().and_then(chosen));
    add("lsm", read_line(Path::new("/sys/kernel/security/lsm")).ok());
    add(
        "secure-boot",
        read(Path::new(SECURE_BOOT), 16)
            .ok()
            .as_deref()
            .and_then(secure_boot),
    );
    add("sshd-root-login", sshd::root_login(root));
    found
}

/// The choice in brackets: `none [integrity] confidentiality`.
fn chosen(choices: &str) -> Option<String> {
    let (_, rest) = choices.split_once('[')?;
    let (chosen, _) = rest.split_once(']')?;
    Some(chosen.to_owned())
}

fn secure_boot(variable: &[u8]) -> Option<String> {
    match variable {
        [_, _, _, _, 1] => Some("on".to_owned()),
        [_, _, _, _, 0] => Some("off".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_is_in_brackets() {
        assert_eq!(
            chosen("none [integrity] confidentiality").as_deref(),
            Some("integrity")
        );
        assert_eq!(chosen("[none] integrity").as_deref(), Some("none"));
        assert_eq!(chosen("none"), None);
        assert_eq!(chosen("none [x"), None);
    }

    #[test]
    fn secure_boot_is_the_last_of_five_bytes() {
        assert_eq!(secure_boot(&[6, 0, 0, 0, 1]).as_deref(), Some("on"));
        assert_eq!(secure_boot(&[6, 0, 0, 0, 0]).as_deref(), Some("off"));
        assert_eq!(secure_boot(&[6, 0, 0, 0, 2]), None);
        assert_eq!(secure_boot(&[1]), None);
    }

    #[test]
    fn the_kernels_settings_are_read() {
        let found = indicators(&ProcessRoot::own().unwrap());
        let shown = std::fs::read_to_string("/proc/sys/kernel/randomize_va_space").unwrap();
        assert_eq!(
            found.get("kernel.randomize_va_space").map(String::as_str),
            Some(shown.trim())
        );
        assert!(found.values().all(|value| !value.contains('\n')));
    }
}
