//! The policy file on the command line: read, and its users resolved on this host.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::Fault;
use crate::check;
use crate::config::{PolicyErrors, PolicyFile, TrustedUser};
use crate::model::Policy;
use crate::source::host;

/// Longest file that is read.
const LONGEST: u64 = 1 << 20;

/// Reads a policy.
///
/// # Errors
/// The file cannot be read, or all that is wrong with it.
pub(super) fn load(path: &Path) -> Result<Policy, Fault> {
    let wrong =
        |what: &dyn std::fmt::Display| Fault::usage_text(format!("--policy {}: {what}", path.display()));
    let mut text = String::new();
    let file = File::open(path).map_err(|error| wrong(&error))?;
    let read = file.take(LONGEST + 1).read_to_string(&mut text);
    if u64::try_from(read.map_err(|error| wrong(&error))?).is_ok_and(|read| read > LONGEST) {
        return Err(wrong(&format_args!("it is longer than {LONGEST} bytes")));
    }
    let file = PolicyFile::parse(&text).map_err(|errors| wrong(&errors))?;
    resolve(file, host::uid_of).map_err(|errors| wrong(&errors))
}

/// Finds users and checks by their names.
fn resolve(file: PolicyFile, uid_of: fn(&str) -> Option<u32>) -> Result<Policy, PolicyErrors> {
    let mut policy = file.policy;
    let mut errors = Vec::new();
    for TrustedUser { name, line } in file.trusted_users {
        match uid_of(&name) {
            Some(uid) => policy.trusted_uids.push(uid),
            None => errors.push((line, format!("there is no account `{name}`"))),
        }
    }
    for (key, line) in file.attestation_lines {
        if !check::ALL.iter().any(|check| check.key == key) {
            let hint = super::checks::closest::hint(&key);
            errors.push((line, format!("there is no check `{key}`; {hint}")));
        }
    }
    if errors.is_empty() {
        return Ok(policy);
    }
    errors.sort();
    Err(PolicyErrors(errors))
}

/// What flags say, added to what the file says.
pub(super) fn add(policy: &mut Policy, flags: Policy) {
    policy.trusted_uids.extend(flags.trusted_uids);
    policy.allowed_caps = policy.allowed_caps.or(flags.allowed_caps);
    policy.allowed_devices.extend(flags.allowed_devices);
    policy.allowed_setuid.extend(flags.allowed_setuid);
    policy.allowed_mounts.extend(flags.allowed_mounts);
}

/// A user by name or number.
///
/// # Errors
/// There is none.
pub(super) fn uid(option: &str, user: &str) -> Result<u32, Fault> {
    host::uid_of(user).ok_or_else(|| Fault::usage_text(format!("{option}: there is no account `{user}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str) -> Result<Policy, String> {
        let file = PolicyFile::parse(text).unwrap();
        resolve(file, |name| (name == "ann").then_some(7)).map_err(|errors| errors.to_string())
    }

    #[test]
    fn users_and_checks_are_looked_up_and_all_misses_told() {
        let policy = resolved("trusted_users = [\"ann\"]").unwrap();
        assert_eq!(policy.trusted_uids, [7]);
        let text = "trusted_users = [\"bob\"]\n[attestations.no-such-check]\nstatement = \"x\"\nby = \"y\"\n\
                    date = 2026-01-01\nexpires = 2027-01-01";
        let errors = resolved(text).unwrap_err();
        let start =
            "line 1: there is no account `bob`; line 2: there is no check `no-such-check`; closest are ";
        assert!(errors.starts_with(start), "{errors}");
    }

    #[test]
    fn flags_add_to_the_file() {
        let mut policy = resolved("trusted_users = [\"ann\"]\nallowed_mounts = [\"/a\"]").unwrap();
        let flags = Policy {
            trusted_uids: vec![8],
            allowed_mounts: vec!["/b".into()],
            ..Policy::default()
        };
        add(&mut policy, flags);
        assert_eq!(policy.trusted_uids, [7, 8]);
        assert_eq!(policy.allowed_mounts, ["/a", "/b"]);
    }

    #[test]
    fn a_file_that_is_not_there_is_a_usage_fault() {
        let fault = format!("{:?}", load(Path::new("/nonexistent/policy.toml")).unwrap_err());
        assert!(
            fault.contains("--policy /nonexistent/policy.toml") && fault.contains("code: 2"),
            "{fault}"
        );
    }
}
