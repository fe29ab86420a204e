//! The rules that are missing, as `auditctl` reads them.

use super::required::Required;
use crate::model::ObjectKind;

/// Key of the rules that are proposed: the one that the benchmark's examples use.
pub(crate) const KEY: &str = "docker";

/// What makes records kept.
pub(super) const START_DAEMON: &str = "Install and start the audit daemon: systemctl enable --now auditd";

/// A path in a rule file; none for one that no rule file can hold.
pub(crate) fn quoted(path: &str) -> Option<String> {
    // `auditctl` splits at blanks, and takes one after a backslash for part of the word.
    let writable = path.starts_with('/') && !path.chars().any(char::is_control);
    writable.then(|| path.replace('\\', "\\\\").replace(' ', "\\ "))
}

/// The rules that have every change to an object recorded, for calls of both architectures; none where its path cannot
/// be written.
pub(crate) fn rule_lines(required: &Required<'_>, prepend: bool) -> Vec<String> {
    let option = if prepend { "-A" } else { "-a" };
    let state = required.state;
    let what = match state.kind {
        ObjectKind::Directory => "dir",
        ObjectKind::File | ObjectKind::Socket | ObjectKind::Other => "path",
    };
    let perm = if required.is_executable() { "rwxa" } else { "rwa" };
    let Some(path) = quoted(&state.resolved) else {
        return Vec::new();
    };
    ["b64", "b32"]
        .iter()
        .map(|arch| {
            format!("{option} always,exit -F arch={arch} -F {what}={path} -F perm={perm} -F key={KEY}")
        })
        .collect()
}
