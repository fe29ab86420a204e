//! What can keep the audit from being read.

use std::io;

use rustix::io::Errno;

/// Name of the first user namespace and of the first pid namespace (`include/linux/proc_ns.h`).
const INITIAL_USER: &str = "user:[4026531837]";
const INITIAL_PID: &str = "pid:[4026531836]";

/// The kernel's audit cannot be read. Each says its remedy.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The kernel was built without audit, or was told at boot to have none.
    #[error(
        "this kernel has no audit: use one built with CONFIG_AUDIT=y, and take audit=0 or audit=off off its command line"
    )]
    NoAudit,
    /// Not allowed to ask for status and rules.
    #[error(
        "reading the audit rules needs CAP_AUDIT_CONTROL: run hullwatch as root, or grant that capability"
    )]
    NoControl,
    /// Not allowed to read records.
    #[error("reading audit records needs CAP_AUDIT_READ: run hullwatch as root, or grant that capability")]
    NoRead,
    /// The kernel answers only in its first pid namespace.
    #[error(
        "the kernel tells its audit rules only in the host's pid namespace: run hullwatch on the host, or its container with --pid=host"
    )]
    PidNamespace,
    /// The kernel answers only in its first user namespace.
    #[error(
        "the kernel tells its audit rules only in the host's user namespace: run hullwatch on the host, or its container with --userns=host"
    )]
    UserNamespace,
    /// Records are sent only in the first network namespace.
    #[error(
        "the kernel sends audit records only in the host's network namespace: run hullwatch on the host, or its container with --network=host"
    )]
    NetworkNamespace,
    /// A system call on the socket failed.
    #[error("cannot {doing} the audit socket")]
    Socket {
        /// What was tried.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The kernel answered with an error that means none of the above.
    #[error("the kernel refuses to tell of its audit")]
    Refused(#[source] io::Error),
    /// The kernel did not answer.
    #[error("the kernel did not answer on the audit socket within {0} s")]
    Silent(u64),
    /// What the kernel sent cannot be understood.
    #[error("the kernel sent a {0} that cannot be understood")]
    Malformed(&'static str),
    /// The thread that reads records is no more, without a word.
    #[error("the reader of the audit trail ended")]
    Ended,
    /// More rules than are read.
    #[error("the kernel has more than {0} audit rules")]
    TooMany(usize),
}

impl AuditError {
    /// Why a request was answered with this error.
    ///
    /// The kernel answers `ECONNREFUSED` outside its first user namespace, as though nobody listened.
    pub(super) fn of_answer(errno: Errno) -> Self {
        match errno {
            Errno::CONNREFUSED => Self::UserNamespace,
            Errno::PERM if is_outside("pid", INITIAL_PID) => Self::PidNamespace,
            Errno::PERM | Errno::ACCESS => Self::NoControl,
            other => Self::Refused(other.into()),
        }
    }

    /// Why a call on the socket failed.
    pub(super) fn of_call(doing: &'static str, source: io::Error) -> Self {
        match Errno::from_io_error(&source) {
            Some(Errno::PROTONOSUPPORT | Errno::AFNOSUPPORT) => Self::NoAudit,
            // Nobody listens: audit was turned off at boot.
            Some(Errno::CONNREFUSED) if is_outside("user", INITIAL_USER) => Self::UserNamespace,
            Some(Errno::CONNREFUSED) => Self::NoAudit,
            _ => Self::Socket { doing, source },
        }
    }
}

/// Whether this process is known to be in another namespace than this one.
fn is_outside(namespace: &str, initial: &str) -> bool {
    let own = std::fs::read_link(format!("/proc/self/ns/{namespace}"));
    own.is_ok_and(|own| own.to_str() != Some(initial))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(error: &AuditError, is_it: fn(&AuditError) -> bool) {
        assert!(is_it(error), "{error:?}");
    }

    #[test]
    fn the_remedy_is_for_what_the_kernel_answered() {
        check(&AuditError::of_answer(Errno::CONNREFUSED), |error| {
            matches!(error, AuditError::UserNamespace)
        });
        check(&AuditError::of_answer(Errno::INVAL), |error| {
            matches!(error, AuditError::Refused(_))
        });
        check(&AuditError::of_answer(Errno::PERM), |error| {
            if is_outside("pid", INITIAL_PID) {
                matches!(error, AuditError::PidNamespace)
            } else {
                matches!(error, AuditError::NoControl)
            }
        });
    }

    #[test]
    fn a_socket_that_cannot_be_made_means_a_kernel_without_audit() {
        let of_call = |errno: Errno| AuditError::of_call("open", errno.into());
        check(&of_call(Errno::PROTONOSUPPORT), |error| {
            matches!(error, AuditError::NoAudit)
        });
        check(&of_call(Errno::MFILE), |error| {
            matches!(error, AuditError::Socket { doing: "open", .. })
        });
    }
}
