//! What watching costs a host that audits, beside its audit daemon alone.

use std::path::Path;

use anyhow::Result;
use hullwatch_tests::{Audit, AuditDaemon};

use super::chmod;

/// The kernel's audit with a rule on one file, and a daemon that writes its records: on both sides of each round.
#[derive(Debug)]
pub(super) struct Trail {
    _daemon: AuditDaemon,
    _audit: Audit,
}

impl Trail {
    pub(super) fn begin(scratch: &Path) -> Result<Self> {
        let audit = Audit::take_unheard()?;
        let file = scratch.join(chmod::RECORDED);
        std::fs::File::create(&file)?;
        audit.load(scratch, &format!("-w {} -p wa -k bench\n", file.display()))?;
        let directory = scratch.join("auditd");
        std::fs::create_dir(&directory)?;
        let daemon = AuditDaemon::start(&audit, &directory)?;
        Ok(Self {
            _daemon: daemon,
            _audit: audit,
        })
    }
}
