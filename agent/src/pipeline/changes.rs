//! Changes of watched files, as observations: who did it, and where that is.

use super::scene::Scene;
use crate::model::{CgroupId, Event, FileChange, InodeId, Observation, Process, Source, Time};
use crate::source::files::Doer;

impl Scene {
    /// A change with the process that made it: as `/proc` showed it, else as it was at its exec.
    pub(super) fn changed(
        &self,
        time: Time,
        change: FileChange,
        pid: u32,
        doer: Option<Doer>,
    ) -> Observation {
        let (process, root, exe) = self.who(pid, doer);
        let plumbing = root.is_none() && exe.is_some_and(|exe| self.is_runtime_file(exe));
        Observation {
            time,
            source: Source::Kernel,
            process,
            container: root.map(|root| self.containers.reference(root, false)),
            plumbing,
            event: Event::File(change),
        }
    }

    fn who(&self, pid: u32, doer: Option<Doer>) -> (Option<Process>, Option<CgroupId>, Option<InodeId>) {
        // One that is dying has a name, and no executable any more.
        if let Some(doer) = doer.filter(|doer| doer.exe.is_some()) {
            let root = doer.container.and_then(|id| self.containers.root(&id));
            return (Some(doer.process), root, doer.exe);
        }
        match self.recent(pid) {
            Some(recent) => (Some(recent.process), recent.container, Some(recent.exe)),
            None => (None, None, None),
        }
    }
}
