//! Whether the loaded rules have a system call recorded, whoever makes it.
//!
//! In doubt it is sometimes: here nothing is decided but what a missing probe's place is worth.

use netlink_packet_audit::constants::{
    AUDIT_ALWAYS, AUDIT_ARCH, AUDIT_DIR, AUDIT_EQUAL, AUDIT_FILTER_EXIT, AUDIT_FILTER_TASK,
    AUDIT_FILTER_TYPE, AUDIT_FILTERKEY, AUDIT_INODE, AUDIT_NEVER, AUDIT_PERM, AUDIT_SUCCESS, AUDIT_WATCH,
};

use super::calls::{NATIVE, call_number, marked};
use crate::model::{AuditField, AuditRule};

/// How often a call is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Recorded {
    /// Never.
    Never,
    /// Only for some processes, or some rule may keep it from being recorded.
    Sometimes,
    /// Always, where it succeeds.
    Always,
}

/// How often a call of this host's own architecture is recorded, by rules in the kernel's order. Rules for files and
/// directories do not count.
#[must_use]
pub fn recorded(rules: &[AuditRule], call: &str) -> Recorded {
    let Some(number) = call_number(NATIVE, call) else {
        return Recorded::Never;
    };
    let has_no_context = |rule: &AuditRule| rule.list == AUDIT_FILTER_TASK && rule.action == AUDIT_NEVER;
    if rules
        .iter()
        .any(|rule| has_no_context(rule) && rule.fields.is_empty())
    {
        return Recorded::Never;
    }
    let hinders = |rule: &AuditRule| has_no_context(rule) || rule.list == AUDIT_FILTER_TYPE;
    match by_exit(rules, number) {
        Recorded::Always if rules.iter().any(hinders) => Recorded::Sometimes,
        other => other,
    }
}

/// The first rule that fits decides.
fn by_exit(rules: &[AuditRule], number: u32) -> Recorded {
    let is_about = |rule: &&AuditRule| {
        rule.list == AUDIT_FILTER_EXIT
            && marked(&rule.mask).any(|call| call == number)
            && !rule.fields.iter().any(is_of_other_arch)
    };
    let (mut some_always, mut some_never) = (false, false);
    for rule in rules.iter().filter(is_about) {
        let of_everybody = rule.fields.iter().all(narrows_nothing);
        match (rule.action == AUDIT_ALWAYS, of_everybody) {
            (true, true) if !some_never => return Recorded::Always,
            (true, true) => return Recorded::Sometimes,
            (false, true) => break,
            (true, false) => some_always |= !rule.fields.iter().any(is_of_files),
            (false, false) => some_never = true,
        }
    }
    if some_always {
        Recorded::Sometimes
    } else {
        Recorded::Never
    }
}

const fn is_of_other_arch(field: &AuditField) -> bool {
    field.field == AUDIT_ARCH && field.op == AUDIT_EQUAL && field.value != NATIVE
}

fn narrows_nothing(field: &AuditField) -> bool {
    let is = |value| field.op == AUDIT_EQUAL && field.value == value;
    match field.field {
        AUDIT_ARCH => is(NATIVE),
        AUDIT_SUCCESS => is(1),
        AUDIT_FILTERKEY => true,
        _ => false,
    }
}

const fn is_of_files(field: &AuditField) -> bool {
    matches!(field.field, AUDIT_WATCH | AUDIT_DIR | AUDIT_INODE | AUDIT_PERM)
}

#[cfg(test)]
mod tests {
    use super::super::parse_rule;
    use super::*;

    #[track_caller]
    fn check(rules: &[&str], call: &str, expect: Recorded) {
        let rules: Vec<_> = rules.iter().map(|rule| parse_rule(rule).unwrap()).collect();
        assert_eq!(recorded(&rules, call), expect, "{rules:?}");
    }

    const EXECS: &str = "-a always,exit -F arch=b64 -S execve,execveat -k x";

    #[test]
    fn a_rule_for_everybody_records_its_calls_alone() {
        check(&[EXECS], "execve", Recorded::Always);
        check(&[EXECS], "execveat", Recorded::Always);
        check(&[EXECS], "connect", Recorded::Never);
        check(&[EXECS], "no-such-call", Recorded::Never);
        check(&[], "execve", Recorded::Never);
        check(
            &["-a always,exit -F arch=b64 -S connect -F success=1"],
            "connect",
            Recorded::Always,
        );
        check(&["-a always,exit -S all"], "mount", Recorded::Always);
    }

    #[test]
    fn other_architectures_and_files_do_not_count() {
        check(
            &["-a always,exit -F arch=b32 -S execve"],
            "execve",
            Recorded::Never,
        );
        check(&["-w /etc/docker -p wa -k docker"], "execve", Recorded::Never);
    }

    #[test]
    fn what_narrows_or_hinders_makes_it_sometimes() {
        let narrow = "-a always,exit -F arch=b64 -S execve -F auid>=1000";
        check(&[narrow], "execve", Recorded::Sometimes);
        check(&[narrow, EXECS], "execve", Recorded::Always);
        check(
            &["-a never,exit -S execve -F uid=0", EXECS],
            "execve",
            Recorded::Sometimes,
        );
        check(
            &["-a always,exclude -F msgtype=PATH", EXECS],
            "execve",
            Recorded::Sometimes,
        );
        check(&[EXECS, "-a never,exit -S execve"], "execve", Recorded::Always);
    }

    #[test]
    fn what_comes_before_may_leave_nothing() {
        check(&["-a never,exit -S execve", EXECS], "execve", Recorded::Never);
        check(
            &["-a never,exit -S execve -F uid=5", "-a never,exit -S all", EXECS],
            "execve",
            Recorded::Never,
        );
        check(&["-a never,task", EXECS], "execve", Recorded::Never);
    }
}
