//! A world with an engine, and an audit daemon that writes what the kernel records of it.

use anyhow::Result;
use hullwatch_tests::{Audit, AuditDaemon, World};

use crate::stage;

/// The world, without rules.
pub(crate) struct Audited {
    // In the order in which they end.
    pub(crate) daemon: Option<AuditDaemon>,
    pub(crate) world: World,
    pub(crate) audit: Audit,
}

impl Audited {
    pub(crate) fn new() -> Result<Self> {
        let audit = Audit::take_unheard()?;
        let mut world = World::new(&stage::programs())?;
        let daemon = AuditDaemon::start(&audit, &world.path("auditd"))?;
        // What runs since before auditing is never audited.
        world.dockerd.kill()?;
        world.dockerd.start()?;
        Ok(Self {
            daemon: Some(daemon),
            world,
            audit,
        })
    }

    /// The rules that are proposed for what is missing.
    pub(crate) fn proposed(&self) -> Result<String> {
        let mut command = self.world.hullwatch();
        command.args(["audit", "--emit-rules", "--engine", &self.world.dockerd.uri()]);
        Ok(String::from_utf8(command.output()?.stdout)?)
    }

    /// Makes these the only rules.
    pub(crate) fn load(&self, rules: &str) -> Result<()> {
        self.audit.clear()?;
        self.audit.load(&self.world.path(""), rules)
    }
}
