//! What the host shows beside the engine's word, and who changes it.

use tokio::sync::mpsc;

use super::{Fatal, SLOW_EVERY, Watch};
use crate::model::{Event, HostFacts, Line, Role, Time};
use crate::pipeline::losses;
use crate::pipeline::stand_in::trail_now;
use crate::source::engine::Wanted;
use crate::source::files::{FileItem, FileWatch};
use crate::source::host;

impl Watch {
    pub(super) fn socket_access(&self) -> Option<Vec<crate::model::SocketAccess>> {
        host::socket_access(self.facts.engine_socket.as_ref()?.as_ref())
    }

    /// Has the host looked at anew, soon.
    pub(super) fn poke(&mut self) {
        // Looked at first: changes may come by the thousand, and the facts are long.
        self.stale = match self.survey.try_reserve() {
            Ok(place) => {
                place.send(self.facts.clone());
                false
            }
            Err(_busy) => true,
        };
    }

    pub(super) async fn on_survey(&mut self, facts: HostFacts) -> Result<(), Fatal> {
        // What the engine said meanwhile is newer.
        let known = &self.facts;
        let mut engine = known.engine.clone();
        if let Some(engine) = engine.get_mut() {
            host::complete_engine(engine, facts.daemon.get());
        }
        let facts = HostFacts {
            engine,
            engine_version: known.engine_version.clone(),
            engine_socket: known.engine_socket.clone(),
            security_options: known.security_options.clone(),
            socket_access: self.socket_access(),
            ..facts
        };
        if self.stale {
            self.poke();
        }
        if !self.stand_in.is_empty() {
            let changed = self.stand_in.update(&trail_now(&facts.audit), Time::now());
            self.statuses(changed).await?;
        }
        if !self.untold && is_no_news(&facts, &mut self.facts) {
            return Ok(());
        }
        self.untold = false;
        if facts.objects != self.facts.objects
            && let Some(objects) = facts.objects.get()
        {
            self.interest.watch(objects);
            let root = host::files_root(&facts);
            for failed in self.files.iter().flat_map(|files| files.watch(root, objects)) {
                tracing::debug!(%failed, "A directory cannot be watched.");
            }
        }
        self.facts = facts;
        self.tell(Event::Host(Box::new(self.facts.clone()))).await
    }

    /// The engine's swarm changed, of which it tells only where it is asked.
    fn on_swarm(&self) {
        if self.wanted.try_send(Wanted::Engine).is_err() {
            tracing::debug!("The engine is too busy to be asked about its swarm.");
        }
    }

    pub(super) async fn on_file(&mut self, item: FileItem) -> Result<(), Fatal> {
        match item {
            FileItem::Changed {
                time,
                change,
                pid,
                doer,
            } => {
                let is_swarm = change.role == Some(Role::SwarmState);
                let observation = self.scene.changed(time, change, pid, doer.map(|doer| *doer));
                if is_swarm {
                    self.on_swarm();
                    if observation.plumbing {
                        // The engine at work, by the thousand writes.
                        return Ok(());
                    }
                }
                self.poke();
                self.on_observation(observation).await
            }
            FileItem::Lost { time, count } => {
                self.poke();
                let gap = losses::files(time, count);
                Ok(self.outlet.line(&Line::Gap(gap)).await?)
            }
            FileItem::Failed(reason) => {
                let reason = format!("changes of watched files are not seen any more: {reason}");
                self.degraded("files", reason).await
            }
        }
    }
}

/// Whether facts are those that were told, but for what comes and goes by itself.
fn is_no_news(facts: &HostFacts, told: &mut HostFacts) -> bool {
    if let (Some(now), Some(told)) = (facts.audit.get(), told.audit.get_mut()) {
        told.status.backlog = now.status.backlog;
    }
    facts == told
}

/// The watch over files, its queue, and why there is none. Without one the queue stays silent.
pub(super) fn start_files() -> (Option<FileWatch>, mpsc::Receiver<FileItem>, Option<String>) {
    match FileWatch::start() {
        Ok((files, queue)) => (Some(files), queue, None),
        Err(error) => {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            let reason = format!(
                "changes of watched files are noticed within {SLOW_EVERY} s only, and not who made them: {error}: {}",
                source.unwrap_or_default()
            );
            (None, mpsc::channel(1).1, Some(reason))
        }
    }
}
