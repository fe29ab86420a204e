//! Files of the system that decide who may do what: accounts, audit rules, environments of logins.

use super::found::Found;
use super::root::is_absent;
use crate::model::{Fact, ObjectKind, Role};

const ACCOUNTS: [&str; 5] = [
    "/etc/group",
    "/etc/gshadow",
    "/etc/passwd",
    "/etc/subuid",
    "/etc/subgid",
];
const LOGIN: [&str; 4] = [
    "/etc/environment",
    "/etc/profile",
    "/etc/security/pam_env.conf",
    "/etc/systemd/system.conf",
];
/// Directories of files that logins and services get their environment from.
const LOGIN_DIRECTORIES: [&str; 2] = ["/etc/profile.d", "/etc/systemd/system.conf.d"];
/// Levels below the directory of the audit rules that are looked at.
const AUDIT_DEPTH: usize = 3;

/// Lists them.
pub(super) fn find(found: &mut Found<'_>) {
    for path in ACCOUNTS {
        found.add(Role::Accounts, path);
    }
    for path in LOGIN {
        found.add(Role::LoginEnvironment, path);
    }
    for directory in LOGIN_DIRECTORIES {
        files(found, Role::LoginEnvironment, directory, 1);
    }
    files(found, Role::AuditRules, "/etc/audit", AUDIT_DEPTH);
    found.add(Role::AuditRules, "/etc/audit/audit.rules");
}

/// A directory's files, so many levels deep.
fn files(found: &mut Found<'_>, role: Role, directory: &str, depth: usize) {
    let names = match found.looker.root.list(directory) {
        Ok(names) => names,
        Err(error) if is_absent(&error) => return,
        Err(error) => {
            let why = format!("{directory} could not be read: {error}");
            return found.add_unknown(role, directory, why);
        }
    };
    for name in names {
        let path = format!("{directory}/{name}");
        match found.looker.state(&path) {
            Fact::Known(Some(there)) if there.kind == ObjectKind::Directory => {
                if depth > 1 {
                    files(found, role, &path, depth - 1);
                }
            }
            _ => found.add(role, &path),
        }
    }
}
