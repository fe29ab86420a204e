//! State and rules at one moment.

use std::fs;
use std::path::{Path, PathBuf};

use netlink_packet_audit::constants::{AUDIT_GET, AUDIT_LIST_RULES};
use netlink_packet_audit::{AuditMessage, StatusMessage, StatusMessageBuffer};
use netlink_packet_core::Parseable as _;

use super::AuditError;
use super::batch::{Batch, MANY};
use super::link::{Enough, Link};
use super::rule::{Targets, decode_rule};
use crate::model::{AuditRule, AuditStatus};

/// Rules that are read at most.
const MAX_RULES: usize = 16_384;

/// The kernel's audit at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditLook {
    /// State.
    pub status: AuditStatus,
    /// Rules, in the kernel's order: by list, each list in the order in which it is searched.
    pub rules: Vec<AuditRule>,
}

/// Looks at state and rules, and at what the rules' paths stand for on the host. Blocks for some milliseconds, two
/// seconds at most for each question.
///
/// # Errors
/// [`AuditError`].
pub fn look() -> Result<AuditLook, AuditError> {
    let mut link = Link::open()?;
    let status = status(&mut link)?;
    let mut rules = rules(&mut link)?;
    let mut targets = Targets::below(&host_root()).map_err(|source| AuditError::Socket {
        doing: "resolve the paths of the rules from",
        source,
    })?;
    for rule in &mut rules {
        rule.target = targets.of(rule);
    }
    Ok(AuditLook { status, rules })
}

/// Asks for the state.
pub(super) fn status(link: &mut Link) -> Result<AuditStatus, AuditError> {
    let mut status = None;
    link.ask(AuditMessage::GetStatus(None), Batch::of(1), |kind, body| {
        if kind != AUDIT_GET {
            return Ok(Enough::No);
        }
        status = Some(decode_status(body).ok_or(AuditError::Malformed("status"))?);
        Ok(Enough::Yes)
    })?;
    let mut status = status.ok_or(AuditError::Malformed("status"))?;
    status.daemon = name_of(status.pid);
    Ok(status)
}

/// `struct audit_status`; older kernels send less of it, later ones more.
fn decode_status(body: &[u8]) -> Option<AuditStatus> {
    let read = StatusMessage::parse(&StatusMessageBuffer::new_checked(body).ok()?).ok()?;
    Some(AuditStatus {
        enabled: read.enabled,
        failure: read.failure,
        pid: read.pid,
        daemon: None,
        rate_limit: read.rate_limiting,
        backlog_limit: read.backlog_limit,
        lost: read.lost,
        backlog: read.backlog,
    })
}

fn rules(link: &mut Link) -> Result<Vec<AuditRule>, AuditError> {
    let mut rules = Vec::new();
    link.ask(AuditMessage::ListRules(None), Batch::of(MANY), |kind, body| {
        if kind == AUDIT_LIST_RULES {
            rules.push(decode_rule(body).ok_or(AuditError::Malformed("rule"))?);
        }
        if rules.len() > MAX_RULES {
            return Err(AuditError::TooMany(MAX_RULES));
        }
        Ok(Enough::No)
    })?;
    Ok(rules)
}

/// Name of a process of this pid namespace, which is the kernel's own where status can be asked for. `None` where it is
/// gone, be it that its parent has not noticed yet.
fn name_of(pid: u32) -> Option<String> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok().filter(|_| pid != 0)?;
    let stat = String::from_utf8_lossy(&stat);
    // `PID (NAME) STATE …`, where the name may hold anything.
    let (start, after) = stat.rsplit_once(") ")?;
    let (_pid, name) = start.split_once('(')?;
    (!after.starts_with(['Z', 'X'])).then(|| name.to_owned())
}

/// Where the host's files are: in a container that shares the host's pid namespace, behind process 1.
fn host_root() -> PathBuf {
    let namespace = |process: &str| fs::read_link(format!("/proc/{process}/ns/mnt"));
    match (namespace("self"), namespace("1")) {
        (Ok(own), Ok(first)) if own != first => PathBuf::from("/proc/1/root"),
        _ => Path::new("/").to_path_buf(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_by_position_and_may_be_longer() {
        let body: Vec<u8> = (0..11u32).flat_map(u32::to_ne_bytes).collect();
        let status = decode_status(&body).unwrap();
        let AuditStatus {
            enabled,
            failure,
            pid,
            daemon,
            rate_limit,
            backlog_limit,
            lost,
            backlog,
        } = status;
        assert_eq!(
            [enabled, failure, pid, rate_limit, backlog_limit, lost, backlog],
            [1, 2, 3, 4, 5, 6, 7]
        );
        assert_eq!(daemon, None);
        assert_eq!(decode_status(&[0; 31]), None);
    }

    #[test]
    fn a_process_has_a_name() {
        let own = fs::read_to_string("/proc/self/comm").unwrap();
        assert_eq!(name_of(std::process::id()).as_deref(), Some(own.trim_end()));
        assert_eq!(name_of(0), None);
    }

    #[test]
    fn a_process_that_ended_has_none() {
        let mut child = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let pid = rustix::process::Pid::from_child(&child);
        assert_eq!(name_of(child.id()).as_deref(), Some("cat"));
        drop(child.stdin.take());
        // Ended, and its parent has not heard of it yet.
        let ended = rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT;
        rustix::process::waitid(rustix::process::WaitId::Pid(pid), ended).unwrap();
        assert_eq!(name_of(child.id()), None);
        child.wait().unwrap();
    }
}
